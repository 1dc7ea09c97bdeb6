//! From text to documents.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, StructureStyle};

use super::tabs::refused_tab;
use super::{Content, Document, Entry, Node, Scalar, Style};
use super::{Span, shown_key};

/// How many nodes aliases may add to one stream: beyond it lies only a "billion laughs" attack.
pub const ALIAS_BUDGET: usize = 100_000;

/// Why a text is not YAML that Kiln reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// What is wrong, without final period.
    pub message: String,
    /// Where.
    pub span: Span,
    /// The first of two equal keys.
    pub first: Option<Span>,
}

impl LoadError {
    fn new(message: impl Into<String>, span: Span) -> Self {
        Self {
            message: message.into(),
            span,
            first: None,
        }
    }
}

/// Reads every document of a text.
///
/// Equal keys in one mapping, keys that are not scalars, aliases without an anchor, and tabs that go-yaml refuses are
/// errors.
/// A stream without content has no document.
pub fn load(text: &str) -> Result<Vec<Document>, LoadError> {
    load_by(text, EqualKeys::Refused)
}

/// Reads every document of a text as go-yaml v2 does: of equal keys in one mapping, the last one counts.
///
/// # Errors
/// As [`load`], but for equal keys.
pub fn load_last_of_equal_keys(text: &str) -> Result<Vec<Document>, LoadError> {
    load_by(text, EqualKeys::LastCounts)
}

/// What equal keys in one mapping mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EqualKeys {
    Refused,
    LastCounts,
}

fn load_by(text: &str, equal_keys: EqualKeys) -> Result<Vec<Document>, LoadError> {
    // Whole paragraphs of comments stand between two keys in many a file: the text is in memory anyway.
    let mut options = Options::default();
    options.max_buffered_comment_events = usize::MAX;
    let mut loader = Loader {
        parser: Parser::new_from_str_with_options(text, options),
        length: text.len(),
        ends_in_line_break: text.ends_with('\n'),
        anchors: BTreeMap::new(),
        comments: Vec::new(),
        copied: 0,
        equal_keys,
    };
    let documents = loader.stream()?;
    match refused_tab(text, &documents) {
        Some(tab) => Err(LoadError::new(
            "a tab stands where kustomize and Flux take only spaces",
            tab,
        )),
        None => Ok(documents),
    }
}

struct Loader<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    length: usize,
    ends_in_line_break: bool,
    anchors: BTreeMap<usize, Node>,
    comments: Vec<Span>,
    copied: usize,
    equal_keys: EqualKeys,
}

impl<'t> Loader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), LoadError> {
        loop {
            let (event, span) = match self.parser.next_event() {
                Some(Ok((event, span))) => (event, byte_span(span)),
                Some(Err(error)) => return Err(self.syntax_error(&error)),
                None => return Ok((Event::StreamEnd, Span::new(self.length, self.length))),
            };
            if matches!(event, Event::Comment(..)) {
                self.comments.push(span);
            } else {
                return Ok((event, span));
            }
        }
    }

    fn syntax_error(&self, error: &ScanError) -> LoadError {
        let at = error
            .marker()
            .byte_offset()
            .unwrap_or(self.length)
            .min(self.length);
        LoadError::new(error.info(), Span::new(at, (at + 1).min(self.length)))
    }

    fn stream(&mut self) -> Result<Vec<Document>, LoadError> {
        let mut documents: Vec<Document> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) => {
                    if let Some(last) = documents.last_mut() {
                        last.span.end = span.start;
                    }
                    self.anchors.clear();
                    let start = if documents.is_empty() { 0 } else { span.start };
                    let root = self.node()?;
                    documents.push(Document {
                        root,
                        span: Span::new(start, self.length),
                        comments: Vec::new(),
                    });
                }
                _ => {}
            }
        }
        for comment in std::mem::take(&mut self.comments) {
            let owner = documents
                .iter()
                .rposition(|document| document.span.start <= comment.start);
            if let Some(document) = owner.and_then(|index| documents.get_mut(index)) {
                document.comments.push(comment);
            }
        }
        Ok(documents)
    }

    fn node(&mut self) -> Result<Node, LoadError> {
        let (event, span) = self.next()?;
        self.node_from(event, span)
    }

    fn node_from(&mut self, event: Event<'t>, span: Span) -> Result<Node, LoadError> {
        let (mut node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = scalar_style(style);
                let mut text = text.into_owned();
                // The parser ends a block at the end of a text with a line break that go-yaml does not see.
                if style == Style::Block && !self.ends_in_line_break && span.end == self.length {
                    text.truncate(text.trim_end_matches('\n').len());
                }
                let scalar = Scalar {
                    text,
                    style,
                    tagged_string: tag.is_some_and(|tag| tag.to_string().ends_with("str")),
                };
                (plain_node(span, Content::Scalar(scalar)), anchor)
            }
            Event::SequenceStart(style, anchor, _) => (self.sequence(span, style)?, anchor),
            Event::MappingStart(style, anchor, _) => (self.mapping(span, style)?, anchor),
            Event::Alias(id) => return self.alias(id, span),
            other => {
                let message = format!("a value was expected here, not {other:?}");
                return Err(LoadError::new(message, span));
            }
        };
        if anchor != 0 {
            node.anchored = true;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, LoadError> {
        let Some(target) = self.anchors.get(&id) else {
            return Err(LoadError::new("this alias has no anchor before it", span));
        };
        self.copied += count(target);
        if self.copied > ALIAS_BUDGET {
            return Err(LoadError::new("aliases expand to too many values", span));
        }
        let mut node = target.clone();
        node.span = span;
        node.aliased = true;
        node.anchored = false;
        Ok(node)
    }

    fn sequence(&mut self, start: Span, style: StructureStyle) -> Result<Node, LoadError> {
        let mut items = Vec::new();
        let mut span = start;
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let flow = style == StructureStyle::Flow;
                span.end = end_of(flow, at, items.last(), span);
                return Ok(plain_node(span, Content::Sequence { items, flow }));
            }
            items.push(self.node_from(event, at)?);
        }
    }

    fn mapping(&mut self, start: Span, style: StructureStyle) -> Result<Node, LoadError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        let mut span = start;
        loop {
            let (event, key_span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let flow = style == StructureStyle::Flow;
                span.end = end_of(
                    flow,
                    key_span,
                    entries.last().map(|entry| &entry.value),
                    span,
                );
                return Ok(plain_node(span, Content::Mapping { entries, flow }));
            }
            let key = self.node_from(event, key_span)?;
            let Content::Scalar(Scalar { text: key, .. }) = key.content else {
                return Err(LoadError::new(
                    "a key must be a single word or string",
                    key_span,
                ));
            };
            if key != "<<"
                && let Some(first) = seen.insert(key.clone(), key_span)
            {
                if self.equal_keys == EqualKeys::Refused {
                    return Err(LoadError {
                        message: format!("the key `{}` is set twice", shown_key(&key)),
                        span: key_span,
                        first: Some(first),
                    });
                }
                entries.retain(|entry| entry.key != key);
            }
            let value = self.node()?;
            entries.push(Entry {
                key,
                key_span,
                value,
            });
        }
    }
}

fn plain_node(span: Span, content: Content) -> Node {
    Node {
        span,
        content,
        aliased: false,
        anchored: false,
    }
}

fn end_of(flow: bool, end: Span, last: Option<&Node>, start: Span) -> usize {
    if flow {
        end.end
    } else {
        last.map_or(start.end, |node| node.span.end)
            .max(start.start)
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.content {
        Content::Scalar(_) => 0,
        Content::Mapping { entries, .. } => entries.iter().map(|entry| count(&entry.value)).sum(),
        Content::Sequence { items, .. } => items.iter().map(count).sum(),
    }
}

fn scalar_style(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        _ => Style::Quoted,
    }
}

fn byte_span(span: granit_parser::Span) -> Span {
    span.byte_range()
        .map_or_else(Span::default, |range| Span::new(range.start, range.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Route;

    #[test]
    fn takes_the_last_of_equal_keys_only_where_asked_to() {
        let text = "a: {x: 1, y: 2, x: 3}\nb: 1\na: 4\n";
        assert!(load(text).is_err());
        let documents = load_last_of_equal_keys(text).unwrap();
        let root = documents[0].root.to_kubernetes();
        assert_eq!(root, serde_json::json!({"b": 1, "a": 4}));
    }

    #[test]
    fn finds_the_span_of_a_route_in_a_later_document() {
        let text = "a: 1\n---\nspec:\n  list:\n    - name: x\n    - name: yy\n";
        let documents = load(text).unwrap();
        let route = Route::parse("spec.list").then(1).then("name");
        let span = documents[1].root.span_of(&route);
        assert_eq!(&text[span.start..span.end], "name");
        let value = documents[1].root.at(&route).unwrap();
        assert_eq!(&text[value.span.start..value.span.end], "yy");
        assert_eq!(documents[1].span.start, 5);
    }

    #[test]
    fn a_block_at_the_end_of_a_text_has_the_line_breaks_that_are_there() {
        for (text, expected) in [
            ("a: |\n  x", "x"),
            ("a: |+\n  x", "x"),
            ("a: >\n  x\n  y", "x y"),
            ("a: |\n  x\n", "x\n"),
            ("a: |\n  x\n\n", "x\n"),
            ("a: |+\n  x\n\n", "x\n\n"),
            ("a: |\n  x\n# end", "x\n"),
        ] {
            let documents = load(text).unwrap();
            assert_eq!(documents[0].root.find_text("a"), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn reads_long_stretches_of_comments() {
        let comments = "# a line of a long explanation\n".repeat(300);
        let documents = load(&format!("a: 1\nb:\n{comments}  c: 2\n")).unwrap();
        assert_eq!(documents[0].root.find_text("b.c"), Some("2"));
        assert_eq!(documents[0].comments.len(), 300);
    }

    #[test]
    fn rejects_equal_keys_and_shows_both() {
        let error = load("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(error.message, "the key `a` is set twice");
        assert_eq!(error.span, Span::new(10, 11));
        assert_eq!(error.first, Some(Span::new(0, 1)));
    }

    #[test]
    fn merges_and_copies_anchored_values() {
        let documents = load("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n").unwrap();
        let value = documents[0].root.get("use").unwrap().to_kubernetes();
        assert_eq!(value, serde_json::json!({"y": 3, "x": 1}));
    }

    #[test]
    fn stops_at_a_billion_laughs() {
        let mut text = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
        for level in 1..9 {
            let line = format!(
                "a{level}: &a{level} [{}]\n",
                vec![format!("*a{}", level - 1); 10].join(",")
            );
            text.push_str(&line);
        }
        assert_eq!(
            load(&text).unwrap_err().message,
            "aliases expand to too many values"
        );
    }

    #[test]
    fn gives_each_document_its_comments() {
        let text = "# one\na: 1 # two\n---\n# three\nb: 2\n";
        let documents = load(text).unwrap();
        let words = |document: &Document| -> Vec<String> {
            document
                .comments
                .iter()
                .map(|span| text[span.start..span.end].to_owned())
                .collect()
        };
        assert_eq!(words(&documents[0]), ["# one", "# two"]);
        assert_eq!(words(&documents[1]), ["# three"]);
    }
}
