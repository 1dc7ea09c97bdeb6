//! A secret value in the open.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, packed};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::check::Check;
use crate::check::context::{Context, is_open};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Place, Source, Span};
use crate::tree::File;
use crate::yaml::{Content, Node};

/// Shorter pieces of base64 are found by chance.
const SHORTEST_PIECE: usize = 7;

/// How much of a long text the first pass looks for.
const HEAD: usize = 24;

pub(in crate::check) const CHECK: Check = Check {
    code: "secret-leak",
    summary: "The value of a secret stands in a file that will not be sealed",
    explanation: "\
Every secret value that the run has met (fields of the config marked as secret, files read as secrets, the
age identity) is looked for in each output that will not be sealed: as it is, in base64 at any of the
three alignments, as JSON and YAML escape it, and, if it has several lines, in the values of a YAML file
whatever their indentation.

The message names where the secret comes from, never the secret, and shows no line of the file.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let needles = Needles::of(context);
    let mut problems = Vec::new();
    for file in context.tree.files().filter(|file| is_open(file)) {
        let mut found = needles.in_text(&file.source.text);
        for document in file.documents.iter() {
            needles.in_values(&document.root, &mut found);
        }
        for (origin, (span, form)) in found {
            problems.push(leak(file, origin, span, form));
        }
    }
    problems
}

/// The texts to look for.
struct Needles<'t> {
    /// In any text, each with the form it gives the secret and where the secret comes from.
    texts: BTreeMap<String, (&'static str, &'t str)>,
    /// In values of YAML files only: secrets of several lines.
    values: Vec<(&'t str, &'t str)>,
    /// The heads of the texts together, which pass over a clean file in one go.
    heads: Option<Heads>,
}

impl<'t> Needles<'t> {
    fn of(context: &Context<'t>) -> Self {
        let mut needles = Self {
            texts: BTreeMap::new(),
            values: Vec::new(),
            heads: None,
        };
        for (secret, origin) in context.secrets.iter() {
            let value = secret.expose();
            needles.add(value.to_owned(), "", origin);
            let quoted = serde_json::Value::from(value).to_string();
            needles.add(
                quoted[1..quoted.len() - 1].to_owned(),
                " in escaped form",
                origin,
            );
            for shift in 0..3 {
                needles.add(base64_piece(value, shift), " in base64", origin);
            }
            if value.contains('\n') {
                needles.values.push((value, origin));
            }
        }
        needles.heads = Heads::of(needles.texts.keys().map(|text| head(text)));
        needles
    }

    fn add(&mut self, text: String, form: &'static str, origin: &'t str) {
        if text.len() < SHORTEST_PIECE && !form.is_empty() {
            return;
        }
        if !text.is_empty() {
            self.texts.entry(text).or_insert((form, origin));
        }
    }

    /// Finds the first place of each secret in a text.
    fn in_text(&self, text: &str) -> BTreeMap<&'t str, (Span, &'static str)> {
        let mut found = BTreeMap::new();
        if self
            .heads
            .as_ref()
            .is_some_and(|heads| !heads.stand_in(text))
        {
            return found;
        }
        for (needle, (form, origin)) in &self.texts {
            if let Some(at) = text.find(needle.as_str()) {
                found
                    .entry(*origin)
                    .or_insert((Span::new(at, at + needle.len()), *form));
            }
        }
        found
    }

    fn in_values(&self, node: &Node, found: &mut BTreeMap<&'t str, (Span, &'static str)>) {
        if self.values.is_empty() {
            return;
        }
        match &node.content {
            Content::Scalar(scalar) => {
                for (value, origin) in &self.values {
                    if scalar.text.contains(value) {
                        found.entry(origin).or_insert((node.span, ""));
                    }
                }
            }
            Content::Mapping { entries, .. } => {
                entries
                    .iter()
                    .for_each(|entry| self.in_values(&entry.value, found));
            }
            Content::Sequence { items, .. } => {
                items.iter().for_each(|item| self.in_values(item, found));
            }
        }
    }
}

/// The heads of all texts, ready to be looked for.
enum Heads {
    /// A few dozen: no automaton has to be built.
    Few(packed::Searcher),
    Many(AhoCorasick),
}

impl Heads {
    fn of<'h>(heads: impl Iterator<Item = &'h str> + Clone) -> Option<Self> {
        let few = packed::Searcher::new(heads.clone()).map(Self::Few);
        few.or_else(|| AhoCorasick::new(heads).ok().map(Self::Many))
    }

    fn stand_in(&self, text: &str) -> bool {
        match self {
            Self::Few(searcher) => searcher.find(text).is_some(),
            Self::Many(automaton) => automaton.is_match(text),
        }
    }
}

fn head(text: &str) -> &str {
    let end = (0..=HEAD.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Returns the characters that a secret gives in base64 when `shift` bytes stand before it, less those
/// that its neighbours have a part in.
fn base64_piece(value: &str, shift: usize) -> String {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(value.as_bytes());
    let first = (shift * 8).div_ceil(6);
    let whole = bytes.len() * 8 / 6;
    STANDARD
        .encode(&bytes)
        .get(first..whole)
        .unwrap_or_default()
        .to_owned()
}

fn leak(file: &File, origin: &str, span: Span, form: &str) -> Diagnostic {
    let message = format!(
        "the secret `{origin}` stands{form} in `{}`, which will not be sealed",
        file.path
    );
    let hidden = |source: &Source| Source::sensitive(source.path.as_str(), source.text.as_ref());
    let mut problem = Diagnostic::error(CHECK.code, message)
        .at_place(Place::new(&hidden(&file.source), span), "");
    if let Some(template) = file.template_place(span.start) {
        problem = problem.with_related(
            Place::new(&hidden(&template.source), template.span),
            "rendered from here",
        );
    }
    problem.with_hint(
        "use it only in files with `.sops.` in their name, and refer to the Secret from here",
    )
}

#[cfg(test)]
mod tests {
    use super::Heads;

    #[test]
    fn finds_any_of_a_few_heads_and_of_many() {
        for count in [1, 40, 1000] {
            let words: Vec<String> = (0..count)
                .map(|number| format!("word-{number:04}"))
                .collect();
            let heads = Heads::of(words.iter().map(String::as_str)).unwrap();
            assert!(count < 1000 || matches!(heads, Heads::Many(_)));
            for word in &words {
                assert!(heads.stand_in(&format!("text {word} text")), "{word}");
            }
            assert!(!heads.stand_in("text word- text"));
        }
        assert!(!Heads::of([].into_iter()).unwrap().stand_in("text"));
    }
}
