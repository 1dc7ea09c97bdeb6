//! A template ready for Tera, and what includes what.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::prepass::{include_indents, prepare};
use super::scan::{Tag, TagKind, scan};
use super::sourcemap::{Copy, IncludeIndents, Interleaved, indent_includes, is_marker_like, mark};
use crate::diagnostic::{Diagnostic, Meaning};
use crate::render::codes;
use crate::source::{Place, Source, Span};

/// How deep includes may nest; each level costs stack.
pub const MAX_DEPTH: usize = 16;

/// The statements that leave the text around them as it is.
const HARMLESS: [&str; 10] = [
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "break",
    "continue",
    "set",
    "set_global",
];
/// The filters whose results may hold any text, even a marker.
const DECODERS: [&str; 2] = ["b64decode", "from_json"];

/// A template with its tags found and its lone tags prepared.
pub(in crate::render) struct PreparedTemplate {
    /// Its path below the folder of templates, by which others include it.
    pub(super) name: String,
    /// What the user wrote.
    pub(super) source: Arc<Source>,
    /// The tags in what the user wrote.
    pub(super) tags: Vec<Tag>,
    /// The text with lone tags prepared: as long as the source, spans hold in both.
    prepared: String,
    /// What its lone includes are indented by.
    indents: IncludeIndents,
    /// The prepared text with the filters that indent these includes, if there are any.
    indented: Option<Interleaved>,
    /// Whether markers cannot disturb what the template itself prints: it changes no block of text as a whole, and makes no
    /// text of which nobody knows beforehand what is in it.
    passes_markers: bool,
}

impl PreparedTemplate {
    pub(in crate::render) fn new(name: &str, source: &Arc<Source>) -> Self {
        let tags = scan(&source.text);
        let prepared = prepare(&source.text, &tags);
        let indents = include_indents(&source.text, &tags);
        let indented =
            (!indents.is_empty()).then(|| indent_includes(&prepared, &scan(&prepared), &indents));
        Self {
            name: name.to_owned(),
            source: Arc::clone(source),
            passes_markers: leaves_markers(&source.text, &tags),
            tags,
            prepared,
            indents,
            indented,
        }
    }

    /// Returns what Tera gets, without markers.
    pub(super) fn text(&self) -> &str {
        self.indented
            .as_ref()
            .map_or(&self.prepared, |indented| &indented.text)
    }

    /// Returns a copy of what Tera gets, as the template of number `id`.
    pub(super) fn copied(&self, id: usize, copy: Copy) -> Interleaved {
        let tags = scan(&self.prepared);
        let alone = self.stands_alone();
        mark(&self.prepared, &tags, &self.indents, id, copy, alone)
    }

    /// Returns the byte of the source that stands at `offset` of what Tera gets without markers.
    pub(super) fn original(&self, offset: usize) -> usize {
        self.indented
            .as_ref()
            .map_or(offset, |indented| indented.original(offset))
    }

    /// Returns whether markers cannot disturb what the template prints, and it uses no other template.
    pub(super) fn stands_alone(&self) -> bool {
        self.passes_markers && self.targets().next().is_none()
    }

    /// Lists what the template includes or extends, with the bytes of the name.
    pub(super) fn targets(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let text = &self.source.text;
        let tags = self
            .tags
            .iter()
            .filter(|tag| matches!(tag.keyword(text), "include" | "extends"));
        tags.filter_map(|tag| tag.target(text))
    }

    /// Lists the components that the template defines, which every other one may use.
    pub(super) fn components(&self) -> impl Iterator<Item = &str> {
        let text = &self.source.text;
        self.tags
            .iter()
            .filter(|tag| tag.keyword(text) == "component")
            .filter_map(|tag| {
                let mut words =
                    text[tag.inner.clone()].split(|c: char| c.is_whitespace() || c == '(');
                words.by_ref().find(|word| *word == "component")?;
                words.find(|word| !word.is_empty())
            })
    }

    /// Returns the tag around a byte, or the last one before it.
    pub(super) fn tag_at(&self, at: usize) -> Option<&Tag> {
        self.tags.iter().rev().find(|tag| tag.outer.start <= at)
    }

    fn problem(&self, meaning: &'static Meaning, message: String, at: &Range<usize>) -> Diagnostic {
        Diagnostic::error(meaning, message).at(&self.source, Span::new(at.start, at.end), "")
    }
}

/// Returns whether markers cannot disturb what a template itself prints, whose tags are `tags`.
fn leaves_markers(text: &str, tags: &[Tag]) -> bool {
    let sound = |tag: &Tag| {
        let inner = text[tag.inner.clone()].trim_start();
        let decodes = || DECODERS.iter().any(|name| inner.contains(name));
        match tag.kind {
            TagKind::Comment => true,
            TagKind::Variable => !inner.starts_with('<') && !decodes(),
            TagKind::Block => {
                let keyword = tag.keyword(text);
                // The filter that indents an include knows markers.
                let includes = keyword == "include" && tag.target(text).is_some();
                let harmless = HARMLESS.contains(&keyword) && !tag.sets_a_block(text);
                includes || (harmless && !decodes())
            }
        }
    };
    !is_marker_like(text) && tags.iter().all(sound)
}

/// Returns whether markers can disturb neither what a template prints nor what it includes, near or far.
pub(super) fn passes_markers(name: &str, templates: &ByName<'_>) -> bool {
    let mut seen = BTreeSet::new();
    let mut todo = vec![name];
    while let Some(name) = todo.pop() {
        let Some(template) = templates.get(name).filter(|it| it.passes_markers) else {
            return false;
        };
        if seen.insert(name) {
            todo.extend(template.targets().map(|(target, _)| target));
        }
    }
    true
}

/// Templates by name.
pub(super) type ByName<'t> = BTreeMap<&'t str, &'t PreparedTemplate>;

/// Checks every include and returns the templates in which one is wrong.
pub(super) fn check_includes(
    templates: &ByName<'_>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    let mut reported = BTreeSet::new();
    for template in templates.values() {
        for (target, at) in template.targets() {
            if !templates.contains_key(target) {
                let message = format!("there is no template `{target}`");
                problems.push(
                    template
                        .problem(&codes::UNKNOWN_INCLUDE, message, &at)
                        .with_suggestion(target, templates.keys().copied())
                        .with_hint("a template is named by its path below the folder of templates"),
                );
                broken.insert(template.name.clone());
            }
        }
    }
    for template in templates.values() {
        let mut walk = IncludeWalk {
            templates,
            chain: vec![&template.name],
            seen: BTreeSet::new(),
            found: None,
        };
        walk.walk(template);
        let Some((problem, members)) = walk.found else {
            continue;
        };
        broken.insert(template.name.clone());
        // One chain that is too long is one for many of its members.
        let key = if *problem.meaning == codes::INCLUDE_DEPTH {
            BTreeSet::new()
        } else {
            members.clone()
        };
        if reported.insert(key) {
            problems.push(problem);
        }
        broken.extend(members);
    }
    broken
}

/// A walk along includes that looks for a cycle, or for a chain that is too long.
struct IncludeWalk<'t> {
    templates: &'t ByName<'t>,
    chain: Vec<&'t str>,
    /// What was walked through, with the depth it was met at.
    seen: BTreeSet<(&'t str, usize)>,
    found: Option<(Diagnostic, BTreeSet<String>)>,
}

impl<'t> IncludeWalk<'t> {
    fn walk(&mut self, template: &'t PreparedTemplate) {
        for (target, at) in template.targets() {
            let Some(next) = self.templates.get(target) else {
                continue;
            };
            if self.found.is_some() || !self.seen.insert((&next.name, self.chain.len())) {
                continue;
            }
            let cycle = self.chain.iter().position(|name| *name == next.name);
            if cycle.is_some() || self.chain.len() >= MAX_DEPTH {
                self.found = Some(self.report(template, next, &at, cycle));
                return;
            }
            self.chain.push(&next.name);
            self.walk(next);
            self.chain.pop();
        }
    }

    fn report(
        &self,
        from: &PreparedTemplate,
        to: &PreparedTemplate,
        at: &Range<usize>,
        cycle: Option<usize>,
    ) -> (Diagnostic, BTreeSet<String>) {
        let members = self.chain[cycle.unwrap_or(0)..]
            .iter()
            .map(|name| (*name).to_owned())
            .collect();
        let Some(start) = cycle else {
            let message = format!("includes nest deeper than {MAX_DEPTH} levels");
            return (from.problem(&codes::INCLUDE_DEPTH, message, at), members);
        };
        let round: Vec<&str> = self.chain[start..]
            .iter()
            .copied()
            .chain([to.name.as_str()])
            .collect();
        let message = format!(
            "these templates include one another: `{}`",
            round.join("` → `")
        );
        let problem = from.problem(&codes::INCLUDE_CYCLE, message, at);
        let mut targets = to.targets();
        let back = targets.find(|(target, _)| self.chain[start..].contains(target));
        let problem = match back {
            Some((_, back)) if from.name != to.name => {
                let place = Place::new(&to.source, Span::new(back.start, back.end));
                problem.with_related(place, "the cycle goes on here")
            }
            _ => problem,
        };
        (problem, members)
    }
}

/// Returns `broken` and everything that includes something in it, near or far.
pub(super) fn tainted(templates: &ByName<'_>, broken: &BTreeSet<String>) -> BTreeSet<String> {
    let mut tainted = broken.clone();
    loop {
        let before = tainted.len();
        for template in templates.values() {
            if template
                .targets()
                .any(|(target, _)| tainted.contains(target))
            {
                tainted.insert(template.name.clone());
            }
        }
        if tainted.len() == before {
            return tainted;
        }
    }
}
