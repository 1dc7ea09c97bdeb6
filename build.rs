//! Lists the files of the catalogue, so that the binary holds them sorted and without a search, and packs the
//! chart profiles and the schemas of the config as `src/yaml/packed.rs` reads them.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads the repository and writes for the compiler"
)]

use std::fmt::Write as _;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use granit_parser::{Event, Parser, ScalarStyle};

/// The folders of the catalogue.
const FOLDERS: [&str; 2] = ["schemas", "templates"];
/// What is packed whole.
const PACKED: [&str; 3] = [
    "schemas/charts/",
    "schemas/custom-resources.yaml",
    "templates/versions.yaml",
];
/// The recorded renders, which are evidence for tests and no part of the binary.
const RECORDS: [&str; 2] = ["schemas/charts/measured", "schemas/charts/proved"];
/// What is packed without the words that tell people what a value is for: validation does not ask for them.
const SCHEMAS: [&str; 2] = ["schemas/cluster.schema.json", "schemas/apps/"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?);
    let mut paths = Vec::new();
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={folder}");
        collect(&root, &root.join(folder), &mut paths)?;
    }
    paths.sort();
    let target = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    let mut files = String::from("&[\n");
    let mut packed = files.clone();
    for path in &paths {
        let file = root.join(path);
        list(&mut files, "str", path, &file)?;
        let schema = SCHEMAS.iter().any(|start| path.starts_with(start));
        let whole = PACKED.iter().any(|start| path.starts_with(start));
        if schema || whole {
            let into = target.join(path.replace('/', "-")).with_extension("packed");
            fs::write(&into, pack(&fs::read_to_string(&file)?, schema)?)?;
            list(&mut packed, "bytes", path, &into)?;
        }
    }
    fs::write(target.join("catalogue.rs"), files + "]\n")?;
    fs::write(target.join("packed.rs"), packed + "]\n")
}

/// Adds a file to a table, as `include_str!` or `include_bytes!` has it.
fn list(table: &mut String, included: &str, path: &str, file: &Path) -> io::Result<()> {
    let file = file.display().to_string();
    writeln!(table, "    ({path:?}, include_{included}!({file:?})),").map_err(io::Error::other)
}

/// Packs a file that holds one document, YAML or JSON, a schema without the words for people.
fn pack(text: &str, schema: bool) -> io::Result<Vec<u8>> {
    let events: Result<Vec<_>, _> = Parser::new_from_str(text)
        .map(|event| event.map(|(event, _)| event))
        .collect();
    let mut events = events
        .map_err(io::Error::other)?
        .into_iter()
        .filter(|event| !matches!(event, Event::Comment(..)))
        .peekable();
    while let Some(Event::StreamStart | Event::DocumentStart(..)) = events.peek() {
        events.next();
    }
    let mut packed = Vec::new();
    pack_node(&mut events, schema, &mut packed)?;
    Ok(packed)
}

fn pack_node<'t>(
    events: &mut Peekable<impl Iterator<Item = Event<'t>>>,
    schema: bool,
    packed: &mut Vec<u8>,
) -> io::Result<()> {
    let odd = || io::Error::other("profiles and schemas have no tags and no anchors");
    match events.next() {
        Some(Event::Scalar(text, style, 0, None)) => {
            let plain = style == ScalarStyle::Plain;
            head(packed, if plain { b'p' } else { b'q' }, text.len());
            packed.extend(text.as_bytes());
        }
        Some(Event::SequenceStart(_, 0, None)) => {
            let mut items = Vec::new();
            let mut count = 0;
            while !matches!(events.peek(), Some(Event::SequenceEnd)) {
                pack_node(events, schema, &mut items)?;
                count += 1;
            }
            events.next();
            head(packed, b's', count);
            packed.extend(items);
        }
        Some(Event::MappingStart(_, 0, None)) => {
            let mut entries = Vec::new();
            let mut count = 0;
            while !matches!(events.peek(), Some(Event::MappingEnd)) {
                let words = match events.peek() {
                    Some(Event::Scalar(key, ..)) if schema => kind_of_words(key),
                    _ => None,
                };
                let mut entry = Vec::new();
                pack_node(events, schema, &mut entry)?;
                let value = entry.len();
                pack_node(events, schema, &mut entry)?;
                // A property of that name is a mapping.
                if words.is_none() || words != entry.get(value).copied() {
                    entries.extend(entry);
                    count += 1;
                }
            }
            events.next();
            head(packed, b'm', count);
            packed.extend(entries);
        }
        _ => return Err(odd()),
    }
    Ok(())
}

/// Returns the kind of value that is behind a key of a schema with words for people.
fn kind_of_words(key: &str) -> Option<u8> {
    match key {
        "title" | "description" => Some(b'q'),
        "examples" => Some(b's'),
        _ => None,
    }
}

fn head(packed: &mut Vec<u8>, kind: u8, mut length: usize) {
    packed.push(kind);
    while length >= 0x80 {
        packed.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    packed.push(u8::try_from(length).unwrap_or_default());
}

/// Finds the files below a folder, by their paths below `root`, with `/`.
fn collect(root: &Path, folder: &Path, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let below = path.strip_prefix(root).map_err(io::Error::other)?;
        if path.is_dir() {
            if !RECORDS.iter().any(|records| below == Path::new(records)) {
                collect(root, &path, paths)?;
            }
        } else {
            let steps: Vec<_> = below
                .iter()
                .map(|step| step.to_string_lossy().into_owned())
                .collect();
            paths.push(steps.join("/"));
        }
    }
    Ok(())
}
