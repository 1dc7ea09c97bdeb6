//! The images that an object names, wherever it does.

use std::collections::BTreeMap;

use serde_json::Value;

/// A name and its version, by where they stand.
pub type ImageVersions = BTreeMap<String, (String, String)>;

/// The keys whose text is an image: of containers and of nearly all custom resources, and of CloudNativePG.
const IMAGE_KEYS: [&str; 2] = ["image", "imageName"];

/// Finds the images of an object that name a version, by the dotted way to them.
pub fn images(value: &Value) -> ImageVersions {
    let mut found = ImageVersions::new();
    walk_mappings(value, "", &mut |route, entries| {
        let text = |key: &str| entries.get(key).and_then(Value::as_str);
        let scalar = |key: &str| match entries.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        for key in IMAGE_KEYS {
            if let Some((name, version)) = text(key).and_then(image_reference) {
                found.insert(format!("{route}.{key}"), (name, version));
            }
        }
        if let (Some(repository), Some(tag)) = (
            text("repository"),
            scalar("tag").or_else(|| scalar("digest")),
        ) && !repository.contains("://")
        {
            let registry = text("registry").or_else(|| text("imageRegistry"));
            let name = registry
                .filter(|registry| !registry.is_empty())
                .map_or_else(String::new, |registry| format!("{registry}/"));
            found.insert(route.to_owned(), (format!("{name}{repository}"), tag));
        }
    });
    trimmed(found)
}

/// Splits `registry/name:tag@digest`; `None` for what is no image with a version.
pub fn image_reference(text: &str) -> Option<(String, String)> {
    if text.contains(char::is_whitespace) || text.contains("://") {
        return None;
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let slash = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[slash..].rfind(':') {
        Some(colon) => (&rest[..slash + colon], Some(&rest[slash + colon + 1..])),
        None => (rest, None),
    };
    let version = match (tag, digest) {
        (Some(tag), Some(digest)) => format!("{tag}@{digest}"),
        (Some(tag), None) => tag.to_owned(),
        (None, Some(digest)) => digest.to_owned(),
        (None, None) => return None,
    };
    (!name.is_empty()).then(|| (name.to_owned(), version))
}

/// Visits every mapping; items of lists are named where they have a name.
pub fn walk_mappings(
    value: &Value,
    route: &str,
    visit: &mut dyn FnMut(&str, &serde_json::Map<String, Value>),
) {
    match value {
        Value::Object(entries) => {
            visit(route, entries);
            for (key, inner) in entries {
                walk_mappings(inner, &format!("{route}.{key}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                let name = inner.get("name").and_then(Value::as_str);
                let name = name.map_or_else(|| index.to_string(), str::to_owned);
                walk_mappings(inner, &format!("{route}[{name}]"), visit);
            }
        }
        _ => {}
    }
}

fn trimmed(found: ImageVersions) -> ImageVersions {
    let trim = |route: String| route.trim_start_matches('.').to_owned();
    found
        .into_iter()
        .map(|(route, version)| (trim(route), version))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_images() {
        let split = |text| image_reference(text).map(|(name, version)| format!("{name} {version}"));
        assert_eq!(
            split("localhost:5000/a/b:1@sha256:x").as_deref(),
            Some("localhost:5000/a/b 1@sha256:x")
        );
        assert_eq!(split("busybox"), None);
        assert_eq!(split("https://x/y:1"), None);
    }
}
