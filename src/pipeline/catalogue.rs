//! The catalogue inside the binary: templates, schemas and chart profiles.

use crate::source::{Files, ReadError};

/// All files by path, sorted; `build.rs` lists them.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// The chart profiles and the schemas of the config, packed.
static PACKED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// The versions of what the templates install: read by itself, and no template.
pub(super) const CATALOGUE_VERSIONS: &str = "templates/versions.yaml";

/// The files of the built-in catalogue, below `templates/` and `schemas/`.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue;

/// Returns the built-in catalogue.
pub fn catalogue() -> Catalogue {
    Catalogue
}

impl Files for Catalogue {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(find(FILES, path).map(|text| text.as_bytes().to_vec()))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, ReadError> {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let first = FILES.partition_point(|(path, _)| *path < folder.as_str());
        let below = FILES[first..].iter().map(|(path, _)| *path);
        let found = below.take_while(|path| path.starts_with(&folder));
        let found = found.filter(|path| *path != CATALOGUE_VERSIONS);
        Ok(found.map(str::to_owned).collect())
    }

    fn embedded(&self, path: &str) -> Option<&'static str> {
        find(FILES, path)
    }

    fn packed(&self, path: &str) -> Option<&'static [u8]> {
        find(PACKED, path)
    }
}

fn find<T: ?Sized>(files: &[(&str, &'static T)], path: &str) -> Option<&'static T> {
    let found = files.binary_search_by_key(&path, |(path, _)| path).ok()?;
    Some(files[found].1)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::charts::Profiles;
    use crate::charts::profile::ChartKnownValues;
    use crate::source::Span;
    use crate::yaml::{self, Content, Node, Style};

    #[test]
    fn lists_and_reads_what_it_lists() {
        assert!(FILES.is_sorted_by_key(|(path, _)| path));
        let listed = catalogue().list("templates/kubernetes/flux").unwrap();
        assert!(
            listed.contains(&"templates/kubernetes/flux/cluster/ks.yaml".to_owned()),
            "{listed:?}"
        );
        for path in catalogue().list("schemas").unwrap() {
            assert!(catalogue().read(&path).unwrap().is_some(), "{path}");
        }
    }

    /// Takes the places out of a node, which a packed one does not have.
    fn without_places(node: &mut Node) {
        node.span = Span::default();
        match &mut node.content {
            Content::Scalar(scalar) if scalar.style == Style::Block => scalar.style = Style::Quoted,
            Content::Scalar(_) => {}
            Content::Mapping { entries, flow } => {
                *flow = false;
                for entry in entries {
                    entry.key_span = Span::default();
                    without_places(&mut entry.value);
                }
            }
            Content::Sequence { items, flow } => {
                *flow = false;
                items.iter_mut().for_each(without_places);
            }
        }
    }

    /// Takes the words for people out of a schema, which a packed one does not have.
    fn without_words(schema: &mut Value) {
        let Some(entries) = schema.as_object_mut() else {
            return;
        };
        for words in ["title", "description", "examples"] {
            entries.shift_remove(words);
        }
        for (key, value) in entries {
            match (key.as_str(), value) {
                ("properties" | "$defs", Value::Object(all)) => {
                    all.values_mut().for_each(without_words);
                }
                ("anyOf" | "oneOf" | "allOf", Value::Array(all)) => {
                    all.iter_mut().for_each(without_words);
                }
                ("items" | "additionalProperties" | "not" | "if" | "then" | "else", one) => {
                    without_words(one);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn packs_every_schema_of_the_config() {
        let mut paths = catalogue().list("schemas/apps").unwrap();
        paths.push("schemas/cluster.schema.json".to_owned());
        assert!(paths.len() > 40);
        for path in paths {
            let text = catalogue().embedded(&path).unwrap();
            let mut schema: Value = serde_json::from_str(text).unwrap();
            without_words(&mut schema);
            let packed = yaml::unpack_json(catalogue().packed(&path).unwrap()).unwrap();
            // As text, so that the order of keys counts too.
            assert_eq!(packed.to_string(), schema.to_string(), "{path}");
        }
    }

    fn assert_knows_the_same(left: &ChartKnownValues, right: &ChartKnownValues, path: &str) {
        let (Some(left), Some(right)) = (left.keys(), right.keys()) else {
            return assert_eq!(left.keys().is_some(), right.keys().is_some(), "{path}");
        };
        assert!(left.keys().eq(right.keys()), "{path}");
        for ((key, left), right) in left.iter().zip(right.values()) {
            assert_knows_the_same(left, right, &format!("{path}.{key}"));
        }
    }

    #[test]
    fn a_packed_profile_says_what_its_text_says() {
        let load = || {
            let paths = catalogue().list("schemas/charts").unwrap().into_iter();
            let texts = paths.map(|path| {
                let text = catalogue().embedded(&path).unwrap();
                (path, text.into())
            });
            Profiles::load(texts.collect(), &[]).unwrap()
        };
        let (read, packed) = (load(), load().packed(|path| catalogue().packed(path)));
        for (read, packed) in read.iter().zip(packed.iter()) {
            let (mut read, mut packed) = (read.clone(), packed.clone());
            let values = read.values.take().zip(packed.values.take());
            let (left, right) = values.unwrap();
            assert_knows_the_same(&left, &right, &read.chart);
            assert_eq!(format!("{read:?}"), format!("{packed:?}"));
        }
    }

    #[test]
    fn packs_every_profile_as_it_is_read() {
        let profiles = catalogue().list("schemas/charts").unwrap();
        assert!(profiles.len() > 60);
        for path in profiles {
            let mut root = yaml::load(catalogue().embedded(&path).unwrap())
                .unwrap()
                .remove(0)
                .root;
            without_places(&mut root);
            let packed = yaml::unpack(catalogue().packed(&path).unwrap());
            assert!(packed == Some(root), "{path}");
        }
    }
}
