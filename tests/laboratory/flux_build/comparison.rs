//! Objects of Flux beside those of Kiln: who applies what, and what stands in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::laboratory::flux::OwnedObject;

/// How many fields of an object are named.
const SHOWN: usize = 3;

/// What two answers have in common, and what not.
pub(super) struct Comparison {
    /// How many objects are in both.
    pub(super) common: usize,
    pub(super) differences: Vec<Difference>,
}

/// An object that is not the same in both.
#[derive(Debug)]
pub(super) struct Difference {
    /// `NAMESPACE/NAME` of the Kustomization.
    pub(super) owner: String,
    /// Kind, namespace and name.
    pub(super) object: String,
    /// What differs: paths of fields, never their values.
    pub(super) what: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.what.iter().take(SHOWN).cloned().collect::<Vec<_>>();
        write!(
            formatter,
            "{} of {}: {}",
            self.object,
            self.owner,
            shown.join("; ")
        )?;
        match self.what.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(formatter, "; {more} more"),
        }
    }
}

/// Compares without regard to the order of objects and keys.
///
/// What Kiln cannot know stands for anything: a value that is sealed, and `${NAME}` within a text.
pub(super) fn compare(flux: &[OwnedObject], kiln: &[OwnedObject]) -> Comparison {
    let (mut flux, mut kiln) = (by_name(flux), by_name(kiln));
    take_over_names(&mut flux, &mut kiln);
    let names: BTreeSet<_> = flux.keys().chain(kiln.keys()).collect();
    let mut comparison = Comparison {
        common: 0,
        differences: Vec::new(),
    };
    for name in names {
        let found = |objects: &BTreeMap<_, Vec<&Value>>| objects.get(name).map_or(0, Vec::len);
        let (in_flux, in_kiln) = (found(&flux), found(&kiln));
        let mut what = Vec::new();
        if in_flux == in_kiln {
            for (flux, kiln) in flux[name].iter().zip(&kiln[name]) {
                differ_in_object(flux, kiln, &mut what);
            }
        } else {
            what.push(format!("{in_flux} of Flux, {in_kiln} of Kiln"));
        }
        comparison.common += in_flux.min(in_kiln);
        if !what.is_empty() {
            let ObjectName {
                owner,
                kind,
                namespace,
                name,
                ..
            } = name;
            comparison.differences.push(Difference {
                owner: owner.clone(),
                object: format!("{kind} {namespace}/{name}"),
                what,
            });
        }
    }
    comparison
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ObjectName {
    owner: String,
    group: String,
    kind: String,
    namespace: String,
    name: String,
}

fn by_name(objects: &[OwnedObject]) -> BTreeMap<ObjectName, Vec<&Value>> {
    let mut named: BTreeMap<ObjectName, Vec<&Value>> = BTreeMap::new();
    for OwnedObject { owner, object } in objects {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
        let version = text("/apiVersion").unwrap();
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let name = ObjectName {
            owner: owner.clone(),
            group: group.to_owned(),
            kind: text("/kind").unwrap().to_owned(),
            namespace: text("/metadata/namespace").unwrap_or("-").to_owned(),
            name: text("/metadata/name").unwrap().to_owned(),
        };
        named.entry(name).or_default().push(object);
    }
    named
}

/// Gives objects that Kiln knows by `${NAME}` the names that they have for Flux.
fn take_over_names(
    flux: &mut BTreeMap<ObjectName, Vec<&Value>>,
    kiln: &mut BTreeMap<ObjectName, Vec<&Value>>,
) {
    let veiled: Vec<ObjectName> = kiln
        .keys()
        .filter(|known| around_variables(&known.name).is_some())
        .filter(|known| !flux.contains_key(known))
        .cloned()
        .collect();
    for known in veiled {
        let covered = |given: &ObjectName| {
            let name = Value::from(given.name.as_str());
            let mut same = known.clone();
            same.name.clone_from(&given.name);
            same == *given && covers(&known.name, &name, false)
        };
        let number =
            |objects: &BTreeMap<_, Vec<&Value>>, name| objects.get(name).map_or(0, Vec::len);
        let free = flux
            .keys()
            .find(|given| covered(given) && number(flux, given) > number(kiln, given));
        if let Some(given) = free.cloned() {
            let objects = kiln.remove(&known).unwrap();
            kiln.entry(given).or_default().extend(objects);
        }
    }
}

fn differ_in_object(flux: &Value, kiln: &Value, found: &mut Vec<String>) {
    let sealed = kiln.get("sops").is_some() && flux.get("sops").is_none();
    if !sealed {
        return differ(flux, kiln, false, "", found);
    }
    let mut without = kiln.clone();
    without.as_object_mut().unwrap().shift_remove("sops");
    differ(flux, &without, true, "", found);
}

fn differ(flux: &Value, kiln: &Value, sealed: bool, path: &str, found: &mut Vec<String>) {
    if flux == kiln || kiln.as_str().is_some_and(|text| covers(text, flux, sealed)) {
        return;
    }
    match (flux, kiln) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let step = key.replace('~', "~0").replace('/', "~1");
                let path = format!("{path}/{step}");
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => differ(one, other, sealed, &path, found),
                    (Some(_), None) => found.push(format!("{path} of Flux only")),
                    (None, _) => found.push(format!("{path} of Kiln only")),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differ(one, other, sealed, &format!("{path}/{index}"), found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            let (one, other) = (one.len(), other.len());
            found.push(format!("{path} has {one} items for Flux, {other} for Kiln"));
        }
        _ if type_of(flux) == type_of(kiln) => found.push(format!("{path} has another value")),
        _ => {
            let (one, other) = (type_of(flux), type_of(kiln));
            found.push(format!("{path} is {one} for Flux, {other} for Kiln"));
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Tells whether what is not known in a text may be what Flux has there.
fn covers(text: &str, flux: &Value, sealed: bool) -> bool {
    if sealed && text.starts_with("ENC[") {
        return true;
    }
    let Some(literals) = around_variables(text) else {
        return false;
    };
    if literals.iter().all(|literal| literal.is_empty()) {
        return true;
    }
    let given = match flux {
        Value::String(given) => given.clone(),
        Value::Array(_) | Value::Object(_) => return false,
        scalar => scalar.to_string(),
    };
    let [first, middle @ .., last] = &literals[..] else {
        return false;
    };
    let rest = given
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last));
    let Some(mut rest) = rest else { return false };
    for literal in middle {
        let Some(at) = rest.find(literal) else {
            return false;
        };
        rest = &rest[at + literal.len()..];
    }
    true
}

/// Splits a text at its `${NAME…}`; `None` where it has none.
pub(super) fn around_variables(text: &str) -> Option<Vec<&str>> {
    let mut literals = Vec::new();
    let (mut start, mut search) = (0, 0);
    while let Some(found) = text[search..].find("${") {
        let open = search + found;
        let end = variable_end(&text[open..]).filter(|_| variable_name(&text[open..]).is_some());
        let Some(length) = end else {
            search = open + 2;
            continue;
        };
        literals.push(&text[start..open]);
        start = open + length;
        search = start;
    }
    literals.push(&text[start..]);
    (literals.len() > 1).then_some(literals)
}

/// Names the variable that a text starts with: `NAME` of `${NAME:-${OTHER}}`.
pub(super) fn variable_name(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("${")?.trim_start_matches('#');
    let end = rest.find(|letter: char| letter != '_' && !letter.is_ascii_alphanumeric())?;
    (end > 0).then(|| &rest[..end])
}

fn variable_end(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (index, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(index + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(content: &Value) -> OwnedObject {
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "config", "namespace": "default"},
        });
        let content = content.as_object().unwrap().clone();
        object.as_object_mut().unwrap().extend(content);
        OwnedObject {
            owner: "flux-system/app".to_owned(),
            object,
        }
    }

    fn told(flux: &Value, kiln: &Value) -> String {
        let compared = compare(&[object(flux)], &[object(kiln)]);
        let told = compared.differences.iter().map(Difference::to_string);
        let told: Vec<String> = told.collect();
        let start = "ConfigMap default/config of flux-system/app: ";
        told.join("\n").replace(start, "")
    }

    #[test]
    fn names_the_fields_that_differ_and_no_values() {
        let flux = json!({"data": {"a": "1", "b": "2", "c/d": "3"}, "list": [1, 2]});
        assert_eq!(told(&flux, &flux), "");
        let turned = json!({"list": [1, 2], "data": {"c/d": "3", "b": "2", "a": "1"}});
        assert_eq!(told(&flux, &turned), "");
        let kiln = json!({"data": {"a": 1, "b": "other", "more": ""}, "list": [1]});
        assert_eq!(
            told(&flux, &kiln),
            "/data/a is a text for Flux, a number for Kiln; /data/b has another value; /data/c~1d of \
             Flux only; 2 more"
        );
        assert_eq!(
            told(&json!({"list": [1, 2]}), &json!({"list": [2, 1]}))
                .matches("/list")
                .count(),
            2
        );
    }

    #[test]
    fn names_objects_that_one_lacks_and_owners_that_differ() {
        let one = object(&json!({}));
        let other = OwnedObject {
            owner: "flux-system/other".to_owned(),
            object: one.object.clone(),
        };
        let told = |flux: &[OwnedObject], kiln: &[OwnedObject]| {
            let compared = compare(flux, kiln);
            let differences = compared.differences.iter().map(Difference::to_string);
            (compared.common, differences.collect::<Vec<_>>().join("\n"))
        };
        let only = |owner, of| format!("ConfigMap default/config of flux-system/{owner}: {of}");
        let (of_flux, of_kiln) = ("1 of Flux, 0 of Kiln", "0 of Flux, 1 of Kiln");
        assert_eq!(told(&[one], &[]), (0, only("app", of_flux)));
        let one = object(&json!({}));
        let both = format!("{}\n{}", only("app", of_flux), only("other", of_kiln));
        assert_eq!(told(&[one], &[other]), (0, both));

        // The same kind of two groups, and names that are not all known.
        let named = |version: &str, name: &str| {
            let mut object = object(&json!({"apiVersion": version}));
            object.object["metadata"]["name"] = json!(name);
            object
        };
        let flux = [
            named("v1", "a"),
            named("example.com/v1", "a"),
            named("v1", "a-b"),
        ];
        assert_eq!(told(&flux, &flux), (3, String::new()));
        let kiln = [
            named("v1", "a-${B}"),
            named("v1", "a"),
            named("example.com/v1", "${A}"),
        ];
        assert_eq!(told(&flux, &kiln), (3, String::new()));
        let kiln = [
            named("v1", "b-${B}"),
            named("v1", "a"),
            named("example.com/v2", "a"),
        ];
        let (common, differences) = told(&flux, &kiln);
        assert_eq!(common, 2);
        assert!(differences.contains("ConfigMap default/a-b of flux-system/app: 1 of Flux"));
        assert!(differences.contains("ConfigMap default/b-${B} of flux-system/app: 0 of Flux"));
        assert!(differences.contains("ConfigMap default/a of flux-system/app: /apiVersion"));
    }

    #[test]
    fn what_is_not_known_stands_for_anything_and_what_is_known_for_itself() {
        let same =
            |flux: Value, kiln: &str| told(&json!({"a": flux}), &json!({"a": kiln})).is_empty();
        assert!(same(json!("given"), "${NAME}"));
        assert!(same(json!(3), "${NAME}"));
        assert!(same(json!({"deep": true}), "${NAME:-${OTHER}}"));
        assert!(same(json!("a-given-b"), "a-${NAME}-b"));
        assert!(same(json!("a-x-b-y"), "a-${NAME/_/-}-b-${OTHER}"));
        assert!(same(json!(12), "1${NAME}"));
        assert!(!same(json!("b-given-b"), "a-${NAME}-b"));
        assert!(!same(json!("a-given"), "a-${NAME}-b"));
        assert!(!same(json!("a-x-c-y"), "a-${NAME}-b-${OTHER}"));
        assert!(!same(json!("given"), "$NAME"));
        assert!(!same(json!("given"), "${}"));
        assert!(!same(json!("given"), "${NAME"));
        assert!(!same(json!("given"), "ENC[a]"));
        let sealed = json!({"a": "ENC[a]", "b": "open", "sops": {}});
        assert_eq!(told(&json!({"a": "given", "b": "open"}), &sealed), "");
        let problem = told(&json!({"a": "given", "b": "other"}), &sealed);
        assert_eq!(problem, "/b has another value");
    }
}
