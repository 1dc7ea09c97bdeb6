//! What `buildMetadata` writes into objects: the file or generator they are of, and the transformers they went through.

use serde_json::{Map, Value};

use super::place::Origin;

/// What `buildMetadata` says about an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provenance {
    /// What made the object.
    pub(crate) maker: Option<ObjectMaker>,
    /// The transformers it went through, in order.
    pub(crate) transformers: Vec<ObjectMaker>,
}

/// A file of objects, a generator or a transformer.
#[derive(Clone, Debug)]
pub(crate) struct ObjectMaker {
    description: MakerDescription,
    /// The place that asks for it.
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug)]
enum MakerDescription {
    /// The path of the file, from the folder that is built.
    File(String),
    /// The file that configures it, its apiVersion and kind, and for one with a file of its own namespace and name.
    Plugin {
        file: String,
        api_version: String,
        kind: String,
        name: String,
        namespace: String,
    },
}

impl ObjectMaker {
    /// Describes a file of objects.
    pub(crate) fn file(path: String, origin: Origin) -> Self {
        Self {
            description: MakerDescription::File(path),
            origin,
        }
    }

    /// Describes a generator or transformer that a field of a kustomization stands for.
    pub(crate) fn builtin(file: String, kind: &str, origin: Origin) -> Self {
        Self::plugin(file, ["builtin", kind, "", ""], origin)
    }

    /// Describes a generator or transformer that has an object of its own: apiVersion, kind, name and namespace.
    pub(crate) fn plugin(file: String, object: [&str; 4], origin: Origin) -> Self {
        let [api_version, kind, name, namespace] = object.map(str::to_owned);
        Self {
            description: MakerDescription::Plugin {
                file,
                api_version,
                kind,
                name,
                namespace,
            },
            origin,
        }
    }

    /// Returns the path of the file that it is written in.
    pub(crate) fn path(&self) -> &str {
        match &self.description {
            MakerDescription::File(path) => path,
            MakerDescription::Plugin { file, .. } => file,
        }
    }

    /// Returns what kustomize writes about it.
    pub(crate) fn to_json(&self) -> Value {
        match &self.description {
            MakerDescription::File(path) => object([("path", path)]),
            MakerDescription::Plugin {
                file,
                api_version,
                kind,
                name,
                namespace,
            } => {
                let by = object([
                    ("apiVersion", api_version),
                    ("kind", kind),
                    ("name", name),
                    ("namespace", namespace),
                ]);
                let mut all = Map::new();
                all.insert("configuredIn".to_owned(), Value::from(file.as_str()));
                all.insert("configuredBy".to_owned(), by);
                Value::Object(all)
            }
        }
    }
}

fn object<const N: usize>(pairs: [(&str, &String); N]) -> Value {
    let written = pairs.into_iter().filter(|(_, text)| !text.is_empty());
    Value::Object(
        written
            .map(|(key, text)| (key.to_owned(), Value::from(text.as_str())))
            .collect(),
    )
}
