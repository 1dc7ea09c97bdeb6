//! The values that a Helm release gets: those of its ConfigMaps, then its own.

use std::collections::BTreeMap;

use kustomize::{Field, FieldEntry, FieldValue, Origin, Place, ScalarKind, SourceFile};

use super::applied_object::{AppliedObject, ObjectKey};
use super::applied_objects::AppliedObjects;
use super::generated_name::name_without_hash;

/// The key that values are taken from where a release names none.
const DEFAULT_KEY: &str = "values.yaml";

/// The values of a Helm release as Helm merges them, as far as they are seen.
#[derive(Clone, Debug)]
pub struct ReleaseValues {
    /// The values; each field knows the place that sets it.
    pub values: Field,
    /// What is merged into them and not seen.
    pub unseen: Vec<UnseenValues>,
}

/// A source of values that is not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenValues {
    /// The source: `Secret/flux-system/values`.
    pub what: String,
    /// Why, in one sentence without a final period.
    pub why: String,
    /// Where the release names it.
    pub place: Place,
}

/// One cluster: the root, and the Kustomization that leads to another one from there.
type ClusterKey = (Option<usize>, bool);

/// The ConfigMaps that releases may take values from.
#[derive(Debug, Default)]
pub struct ValueMaps<'a> {
    by_name: BTreeMap<(ClusterKey, ObjectKey), &'a Field>,
    by_base_name: BTreeMap<(ClusterKey, ObjectKey), &'a Field>,
}

impl<'a> ValueMaps<'a> {
    /// Finds the ConfigMaps among all applied objects.
    pub fn of(applied: &'a AppliedObjects) -> Self {
        let mut maps = Self::default();
        for object in applied.of_kind("", "ConfigMap") {
            let cluster = cluster_of(applied, object);
            let key = object.key();
            if let Some(base) = name_without_hash(&object.field) {
                let key = ObjectKey::new(key.namespace.clone(), base);
                maps.by_base_name.insert((cluster, key), &object.field);
            }
            maps.by_name.insert((cluster, key), &object.field);
        }
        maps
    }

    /// Merges the values of a release as Helm gets them: each source of `valuesFrom` over the one before, and
    /// `spec.values` over all; `None` for a release that takes no values from elsewhere.
    ///
    /// A ConfigMap is found by its name; a generated one also by the name without the hash. Values of a Secret are
    /// never seen.
    pub fn merged(
        &self,
        applied: &AppliedObjects,
        release: &AppliedObject,
    ) -> Option<ReleaseValues> {
        let sources = release.field.find(&["spec", "valuesFrom"])?;
        let sources = sources.items().filter(|items| !items.is_empty())?;
        let own = release.field.find(&["spec", "values"]);
        let origin = own.unwrap_or(&release.field).origin.clone();
        let mut merged = ReleaseValues {
            values: Field::mapping(origin),
            unseen: Vec::new(),
        };
        let cluster = cluster_of(applied, release);
        for source in sources {
            let Some(source) = ValueReference::read(source, &release.key().namespace) else {
                continue;
            };
            if let Err(why) = self.add(cluster, &source, &mut merged.values) {
                merged.unseen.push(UnseenValues {
                    what: format!("{}/{}", source.kind, source.key),
                    why,
                    place: source.place.clone(),
                });
            }
        }
        if let Some(own) = own.filter(|own| !own.is_null()) {
            merge(&mut merged.values, own);
        }
        Some(merged)
    }

    fn add(
        &self,
        cluster: ClusterKey,
        source: &ValueReference<'_>,
        values: &mut Field,
    ) -> Result<(), String> {
        if source.kind != "ConfigMap" {
            return Err("values of a Secret are not read".to_owned());
        }
        let key = (cluster, source.key.clone());
        let found = self
            .by_name
            .get(&key)
            .or_else(|| self.by_base_name.get(&key));
        let Some(map) = found else {
            return Err("no build of the tree makes it".to_owned());
        };
        let data = map.find(&["data", source.values_key]);
        let Some(text) = data.filter(|field| field.as_text().is_some()) else {
            return Err(format!("it has no key `{}`", source.values_key));
        };
        if text
            .as_text()
            .is_some_and(|text| text.starts_with("ENC[AES256_GCM,"))
        {
            return Err("its values are sealed".to_owned());
        }
        match source.target {
            None => merge(values, &read_values(text)?),
            Some(target) => set_target(values, target, text)?,
        }
        Ok(())
    }
}

/// An entry of `valuesFrom`.
struct ValueReference<'f> {
    kind: &'f str,
    key: ObjectKey,
    values_key: &'f str,
    target: Option<&'f str>,
    place: &'f Place,
}

impl<'f> ValueReference<'f> {
    fn read(entry: &'f Field, namespace: &str) -> Option<Self> {
        let text = |key: &str| entry.find_text(&[key]).filter(|text| !text.is_empty());
        let name = entry.get("name")?;
        Some(Self {
            kind: text("kind")?,
            key: ObjectKey::new(namespace, name.as_text()?),
            values_key: text("valuesKey").unwrap_or(DEFAULT_KEY),
            target: text("targetPath"),
            place: name.place(),
        })
    }
}

fn cluster_of(applied: &AppliedObjects, object: &AppliedObject) -> ClusterKey {
    let build = applied.build_of(object);
    (build.root, build.elsewhere)
}

/// Reads the YAML of a key; the places are those in the file where the whole of it is the value.
fn read_values(text: &Field) -> Result<Field, String> {
    let written = text.as_text().unwrap_or_default();
    let place = text.place();
    let is_file = text.origin.shaped_by().is_empty() && place.file.bytes() == written.as_bytes();
    let file = if is_file {
        std::sync::Arc::clone(&place.file)
    } else {
        SourceFile::new(place.file.path.clone(), written.as_bytes().to_vec())
    };
    let documents = file.documents().map_err(|_| "it is no YAML".to_owned())?;
    let mut values = match documents.first() {
        Some(document) => Field::of_node(&document.root, &file, 0),
        None => Field::mapping(text.origin.clone()),
    };
    if !is_file {
        put_at(&mut values, &text.origin);
    }
    match (&values.value, values.is_null()) {
        (FieldValue::Mapping(_), _) => Ok(values),
        (_, true) => Ok(Field::mapping(text.origin.clone())),
        _ => Err("it holds no mapping of values".to_owned()),
    }
}

fn put_at(field: &mut Field, origin: &Origin) {
    field.origin = origin.clone();
    match &mut field.value {
        FieldValue::Scalar(_) => {}
        FieldValue::Sequence(items) => items.iter_mut().for_each(|item| put_at(item, origin)),
        FieldValue::Mapping(entries) => entries
            .iter_mut()
            .for_each(|entry| put_at(&mut entry.value, origin)),
    }
}

/// Lays values over others: mappings are merged, anything else takes the place of what was there.
fn merge(below: &mut Field, above: &Field) {
    for FieldEntry { key, value } in above.entries().unwrap_or_default() {
        match below.get_mut(key) {
            Some(known) if known.entries().is_some() && value.entries().is_some() => {
                merge(known, value);
            }
            Some(known) => *known = value.clone(),
            None => below.set(key, value.clone()),
        }
    }
}

/// Sets one value as `helm --set` does.
///
/// # Errors
/// Why the value is not seen: the syntax of `--set` says more than one value, or the path leads into a list.
fn set_target(values: &mut Field, target: &str, text: &Field) -> Result<(), String> {
    const BEYOND: &str = "its `targetPath` or value says more than one value";
    let written = text.as_text().unwrap_or_default();
    let quoted = ['"', '\''].into_iter().find(|quote| {
        written.len() > 1 && written.starts_with(*quote) && written.ends_with(*quote)
    });
    let plain = match quoted {
        Some(quote) => written.trim_matches(quote),
        None => written,
    };
    if plain.contains([',', '\\']) || plain.starts_with('{') {
        return Err(BEYOND.to_owned());
    }
    let kind = match (quoted, ScalarKind::of(plain)) {
        (None, kind @ (ScalarKind::Boolean | ScalarKind::Integer)) => kind,
        (None, _) if plain == "null" => ScalarKind::Null,
        _ => ScalarKind::Text,
    };
    let value = Field::scalar(plain, kind, text.origin.clone());
    let keys = target_keys(target).ok_or(BEYOND)?;
    let Some((last, above)) = keys.split_last() else {
        return Err(BEYOND.to_owned());
    };
    let mut at = values;
    for key in above {
        if at.get(key).is_some_and(|field| field.entries().is_none()) {
            at.remove(key);
        }
        at = at.mapping_at(key, &text.origin);
    }
    at.set(last, value);
    Ok(())
}

/// Splits a path at its dots; `\.` is a dot in a key. `None` where it leads into a list.
fn target_keys(target: &str) -> Option<Vec<String>> {
    let mut keys = vec![String::new()];
    let mut signs = target.chars();
    while let Some(sign) = signs.next() {
        let last = keys.last_mut()?;
        match sign {
            '\\' => last.push(signs.next()?),
            '.' => keys.push(String::new()),
            '[' | ']' | ',' | '=' | '{' | '}' => return None,
            sign => last.push(sign),
        }
    }
    keys.iter().all(|key| !key.is_empty()).then_some(keys)
}
