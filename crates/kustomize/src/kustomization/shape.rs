//! The shape of a kustomization file: its fields, and the types of their values.

use super::super::field::{Field, FieldEntry, FieldScalar, FieldValue, ScalarKind};
use super::super::named_path::PathRole;
use super::super::problem::{Findings, Problem, ProblemKind};

/// The type of a value.
pub(crate) enum FieldShape {
    /// Text.
    Text,
    /// Text that names a path.
    Path(PathRole),
    /// Text that names a path, behind `key=` where there is one.
    KeyedPath,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer,
    /// Keys of any name with texts.
    Texts,
    /// Keys of any name with texts, of which that of `path` names a path.
    PathTexts,
    /// Keys of any name with anything.
    Values,
    /// A list.
    List(&'static Self),
    /// Known fields.
    Object(&'static [(&'static str, Self)]),
    /// The known fields of several.
    Objects(&'static [&'static [(&'static str, Self)]]),
}

use FieldShape::{
    Flag, Integer, KeyedPath, List, Object, Objects, Path, PathTexts, Text, Texts, Values,
};

type Fields = &'static [(&'static str, FieldShape)];

/// A file that a field reads.
const INPUT: FieldShape = Path(PathRole::Input);

const KIND: Fields = &[("group", Text), ("version", Text), ("kind", Text)];
const NAME: Fields = &[("name", Text), ("namespace", Text)];
const SELECTORS: Fields = &[("annotationSelector", Text), ("labelSelector", Text)];
const SELECTOR: FieldShape = Objects(&[KIND, NAME, SELECTORS]);
const FIELD_SPEC: FieldShape = Objects(&[KIND, &[("path", Text), ("create", Flag)]]);

const PATCH: FieldShape = Object(&[
    ("path", INPUT),
    ("patch", Text),
    ("target", SELECTOR),
    (
        "options",
        Object(&[("allowNameChange", Flag), ("allowKindChange", Flag)]),
    ),
]);

const FIELD_OPTIONS: FieldShape = Object(&[
    ("delimiter", Text),
    ("index", Integer),
    ("encoding", Text),
    ("create", Flag),
]);

const REPLACEMENT: FieldShape = Object(&[
    ("path", INPUT),
    (
        "source",
        Objects(&[
            KIND,
            NAME,
            &[("fieldPath", Text), ("options", FIELD_OPTIONS)],
        ]),
    ),
    ("sourceValue", Text),
    (
        "targets",
        List(&Object(&[
            ("select", SELECTOR),
            ("reject", List(&SELECTOR)),
            ("fieldPaths", List(&Text)),
            ("options", FIELD_OPTIONS),
        ])),
    ),
]);

const IMAGE: FieldShape = Object(&[
    ("name", Text),
    ("newName", Text),
    ("tagSuffix", Text),
    ("newTag", Text),
    ("digest", Text),
]);

const LABEL: FieldShape = Object(&[
    ("pairs", Texts),
    ("includeSelectors", Flag),
    ("includeTemplates", Flag),
    ("includeVolumeClaimTemplates", Flag),
    ("fields", List(&FIELD_SPEC)),
]);

const GENERATOR_OPTIONS: FieldShape = Object(&[
    ("labels", Texts),
    ("annotations", Texts),
    ("disableNameSuffixHash", Flag),
    ("immutable", Flag),
]);

const GENERATOR: Fields = &[
    ("name", Text),
    ("namespace", Text),
    ("behavior", Text),
    ("literals", List(&Text)),
    ("files", List(&KeyedPath)),
    ("envs", List(&INPUT)),
    ("env", INPUT),
    ("options", GENERATOR_OPTIONS),
];

/// What a `configMapGenerator` holds, here or in an object of its own.
pub(crate) const CONFIG_MAP_GENERATOR: FieldShape = Object(GENERATOR);
/// What a `secretGenerator` holds, here or in an object of its own.
pub(crate) const SECRET_GENERATOR: FieldShape = Objects(&[GENERATOR, &[("type", Text)]]);

/// What an `IAMPolicyGenerator` holds.
pub(crate) const IAM_POLICY_GENERATOR: FieldShape = Object(&[
    ("cloud", Text),
    ("kubernetesService", Object(NAME)),
    (
        "serviceAccount",
        Object(&[("name", Text), ("projectId", Text)]),
    ),
]);

const HELM_CHART: FieldShape = Object(&[
    ("name", Text),
    ("version", Text),
    ("repo", Text),
    ("releaseName", Text),
    ("namespace", Text),
    ("additionalValuesFiles", List(&INPUT)),
    ("valuesFile", INPUT),
    ("valuesInline", Values),
    ("valuesMerge", Text),
    ("includeCRDs", Flag),
    ("skipHooks", Flag),
    ("apiVersions", List(&Text)),
    ("kubeVersion", Text),
    ("nameTemplate", Text),
    ("skipTests", Flag),
    ("debug", Flag),
    ("devel", Flag),
]);

const OLD_HELM_CHART: FieldShape = Object(&[
    ("chartName", Text),
    ("chartVersion", Text),
    ("chartRepoUrl", Text),
    ("chartHome", Text),
    ("chartRepoName", Text),
    ("helmBin", Text),
    ("helmHome", Text),
    ("values", INPUT),
    ("valuesLocal", Values),
    ("valuesMerge", Text),
    ("releaseName", Text),
    ("releaseNamespace", Text),
    ("extraArgs", List(&Text)),
]);

const VARIABLE: FieldShape = Object(&[
    ("name", Text),
    ("objref", Objects(&[KIND, NAME, &[("apiVersion", Text)]])),
    ("fieldref", Object(&[("fieldPath", Text)])),
]);

const METADATA: FieldShape = Objects(&[NAME, &[("labels", Texts), ("annotations", Texts)]]);

const SORT_OPTIONS: FieldShape = Object(&[
    ("order", Text),
    (
        "legacySortOptions",
        Object(&[("orderFirst", List(&Text)), ("orderLast", List(&Text))]),
    ),
]);

/// The fields of a kustomization file.
pub(crate) const KUSTOMIZATION: Fields = &[
    ("kind", Text),
    ("apiVersion", Text),
    ("metadata", METADATA),
    ("resources", List(&Path(PathRole::Resource))),
    ("bases", List(&Path(PathRole::Resource))),
    ("components", List(&Path(PathRole::Component))),
    ("crds", List(&INPUT)),
    ("configurations", List(&INPUT)),
    ("generators", List(&INPUT)),
    ("transformers", List(&INPUT)),
    ("validators", List(&INPUT)),
    ("patchesStrategicMerge", List(&INPUT)),
    ("patches", List(&PATCH)),
    ("patchesJson6902", List(&PATCH)),
    ("replacements", List(&REPLACEMENT)),
    ("configMapGenerator", List(&CONFIG_MAP_GENERATOR)),
    ("secretGenerator", List(&SECRET_GENERATOR)),
    ("openapi", PathTexts),
    ("helmCharts", List(&HELM_CHART)),
    ("helmChartInflationGenerator", List(&OLD_HELM_CHART)),
    (
        "helmGlobals",
        Object(&[("chartHome", Text), ("configHome", Text)]),
    ),
    ("generatorOptions", GENERATOR_OPTIONS),
    ("namePrefix", Text),
    ("nameSuffix", Text),
    ("namespace", Text),
    ("commonLabels", Texts),
    ("labels", List(&LABEL)),
    ("commonAnnotations", Texts),
    ("images", List(&IMAGE)),
    ("imageTags", List(&IMAGE)),
    (
        "replicas",
        List(&Object(&[("name", Text), ("count", Integer)])),
    ),
    ("vars", List(&VARIABLE)),
    ("sortOptions", SORT_OPTIONS),
    ("buildMetadata", List(&Text)),
];

/// Whether unknown fields are problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// They are: a kustomization file.
    Strict,
    /// They are dropped: the object of a generator.
    Lenient,
}

/// Brings a value into its shape: fields get the spelling that the rest of the crate asks for (JSON takes any case),
/// and what is null is as good as absent.
///
/// Returns whether it has the shape; `path` names the value in messages.
pub(crate) fn bring_into_shape(
    field: &mut Field,
    shape: &FieldShape,
    strictness: Strictness,
    path: &str,
    findings: &mut Findings,
) -> bool {
    let asked = match shape {
        Text | Path(_) | KeyedPath => {
            return has_kind(field, ScalarKind::Text, "text", path, findings);
        }
        Flag => {
            return has_kind(
                field,
                ScalarKind::Boolean,
                "`true` or `false`",
                path,
                findings,
            );
        }
        Integer => {
            return has_kind(field, ScalarKind::Integer, "a whole number", path, findings);
        }
        List(of) => {
            if let Some(items) = field.items_mut() {
                let mut all = true;
                for (index, item) in items.iter_mut().enumerate() {
                    fill_null(item, of);
                    let path = format!("{path}[{index}]");
                    all &= bring_into_shape(item, of, strictness, &path, findings);
                }
                return all;
            }
            "a list"
        }
        Texts | PathTexts => {
            if let Some(entries) = field.entries_mut() {
                let mut all = true;
                for entry in entries {
                    fill_null(&mut entry.value, &Text);
                    let path = format!("{path}.{}", entry.key);
                    all &= bring_into_shape(&mut entry.value, &Text, strictness, &path, findings);
                }
                return all;
            }
            "a mapping"
        }
        Values => {
            if field.entries().is_some() {
                return true;
            }
            "a mapping"
        }
        Object(fields) => {
            if let Some(entries) = field.entries_mut() {
                return fields_into_shape(entries, &[fields], strictness, path, findings);
            }
            "a mapping"
        }
        Objects(parts) => {
            if let Some(entries) = field.entries_mut() {
                return fields_into_shape(entries, parts, strictness, path, findings);
            }
            "a mapping"
        }
    };
    refuse_type(field, asked, path, findings);
    false
}

fn fields_into_shape(
    entries: &mut Vec<FieldEntry>,
    parts: &[Fields],
    strictness: Strictness,
    path: &str,
    findings: &mut Findings,
) -> bool {
    let mut ok = true;
    let mut shaped: Vec<FieldEntry> = Vec::with_capacity(entries.len());
    for mut entry in std::mem::take(entries) {
        let known = parts.iter().copied().flatten();
        let same = known.clone().find(|(name, _)| *name == entry.key);
        let Some((name, shape)) = same.or_else(|| {
            known
                .clone()
                .find(|(name, _)| is_spelling(&entry.key, name))
        }) else {
            if strictness == Strictness::Strict {
                ok = false;
                refuse_unknown(&entry, parts, path, findings);
            }
            continue;
        };
        if entry.value.is_null() {
            continue;
        }
        let below = if path.is_empty() {
            (*name).to_owned()
        } else {
            format!("{path}.{name}")
        };
        if bring_into_shape(&mut entry.value, shape, strictness, &below, findings) {
            let exact = entry.key == *name;
            (*name).clone_into(&mut entry.key);
            match shaped.iter_mut().find(|other| other.key == entry.key) {
                Some(other) if exact => *other = entry,
                Some(_) => {}
                None => shaped.push(entry),
            }
        } else {
            ok = false;
        }
    }
    *entries = shaped;
    ok
}

/// Returns whether Go's JSON reader takes a key for a name.
fn is_spelling(key: &str, name: &str) -> bool {
    key.eq_ignore_ascii_case(name)
}

/// Gives an item that is null the value that Go has for nothing.
fn fill_null(item: &mut Field, shape: &FieldShape) {
    if !item.is_null() {
        return;
    }
    item.value = match shape {
        Text | Path(_) | KeyedPath => FieldValue::Scalar(FieldScalar {
            text: String::new(),
            kind: ScalarKind::Text,
        }),
        _ => FieldValue::Mapping(Vec::new()),
    };
}

fn has_kind(
    field: &Field,
    kind: ScalarKind,
    asked: &str,
    path: &str,
    findings: &mut Findings,
) -> bool {
    let has = field.as_scalar().is_some_and(|scalar| scalar.kind == kind);
    if !has {
        refuse_type(field, asked, path, findings);
    }
    has
}

fn refuse_type(field: &Field, asked: &str, path: &str, findings: &mut Findings) {
    let found = match &field.value {
        FieldValue::Mapping(_) => "a mapping",
        FieldValue::Sequence(_) => "a list",
        FieldValue::Scalar(scalar) => match scalar.kind {
            ScalarKind::Null => "nothing",
            ScalarKind::Boolean => "a boolean",
            ScalarKind::Integer | ScalarKind::Float => "a number",
            ScalarKind::Text | ScalarKind::Timestamp => "text",
        },
    };
    let subject = if path.is_empty() {
        "the kustomization".to_owned()
    } else {
        format!("`{path}`")
    };
    let message = format!("{subject} is {found}, not {asked}");
    let mut problem = Problem::new(ProblemKind::Malformed, message, field.place());
    if asked == "text" && field.as_scalar().is_some() {
        problem = problem.with_help("Put it in quotes");
    }
    findings.refuse(problem);
}

fn refuse_unknown(entry: &FieldEntry, parts: &[Fields], path: &str, findings: &mut Findings) {
    let of = if path.is_empty() {
        "a kustomization".to_owned()
    } else {
        format!("`{path}`")
    };
    let message = format!("`{}` is no field of {of}", entry.key);
    let place = entry.value.place().of_key();
    let known: Vec<String> = parts
        .iter()
        .copied()
        .flatten()
        .filter(|(name, _)| resembles(&entry.key, name))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let help = if known.is_empty() {
        "Take it out".to_owned()
    } else {
        format!("Did you mean {}?", known.join(" or "))
    };
    findings.refuse(Problem::new(ProblemKind::UnknownField, message, &place).with_help(help));
}

/// Returns whether two names differ by a letter or two: one is missing, one is another, two are swapped.
fn resembles(key: &str, name: &str) -> bool {
    if key.len() > 64 {
        return false;
    }
    let key: Vec<char> = key.to_ascii_lowercase().chars().collect();
    let name: Vec<char> = name.to_ascii_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (at, letter) in key.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (to, other) in name.iter().enumerate() {
            let change = diagonal + usize::from(letter != other);
            diagonal = row[to + 1];
            row[to + 1] = change.min(row[to] + 1).min(diagonal + 1);
        }
    }
    row[name.len()] <= 2 && row[name.len()] < name.len()
}
