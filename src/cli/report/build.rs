//! Objects as they are applied, in the form that the reader wants.

use std::borrow::Cow;

use kustomize::Field;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::place_names::PlaceNames;
use super::shown::terminal::TerminalPage;
use super::shown::{self, Shown};
use super::unseen::UnseenNote;

/// The version of the JSON; raised when a field goes or changes its meaning.
const VERSION: u32 = 1;
/// An object, and who applies it.
pub struct ListedObject<'b> {
    /// The object, without values of Secrets unless they may be shown.
    pub object: Cow<'b, Field>,
    /// The Flux Kustomization that applies it; `None` in the build of a single folder.
    pub owner: Option<String>,
    /// What is to be known of the owner, as words: that it is suspended.
    pub remarks: Vec<&'static str>,
    /// The folder of the root, where there are several.
    pub root: Option<&'b str>,
}

/// A build that Flux or kustomize refuses.
pub struct RefusedBuild {
    /// The Flux Kustomization; `None` in the build of a single folder.
    pub owner: Option<String>,
    /// The folder.
    pub folder: String,
    /// What is wrong, a sentence each.
    pub problems: Vec<String>,
}

/// What a build gives.
pub struct BuildReport<'b> {
    /// The objects, in order.
    pub objects: Vec<ListedObject<'b>>,
    /// The builds that are refused.
    pub refused: Vec<RefusedBuild>,
    /// What is not seen.
    pub unseen: Vec<UnseenNote>,
    /// How places are named.
    pub places: &'b PlaceNames<'b>,
    /// Whether the origin of each scalar is told.
    pub origins: bool,
}

/// Writes the objects as YAML documents: with a comment before each that has an owner.
pub fn yaml(report: &BuildReport<'_>) -> Shown {
    let comment = |field: &Field| report.places.line(field.place());
    let document = |built: &ListedObject<'_>| -> Shown {
        let head = shown::yaml::comments(head(built, report));
        let object = if report.origins {
            shown::yaml::annotated_object(&built.object, &comment)
        } else {
            shown::yaml::object(&built.object)
        };
        [head, object].into_iter().collect()
    };
    let documents: Vec<Shown> = report.objects.par_iter().map(document).collect();
    let mut root = None;
    let mut all = Vec::with_capacity(documents.len() * 2);
    for (built, document) in report.objects.iter().zip(documents) {
        if !all.is_empty() {
            all.push(shown::yaml::separator());
        }
        if built.root != root {
            root = built.root;
            let folder = root.map(|root| format!("Flux starts from {}", folder_name(root)));
            all.push(shown::yaml::comments(folder));
        }
        all.push(document);
    }
    all.into_iter().collect()
}

fn head(built: &ListedObject<'_>, report: &BuildReport<'_>) -> Option<String> {
    let owner = built.owner.as_ref()?;
    let place = report.places.line(built.object.place());
    let remarks: String = built
        .remarks
        .iter()
        .flat_map(|remark| [", ".to_owned(), remark.to_string()])
        .collect();
    Some(format!("{owner}, from {place}{remarks}"))
}

/// Names a folder of a tree.
pub fn folder_name(folder: &str) -> String {
    if folder.is_empty() {
        "the root of the repository".to_owned()
    } else {
        format!("`{folder}`")
    }
}

/// Lists the objects, a line each.
pub fn names(report: &BuildReport<'_>) -> Shown {
    let mut page = TerminalPage::default();
    for built in &report.objects {
        page.line(object_name(&built.object));
    }
    page.finish()
}

/// Names an object: kind, namespace where it has one, name.
pub fn object_name(object: &Field) -> String {
    let text = |path: &[&str]| object.find_text(path).unwrap_or_default().to_owned();
    let parts = [
        text(&["kind"]),
        text(&["metadata", "namespace"]),
        text(&["metadata", "name"]),
    ];
    let filled: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    filled.join("/")
}

/// Writes everything as one JSON object.
pub fn json(report: &BuildReport<'_>) -> Shown {
    let object = |built: &ListedObject<'_>| {
        let mut object = Map::new();
        if let Some(owner) = &built.owner {
            object.insert("owner".to_owned(), json!(owner));
            object.insert("root".to_owned(), json!(built.root.unwrap_or_default()));
        }
        object.insert("object".to_owned(), built.object.to_json());
        object.insert("from".to_owned(), origin(&built.object, report));
        if report.origins {
            object.insert("origins".to_owned(), origins(&built.object, report));
        }
        Value::Object(object)
    };
    let objects: Vec<Value> = report.objects.par_iter().map(object).collect();
    let refused = report.refused.iter().map(|refused| {
        json!({"owner": refused.owner, "folder": refused.folder, "problems": refused.problems})
    });
    shown::json::page(&json!({
        "version": VERSION,
        "objects": objects,
        "notSeen": report.unseen.iter().map(UnseenNote::json).collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
    }))
}

fn origins(object: &Field, report: &BuildReport<'_>) -> Value {
    let mut found = Map::new();
    object.each_scalar(&mut |pointer, field| {
        let mut told = origin(field, report);
        told["route"] = json!(field.place().route().to_string());
        let shaped = field.origin.shaped_by().iter();
        let shaped: Vec<String> = shaped.map(|place| report.places.line(place)).collect();
        told["shapedBy"] = json!(shaped);
        found.insert(pointer.to_owned(), told);
    });
    Value::Object(found)
}

fn origin(field: &Field, report: &BuildReport<'_>) -> Value {
    let place = field.place();
    let (line, column) = report.places.line_column(place);
    json!({"file": report.places.path(place), "line": line, "column": column})
}
