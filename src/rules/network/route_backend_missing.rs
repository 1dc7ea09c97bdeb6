//! Routes and ingresses to a Service that is not there.

use kustomize::Field;

use super::routes::WrittenRoute;
use crate::diagnostic::{Meaning, Severity};
use crate::flux::AppliedObject;
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::items;
use crate::rules::object_reference::{ObjectReference, ReferredPart};
use crate::rules::objects::{ObjectId, filled_name};
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "route-backend-missing",
        summary: "Every backend of a route or ingress is a Service and a port that are there",
        text: "\
A route whose backend is no Service, or a port that the Service does not have, answers with an error of the proxy.

Asked are the backends of HTTPRoutes, GRPCRoutes, TLSRoutes, TCPRoutes, UDPRoutes and Ingresses, and those in the routes
of app-template's values. A Service may come from a manifest, from the values of app-template, or from an operator that
is known. In a namespace with charts that may make it, it is a warning, unless its name says which chart does. Backends
of other kinds are not asked, nor whether a ReferenceGrant lets a route into another namespace.

    backendRefs:
      - name: echo
        port: 80",
    },
    category: Category::Network,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

/// A Service that traffic goes to.
struct Backend<'f> {
    owner: &'f AppliedObject,
    namespace: &'f str,
    name: &'f Field,
    port: Option<&'f Field>,
}

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let routes = WrittenRoute::all(facts);
    for route in routes.iter().filter(|route| route.spells_rules()) {
        for rule in items(route.spec, "rules") {
            for backend in items(rule, "backendRefs") {
                let text = |key: &str| backend.find_text(&[key]).filter(|text| !text.is_empty());
                let is_service =
                    text("kind").is_none_or(|kind| kind == "Service") && text("group").is_none();
                if let (true, Some(name)) = (is_service, backend.get("name")) {
                    let found = Backend {
                        owner: route.owner,
                        namespace: text("namespace").unwrap_or(&route.namespace),
                        name,
                        port: backend.get("port"),
                    };
                    refer(judge, &found, Some(route));
                }
            }
        }
    }
    for owner in facts.unique_objects("networking.k8s.io", "Ingress") {
        let namespace = owner.key().namespace;
        for backend in ingress_backends(&owner.field) {
            if let Some(name) = backend.get("name") {
                let port = backend.get("port");
                let port = port.and_then(|port| port.get("number").or_else(|| port.get("name")));
                let found = Backend {
                    owner,
                    namespace: &namespace,
                    name,
                    port,
                };
                refer(judge, &found, None);
            }
        }
    }
}

fn ingress_backends(ingress: &Field) -> Vec<&Field> {
    let Some(spec) = ingress.get("spec") else {
        return Vec::new();
    };
    let mut found: Vec<&Field> = spec
        .find(&["defaultBackend", "service"])
        .into_iter()
        .collect();
    for rule in items(spec, "rules") {
        let paths = rule
            .get("http")
            .map_or(&[][..], |http| items(http, "paths"));
        found.extend(
            paths
                .iter()
                .filter_map(|path| path.find(&["backend", "service"])),
        );
    }
    found
}

fn refer(judge: &mut Judge<'_, '_>, backend: &Backend<'_>, route: Option<&WrittenRoute<'_>>) {
    let release = route.and_then(|route| route.release);
    let filled = |text: &str| filled_name(release, text);
    let name = filled(backend.name.as_text().unwrap_or_default());
    let reference = ObjectReference {
        id: ObjectId::core("Service", &filled(backend.namespace), &name),
        written: backend.name,
        part: backend.port.map(|port| ReferredPart {
            word: "port",
            name: port.as_text().unwrap_or_default().to_owned(),
            written: port,
        }),
        owner: backend.owner,
        release,
        verb: "leads to",
        counts: route.is_none_or(WrittenRoute::counts),
        by_hand: false,
        is_bootstrapped: false,
    };
    reference.judge(judge);
}
