//! A YAML file as SOPS walks it: every value and comment in order, each with where it stands.

mod comments;
mod gap;
mod visit;

use std::sync::Arc;

use super::metadata::is_metadata;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::yaml::{self, Content as NodeContent, Entry, Node, Route};
use sops_age::value::{Kind, Value};

/// Whether a text is read before or after encryption.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Plain text that is to be sealed: a top-level `sops` key is refused.
    Plain,
    /// A sealed file: the top-level `sops` key is its metadata.
    Sealed,
}

/// What stands at a place.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// A scalar, or a comment.
    Value(Value),
    Null,
    EmptyMapping,
    EmptySequence,
}

/// How a value or comment stands in the text, and thus how it is replaced.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Spot {
    /// On its own in block YAML, in a collection whose keys or dashes stand `column` bytes from the
    /// left.
    Block { span: Span, column: usize },
    /// Inside braces or brackets, where commas and brackets have a meaning.
    Flow(Span),
    /// A `|` or `>` block: the header's signs, and the lines after the header line.
    Literal {
        header: Span,
        body: Span,
        column: usize,
    },
    /// A comment with its `#`.
    Comment(Span),
    /// An item of a list, from its dash, that `sops` made of a comment.
    CommentItem(Span),
    /// Nothing that could be replaced.
    Nothing(Span),
}

impl Spot {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Block { span, .. }
            | Self::Flow(span)
            | Self::Comment(span)
            | Self::CommentItem(span)
            | Self::Nothing(span) => *span,
            Self::Literal { header, .. } => *header,
        }
    }
}

/// One value or comment.
#[derive(Clone)]
pub(super) struct Leaf {
    /// The mapping keys that lead here; for a comment, to the collection it stands in.
    pub(super) keys: Arc<[String]>,
    /// Where it stands, list positions included.
    pub(super) route: Route,
    pub(super) content: Content,
    pub(super) spot: Spot,
    /// The comments that govern it: those before it and before the values it lies in.
    pub(super) comments: Vec<String>,
    /// Whether this is a comment that go-yaml may count to another value than we do: it stands on a
    /// line of its own, at another column than the entry after it.
    pub(super) astray: bool,
}

impl Leaf {
    /// Returns what AES-GCM authenticates along with the value. List positions are not part of it.
    pub(super) fn context(&self) -> String {
        let mut context = self.keys.join(":");
        context.push(':');
        context
    }

    pub(super) fn is_comment(&self) -> bool {
        matches!(&self.content, Content::Value(value) if value.kind == Kind::Comment)
    }

    /// Returns the text when this is a comment.
    pub(super) fn comment(&self) -> Option<&str> {
        match &self.content {
            Content::Value(value) if value.kind == Kind::Comment => Some(value.text.expose()),
            _ => None,
        }
    }
}

/// One document.
pub(super) struct Document {
    pub(super) leaves: Vec<Leaf>,
    /// The mapping of the document; an empty document has none.
    pub(super) root: Option<Node>,
    /// Its metadata when the file is sealed.
    pub(super) sops: Option<Entry>,
    /// The bytes of the document.
    pub(super) span: Span,
}

/// A whole file.
pub(super) struct Outline {
    pub(super) source: Arc<Source>,
    pub(super) documents: Vec<Document>,
}

impl Outline {
    /// Reads a text, or says everything in it that SOPS or Kiln cannot encrypt.
    ///
    /// A byte order mark at the start is left out: it is no part of any value, and SOPS drops it too.
    pub(super) fn read(source: &Arc<Source>, state: State) -> Result<Self, Vec<Diagnostic>> {
        let source = without_mark(source);
        let documents = yaml::load(&source.text)
            .map_err(|error| vec![yaml::diagnose(&error, "yaml-syntax", &source)])?;
        Self::of(&source, documents, state)
    }

    /// Reads a text that SOPS sealed; `None` when it did not.
    pub(super) fn read_sealed(source: &Arc<Source>) -> Option<Result<Self, Vec<Diagnostic>>> {
        if !may_be_sealed(&source.text) {
            return None;
        }
        let source = without_mark(source);
        let documents = yaml::load(&source.text).ok()?;
        has_metadata(&documents).then(|| Self::of(&source, documents, State::Sealed))
    }

    fn of(
        source: &Arc<Source>,
        documents: Vec<yaml::Document>,
        state: State,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::from_iter(foreign_version(source, &documents));
        let mut outline = Self {
            source: Arc::clone(source),
            documents: Vec::new(),
        };
        for document in documents {
            let root = match root_of(source, &document) {
                Ok(root) => root,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let mut sops = None;
            let root = root.map(|mut root| {
                if let NodeContent::Mapping { entries, .. } = &mut root.content
                    && let Some(at) = entries.iter().position(|entry| entry.key == "sops")
                {
                    sops = Some(entries.remove(at));
                }
                root
            });
            if let (State::Plain, Some(entry)) = (state, &sops) {
                problems.push(reserved_key(source, entry));
            }
            let leaves = match &root {
                Some(root) => {
                    visit::leaves(source, root, &document, sops.as_ref(), state, &mut problems)
                }
                None => Vec::new(),
            };
            outline.documents.push(Document {
                leaves,
                root,
                sops,
                span: document.span,
            });
        }
        if outline
            .documents
            .iter()
            .all(|document| document.root.is_none())
            && problems.is_empty()
        {
            let message = format!("`{}` holds nothing that could be sealed", source.path);
            problems.push(Diagnostic::error("unsealable-yaml", message));
        }
        if problems.is_empty() {
            Ok(outline)
        } else {
            Err(problems)
        }
    }

    /// Lists the values and comments of all documents, in order.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.documents.iter().flat_map(|document| &document.leaves)
    }

    /// Returns whether both hold the same documents, keys, values and comments, however written.
    pub(super) fn same_content(&self, other: &Self) -> bool {
        self.same_shape(other, |mine, theirs| mine.content == theirs.content)
    }

    /// Returns whether both hold the same documents and routes, with contents that `same` accepts.
    pub(super) fn same_shape(&self, other: &Self, same: impl Fn(&Leaf, &Leaf) -> bool) -> bool {
        // An empty document becomes a mapping when the metadata is added, with nothing else in it.
        let equal = |mine: &Document, theirs: &Document| {
            mine.leaves.len() == theirs.leaves.len()
                && mine
                    .leaves
                    .iter()
                    .zip(&theirs.leaves)
                    .all(|(mine, theirs)| {
                        mine.route == theirs.route
                            && mine.is_comment() == theirs.is_comment()
                            && same(mine, theirs)
                    })
        };
        self.documents.len() == other.documents.len()
            && self
                .documents
                .iter()
                .zip(&other.documents)
                .all(|(mine, theirs)| equal(mine, theirs))
    }
}

/// Returns whether a text is a file that SOPS sealed: a mapping with metadata below `sops`.
pub(super) fn is_sealed(text: &str) -> bool {
    may_be_sealed(text) && yaml::load(text).is_ok_and(|documents| has_metadata(&documents))
}

/// Tells most files that are not without parsing them.
fn may_be_sealed(text: &str) -> bool {
    text.contains("sops") && text.contains("ENC[")
}

fn has_metadata(documents: &[yaml::Document]) -> bool {
    let mut roots = documents.iter().map(|document| &document.root);
    roots.any(|root| root.get("sops").is_some_and(is_metadata))
}

/// Finds a `%YAML` line with a version that go-yaml does not read.
fn foreign_version(source: &Arc<Source>, documents: &[yaml::Document]) -> Option<Diagnostic> {
    let inside = |at| {
        documents
            .iter()
            .any(|document| (document.root.span.start..document.root.span.end).contains(&at))
    };
    let mut at = 0;
    for line in source.text.split_inclusive('\n') {
        let version = line.strip_prefix("%YAML").map(str::trim);
        if version.is_some_and(|version| !version.starts_with("1.1")) && !inside(at) {
            let message = format!(
                "`{}` asks for a version of YAML other than 1.1, and SOPS reads no other",
                source.path
            );
            let span = Span::new(at, at + line.trim_end().len());
            let problem = Diagnostic::error("unsealable-yaml", message).at(source, span, "");
            return Some(problem.with_hint("remove the `%YAML` line"));
        }
        at += line.len();
    }
    None
}

fn without_mark(source: &Arc<Source>) -> Arc<Source> {
    let Some(text) = source.text.strip_prefix('\u{FEFF}') else {
        return Arc::clone(source);
    };
    let path = source.path.clone();
    if source.sensitive {
        Source::sensitive(path, text)
    } else {
        Source::new(path, text)
    }
}

fn root_of(source: &Arc<Source>, document: &yaml::Document) -> Result<Option<Node>, Diagnostic> {
    let root = &document.root;
    match &root.content {
        NodeContent::Mapping { .. } if !root.anchored => Ok(Some(root.clone())),
        NodeContent::Scalar(_) if root.span.is_empty() => Ok(None),
        _ => Err(Diagnostic::error(
            "unsealable-yaml",
            format!(
                "a document of `{}` is not a mapping, which SOPS cannot encrypt",
                source.path
            ),
        )
        .at(source, root.first_line_span(), "")
        .with_hint("put the value below a key")),
    }
}

fn reserved_key(source: &Arc<Source>, entry: &Entry) -> Diagnostic {
    Diagnostic::error(
        "unsealable-yaml",
        format!(
            "`{}` has a top-level key `sops`, which SOPS keeps for itself",
            source.path
        ),
    )
    .at(source, entry.key_span, "")
    .with_hint("rename the key; if this file is sealed already, render its plain text instead")
}
