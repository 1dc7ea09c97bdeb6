//! Secret stores that are not there.

use kustomize::Field;

use crate::diagnostic::{Meaning, Severity};
use crate::flux::AppliedObject;
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::items;
use crate::rules::object_reference::ObjectReference;
use crate::rules::objects::ObjectId;
use crate::rules::{Category, Rule};

const GROUP: &str = "external-secrets.io";

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "secret-store-missing",
        summary: "Every secret store that is named is there",
        text: "\
An ExternalSecret, ClusterExternalSecret or PushSecret goes through a SecretStore of its own namespace, or through a
ClusterSecretStore where it says `kind: ClusterSecretStore`. If there is none of that kind and name, no Secret is made,
and the pods that read it do not start.

Where the tree has no store of that kind at all, they are kept elsewhere, and nothing is said.

    secretStoreRef:
      kind: ClusterSecretStore
      name: onepassword",
    },
    category: Category::Access,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for owner in facts.unique_objects(GROUP, "ExternalSecret") {
        if let Some(spec) = owner.field.get("spec") {
            refer_all(judge, owner, spec);
        }
    }
    for owner in facts.unique_objects(GROUP, "ClusterExternalSecret") {
        if let Some(spec) = owner.field.find(&["spec", "externalSecretSpec"]) {
            refer_all(judge, owner, spec);
        }
    }
    for owner in facts.unique_objects(GROUP, "PushSecret") {
        let spec = owner.field.get("spec").into_iter();
        for reference in spec.flat_map(|spec| items(spec, "secretStoreRefs")) {
            refer(judge, owner, reference);
        }
    }
}

fn refer_all(judge: &mut Judge<'_, '_>, owner: &AppliedObject, spec: &Field) {
    if let Some(reference) = spec.get("secretStoreRef") {
        refer(judge, owner, reference);
    }
    let entries = ["data", "dataFrom"].map(|list| items(spec, list));
    for entry in entries.into_iter().flatten() {
        if let Some(reference) = entry.find(&["sourceRef", "storeRef"]) {
            refer(judge, owner, reference);
        }
    }
}

fn refer(judge: &mut Judge<'_, '_>, owner: &AppliedObject, reference: &Field) {
    let Some(written) = reference.get("name") else {
        return;
    };
    let name = written.as_text().unwrap_or_default();
    let kind = reference.find_text(&["kind"]).unwrap_or("SecretStore");
    let namespace = match kind {
        "SecretStore" => owner.key().namespace,
        "ClusterSecretStore" => String::new(),
        _ => return,
    };
    // A ClusterExternalSecret has its ExternalSecrets in namespaces that it selects.
    if kind == "SecretStore" && namespace.is_empty() {
        return;
    }
    let reference = ObjectReference {
        id: ObjectId::new(GROUP, kind, &namespace, name),
        written,
        part: None,
        owner,
        release: None,
        verb: "goes through",
        counts: true,
        by_hand: false,
        is_bootstrapped: false,
    };
    reference.judge(judge);
}
