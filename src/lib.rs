//! Kiln compiles a typed cluster config and a tree of templates into a hardened, checked and
//! sealed Flux tree.
//!
//! # Steps
//! 1. [`config`] loads the cluster files, encrypted or not, and merges them.
//! 2. [`validate`] validates them against JSON Schemas and CEL rules and fills in defaults.
//! 3. [`render`] turns templates into a [`Tree`](tree::Tree) of files.
//! 4. [`harden`] adds the security defaults that are missing.
//! 5. [`check`] proves that the tree hangs together and that no secret is in the open.
//! 6. [`seal`] encrypts the secret outputs in SOPS' file format.
//! 7. [`mod@write`] puts the changed files on disk, all of them or none.
//!
//! [`mod@watch`] waits for a change of what a compile read, so that it can be done again.
//!
//! [`adopt`] finds out what a live repository needs to be rendered by Kiln.
//!
//! [`pipeline`] is the one place where these stages meet.

pub mod source;
pub mod diagnostic;
pub mod secret;
pub mod yaml;
pub mod cel;
pub mod tree;

pub mod flux;
pub mod pod_security;
pub mod charts;
pub mod workload;
pub mod rules;

pub mod fs;

pub mod config;
pub mod validate;
pub mod render;
pub mod harden;
pub mod makejinja;
pub mod check;
pub mod audit;
pub mod seal;

pub mod write;
pub mod watch;
pub mod diff;
pub mod adopt;
pub mod profiler;

pub mod pipeline;
pub mod cli;
