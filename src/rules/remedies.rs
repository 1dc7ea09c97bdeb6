//! The rules, one a file.

pub(super) mod network_policy;
pub(super) mod pod_disruption_budget;
pub(super) mod pod_security;
pub(super) mod priority_class;
pub(super) mod probes;
pub(super) mod security_context;
pub(super) mod service_account_token;
pub(super) mod resources;
pub(super) mod topology_spread;
