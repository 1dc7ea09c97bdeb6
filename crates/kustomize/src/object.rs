//! Objects as they stand in files: documents, lists, and what kustomize wants of each.

use super::field::{Field, FieldValue};
use super::problem::{Findings, Problem, ProblemKind};
use super::resource::{GeneratorBehavior, Resource, ResourceId};

/// Reads the objects in the documents of a file: lists are opened, empty documents left out.
///
/// A document without a kind or a name is a problem, and so are the ones after it of no use: `None`.
pub(crate) fn read_objects(
    documents: Vec<Field>,
    findings: &mut Findings,
) -> Option<Vec<Resource>> {
    let before = findings.problems.len();
    let mut waiting: std::collections::VecDeque<Field> = documents
        .into_iter()
        .filter(|document| is_object(document, findings))
        .collect();
    let mut objects = Vec::new();
    while let Some(object) = waiting.pop_front() {
        match open_list(object, findings) {
            ListContent::NoList(object) => objects.push(Resource::read(object)),
            // Items come after the other documents, as in kustomize.
            ListContent::Items(items) => {
                waiting.extend(items.into_iter().filter(|item| is_object(item, findings)));
            }
        }
    }
    (findings.problems.len() == before).then_some(objects)
}

enum ListContent {
    NoList(Field),
    Items(Vec<Field>),
}

fn open_list(mut object: Field, findings: &mut Findings) -> ListContent {
    let kind = object.find_text(&["kind"]).unwrap_or_default();
    let is_list = kind.ends_with("List");
    let Some(items) = object.get("items").filter(|_| is_list) else {
        return ListContent::NoList(object);
    };
    if items.is_null() {
        return ListContent::Items(Vec::new());
    }
    if items.items().is_none() {
        let message = format!("`items` of a `{kind}` is no list");
        let place = items.place().of_key();
        findings.refuse(Problem::new(ProblemKind::Malformed, message, &place));
        return ListContent::Items(Vec::new());
    }
    match object.remove("items").map(|items| items.value) {
        Some(FieldValue::Sequence(items)) => ListContent::Items(items),
        _ => ListContent::Items(Vec::new()),
    }
}

/// Returns whether something is an object; what is neither an object nor empty is a problem.
fn is_object(document: &Field, findings: &mut Findings) -> bool {
    let nothing = document.is_null()
        || document.entries().is_some_and(<[_]>::is_empty)
        || document.items().is_some_and(<[_]>::is_empty);
    if nothing {
        return false;
    }
    let kind = document.find_text(&["kind"]).unwrap_or_default();
    let name = document
        .find_text(&["metadata", "name"])
        .unwrap_or_default();
    let (message, help) = if document.entries().is_none() {
        (
            "the document is no object".to_owned(),
            "Write `apiVersion`, `kind` and `metadata`, or do not list the file as a resource",
        )
    } else if kind.is_empty() {
        (
            "the object has no `kind`".to_owned(),
            "Add `kind`, or do not list the file as a resource",
        )
    } else if name.is_empty() && !kind.ends_with("List") {
        (
            format!("the `{kind}` has no `metadata.name`"),
            "Add `metadata.name`",
        )
    } else {
        return true;
    };
    let problem = Problem::new(ProblemKind::Malformed, message, document.place());
    findings.refuse(problem.with_help(help));
    false
}

/// The annotations through which kustomize's programs hand on what they know of an object.
const BUILD_ANNOTATIONS: &str = "internal.config.kubernetes.io/";

impl Resource {
    /// Takes an object of a file, with what annotations of an earlier build say of it.
    fn read(root: Field) -> Self {
        let mut resource = Self::new(root);
        let Some(annotations) = resource.root.find(&["metadata", "annotations"]) else {
            return resource;
        };
        let noted = |name: &str| {
            let field = annotations.get(&format!("{BUILD_ANNOTATIONS}{name}"));
            field.and_then(Field::as_text)
        };
        let listed = |name: &str| -> Vec<String> {
            let text = noted(name).map(|text| text.split(',').map(str::to_owned).collect());
            text.unwrap_or_default()
        };
        let enabled = |name: &str| noted(name) == Some("enabled");
        let behavior = GeneratorBehavior::of(noted("generatorBehavior").unwrap_or_default());
        let needs_hash = enabled("needsHashSuffix");
        let (prefixes, suffixes) = (listed("prefixes"), listed("suffixes"));
        let former = former_ids(
            &resource,
            listed("previousNames"),
            listed("previousNamespaces"),
            listed("previousKinds"),
        );
        resource.behavior = behavior;
        resource.needs_hash = needs_hash;
        resource.prefixes = prefixes;
        resource.suffixes = suffixes;
        resource.former = former;
        resource
    }
}

fn former_ids(
    resource: &Resource,
    names: Vec<String>,
    namespaces: Vec<String>,
    kinds: Vec<String>,
) -> Vec<ResourceId> {
    let pairs = names.into_iter().zip(namespaces).zip(kinds);
    pairs
        .map(|((name, namespace), kind)| ResourceId {
            group: resource.group().to_owned(),
            version: resource.version().to_owned(),
            kind,
            name,
            namespace,
        })
        .collect()
}

impl GeneratorBehavior {
    /// Reads the word in a generator; any other word says nothing.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }
}
