//! What the field's own tools say of the output; `tests/oracles` has the tools.

/// What the real API server refuses.
mod apiserver;
/// What Flux applies, in its order.
mod applied;
/// The rendered releases of the examples.
mod charts;
/// The custom resources that the server knows.
mod definitions;
/// The language server of editors.
mod editor;
/// The one entry to the tools.
mod entry;
/// The examples on one node, on two, on three, and as they are.
pub(crate) mod examples;
/// What Flux applies of the examples.
mod flux;
/// What Flux applies, and what `kiln build` says of it.
mod flux_build;
/// What hardening adds, and what it leaves as it is.
mod hardening;
/// What the API server and the scheduler would make of rendered charts.
mod judgement;
/// kustomize's own tests.
mod krusty;
/// What Talos makes of the machines of the examples.
mod machines;
/// The examples on other numbers of nodes.
mod nodes;
/// What the Pod Security Standards say of pods.
mod pod_security;
/// The maintainers' run: every release by the real helm.
mod prove;
/// Kustomizations that nobody wrote, by kustomize's own library.
mod random_kustomizations;
/// The releases of a tree, and what Flux applies beside them.
mod releases;
/// Reports of the maintainers' runs are of today's tree.
mod reports;
