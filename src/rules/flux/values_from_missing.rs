//! Values of a release that come from an object that is not there.

use kustomize::Field;

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::object_reference::{ObjectReference, ReferredPart};
use crate::rules::objects::ObjectId;
use crate::rules::{Category, Rule};

/// The key that Flux reads where none is named.
const DEFAULT_KEY: &str = "values.yaml";

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "values-from-missing",
        summary: "Every `valuesFrom` of a release names an object and a key that are there",
        text: "\
A HelmRelease takes values from ConfigMaps and Secrets in its own namespace. Where one of them, or its `valuesKey`
(`values.yaml` by default), is not there, Flux does not install or upgrade the release, unless the entry is `optional`.

A `configMapGenerator` ends its names with a hash, and kustomize puts that name into a HelmRelease only if a
`nameReference` of its `configurations` says so. What External Secrets, SealedSecrets and other operators make is known.
A Secret may be made by hand, so that one that is not there is a warning.

    configMapGenerator:
      - name: echo-values
        files: [values.yaml]
        options: {disableNameSuffixHash: true}",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for release in facts.unique_objects("helm.toolkit.fluxcd.io", "HelmRelease") {
        let listed = release.field.find(&["spec", "valuesFrom"]);
        for entry in listed.and_then(Field::items).unwrap_or_default() {
            let (Some(kind), Some(written)) = (entry.find_text(&["kind"]), entry.get("name"))
            else {
                continue;
            };
            if entry.find_text(&["optional"]) == Some("true") {
                continue;
            }
            let key = entry
                .get("valuesKey")
                .filter(|key| key.as_text() != Some(""));
            let name = written.as_text().unwrap_or_default();
            let reference = ObjectReference {
                id: ObjectId::core(kind, &release.key().namespace, name),
                written,
                part: Some(ReferredPart {
                    word: "key",
                    name: key
                        .and_then(Field::as_text)
                        .unwrap_or(DEFAULT_KEY)
                        .to_owned(),
                    written: key.unwrap_or(written),
                }),
                owner: release,
                release: facts.release_of(release),
                verb: "takes values from",
                counts: true,
                by_hand: kind == "Secret",
                is_bootstrapped: false,
            };
            reference.judge(judge);
        }
    }
}
