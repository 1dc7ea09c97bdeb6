//! From the nodes of a document to its values in order.

use std::sync::Arc;

use super::comments::{Collection, Layout, Position};
use super::gap::{self, Gap};
use super::{Content, Leaf, Spot, State};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::yaml::{self, Content as NodeContent, Entry, Node, Route, Scalar, Style};
use sops_age::cipher::Token;
use sops_age::value::{Kind, Resolved, Value, reads_as_string, resolve};

/// Lists the values and comments of a document, and reports all that SOPS or Kiln cannot encrypt.
pub(super) fn leaves(
    source: &Arc<Source>,
    root: &Node,
    document: &yaml::Document,
    sops: Option<&Entry>,
    state: State,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Leaf> {
    let mut visitor = Visitor {
        source,
        state,
        problems,
        layout: Layout::default(),
        values: Vec::new(),
    };
    visitor.node(root, &Around::root());
    let Visitor {
        mut layout, values, ..
    } = visitor;
    if let Some(sops) = sops {
        // An entry like any other, so that a comment before it is not taken for one at its end.
        layout.add_entry(0, sops.key_span.start);
    }
    let inside_sops = |span: &Span| {
        sops.is_some_and(|entry| {
            entry.key_span.start <= span.start && span.end <= entry.value.span.end
        })
    };
    let comments: Vec<Span> = document
        .comments
        .iter()
        .filter(|span| !inside_sops(span))
        .copied()
        .collect();
    layout.merge(&source.text, values, &comments)
}

/// What surrounds a node.
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
        }
    }
}

struct Visitor<'v> {
    source: &'v Arc<Source>,
    state: State,
    problems: &'v mut Vec<Diagnostic>,
    layout: Layout,
    values: Vec<(Position, Leaf)>,
}

impl Visitor<'_> {
    fn refuse(&mut self, span: Span, what: &str, hint: &str) {
        let message = format!("{what} in `{}`, which cannot be sealed", self.source.path);
        let diagnostic = Diagnostic::error("unsealable-yaml", message).at(self.source, span, "");
        self.problems.push(diagnostic.with_hint(hint));
    }

    fn node(&mut self, node: &Node, around: &Around) {
        if node.is_alias() {
            return self.refuse(
                node.span,
                "there is an alias",
                "write the value out; SOPS would do so too",
            );
        }
        if node.anchored {
            return self.refuse(
                node.first_line_span(),
                "there is an anchor",
                "write the value out where it is used",
            );
        }
        if let Some(tag) = around.gap.tag
            && &self.source.text[tag.start..tag.end] != "!!str"
        {
            return self.refuse(
                tag,
                "there is a tag",
                "leave the tag out, or quote a value that is to be a string",
            );
        }
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
        });
        if entries.is_empty() && around.position.is_some() {
            return self.empty(node, Content::EmptyMapping, around);
        }
        let flow = flow || around.flow;
        for entry in entries {
            let position = self.layout.add_entry(collection, entry.key_span.start);
            if !self.is_string_key(entry) {
                self.refuse(
                    entry.key_span,
                    &format!("the key `{}` is not a string", entry.key),
                    "put the key in quotes",
                );
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
                gap: gap::scan(
                    &self.source.text,
                    entry.key_span.end,
                    entry.value.span.start,
                ),
                is_item: false,
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
        });
        if items.is_empty() {
            return self.empty(node, Content::EmptySequence, around);
        }
        let in_flow = flow || around.flow;
        let mut index = 0;
        for item in items {
            let gap = gap::scan(&self.source.text, from, item.span.start);
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
            };
            self.node(item, &inner);
            index += usize::from(!is_comment);
            from = item.span.end;
        }
    }

    fn scalar(&mut self, node: &Node, scalar: &Scalar, around: &Around) {
        let text = &self.source.text;
        let block = (scalar.style == Style::Block).then(|| {
            let header = around
                .gap
                .header
                .unwrap_or_else(|| gap::header(text, node.span.start));
            (header, gap::body(text, header, node.span.end))
        });
        let content = match resolve(scalar) {
            Resolved::Null => Content::Null,
            Resolved::Value(value) => Content::Value(value),
            Resolved::Unsigned => {
                return self.refuse(
                    node.span,
                    "there is a number beyond 64 bits",
                    "put the number in quotes",
                );
            }
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
        let leaf = Leaf {
            keys: Arc::clone(&around.keys),
            route: around.route.clone(),
            content,
            spot,
            comments: Vec::new(),
            astray: false,
        };
        self.values.push((position, leaf));
    }

    fn empty(&mut self, node: &Node, content: Content, around: &Around) {
        let Some(position) = around.position else {
            return;
        };
        let leaf = Leaf {
            keys: Arc::clone(&around.keys),
            route: around.route.clone(),
            content,
            spot: Spot::Nothing(node.span),
            comments: Vec::new(),
            astray: false,
        };
        self.values.push((position, leaf));
    }

    fn is_string_key(&self, entry: &Entry) -> bool {
        let written = &self.source.text[entry.key_span.start..entry.key_span.end];
        match written.as_bytes().first() {
            Some(b'"' | b'\'') => true,
            Some(b'*') | None => false,
            _ => entry.key != "<<" && reads_as_string(&entry.key),
        }
    }

    fn column(&self, at: usize) -> usize {
        super::comments::column(&self.source.text, at)
    }
}

/// `sops` turns an encrypted comment in a list into an item, and back when it decrypts.
fn is_comment_token(node: &Node) -> bool {
    node.text().is_some_and(is_comment_text)
}

fn is_comment_text(text: &str) -> bool {
    Token::read(text).is_some_and(|token| token.kind == Kind::Comment)
}
