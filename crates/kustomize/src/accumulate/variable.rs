//! `vars`: names for values of objects, put in where `$(NAME)` stands.

use std::collections::BTreeMap;

use super::super::config::TransformerConfig;
use super::super::field::{Field, FieldScalar, FieldValue, ScalarKind};
use super::super::field_spec::{CreatedField, CreatedKind, FieldMismatch};
use super::super::place::Place;
use super::super::problem::{Findings, Problem, ProblemKind};
use super::super::replacement::FieldPath;
use super::super::resource::{Resource, ResourceId};
use super::super::resources::Resources;
use super::{Accumulation, BuildSession, FolderBuild};

/// A name for the value of a field.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    name: String,
    path: String,
    place: Place,
}

/// A value that a variable stands for, and where it is from.
struct VariableValue {
    /// `None` for a list or mapping, which no text can hold.
    scalar: Option<FieldScalar>,
    source: Place,
    place: Place,
}

impl FolderBuild<'_> {
    /// Adds the variables of the kustomization, and notes each on the object that it is about.
    pub(super) fn add_own_variables(
        &self,
        session: &mut BuildSession,
        accumulation: &mut Accumulation,
    ) {
        let before = session.mark();
        let mut own = Vec::new();
        for field in self.kustomization.items("vars") {
            let text = |path: &[&str]| field.find_text(path).unwrap_or_default();
            let variable = Variable {
                name: text(&["name"]).to_owned(),
                path: match text(&["fieldref", "fieldPath"]) {
                    "" => "metadata.name".to_owned(),
                    path => path.to_owned(),
                },
                place: field.place().clone(),
            };
            let target = target_of(field);
            let resources = &mut accumulation.resources;
            if note_variable(&variable, &target, resources, &mut session.findings) {
                own.push(variable);
            }
        }
        add_variables(&mut accumulation.variables, own, &mut session.findings);
        session.excuse_since(before, accumulation.gaps);
    }
}

/// Returns the id that a variable names; its namespace is empty where any will do.
fn target_of(field: &Field) -> ResourceId {
    let text = |key: &str| {
        let text = field.find_text(&["objref", key]);
        text.unwrap_or_default().to_owned()
    };
    let mut id = ResourceId {
        group: text("group"),
        version: text("version"),
        kind: text("kind"),
        name: text("name"),
        namespace: text("namespace"),
    };
    let api_version = text("apiVersion");
    match api_version.split('/').collect::<Vec<_>>().as_slice() {
        [""] => {}
        [version] => (*version).clone_into(&mut id.version),
        [group, version] => {
            (*group).clone_into(&mut id.group);
            (*version).clone_into(&mut id.version);
        }
        _ => {}
    }
    id
}

/// Notes a variable on the object that it is about; returns whether no more than one object may be it.
fn note_variable(
    variable: &Variable,
    target: &ResourceId,
    resources: &mut Resources,
    findings: &mut Findings,
) -> bool {
    let is_target = |resource: &&mut Resource| {
        resource.any_ids().iter().any(|id| {
            let here = target.namespace.is_empty() || id.namespace == target.namespace;
            let same_type = id.group == target.group && id.version == target.version;
            here && same_type && id.kind == target.kind && id.name == target.name
        })
    };
    let mut found: Vec<&mut Resource> = resources.list.iter_mut().filter(is_target).collect();
    match found.as_mut_slice() {
        [] => true,
        [only] => {
            only.variables.push(variable.name.clone());
            true
        }
        [first, ..] => {
            let message = format!(
                "the variable `{}` may be about several objects",
                variable.name
            );
            findings.refuse(
                Problem::new(ProblemKind::Ambiguous, message, &variable.place)
                    .with_related(first.name_place())
                    .with_help("Give `objref` a `namespace`"),
            );
            false
        }
    }
}

/// Adds variables to others; a name that is there already is a problem.
pub(super) fn add_variables(
    variables: &mut Vec<Variable>,
    added: Vec<Variable>,
    findings: &mut Findings,
) {
    for variable in added {
        match variables.iter().find(|known| known.name == variable.name) {
            Some(known) => {
                let message = format!("the variable `{}` is there already", variable.name);
                findings.refuse(
                    Problem::new(ProblemKind::Duplicate, message, &variable.place)
                        .with_related(&known.place),
                );
            }
            None => variables.push(variable),
        }
    }
}

/// Puts in the values of all variables.
pub(super) fn resolve_variables(
    accumulation: &mut Accumulation,
    config: &TransformerConfig,
    findings: &mut Findings,
) {
    let mut values: BTreeMap<&str, VariableValue> = BTreeMap::new();
    for variable in &accumulation.variables {
        if let Some(value) = value_of(variable, &accumulation.resources, findings) {
            values.insert(&variable.name, value);
        }
    }
    if values.is_empty() {
        return;
    }
    for resource in &mut accumulation.resources.list {
        for spec in &config.var_references {
            if !spec.selector.selects_resource(resource) {
                continue;
            }
            let origin = resource.root.origin.clone();
            let nothing = CreatedField {
                kind: CreatedKind::Nothing,
                origin: &origin,
            };
            let put_in = &mut |field: &mut Field, _: &[usize]| put_values_in(field, &values);
            if let Err(mismatch) = spec.visit(&mut resource.root, nothing, put_in) {
                findings.refuse(mismatch.problem(&spec.path, resource, spec.place.as_ref()));
            }
        }
        resource.settle_shared();
    }
}

fn value_of(
    variable: &Variable,
    resources: &Resources,
    findings: &mut Findings,
) -> Option<VariableValue> {
    let Variable { name, path, place } = variable;
    let mut named = resources.list.iter();
    let Some(resource) = named.find(|resource| resource.variables.contains(name)) else {
        let message = format!("no object is what the variable `{name}` is about");
        findings.refuse(Problem::new(ProblemKind::NoTarget, message, place));
        return None;
    };
    let mut route = FieldPath::new(path, place);
    route.steps = route
        .steps
        .iter()
        .flat_map(|step| split_index(step))
        .collect();
    let Ok(Some(field)) = route.lookup(&resource.root) else {
        let shown = resource.id().shown();
        let message = format!("{shown} has no field `{path}` for the variable `{name}`");
        findings.refuse(
            Problem::new(ProblemKind::Malformed, message, place)
                .with_related(resource.name_place()),
        );
        return None;
    };
    let scalar = field.as_scalar().map(as_go_prints);
    if let Some(None) = scalar {
        let message = format!("the variable `{name}` stands for no decimal number");
        findings.refuse(Problem::new(ProblemKind::Malformed, message, field.place()));
        return None;
    }
    Some(VariableValue {
        scalar: scalar.flatten(),
        source: field.place().clone(),
        place: place.clone(),
    })
}

/// Splits `containers[0]` into the key and the index.
fn split_index(step: &str) -> Vec<String> {
    let index = step
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once('['));
    match index {
        Some((key, index))
            if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            let key = Some(key).filter(|key| !key.is_empty());
            key.into_iter().chain([index]).map(str::to_owned).collect()
        }
        _ => vec![step.to_owned()],
    }
}

/// Returns a value as kustomize holds it: a number is read, and written anew.
fn as_go_prints(scalar: &FieldScalar) -> Option<FieldScalar> {
    let text = match scalar.kind {
        ScalarKind::Text | ScalarKind::Null | ScalarKind::Timestamp => scalar.text.clone(),
        ScalarKind::Boolean => scalar.text.to_ascii_lowercase(),
        ScalarKind::Integer => scalar.text.parse::<i64>().ok()?.to_string(),
        ScalarKind::Float => scalar.text.parse::<f64>().ok()?.to_string(),
    };
    let kind = match scalar.kind {
        ScalarKind::Null | ScalarKind::Timestamp => ScalarKind::Text,
        kind => kind,
    };
    Some(FieldScalar { text, kind })
}

type VariableValues<'v> = BTreeMap<&'v str, VariableValue>;

/// Puts values into a text, the texts of a mapping, or the items of a list.
fn put_values_in(field: &mut Field, values: &VariableValues<'_>) -> Result<(), FieldMismatch> {
    match &mut field.value {
        FieldValue::Scalar(_) => put_values_in_text(field, values),
        FieldValue::Mapping(entries) => {
            for entry in entries {
                put_values_in_text(&mut entry.value, values);
            }
        }
        FieldValue::Sequence(items) => {
            for item in items {
                if item
                    .as_scalar()
                    .is_none_or(|scalar| scalar.kind != ScalarKind::Text)
                {
                    let why = "there is something other than text where `vars` are put in";
                    return Err(FieldMismatch::at(item, why));
                }
                put_values_in_text(item, values);
            }
        }
    }
    Ok(())
}

fn put_values_in_text(field: &mut Field, values: &VariableValues<'_>) {
    let Some(scalar) = field
        .as_scalar()
        .filter(|scalar| scalar.kind == ScalarKind::Text)
    else {
        return;
    };
    let mut used = Vec::new();
    let Some(replaced) = replace_names(&scalar.text, values, &mut used) else {
        return;
    };
    let mut origin = field.origin.clone();
    for value in used {
        origin = origin.and(&value.source).and(&value.place);
    }
    *field = Field {
        value: FieldValue::Scalar(replaced),
        origin,
    };
}

/// Replaces `$(NAME)`; `$$` stands for `$`. A text that is one name takes the type of its value.
fn replace_names<'v>(
    text: &str,
    values: &'v VariableValues<'_>,
    used: &mut Vec<&'v VariableValue>,
) -> Option<FieldScalar> {
    if !text.contains('$') {
        return None;
    }
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        replaced.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(name) = after
            .strip_prefix('(')
            .and_then(|name| name.split_once(')'))
        {
            let (name, tail) = name;
            let value = values
                .get(name)
                .and_then(|value| Some((value, value.scalar.as_ref()?)));
            if let Some((value, scalar)) = value {
                used.push(value);
                if name.len() + "$()".len() == text.len() {
                    return Some(scalar.clone());
                }
                replaced.push_str(&scalar.text);
            } else {
                replaced.push_str("$(");
                replaced.push_str(name);
                replaced.push(')');
            }
            rest = tail;
        } else {
            replaced.push('$');
            rest = after.strip_prefix('$').unwrap_or(after);
        }
    }
    replaced.push_str(rest);
    Some(FieldScalar {
        text: replaced,
        kind: ScalarKind::Text,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::place::SourceFile;
    use super::*;

    fn replaced(text: &str) -> (String, ScalarKind) {
        let file = SourceFile::new("a", Vec::new());
        let place = Place::new(&file, 0, spanned_yaml::Span::new(0, 0));
        let value = |text: &str, kind| VariableValue {
            scalar: Some(FieldScalar {
                text: text.to_owned(),
                kind,
            }),
            source: place.clone(),
            place: place.clone(),
        };
        let values = BTreeMap::from([
            ("A", value("a", ScalarKind::Text)),
            ("B", value("$(A)", ScalarKind::Text)),
            ("N", value("8", ScalarKind::Integer)),
        ]);
        match replace_names(text, &values, &mut Vec::new()) {
            Some(scalar) => (scalar.text, scalar.kind),
            None => (text.to_owned(), ScalarKind::Text),
        }
    }

    /// Expected values: the table in kustomize's own tests.
    #[test]
    fn replaces_names_as_kustomize_does() {
        for (text, expected) in [
            ("$(A)", "a"),
            ("$(A)-$(A)", "a-a"),
            ("___$(A)___", "___a___"),
            ("$(B)", "$(A)"),
            ("$$(A)_$(A)", "$(A)_a"),
            ("f000-$$A", "f000-$A"),
            ("$(X)", "$(X)"),
            ("$(A$(B))", "$(A$(B))"),
            ("$$$$$$$(A)", "$$$a"),
            ("$A) ${A} $?", "$A) ${A} $?"),
            ("--$($($($($--", "--$($($($($--"),
            ("a$", "a$"),
            ("$(A)$(", "a$("),
            ("x$(N)", "x8"),
        ] {
            assert_eq!(
                replaced(text),
                (expected.to_owned(), ScalarKind::Text),
                "{text}"
            );
        }
        assert_eq!(replaced("$(N)"), ("8".to_owned(), ScalarKind::Integer));
    }

    #[test]
    fn splits_an_index_from_its_key() {
        assert_eq!(split_index("containers[0]"), ["containers", "0"]);
        assert_eq!(split_index("[0]"), ["0"]);
        assert_eq!(split_index("[a=b]"), ["[a=b]"]);
        assert_eq!(split_index("a"), ["a"]);
    }
}
