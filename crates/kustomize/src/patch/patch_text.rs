//! The text of a patch: what it holds, and where its parts stand in the file that the user wrote.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;
use spanned_yaml::{
    Content, Document, LoadError, Node, Resolver, Span, Style, load, load_last_of_equal_keys,
};

use super::super::field::{Field, ScalarKind, json_key};
use super::super::place::{Place, SourceFile};
use super::super::problem::{Problem, ProblemKind};
use super::super::refused_key::{refused_key, refused_key_problem};

/// What the text of a patch holds.
#[derive(Debug)]
pub(super) enum PatchContent {
    /// Nothing: it is empty, or holds comments only.
    Nothing,
    /// Objects to merge.
    Objects(Vec<Field>),
    /// A list of JSON 6902 operations.
    Operations(Field),
}

/// A text with the place of each of its bytes.
#[derive(Clone, Debug)]
pub(super) struct PatchText {
    text: String,
    file: Arc<SourceFile>,
    document: usize,
    /// The span of the text as a whole.
    whole: Span,
    /// For each line the offset in the text and in the file; empty where the text is not in the file as it is.
    lines: Vec<(usize, usize)>,
    /// Whether the documents of the file are those of the text.
    is_file: bool,
}

impl PatchText {
    /// Takes the text of a file.
    ///
    /// # Errors
    /// The file is no UTF-8 text.
    pub(super) fn of_file(file: &Arc<SourceFile>) -> Result<Self, Problem> {
        let text = file.text().map_err(|offset| {
            let place = Place::new(file, 0, Span::new(offset, offset));
            Problem::new(ProblemKind::Malformed, "the file is no UTF-8 text", &place)
        })?;
        Ok(Self {
            text: text.to_owned(),
            file: Arc::clone(file),
            document: 0,
            whole: Span::new(0, text.len()),
            lines: vec![(0, 0)],
            is_file: true,
        })
    }

    /// Takes the text that a field holds, without the white space around it.
    pub(super) fn of_field(field: &Field) -> Self {
        let full = field.as_text().unwrap_or_default();
        let place = field.place();
        let skipped = full.len() - full.trim_start().len();
        let mut lines = lines_in_file(full, place).unwrap_or_default();
        lines.retain_mut(|(inner, outer)| {
            *outer += skipped.saturating_sub(*inner);
            let end = full[*inner..]
                .find('\n')
                .map_or(full.len(), |end| *inner + end);
            *inner = inner.saturating_sub(skipped);
            end >= skipped
        });
        Self {
            text: full.trim().to_owned(),
            file: Arc::clone(&place.file),
            document: place.document,
            whole: place.span,
            lines,
            is_file: false,
        }
    }

    /// Returns whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the place of the text as a whole.
    pub(super) fn place(&self) -> Place {
        Place::new(&self.file, self.document, self.whole)
    }

    /// Reads what the text holds.
    ///
    /// # Errors
    /// The text is neither YAML with objects nor a list of operations.
    pub(super) fn read(&self) -> Result<PatchContent, Problem> {
        let documents = match self.load() {
            Ok(documents) => documents,
            Err(error) => {
                if let Some(operations) = self.operations_with_equal_keys(&error) {
                    return self.read_operations(&operations);
                }
                let place = Place::new(&self.file, self.document, self.span(error.span));
                return Err(Problem::new(ProblemKind::Malformed, error.message, &place));
            }
        };
        let first = documents.first().map(|document| &document.root);
        if let Some(Content::Sequence { items, .. }) = first.map(|root| &root.content)
            && !items.is_empty()
        {
            return self.read_operations(&documents);
        }
        self.read_objects(&documents)
    }

    /// Reads the objects that the text holds; as `read`, but a list of operations is refused too.
    pub(super) fn read_objects_only(&self) -> Result<Vec<Field>, Problem> {
        match self.read()? {
            PatchContent::Nothing => Ok(Vec::new()),
            PatchContent::Objects(objects) => Ok(objects),
            PatchContent::Operations(list) => Err(Problem::new(
                ProblemKind::Malformed,
                "a strategic merge patch is an object, not a list of operations",
                list.place(),
            )),
        }
    }

    fn load(&self) -> Result<Arc<Vec<Document>>, LoadError> {
        if self.text.starts_with('[') && self.text.contains('\t') {
            // JSON may hold tabs, between values only.
            return load(&self.text.replace('\t', " ")).map(Arc::new);
        }
        if self.is_file
            && let Ok(documents) = self.file.documents()
        {
            return Ok(Arc::clone(documents));
        }
        self.file.inner_documents(&self.text)
    }

    /// Reads a list of operations in which a key stands twice: kustomize takes the last one, as JSON does.
    fn operations_with_equal_keys(&self, error: &LoadError) -> Option<Vec<Document>> {
        error.first?;
        let documents = load_last_of_equal_keys(&self.text).ok()?;
        let items = documents.first()?.root.items()?;
        (!items.is_empty()).then_some(documents)
    }

    fn read_operations(&self, documents: &[Document]) -> Result<PatchContent, Problem> {
        if self.text.starts_with('[') && serde_json::from_str::<Value>(&self.text).is_err() {
            let message = "the patch starts with `[` and is no JSON";
            return Err(Problem::new(ProblemKind::Malformed, message, &self.place())
                .with_help("write strict JSON, or the operations as a YAML list with `-`"));
        }
        let Some(document) = documents.first() else {
            return Ok(PatchContent::Nothing);
        };
        let mut root = document.root.clone();
        read_as_yaml_1_1(&mut root, &self.text);
        let list = self.field(&root, 0);
        for item in list.items().unwrap_or_default() {
            if item.entries().is_none() && !item.is_null() {
                let message = "a patch that is a list holds mappings with `op` and `path`";
                return Err(Problem::new(ProblemKind::Malformed, message, item.place()));
            }
        }
        Ok(PatchContent::Operations(list))
    }

    fn read_objects(&self, documents: &[Document]) -> Result<PatchContent, Problem> {
        for document in documents {
            if let Some((span, kind)) = refused_key(&document.root, self.text.as_bytes()) {
                let place = Place::new(&self.file, self.document, self.span(span));
                return Err(refused_key_problem(kind, &place));
            }
        }
        let fields = documents.iter().enumerate().map(|(index, document)| {
            let mut field = self.field(&document.root, index);
            if self.is_file {
                field.origin.place.document = index;
            }
            field
        });
        let mut waiting: VecDeque<Field> = fields.filter(|field| !is_empty(field)).collect();
        let mut objects = Vec::new();
        while let Some(mut field) = waiting.pop_front() {
            demand_identity(&field)?;
            let kind = field.find_text(&["kind"]).unwrap_or_default();
            let items = kind.ends_with("List").then(|| field.remove("items"));
            match items.flatten() {
                None => objects.push(field),
                Some(items) if items.is_null() => {}
                Some(mut items) => {
                    if items.items().is_none() {
                        let message = "the `items` of a list are no list";
                        let place = items.place();
                        return Err(Problem::new(ProblemKind::Malformed, message, place));
                    }
                    waiting.extend(items.items_mut().map(std::mem::take).unwrap_or_default());
                }
            }
        }
        Ok(if objects.is_empty() {
            PatchContent::Nothing
        } else {
            PatchContent::Objects(objects)
        })
    }

    /// Takes a value of the text, with its places in the file.
    fn field(&self, node: &Node, document: usize) -> Field {
        if self.is_file {
            return Field::of_written(node, &self.file, document);
        }
        let mut node = node.clone();
        self.move_spans(&mut node);
        Field::of_written(&node, &self.file, self.document)
    }

    fn move_spans(&self, node: &mut Node) {
        node.span = self.span(node.span);
        if let Some(written) = &mut node.alias_of {
            **written = self.span(**written);
        }
        match &mut node.content {
            Content::Scalar(_) => {}
            Content::Sequence { items, .. } => {
                items.iter_mut().for_each(|item| self.move_spans(item));
            }
            Content::Mapping { entries, .. } => entries.iter_mut().for_each(|entry| {
                entry.key_span = self.span(entry.key_span);
                self.move_spans(&mut entry.value);
            }),
        }
    }

    fn span(&self, inner: Span) -> Span {
        match (self.offset(inner.start), self.offset(inner.end)) {
            (Some(start), Some(end)) => Span::new(start, end.max(start)),
            _ => self.whole,
        }
    }

    fn offset(&self, inner: usize) -> Option<usize> {
        let after = self.lines.partition_point(|(start, _)| *start <= inner);
        let (start, outer) = self.lines.get(after.checked_sub(1)?)?;
        Some((outer + inner - start).min(self.whole.end))
    }
}

fn is_empty(field: &Field) -> bool {
    field.is_null()
        || field.items().is_some_and(<[Field]>::is_empty)
        || field.entries().is_some_and(<[_]>::is_empty)
}

/// Demands what kustomize wants of every object in a patch.
fn demand_identity(field: &Field) -> Result<(), Problem> {
    let kind = field.find_text(&["kind"]).unwrap_or_default();
    let name = field.find_text(&["metadata", "name"]).unwrap_or_default();
    let missing = match (kind, name) {
        ("", _) => "kind",
        (kind, "") if !kind.ends_with("List") => "metadata.name",
        _ => return Ok(()),
    };
    let message = format!("the patch has no `{missing}`");
    let help = "a patch that is merged names its object by `apiVersion`, `kind` and `metadata.name`; with a `target` \
                any name will do";
    Err(Problem::new(ProblemKind::Malformed, message, field.place()).with_help(help))
}

/// Finds each line of a text in the file that it comes from; `None` where the file spells the text in another way.
fn lines_in_file(text: &str, place: &Place) -> Option<Vec<(usize, usize)>> {
    let source = place.file.text().ok()?;
    let written = source.get(place.span.start..place.span.end)?;
    for quote in ["", "\"", "'"] {
        let bare = written
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if bare == Some(text) && !text.contains('\n') {
            return Some(vec![(0, place.span.start + quote.len())]);
        }
    }
    let start = source[..place.span.start]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let mut outer = start;
    // A block starts at its first line that is not empty.
    let mut inner = text.len() - text.trim_start_matches('\n').len();
    let mut lines = Vec::new();
    let mut source_lines = source[start..].split_inclusive('\n');
    for line in text[inner..].split_inclusive('\n') {
        let written = source_lines.next()?;
        let content = line.strip_suffix('\n').unwrap_or(line);
        let bare = written.trim_end_matches(['\r', '\n']);
        let is_blank = content.is_empty() && bare.bytes().all(|byte| byte == b' ');
        let indent = if is_blank {
            bare.len()
        } else {
            let indent = bare.strip_suffix(content)?;
            indent
                .bytes()
                .all(|byte| byte == b' ')
                .then_some(indent.len())?
        };
        lines.push((inner, outer + indent));
        inner += line.len();
        outer += written.len();
    }
    Some(lines)
}

/// Reads `yes`, `off` and the like as booleans, and keys by what they are, as the reader of operations does.
fn read_as_yaml_1_1(node: &mut Node, text: &str) {
    match &mut node.content {
        Content::Scalar(scalar) => {
            if scalar.style == Style::Plain
                && let Value::Bool(value) = Resolver::Kubernetes.resolve(scalar)
            {
                scalar.text = value.to_string();
            }
            // A date is a text there.
            scalar.tagged_string |= ScalarKind::of(&scalar.text) == ScalarKind::Timestamp;
        }
        Content::Sequence { items, .. } => {
            items
                .iter_mut()
                .for_each(|item| read_as_yaml_1_1(item, text));
        }
        Content::Mapping { entries, .. } => entries.iter_mut().for_each(|entry| {
            entry.key = json_key(Resolver::Kubernetes, entry, text.as_bytes());
            read_as_yaml_1_1(&mut entry.value, text);
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(yaml: &str) -> Field {
        let file = SourceFile::new("kustomization.yaml", yaml.as_bytes());
        let documents = file.documents().expect("the file is YAML").clone();
        let root = Field::of_node(&documents[0].root, &file, 0);
        let patch = root.get("patch").expect("there is a patch");
        match PatchText::of_field(patch).read() {
            Ok(PatchContent::Operations(list)) => list,
            other => panic!("{other:?}"),
        }
    }

    fn written(field: &Field) -> String {
        let place = field.place();
        let text = place.file.text().expect("the file is text");
        text[place.span.start..place.span.end].to_owned()
    }

    #[test]
    fn values_of_a_block_stand_where_they_are_written() {
        let list = operations(
            "a: 1\npatch: |\n\n  - op: add\n    path: /spec\n\n    value: {b: yes}\n  - op: test\n",
        );
        let first = &list.items().expect("a list")[0];
        let value = first.find(&["value", "b"]).expect("a value");
        assert_eq!(written(value), "yes");
        assert_eq!(value.as_text(), Some("true"));
        assert_eq!(value.place().line_column(), (7, 16));
        let second = &list.items().expect("a list")[1];
        assert_eq!(written(second.get("op").expect("an operation")), "test");
        assert_eq!(second.place().line_column().0, 8);
    }

    #[test]
    fn values_of_a_quoted_line_stand_where_they_are_written() {
        let list = operations("patch: '[{\"op\": \"add\", \"path\": \"/a\", \"value\": 5}]'\n");
        let value = list.items().expect("a list")[0].get("value");
        assert_eq!(written(value.expect("a value")), "5");
    }

    #[test]
    fn values_of_a_folded_text_have_the_place_of_all_of_it() {
        let list = operations("patch: \"- op: add\\n  path: /a\\n  value: 5\\n\"\n");
        let value = list.items().expect("a list")[0].get("value");
        assert!(written(value.expect("a value")).starts_with("\"- op"));
    }
}
