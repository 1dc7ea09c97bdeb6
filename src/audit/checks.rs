//! The checks, one file a category.

mod access;
mod availability;
mod containers;
mod flux;
mod hygiene;
mod images;
mod network;
mod pod_security;
mod probes;
mod resources;

use super::Check;

/// All checks, by category.
pub(super) static GROUPS: &[&[Check]] = &[
    probes::CHECKS,
    availability::CHECKS,
    resources::CHECKS,
    pod_security::CHECKS,
    containers::CHECKS,
    images::CHECKS,
    network::CHECKS,
    access::CHECKS,
    hygiene::CHECKS,
    flux::CHECKS,
];
