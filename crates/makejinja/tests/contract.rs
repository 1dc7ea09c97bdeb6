//! The contract of makejinja, held against makejinja and `PyYAML`.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::format_push_string,
    reason = "tests panic to fail, work on files of their own, say what they skip, and write texts piece by piece"
)]

mod contract {
    mod chance;
    mod corpus;
    mod disk_files;
    mod judge;
    mod messages;
    mod random_data;
    mod random_projects;
    mod random_settings;
    mod served;
    mod shown;
    mod vectors;
}

#[path = "../../../tests/support/oracle.rs"]
mod oracle;
