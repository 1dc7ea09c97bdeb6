//! The images of what Flux applies.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Inventory, named, reached};
use crate::cli::report::build::object_name;
use crate::flux::AppliedObjects;
use crate::tree::images::{images, walk_mappings};

/// The lists of a pod that hold containers.
const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

pub(super) fn list(applied: &AppliedObjects, verbose: bool) -> Inventory {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for object in reached(applied).filter(|object| !object.is("", "Secret")) {
        let name = object_name(&object.field);
        for image in images_of(&object.field.to_json()) {
            users.entry(image).or_default().insert(name.clone());
        }
    }
    let all: Vec<(String, Vec<String>)> = users
        .into_iter()
        .map(|(image, users)| (image, users.into_iter().collect()))
        .collect();
    Inventory {
        subject: "images",
        head: &["IMAGE", "USED BY"],
        rows: all
            .iter()
            .map(|(image, users)| vec![image.clone(), named(users, verbose)])
            .collect(),
        names: all.iter().map(|(image, _)| image.clone()).collect(),
        items: all
            .iter()
            .map(|(image, users)| json!({"image": image, "users": users}))
            .collect(),
    }
}

/// Lists the images of an object: those that name a version, and those of containers in any case.
fn images_of(object: &Value) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = images(object)
        .into_values()
        .map(|(name, version)| with_version(&name, &version))
        .collect();
    walk_mappings(object, "", &mut |_, entries| {
        for list in CONTAINER_LISTS {
            let containers = entries.get(list).and_then(Value::as_array);
            for container in containers.into_iter().flatten() {
                if let Some(image) = container.get("image").and_then(Value::as_str)
                    && !image.is_empty()
                {
                    found.insert(image.to_owned());
                }
            }
        }
    });
    found
}

fn with_version(name: &str, version: &str) -> String {
    let mark = if version.starts_with("sha256:") {
        '@'
    } else {
        ':'
    };
    format!("{name}{mark}{version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_stand_in_pods_in_resources_and_in_values() {
        let object = json!({
            "spec": {
                "imageName": "ghcr.io/pg:17",
                "template": {"spec": {"initContainers": [{"image": "busybox"}], "containers": [{"image": "a/b@sha256:x"}]}},
                "values": {"image": {"repository": "r", "tag": "1"}, "other": {"registry": "q.io", "repository": "s", "digest": "sha256:y"}, "image2": "x"},
            }
        });
        let expected = [
            "a/b@sha256:x",
            "busybox",
            "ghcr.io/pg:17",
            "q.io/s@sha256:y",
            "r:1",
        ];
        assert_eq!(images_of(&object).into_iter().collect::<Vec<_>>(), expected);
    }
}
