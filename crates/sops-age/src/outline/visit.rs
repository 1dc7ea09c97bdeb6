//! From the nodes of a document to its values in order.

use std::sync::Arc;

use spanned_yaml::{Content as NodeContent, Entry, Node, Route, Scalar, Span, Style};

use super::comments::{Collection, Layout, Position};
use super::gap::{self, Gap};
use super::{Content, Leaf, Notation, OutlineError, Spot, State, Tie};
use crate::cipher::Token;
use crate::value::{Kind, Resolved, Value, reads_as_string, resolve, resolve_json};

/// What a document is read from, and for what.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'s> {
    pub(super) text: &'s str,
    pub(super) notation: Notation,
    pub(super) document: &'s spanned_yaml::Document,
    /// The metadata.
    pub(super) sops: Option<&'s Entry>,
    pub(super) state: State,
}

/// Lists the values and comments of a document, and reports all that SOPS cannot encrypt.
pub(super) fn leaves(
    surroundings: &Surroundings<'_>,
    root: &Node,
    problems: &mut Vec<OutlineError>,
) -> Vec<Leaf> {
    let mut visitor = Visitor {
        text: surroundings.text,
        notation: surroundings.notation,
        state: surroundings.state,
        problems,
        layout: Layout::default(),
        values: Vec::new(),
    };
    visitor.node(root, &Around::root());
    let Visitor {
        mut layout, values, ..
    } = visitor;
    let sops = surroundings.sops;
    if let Some(sops) = sops {
        // An entry like any other, so that a comment before it is not taken for one at its end.
        layout.add_entry(0, sops.key_span.start);
    }
    let inside_sops = |span: &Span| {
        sops.is_some_and(|entry| {
            entry.key_span.start <= span.start && span.end <= entry.value.span.end
        })
    };
    let comments: Vec<Span> = surroundings
        .document
        .comments
        .iter()
        .filter(|span| !inside_sops(span))
        .copied()
        .collect();
    layout.merge(surroundings.text, values, &comments)
}

/// What surrounds a node.
#[derive(Clone)]
struct Around {
    keys: Arc<[String]>,
    route: Route,
    /// The position of the entry or item that the node is the value of.
    position: Option<Position>,
    flow: bool,
    /// The column of the innermost block collection around.
    column: usize,
    gap: Gap,
    is_item: bool,
    tie: Option<Tie>,
}

impl Around {
    fn root() -> Self {
        Self {
            keys: Arc::new([]),
            route: Route::default(),
            position: None,
            flow: false,
            column: 0,
            gap: Gap::default(),
            is_item: false,
            tie: None,
        }
    }
}

struct Visitor<'v> {
    text: &'v str,
    notation: Notation,
    state: State,
    problems: &'v mut Vec<OutlineError>,
    layout: Layout,
    values: Vec<(Position, Leaf)>,
}

impl Visitor<'_> {
    fn node(&mut self, node: &Node, around: &Around) {
        if node.is_alias() {
            let tie = Tie::Alias(node.span);
            return self.copied(node, &around.keys, &around.route, around, tie);
        }
        if let Some(tag) = around.gap.tag
            && &self.text[tag.start..tag.end] != "!!str"
        {
            return self.problems.push(OutlineError::Tag(tag));
        }
        let anchored;
        let around = if node.anchored {
            anchored = Around {
                tie: Some(Tie::Anchor(node.first_line_span())),
                ..around.clone()
            };
            &anchored
        } else {
            around
        };
        match &node.content {
            NodeContent::Scalar(scalar) => self.scalar(node, scalar, around),
            NodeContent::Mapping { entries, flow } => self.mapping(node, entries, *flow, around),
            NodeContent::Sequence { items, flow } => self.sequence(node, items, *flow, around),
        }
    }

    fn mapping(&mut self, node: &Node, entries: &[Entry], flow: bool, around: &Around) {
        let first = entries
            .first()
            .map_or(node.span.start, |entry| entry.key_span.start);
        let collection = self.layout.open(Collection {
            keys: Arc::clone(&around.keys),
            route: around.route.clone(),
            owner: around.position,
            column: self.column(first),
            flow: flow.then_some(node.span),
            mapping: true,
        });
        if entries.is_empty() && around.position.is_some() {
            return self.empty(node, Content::EmptyMapping, around);
        }
        let flow = flow || around.flow;
        for entry in entries {
            let position = self.layout.add_entry(collection, entry.key_span.start);
            let written = &self.text[entry.key_span.start..entry.key_span.end];
            let plain = self.state == State::Plain && self.notation == Notation::Yaml;
            if plain && written.contains(['\u{2028}', '\u{2029}']) {
                let problem = OutlineError::KeyOverLines(entry.key_span);
                self.problems.push(problem);
                continue;
            }
            if !self.is_string_key(entry) {
                self.refuse_key(entry);
                continue;
            }
            let mut keys = around.keys.to_vec();
            keys.push(entry.key.clone());
            let inner = Around {
                keys: keys.into(),
                route: around.route.then(entry.key.as_str()),
                position: Some(position),
                flow,
                column: if flow {
                    around.column
                } else {
                    self.column(first)
                },
                gap: gap::scan(self.text, entry.key_span.end, entry.value.span.start),
                is_item: false,
                tie: around.tie,
            };
            self.node(&entry.value, &inner);
        }
    }

    fn sequence(&mut self, node: &Node, items: &[Node], flow: bool, around: &Around) {
        // The parser lets a list whose dashes stand below its key start after the first of them.
        let dash = around.gap.dash.filter(|_| !flow && !around.is_item);
        let mut from = dash.unwrap_or(node.span.start);
        let column = self.column(from);
        let collection = self.layout.open(Collection {
            keys: Arc::clone(&around.keys),
            route: around.route.clone(),
            owner: around.position,
            column,
            flow: flow.then_some(node.span),
            mapping: false,
        });
        if items.is_empty() {
            return self.empty(node, Content::EmptySequence, around);
        }
        let in_flow = flow || around.flow;
        let first = from;
        let mut index = 0;
        for item in items {
            let gap = gap::scan(self.text, from, item.span.start);
            let start = gap.dash.filter(|_| !flow).unwrap_or(item.span.start);
            let is_comment = self.state == State::Sealed && is_comment_token(item);
            let position = if is_comment {
                self.layout.at_next_entry(collection)
            } else {
                self.layout.add_entry(collection, start)
            };
            let inner = Around {
                keys: Arc::clone(&around.keys),
                route: if is_comment {
                    around.route.clone()
                } else {
                    around.route.then(index)
                },
                position: Some(Position { start, ..position }),
                flow: in_flow,
                column: if in_flow { around.column } else { column },
                gap,
                is_item: true,
                tie: around.tie,
            };
            self.node(item, &inner);
            index += usize::from(!is_comment);
            from = item.span.end;
        }
        if index == 0 {
            // Nothing but comments: `sops` writes those behind `[]` so.
            let end = self.text[..first].trim_end().len();
            let spot = Spot::Nothing(Span::new(end, end));
            self.push(Content::EmptySequence, spot, around);
        }
    }

    fn scalar(&mut self, node: &Node, scalar: &Scalar, around: &Around) {
        let text = self.text;
        let block = (scalar.style == Style::Block).then(|| {
            let header = around
                .gap
                .header
                .unwrap_or_else(|| gap::header(text, node.span.start));
            (header, gap::body(text, header, node.span.end))
        });
        let Some(content) = self.content(scalar) else {
            return self.problems.push(OutlineError::BigNumber(node.span));
        };
        // Our parser reads a last line without a break as if it had one, and go-yaml does not.
        let content = match (content, block) {
            (Content::Value(value), Some((_, body)))
                if body.end == text.len() && !text.ends_with('\n') =>
            {
                let read = value.text.expose();
                Content::Value(Value::new(
                    value.kind,
                    read.strip_suffix('\n').unwrap_or(read),
                ))
            }
            (content, _) => content,
        };
        let column = around.column;
        let spot = if let Some((header, body)) = block {
            Spot::Literal {
                header,
                body,
                column,
            }
        } else if content == Content::Null {
            Spot::Nothing(node.span)
        } else if around.flow {
            Spot::Flow(node.span)
        } else {
            Spot::Block {
                span: node.span,
                column,
            }
        };
        self.push(content, spot, around);
    }

    fn push(&mut self, content: Content, spot: Spot, around: &Around) {
        let Some(position) = around.position else {
            return;
        };
        let (content, spot) = match (content, spot) {
            (Content::Value(value), Spot::Block { span, .. } | Spot::Flow(span))
                if around.is_item
                    && self.state == State::Sealed
                    && is_comment_text(value.text.expose()) =>
            {
                let value = Value {
                    kind: Kind::Comment,
                    ..value
                };
                (
                    Content::Value(value),
                    Spot::CommentItem(Span::new(position.start, span.end)),
                )
            }
            other => other,
        };
        let leaf = Leaf::of_value(&around.keys, &around.route, content, spot, around.tie);
        self.values.push((position, leaf));
    }

    /// Returns what a scalar is to SOPS; `None` for a number that it refuses.
    fn content(&self, scalar: &Scalar) -> Option<Content> {
        let resolved = match self.notation {
            Notation::Yaml => resolve(scalar),
            Notation::Json => resolve_json(scalar),
        };
        match resolved {
            Resolved::Null => Some(Content::Null),
            Resolved::Value(value) => Some(Content::Value(value)),
            Resolved::Unsigned => None,
        }
    }

    /// Lists what stands at the place of an alias: SOPS reads it as if it were written out.
    fn copied(
        &mut self,
        node: &Node,
        keys: &Arc<[String]>,
        route: &Route,
        around: &Around,
        tie: Tie,
    ) {
        let content = match &node.content {
            NodeContent::Scalar(scalar) => match self.content(scalar) {
                Some(content) => content,
                None => {
                    return self
                        .problems
                        .push(OutlineError::BigNumber(around_span(tie)));
                }
            },
            NodeContent::Mapping { entries, .. } if entries.is_empty() => Content::EmptyMapping,
            NodeContent::Sequence { items, .. } if items.is_empty() => Content::EmptySequence,
            NodeContent::Mapping { entries, .. } => {
                for entry in entries {
                    let mut inner = keys.to_vec();
                    inner.push(entry.key.clone());
                    let route = route.then(entry.key.as_str());
                    self.copied(&entry.value, &inner.into(), &route, around, tie);
                }
                return;
            }
            NodeContent::Sequence { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    self.copied(item, keys, &route.then(index), around, tie);
                }
                return;
            }
        };
        let Some(position) = around.position else {
            return;
        };
        let spot = Spot::Nothing(around_span(tie));
        let leaf = Leaf::of_value(keys, route, content, spot, Some(tie));
        self.values.push((position, leaf));
    }

    fn refuse_key(&mut self, entry: &Entry) {
        self.problems.push(OutlineError::Key {
            key: entry.key.clone(),
            span: entry.key_span,
        });
    }

    fn empty(&mut self, node: &Node, content: Content, around: &Around) {
        let Some(position) = around.position else {
            return;
        };
        let spot = Spot::Nothing(node.span);
        let leaf = Leaf::of_value(&around.keys, &around.route, content, spot, around.tie);
        self.values.push((position, leaf));
    }

    fn is_string_key(&self, entry: &Entry) -> bool {
        let written = &self.text[entry.key_span.start..entry.key_span.end];
        match written.as_bytes().first() {
            Some(b'"' | b'\'') => true,
            Some(b'*') | None => false,
            _ => entry.key != "<<" && reads_as_string(&entry.key),
        }
    }

    fn column(&self, at: usize) -> usize {
        super::comments::column(self.text, at)
    }
}

fn around_span(tie: Tie) -> Span {
    match tie {
        Tie::Anchor(span) | Tie::Alias(span) => span,
    }
}

/// `sops` turns an encrypted comment in a list into an item, and back when it decrypts.
fn is_comment_token(node: &Node) -> bool {
    node.text().is_some_and(is_comment_text)
}

fn is_comment_text(text: &str) -> bool {
    Token::read(text).is_some_and(|token| token.kind == Kind::Comment)
}
