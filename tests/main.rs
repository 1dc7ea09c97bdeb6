//! The one integration test binary; each module holds the tests of one part.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests panic to fail, set up folders, and say what they skip"
)]

/// Sandboxes and the real tools that decide what is correct.
mod support;

/// Who may import whom.
mod architecture;
/// How tests say what they expect.
mod assertions;
/// Config files that are accepted and rejected.
mod config;
/// The schemas of own apps: every word works or is refused.
mod schemas;
/// Versions as data.
mod versions;
/// Templates and what they render to.
mod render;
/// What apps ask for besides their own files.
mod asks;
/// Hardening rules.
mod harden;
/// Scorecards.
mod audit;
/// Checks of the tree.
mod check;
/// Chart profiles, made by the real `helm`.
mod profiler;
/// SOPS files, against the real `sops`.
mod seal;
/// What reaches the disk.
mod write;
/// The real binary while it watches.
mod watch;
/// The real binary.
mod cli;
/// What files say, in every form that Kiln prints.
mod escaping;
/// The examples, as a user runs them.
mod examples;
/// What rendered recipes leave on disk.
mod recipes;
/// The recipes of CONTRIBUTING, walked.
mod contributing;
/// Apps on and off in all mixtures.
mod combinations;
/// What Flux applies of small trees.
mod applied;
/// How Flux is told to apply the catalogue.
mod flux;
/// What alerts fire at, and where they lead.
mod alerts;
/// Which gaps of a cluster are closed, and by what.
mod gaps;
/// What Prometheus is asked.
mod expressions;
/// What the field's own tools say of the output.
mod laboratory;
/// Projects of makejinja.
mod makejinja;
/// Documents that are generated from the code.
mod generated;
/// What differs between two trees.
mod diff;
/// Secrets by where they come from and where they flow.
mod secrets;
/// Live repositories that Kiln takes over.
mod adopt;
/// A clone without keys, as CI has one.
mod keyless;
/// What users get wrong.
mod bad_input;
/// Input that nobody wrote.
mod fuzz;
/// What hostile input costs.
mod budgets;
