//! Objects and settings for tests.

use std::sync::Arc;

use crate::config::TransformerConfig;
use crate::field::Field;
use crate::loader::documents_of;
use crate::place::SourceFile;
use crate::problem::Findings;
use crate::reference::fix_name_references;
use crate::resource::Resource;
use crate::resources::Resources;

/// What a transformer is called with.
pub(crate) type TransformFunction = fn(&mut Resources, &Field, &mut Findings, &TransformerConfig);

/// A build in a test: its objects and its problems.
pub(crate) struct SampleBuild {
    pub(crate) resources: Resources,
    pub(crate) findings: Findings,
    pub(crate) config: TransformerConfig,
}

impl SampleBuild {
    /// Reads objects from YAML.
    pub(crate) fn of(objects: &str) -> Self {
        let mut findings = Findings::default();
        let list = documents("objects.yaml", objects, &mut findings);
        Self {
            resources: Resources {
                list: list.into_iter().map(Resource::new).collect(),
            },
            findings,
            config: TransformerConfig::default(),
        }
    }

    /// Runs a transformer with a setting in YAML.
    pub(crate) fn run(mut self, transform: TransformFunction, setting: &str) -> Self {
        let settings = documents("kustomization.yaml", setting, &mut self.findings);
        let setting = settings.first().expect("the setting is a document");
        transform(
            &mut self.resources,
            setting,
            &mut self.findings,
            &self.config,
        );
        self
    }

    /// Brings the name references up to date.
    pub(crate) fn fix_references(mut self) -> Self {
        fix_name_references(&mut self.resources, &mut self.findings, &self.config);
        self
    }

    /// Returns the field of an object that keys and indices with `/` between them lead to.
    pub(crate) fn field(&self, object: usize, path: &str) -> Option<&Field> {
        let root = &self.resources.list.get(object)?.root;
        path.split('/').try_fold(root, |field, step| {
            match (field.items(), step.parse::<usize>()) {
                (Some(items), Ok(index)) => items.get(index),
                _ => field.get(step),
            }
        })
    }

    /// Returns the text of a field.
    pub(crate) fn text(&self, object: usize, path: &str) -> Option<&str> {
        self.field(object, path)?.as_text()
    }

    /// Returns where a field comes from, as `file:line`, the deciding place first.
    pub(crate) fn places(&self, object: usize, path: &str) -> Vec<String> {
        let Some(field) = self.field(object, path) else {
            return Vec::new();
        };
        std::iter::once(field.place())
            .chain(field.origin.shaped_by())
            .map(|place| format!("{}:{}", place.file.path, place.line_column().0))
            .collect()
    }

    /// Returns the messages of the problems.
    pub(crate) fn messages(&self) -> Vec<&str> {
        let problems = self.findings.problems.iter();
        problems.map(|problem| problem.message.as_str()).collect()
    }

    /// Returns all objects as JSON.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let list = self.resources.list.iter();
        list.map(|resource| resource.root.to_json()).collect()
    }
}

/// Reads the documents of a file that is made up.
pub(crate) fn documents(path: &str, text: &str, findings: &mut Findings) -> Vec<Field> {
    let file: Arc<SourceFile> = SourceFile::new(path, text.as_bytes());
    documents_of(&file, findings).unwrap_or_default()
}
