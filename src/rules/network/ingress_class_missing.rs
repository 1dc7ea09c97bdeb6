//! Ingress classes that are not there.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::object_reference::ObjectReference;
use crate::rules::objects::ObjectId;
use crate::rules::{Category, Rule};

const GROUP: &str = "networking.k8s.io";

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "ingress-class-missing",
        summary: "Every ingress class that is named is there",
        text: "\
No controller serves an Ingress whose `ingressClassName` names no IngressClass, and nothing reports it.

Classes mostly come from the charts of controllers. So it is an error only where no chart is there that may have the
class, and a warning where the name is a slip of a class of the tree. Where the tree has no IngressClass at all, nothing
is said.",
    },
    category: Category::Network,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for owner in facts.unique_objects(GROUP, "Ingress") {
        let written = owner.field.find(&["spec", "ingressClassName"]);
        let Some(written) =
            written.filter(|one| one.as_text().is_some_and(|name| !name.is_empty()))
        else {
            continue;
        };
        let name = written.as_text().unwrap_or_default();
        let reference = ObjectReference {
            id: ObjectId::new(GROUP, "IngressClass", "", name),
            written,
            part: None,
            owner,
            release: None,
            verb: "is of",
            counts: true,
            by_hand: false,
            is_bootstrapped: false,
        };
        reference.judge(judge);
    }
}
