//! From text to nodes.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, StrInput};

use super::scalar::implicit_tag;
use super::{NodeContent, NodeId, Tag, YamlError, YamlNode, YamlStream};

const NAMESPACE: &str = "tag:yaml.org,2002:";

/// Reads the documents of a text.
pub(super) fn compose(text: &str) -> Result<YamlStream, YamlError> {
    let content = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shift = text.len() - content.len();
    if let Some((at, character)) = content.char_indices().find(|(_, c)| is_refused(*c)) {
        let at = at + shift;
        let message = format!(
            "the character U+{:04X} may not stand in YAML",
            u32::from(character)
        );
        let mut error = YamlError::syntax(message, at..at + character.len_utf8());
        error.hint = Some("write it as an escape in double quotes");
        return Err(error);
    }
    let mut options = Options::default();
    options.block_scalar_eof_without_line_feed = true;
    options.set_emit_comments(false);
    let mut composer = Composer {
        parser: Parser::new_from_str_with_options(content, options),
        shift,
        length: text.len(),
        stream: YamlStream {
            nodes: Vec::new(),
            documents: Vec::new(),
        },
        anchors: BTreeMap::new(),
    };
    composer.read_documents()?;
    Ok(composer.stream)
}

/// Returns whether `PyYAML` refuses a character, or ends a line at it where the parser does not.
fn is_refused(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => true,
        other => other.is_control(),
    }
}

struct Composer<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// How many bytes of the text the parser does not see.
    shift: usize,
    length: usize,
    stream: YamlStream,
    anchors: BTreeMap<usize, NodeId>,
}

impl<'t> Composer<'t> {
    fn read_documents(&mut self) -> Result<(), YamlError> {
        while let Some((event, _)) = self.next_of_stream()? {
            if matches!(event, Event::DocumentStart(..)) {
                self.anchors.clear();
                let root = self.read_node()?;
                self.stream.documents.push(root);
            }
        }
        Ok(())
    }

    /// Reads the next event; `None` at the end of the stream.
    fn next_of_stream(&mut self) -> Result<Option<(Event<'t>, Range<usize>)>, YamlError> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                let span = span.byte_range().unwrap_or_default();
                let span = span.start + self.shift..span.end + self.shift;
                Ok(Some((event, span)))
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset();
                let at = at.map_or(self.length, |at| (at + self.shift).min(self.length));
                let message = format!("this is not YAML: {}", error.info());
                Err(YamlError::syntax(message, at..at))
            }
        }
    }

    /// Reads the next event of a document, which ends before the stream does.
    fn next(&mut self) -> Result<(Event<'t>, Range<usize>), YamlError> {
        let end = self.length..self.length;
        let message = "this is not YAML: the text ends too early";
        let next = self.next_of_stream()?;
        next.ok_or_else(|| YamlError::syntax(message, end))
    }

    fn read_node(&mut self) -> Result<NodeId, YamlError> {
        let (event, span) = self.next()?;
        self.read_node_from(event, span)
    }

    fn read_node_from(
        &mut self,
        event: Event<'t>,
        span: Range<usize>,
    ) -> Result<NodeId, YamlError> {
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = match tag.as_deref().and_then(node_tag) {
                    Some(tag) => tag,
                    // A `!` alone makes even a text in quotes what it would be without them.
                    None if style == ScalarStyle::Plain || tag.is_some() => implicit_tag(&text),
                    None => Tag::Text,
                };
                let content = NodeContent::Scalar(text.into_owned());
                (YamlNode { tag, span, content }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let tag = tag.as_deref().and_then(node_tag).unwrap_or(Tag::Sequence);
                let (items, end) = self.read_items()?;
                let content = NodeContent::Sequence(items);
                let span = span.start..end;
                (YamlNode { tag, span, content }, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = tag.as_deref().and_then(node_tag).unwrap_or(Tag::Mapping);
                let (pairs, end) = self.read_pairs()?;
                let content = NodeContent::Mapping(pairs);
                let span = span.start..end;
                (YamlNode { tag, span, content }, anchor)
            }
            Event::Alias(id) => {
                let node = self.anchors.get(&id).copied();
                return node.ok_or_else(|| {
                    let hint = "write the value out, or put the alias elsewhere";
                    YamlError::value("this value would contain itself", hint, span)
                });
            }
            _ => {
                return Err(YamlError::syntax(
                    "this is not YAML: a value is missing",
                    span,
                ));
            }
        };
        let id = self.stream.nodes.len();
        self.stream.nodes.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        Ok(id)
    }

    fn read_items(&mut self) -> Result<(Vec<NodeId>, usize), YamlError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, span) => return Ok((items, span.end)),
                (event, span) => items.push(self.read_node_from(event, span)?),
            }
        }
    }

    fn read_pairs(&mut self) -> Result<(Vec<(NodeId, NodeId)>, usize), YamlError> {
        let mut pairs = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, span) => return Ok((pairs, span.end)),
                (event, span) => {
                    let key = self.read_node_from(event, span)?;
                    pairs.push((key, self.read_node()?));
                }
            }
        }
    }
}

/// Returns what a tag says; `None` for `!` alone, which says nothing.
fn node_tag(tag: &granit_parser::Tag) -> Option<Tag> {
    let Some(name) = tag.suffix_in_namespace(NAMESPACE) else {
        let nothing = matches!((tag.handle(), tag.suffix()), ("" | "!", "") | ("", "!"));
        return (!nothing).then(|| Tag::Unknown(tag.original()));
    };
    Some(match &*name {
        "null" => Tag::Null,
        "bool" => Tag::Bool,
        "int" => Tag::Integer,
        "float" => Tag::Float,
        "str" => Tag::Text,
        "binary" => Tag::Binary,
        "timestamp" => Tag::Timestamp,
        "seq" => Tag::Sequence,
        "map" => Tag::Mapping,
        "omap" => Tag::OrderedMap,
        "pairs" => Tag::Pairs,
        "set" => Tag::Set,
        "merge" => Tag::Merge,
        "value" => Tag::Value,
        _ => Tag::Unknown(tag.original()),
    })
}
