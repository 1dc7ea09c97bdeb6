//! Routes to a Gateway that is not there.

use kustomize::Field;

use super::routes::{GATEWAY, WrittenRoute};
use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::object_reference::{ObjectReference, ReferredPart};
use crate::rules::objects::{ObjectId, filled_name};
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "parent-ref-missing",
        summary: "Every route belongs to a Gateway and a listener that are there",
        text: "\
A route of the Gateway API serves nothing unless its `parentRefs` name a Gateway that is there, in the namespace that
is named or in the route's own, and a listener of it where there is a `sectionName`. Nothing reports it but the status
of the route.

Asked are the routes of manifests, and those in the values of app-template; in the values of other charts it is a
warning, since the chart may not read them. Where the tree has no Gateway at all, they are kept elsewhere, and nothing
is said. Whether the listener lets routes of that namespace in is not asked.

    parentRefs:
      - name: external
        namespace: network
        sectionName: https",
    },
    category: Category::Network,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for route in WrittenRoute::all(facts) {
        let parents = route.spec.get("parentRefs").and_then(Field::items);
        for parent in parents.unwrap_or_default() {
            refer(judge, &route, parent);
        }
    }
}

fn refer(judge: &mut Judge<'_, '_>, route: &WrittenRoute<'_>, parent: &Field) {
    let text = |key: &str| parent.find_text(&[key]).filter(|text| !text.is_empty());
    let kind = text("kind").unwrap_or("Gateway");
    let is_gateway = text("group").unwrap_or(GATEWAY) == GATEWAY && kind == "Gateway";
    let (true, Some(written)) = (is_gateway, parent.get("name")) else {
        return;
    };
    let filled = |text: &str| filled_name(route.release, text);
    let section = parent.get("sectionName");
    let section = section.filter(|section| section.as_text().is_some_and(|text| !text.is_empty()));
    let name = filled(written.as_text().unwrap_or_default());
    let namespace = filled(text("namespace").unwrap_or(&route.namespace));
    let reference = ObjectReference {
        id: ObjectId::new(GATEWAY, kind, &namespace, &name),
        written,
        part: section.map(|section| ReferredPart {
            word: "listener",
            name: section.as_text().unwrap_or_default().to_owned(),
            written: section,
        }),
        owner: route.owner,
        release: route.release,
        verb: "has a route to",
        counts: route.counts(),
        by_hand: false,
        is_bootstrapped: false,
    };
    reference.judge(judge);
}
