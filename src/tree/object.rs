//! A Kubernetes object in an output file.

use crate::source::{Place, Span};
use crate::yaml::{Node, Route};

use super::File;

/// Kinds that live outside namespaces, by kind; the API groups of all of them agree on that.
const CLUSTER_SCOPED: &[&str] = &[
    "APIService",
    "Bundle",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "CiliumBGPAdvertisement",
    "CiliumBGPClusterConfig",
    "CiliumBGPNodeConfigOverride",
    "CiliumBGPPeerConfig",
    "CiliumBGPPeeringPolicy",
    "CiliumCIDRGroup",
    "CiliumClusterwideEnvoyConfig",
    "CiliumClusterwideNetworkPolicy",
    "CiliumEgressGatewayPolicy",
    "CiliumL2AnnouncementPolicy",
    "CiliumLoadBalancerIPPool",
    "CiliumPodIPPool",
    "ClusterExternalSecret",
    "ClusterIssuer",
    "ClusterPolicy",
    "ClusterPushSecret",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterSecretStore",
    "ClusterTrustBundle",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "GatewayClass",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
    "VolumeSnapshotClass",
    "VolumeSnapshotContent",
];

/// Returns whether objects of a kind live in a namespace.
pub fn is_namespaced(kind: &str) -> bool {
    CLUSTER_SCOPED.binary_search(&kind).is_err()
}

/// An object that says what it is: one with `apiVersion` and `kind`.
#[derive(Clone, Copy, Debug)]
pub struct Object<'t> {
    /// The file it stands in.
    pub file: &'t File,
    /// The index of its document in the file.
    pub document: usize,
    /// The object: the document's root, or an item of the list that it holds.
    pub root: &'t Node,
    /// The document's root.
    pub document_root: &'t Node,
}

impl<'t> Object<'t> {
    /// Lists the objects of a file, in order; kustomizations of `kustomize` are none.
    pub fn of(file: &'t File) -> impl Iterator<Item = Self> {
        file.documents
            .iter()
            .enumerate()
            .filter(|(_, document)| is_object(&document.root))
            .map(move |(index, document)| Self {
                file,
                document: index,
                root: &document.root,
                document_root: &document.root,
            })
    }

    /// Returns the kind.
    pub fn kind(self) -> &'t str {
        self.text("kind").unwrap_or_default()
    }

    /// Returns the API group; empty for the core group.
    pub fn group(self) -> &'t str {
        let version = self.text("apiVersion").unwrap_or_default();
        version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Returns whether this is of a group and kind, in any version.
    pub fn is(self, group: &str, kind: &str) -> bool {
        self.kind() == kind && self.group() == group
    }

    /// Returns the name as written; empty when there is none.
    pub fn name(self) -> &'t str {
        self.text("metadata.name").unwrap_or_default()
    }

    /// Returns the namespace as written.
    pub fn declared_namespace(self) -> Option<&'t str> {
        self.text("metadata.namespace")
            .filter(|name| !name.is_empty())
    }

    /// Returns whether objects of its kind live in a namespace.
    pub fn is_namespaced(self) -> bool {
        is_namespaced(self.kind())
    }

    /// Returns the text of the scalar at a dotted route.
    pub fn text(self, dotted: &str) -> Option<&'t str> {
        self.root.find_text(dotted)
    }

    /// Returns the value at a dotted route.
    pub fn find(self, dotted: &str) -> Option<&'t Node> {
        self.root.find(dotted)
    }

    /// Returns the place of the key that a route ends in, or of its deepest ancestor that exists.
    pub fn place(self, route: &Route) -> Place {
        Place::new(&self.file.source, self.root.span_of(route))
    }

    /// Returns the place of the value at a dotted route, or of its deepest ancestor that exists.
    pub fn value_place(self, dotted: &str) -> Place {
        let span = self
            .find(dotted)
            .map(Node::first_line_span)
            .filter(|span| !span.is_empty());
        Place::new(
            &self.file.source,
            span.unwrap_or_else(|| self.root.span_of(&Route::parse(dotted))),
        )
    }

    /// Returns the place of the name, or of the object where it has none.
    pub fn name_place(self) -> Place {
        self.value_place("metadata.name")
    }

    /// Returns what tells it from all other objects that are written in the tree.
    pub fn spot(self) -> (&'t str, usize) {
        (&self.file.path, self.root.span.start)
    }

    /// Returns a route of it as one of its document.
    pub fn document_route(self, route: &Route) -> Route {
        let mut full = self.route_in_document();
        full.0.extend(route.0.iter().cloned());
        full
    }

    /// Returns the route in its document: empty, or that of an item of a list.
    fn route_in_document(self) -> Route {
        let mut route = Route::default();
        let mut node = self.document_root;
        let span = self.root.span;
        let holds = |item: &Node| item.span.start <= span.start && span.end <= item.span.end;
        while node.span != span {
            let items = node.get("items").and_then(Node::items).unwrap_or_default();
            let Some(index) = items.iter().position(holds) else {
                return route;
            };
            route = route.then("items").then(index);
            node = &items[index];
        }
        route
    }

    /// Returns the first byte of the object.
    pub fn start(self) -> usize {
        let Span { start, .. } = self.root.first_line_span();
        start
    }
}

/// Returns whether a document is an object; kustomizations of `kustomize` are none.
pub fn is_object(root: &Node) -> bool {
    root.find_text("apiVersion")
        .is_some_and(|version| !version.starts_with("kustomize.config.k8s.io/"))
        && root.find_text("kind").is_some_and(|kind| !kind.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_scoped_kinds_are_sorted_for_the_search() {
        assert!(CLUSTER_SCOPED.is_sorted());
    }
}
