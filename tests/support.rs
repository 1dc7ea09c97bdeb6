//! Sandboxes for the real binary, and the real tools that decide what is correct.

mod browser;
mod command_list;
mod control_plane;
mod expectation;
mod file_list;
mod go_module;
mod meaning;
mod oracle;
mod report;
mod sandbox;
mod yardstick;

pub(crate) use browser::{browser, looking};
pub(crate) use command_list::commands_without_a_run;
pub(crate) use control_plane::{ControlPlane, control_plane};
pub(crate) use expectation::{ExpectedFiles, expect_file};
pub(crate) use file_list::files_with_extension;
pub(crate) use go_module::go_module;
pub(crate) use meaning::meaning;
pub(crate) use oracle::oracle;
pub(crate) use report::{REPORTS, judge_report, write_report};
pub(crate) use sandbox::{Run, Sandbox};
pub(crate) use yardstick::Yardstick;

/// The sync of a tree: a `FluxInstance` that starts at `cluster`.
pub(crate) const FLUX_INSTANCE: &str = "\
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync: {kind: GitRepository, url: https://example.com/home.git, path: cluster}
";
