//! Finds out which template line each output line came from.
//!
//! A copy of the template carries a marker before each line of its text; in what it prints, they name the
//! line. The same copy counts the rounds of loops and weighs what is set to a variable, since Tera knows no
//! limits. A template that markers could disturb (a filter over a block) is rendered without them too: that
//! shows as a difference between both outputs, and then there is no map rather than a wrong one.

use std::collections::BTreeMap;

use super::scan::{BLOCK, Kind, Tag};

/// Opens a marker: a code point that Unicode reserves for inside a program.
const OPEN: char = '\u{FDD0}';
/// Closes a marker.
const CLOSE: char = '\u{FDD1}';
/// The function that counts a round of a loop, or weighs the value `of` a variable.
pub(super) const STEP: &str = "__kiln_step";
/// The filter that indents what is included, `by` what stands before the statement.
pub(super) const INDENT: &str = "__kiln_indent";

/// What each include that stands alone and indented is indented by, by the number of its tag.
pub(super) type IncludeIndents = BTreeMap<usize, String>;

/// A template with what Kiln puts in for itself.
#[derive(Debug)]
pub(super) struct Interleaved {
    /// The text.
    pub(super) text: String,
    /// What was put in: where in `text`, and how many bytes.
    insertions: Vec<(usize, usize)>,
}

impl Interleaved {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            insertions: Vec::new(),
        }
    }

    /// Returns the byte of the text without insertions that stands at `offset` of this one.
    pub(super) fn original(&self, offset: usize) -> usize {
        let added = self.insertions.iter().take_while(|(at, _)| *at < offset);
        offset
            - added
                .map(|(at, length)| (*length).min(offset - at))
                .sum::<usize>()
    }

    /// Puts in a marker, of which `start` is what all of a template have in common.
    fn mark(&mut self, start: &str, line: usize) {
        let at = self.text.len();
        self.text.push_str(start);
        self.text.push_str(&line.to_string());
        self.text.push(CLOSE);
        self.insertions.push((at, self.text.len() - at));
    }

    fn push(&mut self, insertion: &str) {
        self.insertions.push((self.text.len(), insertion.len()));
        self.text.push_str(insertion);
    }

    /// Takes over a tag, within the filter that indents what it includes.
    fn push_tag(&mut self, prepared: &str, tag: &Tag, indent: Option<&String>) {
        let (open, close) = BLOCK;
        if let Some(by) = indent {
            self.push(&format!("{open} filter {INDENT}(by=\"{by}\") {close}"));
        }
        self.text.push_str(&prepared[tag.outer.clone()]);
        if indent.is_some() {
            let dash = if tag.dash_end { "-" } else { "" };
            self.push(&format!("{open} endfilter {dash}{close}"));
        }
    }
}

/// A line of a template, by the template's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Which template.
    pub(super) template: usize,
    /// The line in it, counted from 1.
    pub(super) line: usize,
}

/// Puts the filters that indent what is included into the prepared text of a template, and nothing else.
pub(super) fn indent_includes(
    prepared: &str,
    tags: &[Tag],
    indents: &IncludeIndents,
) -> Interleaved {
    let mut indented = Interleaved::with_capacity(prepared.len() + indents.len() * 64);
    let mut at = 0;
    for (index, by) in indents {
        let tag = &tags[*index];
        indented.text.push_str(&prepared[at..tag.outer.start]);
        indented.push_tag(prepared, tag, Some(by));
        at = tag.outer.end;
    }
    indented.text.push_str(&prepared[at..]);
    indented
}

/// Marks the prepared text of a template, whose tags are `tags`, as the template of number `id`.
pub(super) fn mark(
    prepared: &str,
    tags: &[Tag],
    indents: &IncludeIndents,
    id: usize,
) -> Interleaved {
    let mut marked = Interleaved::with_capacity(prepared.len() * 2);
    let mut scope = Scope::new(prepared, tags);
    let start = format!("{OPEN}{id}:");
    let mut line = 1;
    let mut at = 0;
    for index in 0..=tags.len() {
        let last = index.checked_sub(1).map(|index| &tags[index]);
        let next = tags.get(index);
        let end = next.map_or(prepared.len(), |tag| tag.outer.start);
        let content = &prepared[at..end];
        let points = if scope.prints() {
            points(content, last, next)
        } else {
            Vec::new()
        };
        let mut done = 0;
        for point in points {
            line += newlines(&content[done..point]);
            marked.text.push_str(&content[done..point]);
            marked.mark(&start, line);
            done = point;
        }
        marked.text.push_str(&content[done..]);
        line += newlines(&content[done..]);
        let Some(tag) = next else { break };
        if scope.prints() && tag.keyword(prepared) == "filter" && !tag.dash_start {
            marked.mark(&start, line);
        }
        marked.push_tag(prepared, tag, indents.get(&index));
        line += newlines(&prepared[tag.outer.clone()]);
        at = tag.outer.end;
        if let Some(call) = scope.enter(prepared, tag) {
            let dash = if tag.dash_end { "-" } else { "" };
            marked.push(&format!("#{{{dash} {call} {dash}}}#"));
        }
    }
    marked
}

/// Where in a template the marking is.
struct Scope<'t> {
    /// Whether only what stands in a `block` is printed.
    child: bool,
    /// The `block`s around.
    blocks: usize,
    /// The `set`s and `filter`s around, whose text is not printed as it stands; with the variable.
    captures: Vec<&'t str>,
}

impl<'t> Scope<'t> {
    fn new(prepared: &str, tags: &[Tag]) -> Self {
        Self {
            child: tags.iter().any(|tag| tag.keyword(prepared) == "extends"),
            blocks: 0,
            captures: Vec::new(),
        }
    }

    fn prints(&self) -> bool {
        self.captures.is_empty() && (!self.child || self.blocks > 0)
    }

    /// Goes on behind a tag, and returns the call that belongs there.
    fn enter(&mut self, prepared: &'t str, tag: &Tag) -> Option<String> {
        let variable = || {
            let inner = prepared[tag.inner.clone()]
                .trim_start()
                .trim_start_matches("set_global");
            let name = inner.trim_start_matches("set").trim_start();
            &name[..name
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(name.len())]
        };
        let mut set = None;
        match tag.keyword(prepared) {
            "for" => return (!self.child || self.blocks > 0).then(|| format!("{STEP}()")),
            "block" => self.blocks += 1,
            "endblock" => self.blocks = self.blocks.saturating_sub(1),
            "filter" => self.captures.push(""),
            "set" | "set_global" if tag.opens_block(prepared) => self.captures.push(variable()),
            "set" | "set_global" => set = Some(variable()),
            "endfilter" | "endset" | "endset_global" => set = self.captures.pop(),
            _ => {}
        }
        let set = set.filter(|name| !name.is_empty() && (!self.child || self.blocks > 0));
        set.map(|name| format!("{STEP}(of={name})"))
    }
}

/// Lists where in a piece of content a marker may stand: at its start, at each line start in it, and
/// before an expression that starts a line.
///
/// A marker too many does no harm, as the first of an output line decides. But none may stand in
/// white space that a dash takes away, nor before a statement: what it prints may come from elsewhere.
fn points(content: &str, last: Option<&Tag>, next: Option<&Tag>) -> Vec<usize> {
    let skipped = match last {
        Some(tag) if tag.dash_end => content.len() - content.trim_start().len(),
        _ => 0,
    };
    let limit = match next {
        Some(tag) if tag.dash_start => content.trim_end().len(),
        _ => content.len(),
    };
    let ends_line = content.is_empty() || (content.ends_with('\n') && limit == content.len());
    let before_expression = ends_line && next.is_some_and(|tag| tag.kind == Kind::Variable);
    let starts = content.match_indices('\n').map(|(newline, _)| newline + 1);
    let mut points: Vec<usize> = std::iter::once(0)
        .chain(starts)
        .map(|start| start.max(skipped))
        .filter(|point| *point < limit || (before_expression && *point == content.len()))
        .collect();
    points.dedup();
    points
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Returns whether a text that is to be printed could be taken for a marker.
pub(super) fn is_marker_like(text: &str) -> bool {
    text.contains(OPEN)
}

/// Returns whether a line has nothing in it but markers and its end.
pub(super) fn is_empty_line(line: &str) -> bool {
    let mut rest = line.trim_end_matches(['\n', '\r']);
    while let Some(marker) = rest.strip_prefix(OPEN) {
        let Some((_, behind)) = marker.split_once(CLOSE) else {
            return false;
        };
        rest = behind;
    }
    rest.is_empty()
}

/// Takes the markers out of an output and says where each of its lines came from.
///
/// The first marker of a line decides; a line without one, in the middle of a printed value, came
/// from where the last one did. `None` when the text holds something like a marker that is none.
pub(super) fn unmark(output: &str) -> Option<(String, Vec<Line>)> {
    let mut text = String::with_capacity(output.len());
    let mut lines = Vec::new();
    let mut last = None;
    for line in output.split_inclusive('\n') {
        let mut rest = line;
        let mut first = None;
        while let Some((before, behind)) = rest.split_once(OPEN) {
            let (marker, behind) = behind.split_once(CLOSE)?;
            let (template, number) = marker.split_once(':')?;
            let found = Line {
                template: template.parse().ok()?,
                line: number.parse().ok()?,
            };
            first = first.or(Some(found));
            last = Some(found);
            text.push_str(before);
            rest = behind;
        }
        text.push_str(rest);
        if let Some(origin) = first.or(last) {
            lines.push(origin);
        } else {
            lines.push(Line {
                template: usize::MAX,
                line: 1,
            });
        }
    }
    Some((text, lines))
}
