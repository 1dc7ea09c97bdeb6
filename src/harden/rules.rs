//! The rules, one a file.

pub(super) mod pod_security;
pub(super) mod priority_class;
pub(super) mod probes;
pub(super) mod security_context;
pub(super) mod service_account_token;
