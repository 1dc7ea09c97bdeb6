//! Objects that kustomize makes of literals and files, and the hash in their names.

mod hash;
mod pair;
mod service_account;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::field::{Field, FieldValue, ScalarKind};
use super::loader::Loader;
use super::place::{Origin, Place};
use super::problem::{Findings, Problem, ProblemKind};
use super::resource::{GeneratorBehavior, Resource};
pub(crate) use hash::append_hashes;
use pair::{GeneratedPair, read_pairs};
pub(crate) use service_account::generate_service_account;

/// What a generator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeneratedKind {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

impl GeneratedKind {
    fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// A generator in a kustomization, or in an object of its own.
pub(crate) struct GeneratorEntry<'e> {
    /// What it makes.
    pub(crate) kind: GeneratedKind,
    /// Its fields, in shape.
    pub(crate) fields: &'e Field,
    /// The `generatorOptions` that it shares with others.
    pub(crate) shared_options: Option<&'e Field>,
    /// Whether `env` counts; in an object of its own kustomize reads it and does nothing with it.
    pub(crate) with_env: bool,
}

/// Makes an object; `None` where a problem or something not seen stands against it.
pub(crate) fn generate(
    entry: &GeneratorEntry<'_>,
    loader: &Loader<'_>,
    findings: &mut Findings,
) -> Option<Resource> {
    let fields = entry.fields;
    let said = |name: &str| fields.get(name).filter(|field| field.as_text() != Some(""));
    let pairs = read_pairs(fields, entry.with_env, loader, findings);
    if !is_printable(fields, findings) {
        return None;
    }
    let Some(name) = said("name") else {
        let message = format!("the generator of a `{}` has no `name`", entry.kind.name());
        let place = fields.place();
        findings.refuse(Problem::new(ProblemKind::Malformed, message, place));
        return None;
    };
    let pairs = pairs.filter(|pairs| all_differ(pairs, findings))?;
    let maker = &fields.origin;
    let mut root = Field::mapping(maker.clone());
    root.set("apiVersion", Field::text("v1", maker.clone()));
    root.set("kind", Field::text(entry.kind.name(), maker.clone()));
    root.set("metadata", metadata_of(entry, name, said("namespace")));
    if entry.kind == GeneratedKind::Secret {
        let kind = said("type").cloned();
        let opaque = || Field::text("Opaque", maker.clone());
        root.set("type", kind.unwrap_or_else(opaque));
    }
    set_data(&mut root, entry.kind, pairs);
    if let Some(immutable) = option_flag(entry, "immutable") {
        let field = Field::scalar("true", ScalarKind::Boolean, immutable.origin.clone());
        root.set("immutable", field);
    }
    let mut resource = Resource::new(root);
    resource.needs_hash = option_flag(entry, "disableNameSuffixHash").is_none();
    resource.behavior = GeneratorBehavior::of(fields.find_text(&["behavior"]).unwrap_or_default());
    Some(resource)
}

/// Says which texts of a generator hold a character that YAML cannot hold: kustomize writes them as YAML on the way.
fn is_printable(field: &Field, findings: &mut Findings) -> bool {
    let mut all = true;
    field.each_scalar(&mut |_, scalar| {
        let text = scalar.as_text().unwrap_or_default();
        // Whatever lies below a space is escaped.
        if text.chars().any(|letter| {
            matches!(letter, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
        }) {
            all = false;
            let message = "the text holds a control character";
            let place = scalar.place();
            findings.refuse(
                Problem::new(ProblemKind::Malformed, message, place)
                    .with_help("Put the value into a file, and list it in `files`"),
            );
        }
    });
    all
}

fn all_differ(pairs: &[GeneratedPair], findings: &mut Findings) -> bool {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut all = true;
    for pair in pairs {
        if let Some(first) = seen.insert(&pair.key, &pair.place) {
            all = false;
            let message = format!("the generator has the key `{}` twice", pair.key);
            findings.refuse(
                Problem::new(ProblemKind::Duplicate, message, &pair.place).with_related(first),
            );
        }
    }
    all
}

fn metadata_of(entry: &GeneratorEntry<'_>, name: &Field, namespace: Option<&Field>) -> Field {
    let mut metadata = Field::mapping(entry.fields.origin.clone());
    metadata.set("name", name.clone());
    if let Some(namespace) = namespace {
        metadata.set("namespace", namespace.clone());
    }
    for key in ["labels", "annotations"] {
        let own = entry.fields.find(&["options", key]);
        let shared = entry.shared_options.and_then(|options| options.get(key));
        let mut texts: BTreeMap<&str, &Field> = BTreeMap::new();
        // What the generator says itself comes last, and so wins.
        for entry in [shared, own]
            .into_iter()
            .flatten()
            .filter_map(Field::entries)
            .flatten()
        {
            texts.insert(&entry.key, &entry.value);
        }
        if let Some(origin) = own.or(shared).map(|field| field.origin.clone())
            && !texts.is_empty()
        {
            let mut field = Field::mapping(origin);
            for (key, value) in texts {
                field.set(key, value.clone());
            }
            metadata.set(key, field);
        }
    }
    metadata
}

/// Returns the flag that is set, of the generator or of all; one that is set for all cannot be taken back.
fn option_flag<'e>(entry: &GeneratorEntry<'e>, name: &str) -> Option<&'e Field> {
    let own = entry.fields.find(&["options", name]);
    let shared = entry.shared_options.and_then(|options| options.get(name));
    let set = |field: &&Field| field.as_text() == Some("true");
    own.filter(set).or(shared.filter(set))
}

fn set_data(root: &mut Field, kind: GeneratedKind, mut pairs: Vec<GeneratedPair>) {
    pairs.sort_by(|one, other| one.key.cmp(&other.key));
    let origin = root.origin.clone();
    if kind == GeneratedKind::Secret {
        root.set("data", Field::mapping(origin.clone()));
    }
    for pair in pairs {
        let (key, text) = match (kind, str::from_utf8(pair.value.bytes())) {
            (GeneratedKind::ConfigMap, Ok(text)) => ("data", text.to_owned()),
            (GeneratedKind::ConfigMap, Err(_)) => ("binaryData", encode(pair.value.bytes())),
            (GeneratedKind::Secret, _) => ("data", encode(pair.value.bytes())),
        };
        let data = root.mapping_at(key, &origin);
        // The keys differ, and `set` would look through all of them.
        if let Some(entries) = data.entries_mut() {
            entries.push(super::field::FieldEntry {
                key: pair.key,
                value: Field::text(text, pair.place),
            });
        }
    }
}

/// Writes base 64 as kustomize does: in lines of 70 letters, each with its line break, when it is as long as a line.
fn encode(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let whole = STANDARD.encode(bytes);
    if whole.len() < LINE {
        return whole;
    }
    let mut text = String::with_capacity(whole.len() + whole.len() / LINE + 1);
    let mut rest = whole.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text
}

/// Makes a generated object the successor of one that is there already: it takes its name and its past, and for
/// `merge` its data.
pub(crate) fn absorb(made: &mut Resource, old: &Resource, findings: &mut Findings) {
    let merges = made.behavior == GeneratorBehavior::Merge;
    let is_secret = made.kind() == "Secret" && made.group().is_empty() && made.version() == "v1";
    if merges {
        let old_data = if is_secret {
            secret_data(old, findings)
        } else {
            texts_of(old.root.get("data"))
        };
        let data = with_texts(old_data, made.root.get("data"));
        let binary = with_texts(
            texts_of(old.root.get("binaryData")),
            made.root.get("binaryData"),
        );
        let origin = made.root.origin.clone();
        set_texts(&mut made.root, "data", data, &origin);
        set_texts(&mut made.root, "binaryData", binary, &origin);
    }
    take_metadata(made, old);
    made.former.clone_from(&old.former);
    made.prefixes.clone_from(&old.prefixes);
    made.suffixes.clone_from(&old.suffixes);
    made.variables.clone_from(&old.variables);
    made.needs_hash &= old.needs_hash;
    made.behavior = old.behavior;
    made.provenance
        .transformers
        .clone_from(&old.provenance.transformers);
    if merges && let Some(maker) = &old.provenance.maker {
        made.provenance.maker = Some(maker.clone());
    }
}

fn take_metadata(made: &mut Resource, old: &Resource) {
    let mut metadata = made.root.remove("metadata").unwrap_or_else(|| {
        let origin = made.root.origin.clone();
        Field::mapping(origin)
    });
    let origin = metadata.origin.clone();
    for key in ["labels", "annotations"] {
        let texts = with_texts(
            texts_of(old.root.find(&["metadata", key])),
            metadata.get(key),
        );
        set_texts(&mut metadata, key, texts, &origin);
    }
    for key in ["name", "namespace"] {
        match old.root.find(&["metadata", key]) {
            Some(field) if !field.is_null() => metadata.set(key, field.clone()),
            _ => {
                metadata.remove(key);
            }
        }
    }
    made.root.set("metadata", metadata);
}

type Texts = BTreeMap<String, Field>;

/// Reads a mapping of texts: whatever the values are, their text counts.
fn texts_of(field: Option<&Field>) -> Texts {
    let entries = field.and_then(Field::entries).unwrap_or_default();
    let pairs = entries.iter().map(|entry| {
        let text = entry.value.as_text().unwrap_or_default();
        (
            entry.key.clone(),
            Field::text(text, entry.value.origin.clone()),
        )
    });
    pairs.collect()
}

fn with_texts(mut texts: Texts, over: Option<&Field>) -> Texts {
    texts.extend(texts_of(over));
    texts
}

/// Sets a mapping of texts, sorted by key; takes the mapping out where there are none.
fn set_texts(parent: &mut Field, key: &str, texts: Texts, origin: &Origin) {
    let origin = parent
        .remove(key)
        .map_or_else(|| origin.clone(), |old| old.origin);
    if texts.is_empty() {
        return;
    }
    let entries = texts
        .into_iter()
        .map(|(key, value)| super::field::FieldEntry { key, value });
    parent.set(
        key,
        Field {
            value: FieldValue::Mapping(entries.collect()),
            origin,
        },
    );
}

/// Reads the data of a Secret as the API server does: `stringData` is encoded, and wins.
fn secret_data(secret: &Resource, findings: &mut Findings) -> Texts {
    let mut data = texts_of(secret.root.get("data"));
    let plain = secret.root.get("stringData").and_then(Field::entries);
    for entry in plain.unwrap_or_default() {
        if entry.value.as_scalar().is_none() {
            let message = format!("`stringData.{}` is no text", entry.key);
            let place = entry.value.place();
            findings.refuse(Problem::new(ProblemKind::Malformed, message, place));
            continue;
        }
        let text = entry.value.as_text().unwrap_or_default();
        let field = Field::text(encode(text.as_bytes()), entry.value.origin.clone());
        data.insert(entry.key.clone(), field);
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_long_base_64_into_lines() {
        assert_eq!(encode(b"a"), "YQ==");
        assert_eq!(encode(&[b'a'; 51]).len(), 68);
        let exactly_72 = encode(&[b'a'; 54]);
        assert_eq!(exactly_72.len(), 74);
        assert_eq!(
            exactly_72.lines().map(str::len).collect::<Vec<_>>(),
            [70, 2]
        );
        assert!(exactly_72.ends_with('\n'));
    }
}
