//! The catalogue's own templates: hardened without a finding, and nothing left out.
//!
//! Rendered anew, without sealing; what rules wrote is known by its text.

use std::collections::BTreeMap;

use kiln::flux::TreeFiles;
use kiln::flux::builds::Builds;
use kiln::harden::harden;
use kiln::tree::object::Object;

use super::{profiles, trees};
use crate::laboratory::examples::example_texts;
use crate::support::Yardstick;

const EXAMPLES: [&str; 2] = ["homelab", "production"];

#[test]
fn every_namespace_of_the_examples_is_labelled() {
    for example in EXAMPLES {
        let texts = example_texts(example);
        let files: Vec<_> = texts
            .iter()
            .map(|(path, text)| trees::file(path, text))
            .collect();
        let applied_files = TreeFiles::of_tree(files.iter());
        let builds = Builds::of(&applied_files);
        let mut levels = BTreeMap::new();
        for namespace in builds.of_kind("", "Namespace") {
            let labels = namespace.find("metadata.labels").unwrap();
            let label = |key: &str| {
                labels
                    .get(&format!("pod-security.kubernetes.io/{key}"))
                    .unwrap()
                    .as_text()
                    .unwrap()
            };
            assert_eq!(
                (label("audit"), label("warn")),
                ("restricted", "restricted"),
                "{example}"
            );
            levels.insert(namespace.name.as_str(), label("enforce"));
        }
        let expected = BTreeMap::from([
            ("cert-manager", "restricted"),
            ("default", "restricted"),
            ("flux-system", "restricted"),
            ("kube-system", "privileged"),
            ("network", "restricted"),
        ]);
        assert_eq!(levels, expected, "{example}");
    }
}

#[test]
fn the_examples_are_hardened_already_and_without_a_finding() {
    for example in EXAMPLES {
        let texts = example_texts(example);
        let done = harden(
            trees::tree(texts, Vec::new()),
            Yardstick::new(&profiles()).measures(),
        )
        .unwrap();
        assert_eq!(trees::told(&done.warnings), "", "{example}");
        let again: Vec<String> = done
            .value
            .injections()
            .iter()
            .map(|injection| format!("{injection:?}"))
            .collect();
        assert!(again.is_empty(), "{example}: {again:#?}");
    }
}

#[test]
fn priority_classes_in_use_are_defined() {
    for example in EXAMPLES {
        let texts = example_texts(example);
        let files: Vec<_> = texts
            .iter()
            .map(|(path, text)| trees::file(path, text))
            .collect();
        let defined: Vec<&str> = files
            .iter()
            .flat_map(Object::of)
            .filter(|object| object.is("scheduling.k8s.io", "PriorityClass"))
            .map(Object::name)
            .collect();
        let used = texts
            .values()
            .flat_map(|text| text.lines())
            .filter_map(|line| line.trim().strip_prefix("priorityClassName: "));
        let mut count = 0;
        for class in used {
            assert!(
                class.starts_with("system-") || defined.contains(&class),
                "{example}: {class}"
            );
            count += 1;
        }
        assert!(count >= 7, "{example}: {count}");
    }
}
