//! The entries of `patches`, read strictly.

use spanned_yaml::Resolver;

use super::super::field::{Field, ScalarKind};
use super::super::loader::Loader;
use super::super::place::Place;
use super::super::problem::{Findings, Problem, ProblemKind};
use super::patch_text::{PatchContent, PatchText};
use super::target::{SELECTOR_KEYS, TargetSelector};
use super::{PatchPermissions, PatchTarget};

/// Checks the shape of what stands in a kustomization, and says what is wrong with it.
pub(crate) struct EntryReader;

impl EntryReader {
    /// Returns the items of a list; anything but a list or null is a problem.
    pub(crate) fn items<'f>(field: &'f Field, name: &str, findings: &mut Findings) -> &'f [Field] {
        if field.items().is_none() && !field.is_null() {
            Self::refuse_shape(field, name, "a list", findings);
        }
        field.items().unwrap_or_default()
    }

    /// Checks that a field is a mapping with none but some keys.
    pub(crate) fn demand_keys(
        field: &Field,
        name: &str,
        keys: &[&str],
        findings: &mut Findings,
    ) -> bool {
        let Some(entries) = field.entries() else {
            Self::refuse_shape(field, name, "a mapping", findings);
            return false;
        };
        let mut known = true;
        for entry in entries {
            if !keys.contains(&entry.key.as_str()) {
                known = false;
                let message = format!("`{name}` has no field `{}`", entry.key);
                let problem = Problem::new(ProblemKind::UnknownField, message, entry.value.place());
                findings.refuse(problem.with_help(format!("it has `{}`", keys.join("`, `"))));
            }
        }
        known
    }

    /// Checks that a field is a text, or null.
    pub(crate) fn demand_text(field: &Field, name: &str, findings: &mut Findings) -> bool {
        let is_text = field.as_scalar().is_some_and(|all| {
            matches!(
                all.kind,
                ScalarKind::Text | ScalarKind::Timestamp | ScalarKind::Null
            )
        }) && truth_of(field).is_none();
        if !is_text {
            Self::refuse_shape(field, name, "a text", findings);
        }
        is_text
    }

    /// Checks that the fields of some keys are texts, where they are there.
    pub(crate) fn demand_texts(field: &Field, keys: &[&str], findings: &mut Findings) -> bool {
        let fields = keys.iter().filter_map(|key| Some((key, field.get(key)?)));
        fields.fold(true, |all, (key, value)| {
            Self::demand_text(value, key, findings) && all
        })
    }

    /// Reads a field that is `true` or `false`.
    pub(crate) fn flag(field: &Field, key: &str, findings: &mut Findings) -> bool {
        let Some(value) = field.get(key) else {
            return false;
        };
        let truth = truth_of(value);
        if truth.is_none() && !value.is_null() {
            Self::refuse_shape(value, key, "`true` or `false`", findings);
        }
        truth.unwrap_or_default()
    }

    /// Reads a selector.
    pub(crate) fn selector(
        field: &Field,
        name: &str,
        findings: &mut Findings,
    ) -> Option<TargetSelector> {
        let is_right = Self::demand_keys(field, name, &SELECTOR_KEYS, findings)
            && Self::demand_texts(field, &SELECTOR_KEYS, findings);
        is_right
            .then(|| TargetSelector::read(field, findings))
            .flatten()
    }

    pub(crate) fn refuse_shape(field: &Field, name: &str, shape: &str, findings: &mut Findings) {
        let message = format!("`{name}` is not {shape}");
        findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
    }
}

/// Returns the truth of a value of a kustomization, where `yes` and `off` are none but booleans.
fn truth_of(field: &Field) -> Option<bool> {
    let scalar = field.as_scalar().filter(|_| !field.is_quoted())?;
    Resolver::Kubernetes.value_of(&scalar.text).as_bool()
}

/// Returns the field of a key that is neither null nor an empty text.
pub(crate) fn is_given<'f>(field: &'f Field, key: &str) -> Option<&'f Field> {
    field
        .get(key)
        .filter(|value| !value.is_null() && value.as_text() != Some(""))
}

/// An entry of `patches`.
pub(super) struct PatchEntry {
    pub(super) content: PatchContent,
    pub(super) target: Option<PatchTarget>,
    pub(super) permissions: PatchPermissions,
    /// Where the patch stands.
    pub(super) place: Place,
    /// Whether it stands in `patchesJson6902`, for which kustomize does not remember the former id.
    pub(super) is_legacy: bool,
}

impl PatchEntry {
    /// Reads an entry, and the file that it names.
    pub(super) fn read(
        field: &Field,
        loader: &Loader<'_>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let keys = ["patch", "path", "target", "options"];
        let is_right = EntryReader::demand_keys(field, "patches", &keys, findings)
            & EntryReader::demand_texts(field, &keys[..2], findings);
        let target = match field.get("target").filter(|target| !target.is_null()) {
            None => Some(None),
            Some(target) => {
                let field = target.clone();
                let selector = EntryReader::selector(target, "target", findings);
                selector.map(|selector| Some(PatchTarget { selector, field }))
            }
        };
        let permissions = read_options(field, findings);
        let text = if is_right {
            read_text(field, loader, findings)
        } else {
            None
        };
        let text = text?;
        let content = text.read().map_err(|problem| findings.refuse(problem)).ok();
        let (content, target) = (content?, target?);
        Some(Self {
            content,
            target,
            permissions,
            place: text.place(),
            is_legacy: false,
        })
    }
}

fn read_options(field: &Field, findings: &mut Findings) -> PatchPermissions {
    let options = field.get("options").filter(|options| !options.is_null());
    let Some(options) = options else {
        return PatchPermissions::default();
    };
    EntryReader::demand_keys(
        options,
        "options",
        &["allowNameChange", "allowKindChange"],
        findings,
    );
    PatchPermissions {
        name: EntryReader::flag(options, "allowNameChange", findings),
        kind: EntryReader::flag(options, "allowKindChange", findings),
    }
}

fn read_text(field: &Field, loader: &Loader<'_>, findings: &mut Findings) -> Option<PatchText> {
    let inline = is_given(field, "patch").map(PatchText::of_field);
    let inline = inline.filter(|text| !text.is_empty());
    match (inline, is_given(field, "path")) {
        (Some(text), None) => Some(text),
        (None, Some(path)) => {
            let file = loader.read(path, findings)?;
            let text = PatchText::of_file(&file);
            text.map_err(|problem| findings.refuse(problem)).ok()
        }
        (Some(_), Some(path)) => {
            let message = "an entry of `patches` has both `patch` and `path`";
            findings.refuse(Problem::new(ProblemKind::Malformed, message, path.place()));
            None
        }
        (None, None) => {
            let message = "an entry of `patches` has neither `patch` nor `path`";
            findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
            None
        }
    }
}
