//! From nodes to Python's values.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::scalar::construct_scalar;
use super::{NodeContent, NodeId, Tag, YamlError, YamlNode, YamlStream};
use crate::data::Data;
use crate::data::dict::Dict;

/// How many values aliases and merges may add: beyond it lies only an attack.
const ALIAS_BUDGET: usize = 100_000;

/// How deep values may be nested.
const DEPTH_LIMIT: usize = 512;

/// Makes the values of all documents, each with its place.
pub(super) fn construct(stream: &YamlStream) -> Result<Vec<(Data, Range<usize>)>, YamlError> {
    let mut constructor = Constructor {
        stream,
        budget: stream.nodes.len() + ALIAS_BUDGET,
        depth: 0,
        flattened: BTreeMap::new(),
    };
    let documents = stream.documents.iter().map(|root| {
        let data = constructor.value(*root)?;
        Ok((data, stream.nodes[*root].span.clone()))
    });
    documents.collect()
}

struct Constructor<'s> {
    stream: &'s YamlStream,
    /// How many values may still be made.
    budget: usize,
    depth: usize,
    /// The pairs of mappings with those that `<<` brings.
    flattened: BTreeMap<NodeId, Rc<[(NodeId, NodeId)]>>,
}

impl<'s> Constructor<'s> {
    fn node(&self, id: NodeId) -> &'s YamlNode {
        &self.stream.nodes[id]
    }

    fn spend(&mut self, count: usize, span: &Range<usize>) -> Result<(), YamlError> {
        let Some(left) = self.budget.checked_sub(count) else {
            return Err(expands("aliases expand to too many values", span));
        };
        self.budget = left;
        Ok(())
    }

    fn value(&mut self, id: NodeId) -> Result<Data, YamlError> {
        let node = self.node(id);
        self.spend(1, &node.span)?;
        if self.depth > DEPTH_LIMIT {
            return Err(expands("values are nested too deeply", &node.span));
        }
        self.depth += 1;
        let value = match (&node.content, &node.tag) {
            (_, Tag::Unknown(tag)) => {
                let message = format!("makejinja reads no value of the tag `{tag}`");
                let hint = "remove the tag, or use one of YAML 1.1 such as `!!str`";
                Err(YamlError::value(message, hint, node.span.clone()))
            }
            (NodeContent::Scalar(text), tag) => construct_scalar(tag, text)
                .map_err(|(message, hint)| YamlError::value(message, hint, node.span.clone())),
            (NodeContent::Sequence(items), Tag::Sequence) => {
                let items = items.iter().map(|item| self.value(*item));
                items.collect::<Result<_, _>>().map(Data::List)
            }
            (NodeContent::Sequence(items), Tag::OrderedMap | Tag::Pairs) => {
                let pairs = items.iter().map(|item| self.pair(*item));
                pairs.collect::<Result<_, _>>().map(Data::List)
            }
            (NodeContent::Mapping(_), Tag::Mapping) => self.dict(id).map(Data::Map),
            (NodeContent::Mapping(_), Tag::Set) => {
                let keys = self.dict(id)?.into_iter().map(|(key, _)| key);
                Ok(Data::Set(keys.collect()))
            }
            _ => Err(YamlError::value(
                "the tag does not fit this value",
                "remove the tag",
                node.span.clone(),
            )),
        };
        self.depth -= 1;
        value
    }

    /// Makes the pair of a mapping with one entry.
    fn pair(&mut self, id: NodeId) -> Result<Data, YamlError> {
        let node = self.node(id);
        match &node.content {
            NodeContent::Mapping(pairs) if pairs.len() == 1 => {
                let (key, value) = pairs[0];
                Ok(Data::Tuple(vec![self.value(key)?, self.value(value)?]))
            }
            _ => Err(YamlError::value(
                "an ordered map is a list of mappings with one entry each",
                "write each entry as `- key: value`",
                node.span.clone(),
            )),
        }
    }

    fn dict(&mut self, id: NodeId) -> Result<Vec<(Data, Data)>, YamlError> {
        let mut dict = Dict::default();
        for (key, value) in self.flatten(id)?.iter() {
            let key_node = self.node(*key);
            let key = match (&key_node.content, &key_node.tag) {
                (NodeContent::Scalar(text), Tag::Value) => Data::Text(text.clone()),
                _ => self.value(*key)?,
            };
            let value = self.value(*value)?;
            if dict.insert(key, value).is_none() {
                return Err(YamlError::value(
                    "a list or mapping cannot be a key",
                    "use a text as the key",
                    key_node.span.clone(),
                ));
            }
        }
        Ok(dict.into_entries())
    }

    /// Returns the pairs of a mapping: first those that `<<` brings, then its own, of which later ones win.
    fn flatten(&mut self, id: NodeId) -> Result<Rc<[(NodeId, NodeId)]>, YamlError> {
        if let Some(known) = self.flattened.get(&id) {
            return Ok(Rc::clone(known));
        }
        let node = self.node(id);
        let NodeContent::Mapping(pairs) = &node.content else {
            return Err(YamlError::value(
                "`<<` takes a mapping, or a list of mappings",
                "put the key in quotes if it is no merge",
                node.span.clone(),
            ));
        };
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(expands("merges are nested too deeply", &node.span));
        }
        let mut merged = Vec::new();
        let mut own = Vec::new();
        for (key, value) in pairs {
            if self.node(*key).tag != Tag::Merge {
                own.push((*key, *value));
                continue;
            }
            // Of a list, the first mapping wins: it comes last.
            let sources = match &self.node(*value).content {
                NodeContent::Sequence(items) => items.iter().rev().copied().collect(),
                _ => vec![*value],
            };
            for source in sources {
                let pairs = self.flatten(source)?;
                self.spend(pairs.len(), &node.span)?;
                merged.extend(pairs.iter().copied());
            }
        }
        self.depth -= 1;
        merged.append(&mut own);
        let flattened: Rc<[_]> = merged.into();
        self.flattened.insert(id, Rc::clone(&flattened));
        Ok(flattened)
    }
}

fn expands(message: &str, span: &Range<usize>) -> YamlError {
    let hint = "write the values out that aliases repeat";
    YamlError::value(message, hint, span.clone())
}
