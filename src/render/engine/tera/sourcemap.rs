//! Finds out which template line each output line came from.
//!
//! A copy of the template carries a marker before each line of its text; in what it prints, they name the
//! line. The same copy pays for its work ([`meter`](super::meter)). A template that markers could disturb (a filter over a
//! block) is rendered without them too, and pays there as well: that shows as a difference between both outputs, and then
//! there is no map rather than a wrong one.

use std::collections::BTreeMap;

use super::meter::{STEP, TagCost};
use super::scan::{BLOCK, Tag, TagKind};

/// Opens a marker: a code point that Unicode reserves for inside a program.
const OPEN: char = '\u{FDD0}';
/// Closes a marker.
const CLOSE: char = '\u{FDD1}';

/// The filter that indents what is included, `by` what stands before the statement.
pub(super) const INDENT: &str = "__kiln_indent";

/// What each include that stands alone and indented is indented by, by the number of its tag.
pub(super) type IncludeIndents = BTreeMap<usize, String>;

/// A template with what Kiln puts in for itself.
#[derive(Debug)]
pub(super) struct Interleaved {
    /// The text.
    pub(super) text: String,
    /// What was put in.
    insertions: Vec<Insertion>,
}

/// A piece of text that was put in.
#[derive(Debug)]
struct Insertion {
    /// Where in the text with all pieces.
    at: usize,
    /// How many bytes.
    length: usize,
    /// The last byte of the tag that it is about, in the text without: the pre-pass moves the first.
    about: Option<usize>,
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
        let added = self.insertions.iter().take_while(|it| it.at < offset);
        offset - added.map(|it| it.length.min(offset - it.at)).sum::<usize>()
    }

    /// Returns the byte of the unmarked text that what stands at `offset` of the marked one is about: in a call
    /// that pays, the tag that it pays for.
    pub(super) fn subject(&self, offset: usize) -> usize {
        let around = |it: &&Insertion| (it.at..it.at + it.length).contains(&offset);
        let call = self.insertions.iter().find(around);
        call.and_then(|it| it.about)
            .unwrap_or_else(|| self.original(offset))
    }

    /// Puts in a marker, of which `start` is what all of a template have in common.
    fn mark(&mut self, start: &str, line: usize) {
        let at = self.text.len();
        self.text.push_str(start);
        self.text.push_str(&line.to_string());
        self.text.push(CLOSE);
        self.insertions.push(Insertion {
            at,
            length: self.text.len() - at,
            about: None,
        });
    }

    /// Takes over a tag, within the filter that indents what it includes.
    fn push_tag(&mut self, prepared: &str, tag: &Tag, indent: Option<&String>) {
        let (open, close) = BLOCK;
        let about = tag.outer.end - 1;
        if let Some(by) = indent {
            self.push(
                &format!("{open} filter {INDENT}(by=\"{by}\") {close}"),
                about,
            );
        }
        self.text.push_str(&prepared[tag.outer.clone()]);
        if indent.is_some() {
            let dash = if tag.dash_end { "-" } else { "" };
            self.push(&format!("{open} endfilter {dash}{close}"), about);
        }
    }

    /// Puts in what is about the tag at `about`: a call, or a filter around it.
    fn push(&mut self, call: &str, about: usize) {
        self.insertions.push(Insertion {
            at: self.text.len(),
            length: call.len(),
            about: Some(about),
        });
        self.text.push_str(call);
    }
}

/// A line of a template, by the template's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TemplateLine {
    /// Which template.
    pub(super) template: usize,
    /// The line in it, counted from 1.
    pub(super) line: usize,
}

/// What is put into a copy of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copy {
    /// Markers of lines, and calls that pay.
    Marked,
    /// Calls that pay.
    Metered,
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

/// Copies the prepared text of a template, whose tags are `tags`, as the template of number `id`.
///
/// What a template prints that stands `alone` goes to the output and nowhere else.
pub(super) fn mark(
    prepared: &str,
    tags: &[Tag],
    indents: &IncludeIndents,
    id: usize,
    copy: Copy,
    alone: bool,
) -> Interleaved {
    let mut marked = Interleaved::with_capacity(prepared.len() * 2);
    let mut scope = MarkerScope::new(prepared, tags, alone);
    let start = format!("{OPEN}{id}:");
    let mut line = 1;
    let mut at = 0;
    if let Some(call) = scope.start(prepared.len()) {
        marked.push(&format!("#{{ {call} }}#"), 0);
    }
    for index in 0..=tags.len() {
        let last = index.checked_sub(1).map(|index| &tags[index]);
        let next = tags.get(index);
        let end = next.map_or(prepared.len(), |tag| tag.outer.start);
        let content = &prepared[at..end];
        let points = if copy == Copy::Marked && scope.prints() {
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
        if copy == Copy::Marked
            && scope.prints()
            && tag.keyword(prepared) == "filter"
            && !tag.dash_start
        {
            marked.mark(&start, line);
        }
        if let Some(call) = scope.price(index) {
            let dash = if tag.dash_start { "-" } else { "" };
            marked.push(&format!("#{{{dash} {call} }}#"), tag.outer.end - 1);
        }
        marked.push_tag(prepared, tag, indents.get(&index));
        line += newlines(&prepared[tag.outer.clone()]);
        at = tag.outer.end;
        if let Some(call) = scope.enter(index) {
            let dash = if tag.dash_end { "-" } else { "" };
            marked.push(&format!("#{{{dash} {call} {dash}}}#"), tag.outer.end - 1);
        }
    }
    marked
}

/// Where in a template the marking is.
struct MarkerScope<'t> {
    prepared: &'t str,
    tags: &'t [Tag],
    /// For each tag, the one that ends what it opens.
    ends: Vec<usize>,
    /// The `elif`s of each `if`.
    branches: Vec<Vec<usize>>,
    /// Whether what is printed goes to the output and nowhere else.
    alone: bool,
    /// Whether only what stands in a `block` is printed.
    child: bool,
    /// The `block`s around.
    blocks: usize,
    /// The `set`s and `filter`s around, whose text is not printed as it stands; with the variable.
    captures: Vec<&'t str>,
}

impl<'t> MarkerScope<'t> {
    fn new(prepared: &'t str, tags: &'t [Tag], alone: bool) -> Self {
        let (ends, branches) = pairs(prepared, tags);
        Self {
            prepared,
            tags,
            ends,
            branches,
            alone,
            child: tags.iter().any(|tag| tag.keyword(prepared) == "extends"),
            blocks: 0,
            captures: Vec::new(),
        }
    }

    fn prints(&self) -> bool {
        self.captures.is_empty() && (!self.child || self.blocks > 0)
    }

    /// Returns whether a call may stand here.
    fn takes_calls(&self) -> bool {
        !self.child || self.blocks > 0
    }

    /// Returns the call at the start of a template, which others may include without end.
    fn start(&self, length: usize) -> Option<String> {
        (!self.alone && self.takes_calls()).then(|| format!("{STEP}(called=true, text={length})"))
    }

    /// Returns the call before a tag that costs; an `if` pays for its `elif`s.
    fn price(&self, index: usize) -> Option<String> {
        let tag = &self.tags[index];
        let keyword = tag.keyword(self.prepared);
        let free = matches!(
            keyword,
            "elif" | "block" | "component" | "include" | "extends" | "raw"
        );
        if tag.kind == TagKind::Comment || free || keyword.starts_with("end") || !self.takes_calls()
        {
            return None;
        }
        let inner = |tag: &Tag| &self.prepared[tag.inner.clone()];
        let branches = self.branches[index].iter();
        let together: Vec<&str> = std::iter::once(inner(tag))
            .chain(branches.map(|branch| inner(&self.tags[*branch])))
            .collect();
        let captured = !self.alone && tag.kind == TagKind::Variable;
        TagCost::of(&together, captured).map(|cost| cost.call())
    }

    /// Goes on behind a tag, and returns the call that belongs there.
    fn enter(&mut self, index: usize) -> Option<String> {
        let tag = &self.tags[index];
        let prepared = self.prepared;
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
            "for" => return self.takes_calls().then(|| self.round(index, false)),
            "component" => return Some(self.round(index, true)),
            "block" => {
                self.blocks += 1;
                return self.child.then(|| self.round(index, true));
            }
            "endblock" => self.blocks = self.blocks.saturating_sub(1),
            "filter" => self.captures.push(""),
            "set" | "set_global" if tag.opens_block(prepared) => self.captures.push(variable()),
            "set" | "set_global" => set = Some(variable()),
            "endfilter" | "endset" | "endset_global" => set = self.captures.pop(),
            _ => {}
        }
        let set = set.filter(|name| !name.is_empty() && self.takes_calls());
        set.map(|name| format!("{STEP}(of={name})"))
    }

    /// Returns the call that counts once through what a tag opens, and pays for its text where that may be captured.
    fn round(&self, index: usize, called: bool) -> String {
        if self.alone {
            return format!("{STEP}()");
        }
        let from = self.tags[index].outer.end;
        let end = self.tags.get(self.ends[index]);
        let until = end.map_or(self.prepared.len(), |end| end.outer.start);
        let length = until.saturating_sub(from);
        format!("{STEP}(called={called}, text={length})")
    }
}

/// Finds the end of each tag that opens something, and the `elif`s of each `if`.
fn pairs(prepared: &str, tags: &[Tag]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut ends = vec![tags.len(); tags.len()];
    let mut branches = vec![Vec::new(); tags.len()];
    let mut open: Vec<usize> = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        match tag.keyword(prepared) {
            "elif" => {
                if let Some(first) = open.last() {
                    branches[*first].push(index);
                }
            }
            keyword if keyword.starts_with("end") && keyword != "endraw" => {
                if let Some(first) = open.pop() {
                    ends[first] = index;
                }
            }
            _ if tag.opens_block(prepared) => open.push(index),
            _ => {}
        }
    }
    (ends, branches)
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
    let before_expression = ends_line && next.is_some_and(|tag| tag.kind == TagKind::Variable);
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
pub(super) fn unmark(output: &str) -> Option<(String, Vec<TemplateLine>)> {
    let mut unmarked = Unmarked::default();
    let mut pieces = output.split(OPEN);
    unmarked.append(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (marker, behind) = piece.split_once(CLOSE)?;
        let (template, line) = marker.split_once(':')?;
        unmarked.meet(TemplateLine {
            template: template.parse().ok()?,
            line: line.parse().ok()?,
        });
        unmarked.append(behind);
    }
    Some(unmarked.finish())
}

/// An output on the way to being without markers.
#[derive(Default)]
struct Unmarked {
    text: String,
    lines: Vec<TemplateLine>,
    /// The first marker of the line that is not over yet.
    first: Option<TemplateLine>,
    last: Option<TemplateLine>,
    /// Whether text or a marker stands in the line that is not over yet.
    is_line_open: bool,
}

impl Unmarked {
    fn meet(&mut self, marker: TemplateLine) {
        self.first = self.first.or(Some(marker));
        self.last = Some(marker);
        self.is_line_open = true;
    }

    fn append(&mut self, text: &str) {
        self.text.push_str(text);
        for _ in text.bytes().filter(|byte| *byte == b'\n') {
            self.end_line();
        }
        self.is_line_open |= !text.is_empty() && !text.ends_with('\n');
    }

    fn end_line(&mut self) {
        self.lines
            .push(self.first.or(self.last).unwrap_or(TemplateLine {
                template: usize::MAX,
                line: 1,
            }));
        self.first = None;
        self.is_line_open = false;
    }

    fn finish(mut self) -> (String, Vec<TemplateLine>) {
        if self.is_line_open {
            self.end_line();
        }
        (self.text, self.lines)
    }
}
