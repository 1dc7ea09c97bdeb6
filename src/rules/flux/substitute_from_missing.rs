//! Variables that come from an object that is not there.

use kustomize::Field;

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::object_reference::ObjectReference;
use crate::rules::objects::ObjectId;
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "substitute-from-missing",
        summary: "Every `substituteFrom` of a Kustomization names an object that is there",
        text: "\
A Kustomization fills variables in from the ConfigMaps and Secrets of `postBuild.substituteFrom`, in its own
namespace. Where one of them is not there, Flux applies nothing of the Kustomization, unless the entry is `optional`.

Such objects are often made by hand, or by what sets the cluster up. So it is an error only where the name is a slip of
one that is there, and a warning otherwise: name the values in `[flux] values` of kiln.toml, and they are known.

    substituteFrom:
      - kind: Secret
        name: cluster-secrets
        optional: true",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for owner in facts.unique_objects("kustomize.toolkit.fluxcd.io", "Kustomization") {
        let route = ["spec", "postBuild", "substituteFrom"];
        let listed = owner.field.find(&route).and_then(Field::items);
        for entry in listed.unwrap_or_default() {
            let (Some(kind), Some(written)) = (entry.find_text(&["kind"]), entry.get("name"))
            else {
                continue;
            };
            if entry.find_text(&["optional"]) == Some("true") {
                continue;
            }
            let name = written.as_text().unwrap_or_default();
            let reference = ObjectReference {
                id: ObjectId::core(kind, &owner.key().namespace, name),
                written,
                part: None,
                owner,
                release: None,
                verb: "takes variables from",
                counts: true,
                by_hand: true,
                is_bootstrapped: false,
            };
            reference.judge(judge);
        }
    }
}
