//! What the field's own tools say of the output; `tests/oracles` has the tools.

/// What the real API server refuses.
mod apiserver;
/// What Flux applies, in its order.
mod applied;
/// The custom resources that the server knows.
mod definitions;
/// What the Pod Security Standards say of pods.
mod pod_security;
