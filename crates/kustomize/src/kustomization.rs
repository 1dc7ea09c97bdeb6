//! Reading a kustomization file.

mod shape;

use super::field::Field;
use super::files::PathEntry;
use super::loader::{Loader, kustomization_of};
use super::place::{Origin, Place};
use super::problem::{Findings, Problem, ProblemKind};
pub(crate) use shape::{
    CONFIG_MAP_GENERATOR, FieldShape, IAM_POLICY_GENERATOR, KUSTOMIZATION, SECRET_GENERATOR,
    Strictness, bring_into_shape,
};

/// The names that a kustomization file may have; a folder has one of them.
pub const KUSTOMIZATION_FILES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

const KUSTOMIZATION_API: &str = "kustomize.config.k8s.io/v1beta1";
const COMPONENT_API: &str = "kustomize.config.k8s.io/v1alpha1";

/// Lists the fields that a kustomization may have, deprecated ones included.
pub fn known_fields() -> impl Iterator<Item = &'static str> {
    KUSTOMIZATION.iter().map(|(name, _)| *name)
}

/// Returns whether kustomize knows a field of a kustomization; it takes names in any case.
pub fn is_known_field(name: &str) -> bool {
    known_fields().any(|known| known.eq_ignore_ascii_case(name))
}

/// A kustomization, with its fields in their present spelling: `bases` stands in `resources`, and so on.
#[derive(Clone, Debug)]
pub(crate) struct Kustomization {
    /// The fields; each of its right type, none null.
    pub(crate) root: Field,
    /// The name of its file.
    pub(crate) file_name: String,
    /// Whether it is a Component.
    pub(crate) is_component: bool,
}

impl Kustomization {
    /// Reads the kustomization file of a folder; `asked` is the place that names the folder.
    pub(crate) fn find(
        loader: &Loader<'_>,
        asked: Option<&Place>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut found = Vec::new();
        for name in KUSTOMIZATION_FILES {
            let path = super::files::join(&loader.folder, name)?;
            if let PathEntry::File(file) = loader.files.entry(&path) {
                found.push((name, file));
            }
        }
        let start = |index: usize| Place::new(&found[index].1, 0, spanned_yaml::Span::new(0, 0));
        match found.as_slice() {
            [] => {
                findings.refuse(missing_kustomization(loader, asked));
                None
            }
            [(name, file)] => {
                let root = kustomization_of(file, findings)?;
                Self::of_field(root, name, findings)
            }
            _ => {
                let names: Vec<String> =
                    found.iter().map(|(name, _)| format!("`{name}`")).collect();
                let message = format!("the folder has {}", names.join(" and "));
                findings.refuse(
                    Problem::new(ProblemKind::Ambiguous, message, &start(1))
                        .with_related(&start(0))
                        .with_help("Keep one of them"),
                );
                None
            }
        }
    }

    /// Takes the fields of a kustomization; what is wrong with them is a problem, and left out.
    pub(crate) fn of_field(mut root: Field, file: &str, findings: &mut Findings) -> Option<Self> {
        let place = root.place().clone();
        if root.is_null() {
            root = Field::mapping(Origin::new(place.clone()));
        }
        let before = findings.problems.len();
        let all = FieldShape::Object(KUSTOMIZATION);
        bring_into_shape(&mut root, &all, Strictness::Strict, "", findings);
        root.entries()?;
        let is_component = root.find_text(&["kind"]) == Some("Component");
        for (old, new) in [("bases", "resources"), ("imageTags", "images")] {
            append_items(&mut root, old, new);
        }
        if findings.problems.len() == before && is_empty(&root) {
            let message = "the kustomization is empty";
            findings.refuse(
                Problem::new(ProblemKind::Refused, message, &place)
                    .with_help("List `resources`, or remove what names the folder"),
            );
            return None;
        }
        refuse_other_kinds(&root, findings);
        Some(Self {
            root,
            file_name: file.to_owned(),
            is_component,
        })
    }

    /// Returns a field that says something: neither absent nor an empty text.
    pub(crate) fn get(&self, name: &str) -> Option<&Field> {
        self.root.get(name).filter(|field| {
            field
                .as_scalar()
                .is_none_or(|scalar| !scalar.text.is_empty())
        })
    }

    /// Lists the items of a field.
    pub(crate) fn items(&self, name: &str) -> &[Field] {
        let items = self.root.get(name).and_then(Field::items);
        items.unwrap_or_default()
    }

    /// Returns whether `buildMetadata` asks for something.
    pub(crate) fn asks_for(&self, option: &str) -> bool {
        let mut asked = self.items("buildMetadata").iter();
        asked.any(|item| item.as_text() == Some(option))
    }
}

fn missing_kustomization(loader: &Loader<'_>, asked: Option<&Place>) -> Problem {
    let folder = match loader.folder.as_str() {
        "" => ".",
        folder => folder,
    };
    let message = format!("the folder `{folder}` has no kustomization file");
    Problem {
        kind: ProblemKind::Missing,
        message,
        place: asked.cloned(),
        related: None,
        help: "Add a `kustomization.yaml` to it, or name the files in it one by one".to_owned(),
    }
}

/// Moves the items of a deprecated list behind those of the present one.
fn append_items(root: &mut Field, old: &str, new: &str) {
    let Some(mut moved) = root.remove(old) else {
        return;
    };
    let origin = moved.origin.clone();
    let Some(items) = moved.items_mut().filter(|items| !items.is_empty()) else {
        return;
    };
    if root.get(new).is_none() {
        root.set(new, Field::sequence(origin));
    }
    if let Some(present) = root.get_mut(new).and_then(Field::items_mut) {
        present.append(items);
    }
}

/// Returns whether nothing is said but kind and apiVersion; an empty list says something, an empty text does not.
fn is_empty(root: &Field) -> bool {
    let entries = root.entries().unwrap_or_default();
    entries.iter().all(|entry| {
        let name = entry.key.as_str();
        let old_charts = name == "helmChartInflationGenerator";
        matches!(name, "kind" | "apiVersion")
            || entry.value.as_text() == Some("")
            || old_charts && entry.value.items().is_some_and(<[_]>::is_empty)
    })
}

fn refuse_other_kinds(root: &Field, findings: &mut Findings) {
    let said = |name: &str| root.get(name).filter(|field| field.as_text() != Some(""));
    let kind = said("kind")
        .and_then(Field::as_text)
        .unwrap_or("Kustomization");
    if let Some(field) = said("kind")
        && !matches!(kind, "Kustomization" | "Component")
    {
        let message = format!("the kind is `{kind}`, not `Kustomization` or `Component`");
        findings.refuse(Problem::new(ProblemKind::Refused, message, field.place()));
    }
    let api = if kind == "Component" {
        COMPONENT_API
    } else {
        KUSTOMIZATION_API
    };
    if let Some(field) = said("apiVersion")
        && field.as_text() != Some(api)
    {
        let message = format!("the apiVersion of a `{kind}` is not `{api}`");
        findings.refuse(
            Problem::new(ProblemKind::Refused, message, field.place())
                .with_help(format!("Write `apiVersion: {api}`")),
        );
    }
}
