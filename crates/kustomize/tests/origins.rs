//! Origins of random kustomizations: whoever changes the text at the place of a field changes the field, and nothing
//! that does not come from that place.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test panics where it fails, and is asked for more rounds by the environment"
)]

#[path = "random/dice.rs"]
mod dice;
#[path = "random/object.rs"]
mod object;
#[path = "random/tree.rs"]
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dice::Dice;
use kustomize::{
    BuildOptions, Field, KUSTOMIZATION_FILES, MemoryFiles, Place, ScalarKind, SourceFile, build,
    to_yaml,
};
use spanned_yaml::{Content, Node, Resolver, Span};
use tree::RandomTree;

/// How many trees a usual run builds; `KILN_FUZZ` asks for more.
const ROUNDS: u64 = 200;

/// How many fields of each tree are looked at.
const FIELDS: usize = 5;

type FileTexts = Vec<(String, String)>;

/// Path and offset of a place.
type Spot = (String, usize);

/// A scalar of a result.
#[derive(Clone)]
struct Leaf {
    text: String,
    kind: ScalarKind,
    place: Place,
    shaped_by: Vec<Spot>,
}

/// The scalars of a result: by the number of the object, and by the JSON pointer in it.
type Leaves = BTreeMap<(usize, String), Leaf>;

/// The result of a build.
struct Outcome {
    leaves: Leaves,
    count: usize,
}

/// How the text of a place becomes the text of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It is the text.
    Whole,
    /// It is the text but for white space: a block in a patch that is a text itself.
    Words,
    /// It is a `key=value`, and the value is the text.
    Value,
    /// The text is the base 64 of it.
    Encoded,
    /// It is a `key=value`, and the text is the base 64 of the value.
    EncodedValue,
}

const READINGS: [Reading; 5] = [
    Reading::Whole,
    Reading::Value,
    Reading::Encoded,
    Reading::EncodedValue,
    Reading::Words,
];

/// What a look at a field says.
enum Verdict {
    /// The field follows its place, and nothing else changed.
    Follows,
    /// The field follows its place, which others go by: the name of an object, the key of an item.
    FollowsAsKey,
    /// The changed tree does not build.
    Refused,
    /// The place holds no text that could be changed.
    Made,
    Wrong(String),
}

impl Outcome {
    fn of(files: &FileTexts) -> Option<Self> {
        let files: MemoryFiles = files.iter().cloned().collect();
        let built = build(&files, "f0", BuildOptions::default());
        if !built.findings.problems.is_empty() {
            return None;
        }
        let mut objects: Vec<&Field> = built.resources.iter().map(|object| &object.root).collect();
        // An order by name follows the names.
        objects.sort_by_key(|root| spot(root.place()));
        let mut leaves = Leaves::new();
        for (number, root) in objects.iter().enumerate() {
            root.each_scalar(&mut |pointer, field| {
                let scalar = field.as_scalar().unwrap();
                let leaf = Leaf {
                    text: scalar.text.clone(),
                    kind: scalar.kind,
                    place: field.place().clone(),
                    shaped_by: field.origin.shaped_by().iter().map(spot).collect(),
                };
                leaves.insert((number, pointer.to_owned()), leaf);
            });
        }
        let count = objects.len();
        Some(Self { leaves, count })
    }
}

impl Leaf {
    fn comes_from(&self, place: &Spot) -> bool {
        spot(&self.place) == *place || self.shaped_by.contains(place)
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (&self.text, self.kind) == (&other.text, other.kind)
    }
}

impl Reading {
    fn gives(self, written: &str, text: &str) -> bool {
        let pair = written.split_once('=').map(|(_, value)| value);
        let bare = pair.and_then(|value| {
            let inner = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
            inner('"').or_else(|| inner('\''))
        });
        // A literal loses its quotes; a line of a file keeps them.
        let values = [pair, bare].into_iter().flatten();
        match self {
            Self::Whole => written == text,
            Self::Words => words(written) == words(text),
            Self::Value => values.into_iter().any(|value| value == text),
            Self::Encoded => STANDARD.encode(written) == text,
            Self::EncodedValue => values
                .into_iter()
                .any(|value| STANDARD.encode(value) == text),
        }
    }
}

fn words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

fn spot(place: &Place) -> Spot {
    (place.file.path.clone(), place.span.start)
}

fn slice(place: &Place) -> &str {
    let text = place.file.text().unwrap();
    &text[place.span.start..place.span.end]
}

/// Returns the texts that may be meant by a place: a scalar of the file, the bytes, a scalar in a text.
fn texts_at(place: &Place) -> Vec<String> {
    let raw = slice(place);
    let mut texts = Vec::new();
    if let Ok(documents) = place.file.documents()
        && let Some(document) = documents.get(place.document)
    {
        let name = place.file.path.rsplit('/').next().unwrap();
        scalars_at(&document.root, place.span, &mut |node| {
            let field = if KUSTOMIZATION_FILES.contains(&name) {
                Field::of_kustomization(node, &place.file, place.document)
            } else {
                Field::of_node(node, &place.file, place.document)
            };
            texts.push(field.as_scalar().unwrap().text.clone());
        });
    }
    texts.push(raw.to_owned());
    if let Ok(documents) = spanned_yaml::load(raw)
        && let [document] = &documents[..]
        && document.root.text().is_some()
    {
        let file = SourceFile::new("", raw.as_bytes());
        for field in [
            Field::of_node(&document.root, &file, 0),
            Field::of_kustomization(&document.root, &file, 0),
        ] {
            texts.push(field.as_scalar().unwrap().text.clone());
        }
    }
    texts
}

fn scalars_at(node: &Node, span: Span, visit: &mut impl FnMut(&Node)) {
    if matches!(node.content, Content::Scalar(_)) && node.span == span {
        visit(node);
    }
    for entry in node.entries().unwrap_or_default() {
        scalars_at(&entry.value, span, visit);
    }
    for item in node.items().unwrap_or_default() {
        scalars_at(item, span, visit);
    }
}

/// Returns how a field may read the text of its place; nothing where the text does not give the field.
fn readings_of(leaf: &Leaf) -> Vec<Reading> {
    let texts = texts_at(&leaf.place);
    let mut readings = READINGS.to_vec();
    readings.retain(|reading| texts.iter().any(|text| reading.gives(text, &leaf.text)));
    readings
}

/// Returns another text of the same type for the bytes of a scalar.
fn other_text(leaf: &Leaf, readings: &[Reading]) -> Option<String> {
    let raw = slice(&leaf.place);
    let is_whole_file = leaf.place.span == Span::new(0, leaf.place.file.bytes().len());
    let quote = ["\"", "'"].into_iter().find(|quote| {
        !is_whole_file && raw.len() > 1 && raw.starts_with(quote) && raw.ends_with(quote)
    });
    let quote = quote.unwrap_or_default();
    let bare = &raw[quote.len()..raw.len() - quote.len()];
    let is_pair = |reading: &Reading| matches!(reading, Reading::Value | Reading::EncodedValue);
    let keeps_key = readings.iter().any(is_pair);
    let start = if keeps_key { bare.find('=')? + 1 } else { 0 };
    let (key, value) = bare.split_at(start);
    let other = match leaf.kind {
        ScalarKind::Boolean => (leaf.text != "true").to_string(),
        ScalarKind::Integer if leaf.text == "7" => "8".to_owned(),
        ScalarKind::Integer => "7".to_owned(),
        ScalarKind::Float if leaf.text == "7.5" => "8.5".to_owned(),
        ScalarKind::Float => "7.5".to_owned(),
        ScalarKind::Text if value.is_empty() => "other".to_owned(),
        ScalarKind::Text if !value.contains('\\') => value.chars().map(next_letter).collect(),
        ScalarKind::Text | ScalarKind::Null | ScalarKind::Timestamp => return None,
    };
    let is_string =
        |text: &str| Resolver::Kubernetes.is_string(text) && Resolver::Kustomize.is_string(text);
    let is_plain_text = leaf.kind == ScalarKind::Text && quote.is_empty() && !keeps_key;
    if other == value || (is_plain_text && !is_string(&other)) {
        return None;
    }
    Some(format!("{quote}{key}{other}{quote}"))
}

fn next_letter(letter: char) -> char {
    match letter {
        'z' => 'a',
        'Z' => 'A',
        '9' => '1',
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from(letter as u8 + 1),
        other => other,
    }
}

/// Returns whether kustomize goes by the value of a field: it finds objects or items of lists by it.
fn is_key(pointer: &str, files: &FileTexts) -> bool {
    const KEYS: [&str; 9] = [
        "name",
        "apiGroup",
        "namespace",
        "kind",
        "apiVersion",
        "containerPort",
        "port",
        "protocol",
        "key",
    ];
    let last = pointer.rsplit('/').next().unwrap();
    let is_label = pointer.contains("/labels/") || pointer.contains("/annotations/");
    let selects = || files.iter().any(|(_, text)| text.contains("Selector:"));
    KEYS.contains(&last) || (is_label && selects())
}

/// Returns whether two names differ in the hash at their end only.
fn differ_in_hash(one: &str, other: &str) -> bool {
    let split = |name: &str| {
        let (start, hash) = name.rsplit_once('-')?;
        (hash.len() == 10).then(|| start.to_owned())
    };
    one != other && split(one).is_some() && split(one) == split(other)
}

/// Returns the pairs of names before and after that a new hash explains: the content of the object changed as well.
fn new_hashes(before: &Outcome, after: &Outcome) -> BTreeSet<(String, String)> {
    let name = "/metadata/name";
    let mut pairs = BTreeSet::new();
    for number in 0..before.count {
        let key = (number, name.to_owned());
        let (Some(old), Some(new)) = (before.leaves.get(&key), after.leaves.get(&key)) else {
            continue;
        };
        let is_changed = before.leaves.iter().any(|((object, pointer), leaf)| {
            let now = after.leaves.get(&(*object, pointer.clone()));
            *object == number && pointer != name && now.is_none_or(|now| !now.says_the_same(leaf))
        });
        if is_changed && differ_in_hash(&old.text, &new.text) {
            pairs.insert((old.text.clone(), new.text.clone()));
        }
    }
    pairs
}

/// Changes the text at the place of a field, and looks at all fields then.
fn look(files: &FileTexts, before: &Outcome, key: &(usize, String)) -> Verdict {
    let leaf = &before.leaves[key];
    let wrong = |what: &str| Verdict::Wrong(format!("{what}: {key:?} at {:?}", leaf.place));
    if !points_at_text(&leaf.place) {
        return wrong("line and column are not those of the text");
    }
    let readings = readings_of(leaf);
    let place = spot(&leaf.place);
    if readings.is_empty() && leaf.shaped_by.is_empty() {
        return if is_made(leaf, &key.1) {
            Verdict::Made
        } else {
            wrong("the place does not hold the text")
        };
    }
    if readings.is_empty() && !is_scalar(&leaf.place) {
        return Verdict::Made;
    }
    let Some(other) = other_text(leaf, &readings) else {
        return Verdict::Made;
    };
    let mut changed = files.clone();
    let text = changed.iter_mut().find(|(path, _)| *path == place.0);
    let text = &mut text.unwrap().1;
    let Span { start, end } = leaf.place.span;
    text.replace_range(start..end, &other);
    let text = text.clone();
    let Some(mut after) = Outcome::of(&changed) else {
        return Verdict::Refused;
    };
    move_back(&mut after, &leaf.place, other.len());
    let of_place = |(_, leaf): &(&(usize, String), &Leaf)| spot(&leaf.place) == place;
    let mut sharers = before.leaves.iter().filter(of_place);
    let by_key = sharers.any(|((_, pointer), _)| is_key(pointer, files));
    let stray = first_stray(before, &after, &place);
    if !by_key && let Some(what) = &stray {
        return wrong(what);
    }
    let Some(now) = after.leaves.get(key) else {
        // A flag that is off makes no field.
        return if by_key || key.1 == "/immutable" {
            Verdict::FollowsAsKey
        } else {
            wrong("the field is gone")
        };
    };
    let is_plain = leaf.shaped_by.is_empty() && now.shaped_by.is_empty();
    if is_plain && (spot(&now.place) == place || !by_key) {
        let mut now_place = leaf.place.clone();
        now_place.file = SourceFile::new(place.0.as_str(), text.into_bytes());
        now_place.span.end = start + other.len();
        let texts = texts_at(&now_place);
        let gives_now = |reading: &Reading| texts.iter().any(|text| reading.gives(text, &now.text));
        if !readings.iter().any(gives_now) {
            return wrong("the field is not the new text");
        }
    }
    if stray.is_some() {
        Verdict::FollowsAsKey
    } else {
        Verdict::Follows
    }
}

/// Moves the places behind the changed text to where they were.
fn move_back(after: &mut Outcome, changed: &Place, length: usize) {
    let old = changed.span.end - changed.span.start;
    let back = |path: &str, start: &mut usize| {
        if path == changed.file.path && *start > changed.span.start {
            *start = *start + old - length;
        }
    };
    for leaf in after.leaves.values_mut() {
        let path = leaf.place.file.path.clone();
        back(&path, &mut leaf.place.span.start);
        for (path, start) in &mut leaf.shaped_by {
            let path = path.clone();
            back(&path, start);
        }
    }
}

/// Says which field does not change and should, or changes and should not.
fn first_stray(before: &Outcome, after: &Outcome, place: &Spot) -> Option<String> {
    if before.count != after.count {
        return Some("the objects are others".to_owned());
    }
    let hashes = new_hashes(before, after);
    let keys: BTreeSet<_> = before.leaves.keys().chain(after.leaves.keys()).collect();
    for key in keys {
        let (old, new) = (before.leaves.get(key), after.leaves.get(key));
        let is_same = old
            .zip(new)
            .is_some_and(|(old, new)| old.says_the_same(new));
        let may_change = [old, new]
            .into_iter()
            .flatten()
            .any(|leaf| leaf.comes_from(place));
        let has_new_hash = || {
            let pair = old
                .zip(new)
                .map(|(old, new)| (old.text.clone(), new.text.clone()));
            pair.is_some_and(|pair| hashes.contains(&pair))
        };
        if !is_same && !may_change && !has_new_hash() {
            return Some(format!("another field changes, {key:?}"));
        }
        if is_same && old.is_some_and(|old| spot(&old.place) == *place) {
            return Some(format!("a field of the same place stays, {key:?}"));
        }
    }
    None
}

/// Returns whether the line and the column of a place, counted anew, lead to its first byte.
fn points_at_text(place: &Place) -> bool {
    let (line, column) = place.line_column();
    let text = place.file.text().unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    let before: usize = lines[..line - 1].iter().map(|line| line.len() + 1).sum();
    let in_line: usize = lines[line - 1]
        .chars()
        .take(column - 1)
        .map(char::len_utf8)
        .sum();
    before + in_line == place.span.start && text.is_char_boundary(place.span.end)
}

/// Returns whether a scalar of a YAML document, or a text without structure, is at a place.
fn is_scalar(place: &Place) -> bool {
    let raw = slice(place);
    let documents = spanned_yaml::load(raw);
    documents.is_ok_and(
        |documents| matches!(&documents[..], [document] if document.root.text().is_some()),
    )
}

/// Returns whether kustomize makes a field of itself, so that it has the place of its cause.
fn is_made(leaf: &Leaf, pointer: &str) -> bool {
    const MADE: [&str; 3] = ["/apiVersion", "/kind", "/type"];
    const NOTES: [&str; 3] = [
        "/metadata/labels/app.kubernetes.io~1managed-by",
        "/metadata/annotations/config.kubernetes.io~1origin",
        "/metadata/annotations/alpha.config.kubernetes.io~1transformations",
    ];
    // A JSON patch copies null where there is nothing.
    leaf.kind == ScalarKind::Null
        || NOTES.contains(&pointer)
        || (MADE.contains(&pointer) && !is_scalar(&leaf.place))
}

/// Looks at all fields of a tree, and returns what is wrong with the first that is.
fn first_wrong(files: &FileTexts) -> Option<String> {
    let before = Outcome::of(files)?;
    before
        .leaves
        .keys()
        .find_map(|key| match look(files, &before, key) {
            Verdict::Wrong(what) => Some(what),
            _ => None,
        })
}

/// Takes out lines for as long as something of the same kind is wrong.
fn reduced(mut files: FileTexts) -> FileTexts {
    let kind = |files: &FileTexts| {
        let what = first_wrong(files)?;
        Some(what.split([',', ':']).next().unwrap_or_default().to_owned())
    };
    let wanted = kind(&files);
    loop {
        let before = files.clone();
        for size in [16, 4, 1] {
            for file in (0..files.len()).rev() {
                let mut start = 0;
                loop {
                    let mut lines: Vec<&str> = files[file].1.split_inclusive('\n').collect();
                    if start >= lines.len() {
                        break;
                    }
                    lines.drain(start..(start + size).min(lines.len()));
                    let mut fewer = files.clone();
                    fewer[file].1 = lines.concat();
                    if kind(&fewer) == wanted {
                        files = fewer;
                    } else {
                        start += size;
                    }
                }
            }
        }
        if files == before {
            files.retain(|(_, text)| !text.is_empty());
            return files;
        }
    }
}

fn shown(files: &FileTexts) -> String {
    let mut shown = first_wrong(files).unwrap_or_default();
    for (path, text) in files {
        write!(shown, "\n# {path}\n{text}").unwrap();
    }
    let memory: MemoryFiles = files.iter().cloned().collect();
    for object in build(&memory, "f0", BuildOptions::default()).resources {
        write!(shown, "\n# result\n{}", to_yaml(&object.root)).unwrap();
    }
    shown
}

#[test]
fn a_field_follows_the_text_at_its_place() {
    let number = |name: &str, usual| {
        let asked = std::env::var(name).ok();
        asked.map_or(usual, |asked| asked.parse().unwrap())
    };
    let (first, rounds) = (number("KILN_FUZZ_FROM", 0), number("KILN_FUZZ", ROUNDS));
    let (mut follow, mut keys, mut refused, mut made, mut wrong) = (0, 0, 0, 0, Vec::new());
    for seed in first..first + rounds {
        let files = RandomTree::files(seed);
        let Some(before) = Outcome::of(&files) else {
            continue;
        };
        let all: Vec<_> = before.leaves.keys().collect();
        let mut dice = Dice(seed);
        for _ in 0..FIELDS {
            if all.is_empty() {
                break;
            }
            match look(&files, &before, dice.pick::<&_>(&all)) {
                Verdict::Follows => follow += 1,
                Verdict::FollowsAsKey => keys += 1,
                Verdict::Refused => refused += 1,
                Verdict::Made => made += 1,
                Verdict::Wrong(what) if wrong.len() < 8 => {
                    let reduced = shown(&reduced(files.clone()));
                    wrong.push(format!("==== number {seed}: {what}\n{reduced}"));
                    break;
                }
                Verdict::Wrong(what) => {
                    wrong.push(format!("==== number {seed}: {what}"));
                    break;
                }
            }
        }
    }
    let counts = format!("{follow} follow, {keys} as keys, {refused} refused, {made} made");
    assert!(wrong.is_empty(), "{counts}\n{}", wrong.join("\n"));
    assert!(follow > rounds, "{counts}");
}
