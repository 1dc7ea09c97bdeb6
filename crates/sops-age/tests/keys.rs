//! Keys of all kinds, held against age, its plugins, its test vectors, sops and ssh-keygen.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests panic to fail, work on files of their own, and say what they skip"
)]

mod keys {
    mod age;
    mod plugins;
    mod sops;
    mod vectors;
    mod workshop;
}

#[path = "../../../tests/support/oracle.rs"]
mod oracle;
