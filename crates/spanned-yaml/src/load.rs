//! From text to documents.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, StructureStyle, Tag};

use super::refusal::{
    apply_tag, covering, each_scalar_span, fold_line_separators, has_line_separator,
    refused_anchor, refused_escape, refused_line_separator, refused_name,
};
use super::source_text::{SourceText, alias_colons};
use super::tabs::refused_tab;
use super::{Content, Document, Entry, Node, Scalar, Style};
use super::{Span, shown_key};

/// How many nodes aliases may add to one stream: beyond it lies only a "billion laughs" attack.
pub const ALIAS_BUDGET: usize = 100_000;

/// How deep values may be nested once aliases are expanded; the parser has a limit of its own for what is written.
const DEPTH_LIMIT: usize = 512;

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
/// A text is read as go-yaml does, which kustomize and Flux read with; so are errors: equal keys in one mapping, keys
/// that are not scalars, aliases without an anchor, tabs among the indentation, escapes and names of anchors that
/// YAML 1.1 does not have, tags that do not fit. A stream without content has no document.
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
    let error = match read(text, &[], equal_keys) {
        Ok(documents) => return Ok(documents),
        Err(error) => error,
    };
    let mut colons = alias_colons(text);
    while !colons.is_empty() {
        let documents = match read(text, &colons, equal_keys) {
            Ok(documents) => documents,
            Err(later) if later.span.start > error.span.start => return Err(later),
            Err(_) => break,
        };
        // What stands in a scalar or a comment is no alias, and must not gain a space.
        let mut content: Vec<Span> = Vec::new();
        for document in &documents {
            content.extend(&document.comments);
            each_scalar_span(&document.root, &mut |span| content.push(span));
        }
        content.sort_unstable();
        let all = colons.len();
        colons.retain(|colon| covering(&content, *colon).is_none());
        if colons.len() == all {
            return Ok(documents);
        }
    }
    Err(error)
}

/// Reads a text with a space before each of `colons`.
fn read(text: &str, colons: &[usize], equal_keys: EqualKeys) -> Result<Vec<Document>, LoadError> {
    // Whole paragraphs of comments stand between two keys in many a file: the text is in memory anyway.
    let mut options = Options::default();
    options.max_buffered_comment_events = usize::MAX;
    let source = SourceText::new(text, colons);
    let mut loader = Loader {
        parser: Parser::new_from_str_with_options(&source.text, options),
        source: &source,
        original: text,
        last_end: 0,
        last_line: text.rsplit(['\n', '\r']).next().unwrap_or_default(),
        anchors: BTreeMap::new(),
        comments: Vec::new(),
        copied: 0,
        depth: 0,
        equal_keys,
    };
    let documents = loader.stream()?;
    if let Some(tab) = refused_tab(text, &documents) {
        return Err(LoadError::new(
            "a tab stands where kustomize and Flux take only spaces",
            tab,
        ));
    }
    match refused_line_separator(text, &documents) {
        Some(separator) => Err(LoadError::new(
            "a line separator (U+2028 or U+2029) ends the line for kustomize and Flux",
            separator,
        )),
        None => Ok(documents),
    }
}

struct Loader<'t> {
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    source: &'t SourceText<'t>,
    original: &'t str,
    /// Where the last event ended.
    last_end: usize,
    /// The last line, which has no break.
    last_line: &'t str,
    anchors: BTreeMap<usize, Node>,
    comments: Vec<Span>,
    copied: usize,
    /// How many collections are open.
    depth: usize,
    equal_keys: EqualKeys,
}

impl<'t> Loader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), LoadError> {
        loop {
            let (event, span) = match self.parser.next_event() {
                Some(Ok((event, span))) => (event, self.byte_span(span)),
                Some(Err(error)) => return Err(self.syntax_error(&error)),
                None => {
                    let end = self.original.len();
                    return Ok((Event::StreamEnd, Span::new(end, end)));
                }
            };
            if matches!(event, Event::Comment(..)) {
                self.comments.push(span);
            } else {
                return Ok((event, span));
            }
        }
    }

    fn byte_span(&self, span: granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or_default();
        Span::new(
            self.source.original(range.start),
            self.source.original(range.end),
        )
    }

    fn syntax_error(&self, error: &ScanError) -> LoadError {
        let length = self.original.len();
        let at = error
            .marker()
            .byte_offset()
            .map_or(length, |at| self.source.original(at).min(length));
        let character = self.original[at..].chars().next();
        let end = at + character.map_or(0, char::len_utf8);
        LoadError::new(error.info(), Span::new(at, end))
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
                        span: Span::new(start, self.original.len()),
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
        let between = Span::new(self.last_end.min(span.start), span.start);
        self.last_end = span.start;
        let (mut node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = self.scalar(text.into_owned(), style, tag.as_deref(), span)?;
                self.last_end = span.end;
                (plain_node(span, Content::Scalar(scalar)), anchor)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.check_anchor(anchor, between)?;
                self.depth += 1;
                let sequence = self.sequence(span, style)?;
                self.depth -= 1;
                (sequence, anchor)
            }
            Event::MappingStart(style, anchor, _) => {
                self.check_anchor(anchor, between)?;
                self.depth += 1;
                let mapping = self.mapping(span, style)?;
                self.depth -= 1;
                (mapping, anchor)
            }
            Event::Alias(id) => return self.alias(id, span),
            other => {
                let message = format!("a value was expected here, not {other:?}");
                return Err(LoadError::new(message, span));
            }
        };
        if anchor != 0 {
            if matches!(node.content, Content::Scalar(_)) {
                self.check_anchor(anchor, between)?;
            }
            node.anchored = true;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn check_anchor(&self, anchor: usize, between: Span) -> Result<(), LoadError> {
        if anchor != 0
            && let Some(name) = refused_anchor(self.original, between)
        {
            return Err(LoadError::new(REFUSED_NAME, name));
        }
        Ok(())
    }

    fn scalar(
        &self,
        text: String,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<Scalar, LoadError> {
        let raw = &self.original[span.start..span.end];
        let mut scalar = Scalar {
            text,
            style: scalar_style(style),
            tagged_string: false,
        };
        match scalar.style {
            Style::Quoted => {
                // JSON has these escapes, and Kiln's own config may be JSON.
                if style == ScalarStyle::DoubleQuoted
                    && !self.original.trim_start().starts_with(['{', '['])
                    && let Some(escape) = refused_escape(raw)
                {
                    return Err(LoadError::new(
                        "kustomize and Flux do not know this escape",
                        Span::new(span.start + escape.start, span.start + escape.end),
                    ));
                }
                if has_line_separator(raw) {
                    scalar.text = fold_line_separators(&scalar.text);
                }
            }
            // A last line without a break has none in the value, either.
            Style::Block if span.end == self.original.len() && self.has_open_line(&scalar.text) => {
                scalar.text.pop();
            }
            Style::Block | Style::Plain => {}
        }
        if let Some(tag) = tag
            && !apply_tag(&mut scalar, tag)
        {
            let message = format!("the tag `!!{}` does not fit this value", tag.suffix());
            return Err(LoadError::new(message, span));
        }
        Ok(scalar)
    }

    /// Returns whether the last line of the text is a part of a block scalar that ends there.
    fn has_open_line(&self, scalar: &str) -> bool {
        let Some(scalar) = scalar.strip_suffix('\n') else {
            return false;
        };
        let last = scalar.rsplit('\n').next().unwrap_or_default();
        let spaces = !last.is_empty() && self.last_line.ends_with(last);
        spaces || !self.last_line.trim().is_empty()
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, LoadError> {
        let Some(target) = self.anchors.get(&id) else {
            return Err(LoadError::new("this alias has no anchor before it", span));
        };
        if let Some(name) = refused_name(self.original, span.start) {
            return Err(LoadError::new(REFUSED_NAME, name));
        }
        self.last_end = span.end;
        let (size, height) = measure(target);
        self.copied += size;
        if self.copied > ALIAS_BUDGET {
            return Err(LoadError::new("aliases expand to too many values", span));
        }
        if self.depth + height > DEPTH_LIMIT {
            return Err(LoadError::new("aliases nest values too deeply", span));
        }
        let mut node = target.clone();
        node.alias_of = Some(Box::new(target.span));
        node.span = span;
        node.anchored = false;
        Ok(node)
    }

    /// Refuses `: value` without a key before the colon.
    fn check_plain_key(&self, span: Span) -> Result<(), LoadError> {
        let explicit = self.original[..span.start].trim_end().ends_with('?');
        if span.is_empty() && !explicit && self.original[span.start..].starts_with(':') {
            let colon = Span::new(span.start, span.start + 1);
            return Err(LoadError::new("no key stands before this colon", colon));
        }
        Ok(())
    }

    fn sequence(&mut self, start: Span, style: StructureStyle) -> Result<Node, LoadError> {
        let mut items = Vec::new();
        let mut span = start;
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let flow = style == StructureStyle::Flow;
                span.end = end_of(flow, at, items.last(), span);
                self.last_end = span.end;
                return Ok(plain_node(span, Content::Sequence { items, flow }));
            }
            items.push(self.node_from(event, at)?);
        }
    }

    fn mapping(&mut self, start: Span, style: StructureStyle) -> Result<Node, LoadError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = BTreeMap::new();
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
                self.last_end = span.end;
                return Ok(plain_node(span, Content::Mapping { entries, flow }));
            }
            let Content::Scalar(key) = self.node_from(event, key_span)?.content else {
                return Err(LoadError::new(
                    "a key must be a single word or string",
                    key_span,
                ));
            };
            if key.style == Style::Plain {
                self.check_plain_key(key_span)?;
            }
            let merges = key.text == "<<" && key.style == Style::Plain;
            let key = key.text;
            if let Some(first) = seen.insert(key.clone(), key_span) {
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
            if merges && !may_be_merged(&value) {
                return Err(LoadError::new(
                    "`<<` takes a mapping, or a list of mappings",
                    value.span.cover(key_span),
                ));
            }
            entries.push(Entry {
                key,
                key_span,
                value,
            });
        }
    }
}

/// What go-yaml says of an anchor or alias such as `&a.b`.
const REFUSED_NAME: &str =
    "kustomize and Flux take only letters, digits, `-` and `_` in the name of an anchor";

fn may_be_merged(value: &Node) -> bool {
    match &value.content {
        Content::Mapping { .. } => true,
        Content::Sequence { items, .. } => items
            .iter()
            .all(|item| matches!(item.content, Content::Mapping { .. })),
        Content::Scalar(_) => false,
    }
}

fn plain_node(span: Span, content: Content) -> Node {
    Node {
        span,
        content,
        alias_of: None,
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

/// Returns how many values a node has, and how deep they are nested.
fn measure(node: &Node) -> (usize, usize) {
    let children: &mut dyn Iterator<Item = &Node> = match &node.content {
        Content::Scalar(_) => return (1, 0),
        Content::Mapping { entries, .. } => &mut entries.iter().map(|entry| &entry.value),
        Content::Sequence { items, .. } => &mut items.iter(),
    };
    children.fold((1, 1), |(size, height), child| {
        let (child_size, child_height) = measure(child);
        (size + child_size, height.max(child_height + 1))
    })
}

fn scalar_style(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        _ => Style::Quoted,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Resolver, Route};

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
    fn takes_the_last_of_equal_keys_only_where_asked_to() {
        let text = "a: {x: 1, y: 2, x: 3}\nb: 1\na: 4\n";
        assert!(load(text).is_err());
        let documents = load_last_of_equal_keys(text).unwrap();
        let root = documents[0].root.to_kubernetes();
        assert_eq!(root, serde_json::json!({"b": 1, "a": 4}));
    }

    #[test]
    fn json_keeps_its_own_escapes() {
        let documents = load(r#"{"a": "\ud83d\ude00 \/"}"#).unwrap();
        assert_eq!(documents[0].root.find_text("a"), Some("\u{1f600} /"));
        assert!(load(r#"a: "\ud83d\ude00""#).is_err());
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
    fn stops_at_values_that_are_nested_too_deeply() {
        for text in [
            "[".repeat(100_000),
            "- ".repeat(100_000),
            "{a: ".repeat(100_000),
            "? ".repeat(100_000),
        ] {
            assert!(load(&text).is_err());
        }
        let mut text = String::from("a0: &a0 x\n");
        for level in 1..100 {
            let line = format!(
                "a{level}: &a{level} {}*a{}{}\n",
                "[".repeat(50),
                level - 1,
                "]".repeat(50)
            );
            text.push_str(&line);
        }
        let error = load(&text).unwrap_err();
        assert_eq!(error.message, "aliases nest values too deeply");
        assert_eq!(&text[error.span.start..error.span.end], "*a10");
    }

    /// Measured with go-yaml v3, by which kustomize reads.
    #[test]
    fn reads_what_go_yaml_reads() {
        use serde_json::json;
        for (text, expected) in [
            // An alias may be a key, also without a space.
            ("a: &k x\n*k : y\n", json!({"a": "x", "x": "y"})),
            ("a: &k x\n*k: y\n", json!({"a": "x", "x": "y"})),
            (
                "a: &k x\nl:\n- *k: 1\n  b: *k\n- {*k: 3}\n",
                json!({"a": "x", "l": [{"x": 1, "b": "x"}, {"x": 3}]}),
            ),
            (
                "a: &k x # *k: y\nt: |\n  *k: y\ns: \"*k: z\"\n*k: z\n",
                json!({"a": "x", "t": "*k: y\n", "s": "*k: z", "x": "z"}),
            ),
            (
                "a: &k {b: 1}\nc:\n  <<: [*k]\n  d: 2\n",
                json!({"a": {"b": 1}, "c": {"d": 2, "b": 1}}),
            ),
            // A last line without a break has none in the value.
            ("a: |\n  x", json!({"a": "x"})),
            ("a: |+\n  x", json!({"a": "x"})),
            ("a: >\n  x\n  y", json!({"a": "x y"})),
            ("a: |\n  x\n  ", json!({"a": "x\n"})),
            ("a: |\n  x\n    ", json!({"a": "x\n  "})),
            ("a: |\n  x\n\n", json!({"a": "x\n"})),
            ("- a: |\n    x\n  b: 1", json!([{"a": "x\n", "b": 1}])),
            // YAML 1.1 has more ends of lines.
            ("a: x\u{85}b: y\n", json!({"a": "x", "b": "y"})),
            ("a: |\u{85}  x\u{85}  y\n", json!({"a": "x\ny\n"})),
            ("a: 'x\u{2028}  y'\n", json!({"a": "x\u{2028}y"})),
            ("a: \"x \\L y\"\n", json!({"a": "x \u{2028} y"})),
            ("a: b\rc: d\r\n", json!({"a": "b", "c": "d"})),
            // Tags.
            (
                "a: !!int '1'\nb: !!str 1\nc: !!bool 'true'\nd: !!null ''\ne: !own 1\nf: ! 1\n",
                json!({"a": 1, "b": "1", "c": true, "d": null, "e": "1", "f": 1}),
            ),
            (
                "a: !!binary aGkK\nb: !!float 1\n",
                json!({"a": "hi\n", "b": 1}),
            ),
            // Keys are text.
            (
                "1: a\ntrue: b\n1.50: c\ny: d\n",
                json!({"1": "a", "true": "b", "1.50": "c", "y": "d"}),
            ),
            ("? a\n: b\n? |\n  c\n: d\n", json!({"a": "b", "c\n": "d"})),
            // The ends of a text.
            ("\u{feff}a: 1\n", json!({"a": 1})),
            ("%YAML 1.1\n---\na: 1\n", json!({"a": 1})),
            ("a: 1\n...\n", json!({"a": 1})),
            ("key:    >-  # why\n  a\n  b\n", json!({"key": "a b"})),
            ("day: 2001-01-01\n", json!({"day": "2001-01-01T00:00:00Z"})),
        ] {
            let documents = load(text)
                .map_err(|error| format!("{text}: {error:?}"))
                .unwrap();
            assert_eq!(documents.len(), 1, "{text}");
            assert_eq!(
                documents[0].root.to_value(Resolver::Kustomize),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_go_yaml_refuses() {
        for (text, place) in [
            ("a: \"b\\/c\"\n", "\\/"),
            ("a: \"\\\\ \\uD83D\\uDE00\"\n", "\\uD83D"),
            ("a: &b.c d\n", "&b"),
            ("a: # &\n  &b!c\n  d: 1\n", "&b"),
            ("a: &b 1\nc: *b.d\n", "*"),
            ("a: &oci://b\n", "&oci"),
            ("a: !!int b\n", "b"),
            ("a: !!bool yes\n", "yes"),
            ("!!null a: 1\n", "a"),
            ("a: !!binary '*'\n", "'*'"),
            (": a\n", ":"),
            ("a:\n  : b\n", ":"),
            ("a:\n  <<: 1\n", "<<: 1"),
            ("a:\n  <<:\n", "<<"),
            ("a: {<<: [1]}\n", "<<: [1]"),
            ("a: {<<: {b: 1}, <<: {c: 1}}\n", "<<"),
            ("a: b # c\u{2028}\n", "\u{2028}"),
            ("a: b\u{2029} c\n", "\u{2029}"),
            ("a: &k x\n*k: y\n*l: z\n", "*"),
        ] {
            let error = load(text).unwrap_err();
            let found = &text[error.span.start..error.span.end];
            assert_eq!(found, place, "{text}: {}", error.message);
        }
    }

    #[test]
    fn keeps_places_right_where_the_text_is_changed_for_the_parser() {
        let text = "a: &k é\u{85}*k: \"é\"\n# *k: no\nb:\n- *k: yes\n  last: 'é'\n";
        let documents = load(text).unwrap();
        let root = &documents[0].root;
        let at = |span: Span| &text[span.start..span.end];
        let entries = root.entries().unwrap();
        assert_eq!(at(entries[1].key_span), "*k");
        assert_eq!(at(entries[1].value.span), "\"é\"");
        assert_eq!(at(documents[0].comments[0]), "# *k: no");
        let item = root
            .at(&Route::parse("b").then(0))
            .unwrap()
            .entries()
            .unwrap();
        assert_eq!(
            (at(item[0].key_span), at(item[0].value.span)),
            ("*k", "yes")
        );
        assert_eq!(at(item[1].value.span), "'é'");
        assert_eq!(documents[0].span, Span::new(0, text.len()));
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

    /// Lines of the pieces that matter, so that many a text is YAML.
    fn any_text() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "a: ",
            "b:",
            "- ",
            "? ",
            ": ",
            "*k",
            "*k: ",
            "*k : ",
            "&k ",
            "<<: *k",
            "{",
            "}",
            "[",
            "]",
            ", ",
            "'",
            "\"",
            "\\",
            "\\/",
            "|",
            "|2-",
            ">+",
            "#",
            " # c",
            "x",
            "é",
            "😀",
            "1",
            "\n",
            "\n  ",
            "\n    ",
            "\r\n",
            "\r",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "\t",
            "---\n",
            "...\n",
            "%YAML 1.1\n",
            "!!int ",
            "!!binary ",
            "!x ",
            "!",
            "2001-01-01",
        ]);
        prop::collection::vec(pieces, 0..25).prop_map(|pieces| pieces.concat())
    }

    fn each_span(node: &Node, visit: &mut impl FnMut(Span)) {
        visit(node.span);
        for item in node.items().unwrap_or_default() {
            each_span(item, visit);
        }
        for entry in node.entries().unwrap_or_default() {
            visit(entry.key_span);
            each_span(&entry.value, visit);
        }
    }

    proptest! {
        #[test]
        fn takes_any_text_and_names_places_in_it(text in any_text()) {
            match load(&text) {
                Ok(documents) => for document in &documents {
                    let mut spans = document.comments.clone();
                    spans.push(document.span);
                    each_span(&document.root, &mut |span| spans.push(span));
                    for span in spans {
                        prop_assert!(text.get(span.start..span.end).is_some(), "{:?}", span);
                    }
                },
                Err(error) => {
                    let place = text.get(error.span.start..error.span.end);
                    prop_assert!(place.is_some(), "{error:?}");
                }
            }
        }
    }
}
