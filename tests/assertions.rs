//! How tests say what they expect: all of it.
//!
//! A test that looks for a part of an output passes whatever the rest says. Expect the whole: an inline snapshot, whole lines,
//! parsed values, or a file ([`ExpectedFiles`](crate::support::ExpectedFiles)). That something is *not* said may be asked of parts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use regex::Regex;

use crate::support::files_with_extension;

/// How many assertions of a file look for a part of a text.
///
/// Those that stay: what is read is the text of our own sources, of a foreign tool or of a page, is long, or holds what differs from
/// run to run. The others are to be made exact: a number gets smaller, and none is added.
const PARTS: &[(&str, usize)] = &[
    ("adopt/kinds.rs", 4),
    ("adopt/older.rs", 3),
    ("adopt/switch.rs", 15),
    ("architecture.rs", 1),
    ("asks.rs", 3),
    ("bad_input.rs", 4),
    ("budgets.rs", 4),
    ("cli/audit.rs", 2),
    ("cli/build.rs", 6),
    ("cli/compare.rs", 1),
    ("cli/exposure.rs", 2),
    ("cli/files.rs", 1),
    ("cli/kept.rs", 2),
    ("cli/keys.rs", 1),
    ("cli/render.rs", 1),
    ("cli/seal.rs", 2),
    ("cli/secrets.rs", 4),
    ("cli/surroundings.rs", 1),
    ("contributing.rs", 7),
    ("diff/applied.rs", 4),
    ("diff/bases.rs", 8),
    ("diff/comments.rs", 2),
    ("diff/docs.rs", 4),
    ("diff/guards.rs", 9),
    ("diff/hostile.rs", 3),
    ("diff/objects.rs", 1),
    ("diff/project.rs", 1),
    ("diff/revisions.rs", 7),
    ("diff/written.rs", 1),
    ("escaping/commands.rs", 3),
    ("flux.rs", 1),
    ("generated/tour.rs", 1),
    ("harden/edits.rs", 1),
    ("harden/measured.rs", 7),
    ("keyless.rs", 3),
    ("laboratory/charts/controls.rs", 2),
    ("laboratory/entry.rs", 3),
    ("laboratory/flux.rs", 2),
    ("laboratory/flux_build/comparison.rs", 3),
    ("laboratory/krusty.rs", 1),
    ("laboratory/machines.rs", 1),
    ("laboratory/reports.rs", 1),
    ("makejinja/process.rs", 5),
    ("profiler.rs", 4),
    ("recipes.rs", 7),
    ("recipes/images.rs", 3),
    ("render.rs", 2),
    ("schemas/refused.rs", 1),
    ("schemas/secrets.rs", 1),
    ("seal/production.rs", 1),
    ("seal/rules.rs", 1),
    ("secrets/flows.rs", 7),
    ("secrets/guard.rs", 2),
    ("secrets/messages/applied.rs", 2),
    ("secrets/messages/bullets.rs", 6),
    ("secrets/messages/process.rs", 4),
    ("secrets/project.rs", 1),
    ("support/control_plane.rs", 1),
    ("versions.rs", 6),
    ("watch/options.rs", 4),
    ("write/list.rs", 3),
    ("write/names.rs", 2),
    ("write/places.rs", 2),
    ("write/reading.rs", 2),
    ("write/refused.rs", 1),
];

/// Finds the end of an argument that starts here: a comma or parenthesis outside of texts and of brackets.
fn argument(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut rest = text.char_indices().peekable();
    while let Some((at, char)) = rest.next() {
        match char {
            '"' => {
                while let Some((_, inner)) = rest.next() {
                    match inner {
                        '\\' => drop(rest.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            // A character, and no lifetime.
            '\'' => {
                let end = text[at + 1..]
                    .char_indices()
                    .skip(1)
                    .find(|(_, c)| *c == '\'');
                if let Some((length, _)) = end.filter(|(length, _)| *length <= 10) {
                    while rest.next_if(|(next, _)| *next <= at + 1 + length).is_some() {}
                }
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' | ',' if depth == 0 => return &text[..at],
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text
}

/// Counts the assertions of a source that hold where a text has a part.
fn parts(source: &str) -> usize {
    let part = Regex::new(
        r#"(?x) (?P<not>!?) [\w&.:()\[\]\s"]*? # what is asked, and whether the answer is turned round
        ( \.contains\(\s*(r?\#*"|&format!) # a text stands there
        | \b(stdout|stderr|message|told|said|text|shown)\s*\.contains\(\s*&?[a-z] )"#,
    );
    let part = part.unwrap();
    let conditions = source.match_indices("assert!(");
    let conditions = conditions.map(|(at, start)| argument(&source[at + start.len()..]));
    let is_part = |condition: &&str| {
        let mut clauses = condition.split("&&").flat_map(|clause| clause.split("||"));
        clauses.any(|clause| {
            let found = part.captures(clause.trim());
            found.is_some_and(|found| found["not"].is_empty())
        })
    };
    conditions.filter(is_part).count()
}

#[test]
fn no_test_asks_an_output_for_a_part_of_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    // This file shows what is refused.
    let files = files_with_extension(&root, "rs").into_iter();
    let mut found = BTreeMap::new();
    for file in files.filter(|file| !file.ends_with(file!())) {
        let count = parts(&fs::read_to_string(&file).unwrap());
        if count > 0 {
            let path = file.strip_prefix(&root).unwrap();
            found.insert(path.to_str().unwrap().to_owned(), count);
        }
    }
    let known = PARTS.iter();
    let known: BTreeMap<String, usize> = known
        .map(|(path, count)| ((*path).to_owned(), *count))
        .collect();
    assert_eq!(
        found, known,
        "expect the whole text; `PARTS` holds what is left, and only gets smaller"
    );
}

#[test]
fn assertions_about_parts_are_told_from_others() {
    for (source, count) in [
        (r#"assert!(run.stderr.contains("part"), "{run}");"#, 1),
        (
            r#"assert!(run.code == 1 && run.stderr.contains("part"));"#,
            1,
        ),
        (r#"assert!(text.contains(&format!("{name}(")));"#, 1),
        (r#"assert!(run.success().contains("part"));"#, 1),
        ("assert!(told.contains(part));", 1),
        (
            r#"assert!(found.iter().any(|one| one.contains("part")));"#,
            1,
        ),
        (
            r#"assert!(!text.contains("secret"), "it has .contains(\"x\")");"#,
            0,
        ),
        ("assert!(names.contains(&name), \"{names:?}\");", 0),
        ("assert!((1..5).contains(&number));", 0),
        (r#"let line = lines.find(|line| line.contains("part"));"#, 0),
    ] {
        assert_eq!(parts(source), count, "{source}");
    }
}
