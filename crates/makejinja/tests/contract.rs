//! The contract of makejinja, held against makejinja and PyYAML.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests panic to fail, work on files of their own, and say what they skip"
)]

mod contract {
    mod corpus;
    mod disk_files;
    mod judge;
    mod messages;
    mod random_data;
    mod random_projects;
    mod served;
    mod shown;
    mod vectors;
}

#[path = "../../../tests/support/oracle.rs"]
mod oracle;
