//! A file as SOPS walks it: every value and comment in order, each with where it stands.

mod comments;
mod gap;
mod visit;

pub(crate) use comments::column;

use std::borrow::Cow;
use std::sync::Arc;

use spanned_yaml::{Content as NodeContent, Entry, LoadError, Node, Route, Span};
use zeroize::Zeroizing;

use crate::json;
use crate::metadata::is_metadata;
use crate::value::{Kind, Value};

/// Whether a text is read before or after encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Plain text that is to be sealed: a top-level `sops` key is refused.
    Plain,
    /// A sealed file: the top-level `sops` key is its metadata.
    Sealed,
}

/// How a tree of values is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// YAML as go-yaml v3 reads it, one or more documents.
    Yaml,
    /// One JSON object (RFC 8259).
    Json,
}

/// Why a text cannot be sealed, or is no sealed file that could be read.
///
/// No variant holds a value, but keys may show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutlineError {
    /// The text is no YAML.
    #[error("{}", .0.message)]
    Yaml(LoadError),
    /// The text is no JSON.
    #[error("{0}")]
    Json(json::JsonError),
    /// The file says that it is of another version of YAML.
    #[error("the file asks for a version of YAML other than 1.1, and SOPS reads no other")]
    YamlVersion(Span),
    /// A document is a list or a single value.
    #[error("a document is not a mapping, which SOPS cannot encrypt")]
    NoMapping(Span),
    /// The key that SOPS keeps for the metadata is taken.
    #[error("there is a top-level key `sops`, which SOPS keeps for itself")]
    ReservedKey(Span),
    /// There is no value and no document.
    #[error("the file holds nothing that could be sealed")]
    Nothing,
    /// A tag that changes what a value is.
    #[error("there is a tag")]
    Tag(Span),
    /// A key that go-yaml does not read as a string.
    #[error("the key `{key}` is not a string")]
    Key {
        /// The key.
        key: String,
        /// Where it stands.
        span: Span,
    },
    /// A key that ends a line for go-yaml, by U+2028 or U+2029.
    #[error("there is a key over more than one line")]
    KeyOverLines(Span),
    /// An integer that SOPS refuses.
    #[error("there is a number beyond 64 bits")]
    BigNumber(Span),
}

impl OutlineError {
    /// Returns the bytes that it is about.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Yaml(error) => Some(error.span),
            Self::Json(error) => Some(error.span),
            Self::YamlVersion(span)
            | Self::NoMapping(span)
            | Self::ReservedKey(span)
            | Self::Tag(span)
            | Self::KeyOverLines(span)
            | Self::Key { span, .. }
            | Self::BigNumber(span) => Some(*span),
            Self::Nothing => None,
        }
    }
}

/// What stands at a place.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// A scalar, or a comment.
    Value(Value),
    /// Nothing.
    Null,
    /// A mapping without entries.
    EmptyMapping,
    /// A list without items.
    EmptySequence,
}

/// How a value or comment stands in the text, and thus how it is replaced.
#[derive(Clone, PartialEq, Eq)]
pub enum Spot {
    /// On its own in block YAML, in a collection whose keys or dashes stand `column` bytes from the
    /// left.
    Block {
        /// The bytes of the value.
        span: Span,
        /// The column of the collection.
        column: usize,
    },
    /// Inside braces or brackets, where commas and brackets have a meaning.
    Flow(Span),
    /// A `|` or `>` block: the header's signs, and the lines after the header line.
    Literal {
        /// The signs of the header.
        header: Span,
        /// From the end of the header line to the end of the last line.
        body: Span,
        /// The column of the collection that it stands in.
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
    /// Returns the bytes to point at.
    pub fn span(&self) -> Span {
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

/// How a value is tied to others of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// It stands below an anchor (`&name`), the bytes being those of the anchored value.
    Anchor(Span),
    /// It stands here through an alias (`*name`), the bytes being those of the alias.
    Alias(Span),
}

/// One value or comment.
#[derive(Clone)]
pub struct Leaf {
    /// The mapping keys that lead here; for a comment, to the collection it stands in.
    pub keys: Arc<[String]>,
    /// Where it stands, list positions included.
    pub route: Route,
    /// What stands there.
    pub content: Content,
    /// How it stands there.
    pub spot: Spot,
    /// The comments that govern it: those before it and before the values it lies in.
    pub comments: Vec<String>,
    /// Whether this is a comment that go-yaml may count to another value than we do: it stands on a
    /// line of its own, at another column than the entry after it.
    pub astray: bool,
    /// Whether this is a comment at the end of a document, at the column of a list that ends there: go-yaml counts it
    /// to the list as long as no metadata follows.
    pub loose: bool,
    /// Whether this is a comment that SOPS may lose when it writes the file: one in an empty list or mapping, or of an
    /// item of a list that is null.
    pub losable: bool,
    /// The anchor or alias that it stands below.
    pub tie: Option<Tie>,
}

impl Leaf {
    /// Makes one that is no comment; those that govern it are known later.
    fn of_value(
        keys: &Arc<[String]>,
        route: &Route,
        content: Content,
        spot: Spot,
        tie: Option<Tie>,
    ) -> Self {
        Self {
            keys: Arc::clone(keys),
            route: route.clone(),
            content,
            spot,
            comments: Vec::new(),
            astray: false,
            loose: false,
            losable: false,
            tie,
        }
    }

    /// Returns what AES-GCM authenticates along with the value. List positions are not part of it.
    pub fn context(&self) -> String {
        let mut context = self.keys.join(":");
        context.push(':');
        context
    }

    /// Returns whether this is a comment.
    pub fn is_comment(&self) -> bool {
        self.comment().is_some()
    }

    /// Returns the text when this is a comment.
    pub fn comment(&self) -> Option<&str> {
        match &self.content {
            Content::Value(value) if value.kind == Kind::Comment => Some(value.text.expose()),
            _ => None,
        }
    }
}

/// One document.
pub struct Document {
    /// Its values and comments, in order.
    pub leaves: Vec<Leaf>,
    /// The mapping of the document; an empty document has none.
    pub root: Option<Node>,
    /// Its metadata when the file is sealed.
    pub sops: Option<Entry>,
    /// The bytes of the document.
    pub span: Span,
}

/// A whole file in YAML or JSON.
///
/// A byte order mark at the start is no part of the text: SOPS drops it too.
pub struct Outline {
    /// The text as of [`as_read`]; what a span is about.
    pub text: Arc<Zeroizing<String>>,
    /// How it is written.
    pub notation: Notation,
    /// Its documents, in order.
    pub documents: Vec<Document>,
}

impl Outline {
    /// Reads a text, or says everything in it that SOPS cannot encrypt.
    ///
    /// # Errors
    /// All that is found, in order.
    pub fn read(text: &str, notation: Notation, state: State) -> Result<Self, Vec<OutlineError>> {
        let text = as_read(text, notation);
        let documents = load(&text, notation).map_err(|error| vec![error])?;
        Self::of(&text, notation, documents, state)
    }

    /// Reads a text that SOPS sealed; `None` when it did not.
    pub fn read_sealed(text: &str, notation: Notation) -> Option<Result<Self, Vec<OutlineError>>> {
        if !may_be_sealed(text) {
            return None;
        }
        let text = as_read(text, notation);
        let documents = load(&text, notation).ok()?;
        has_metadata(&documents).then(|| Self::of(&text, notation, documents, State::Sealed))
    }

    fn of(
        text: &str,
        notation: Notation,
        documents: Vec<spanned_yaml::Document>,
        state: State,
    ) -> Result<Self, Vec<OutlineError>> {
        let mut problems = Vec::new();
        if notation == Notation::Yaml {
            problems.extend(foreign_version(text, &documents));
        }
        let mut outline = Self {
            text: Arc::new(Zeroizing::new(text.to_owned())),
            notation,
            documents: Vec::new(),
        };
        for document in documents {
            let root = match root_of(&document) {
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
                problems.push(OutlineError::ReservedKey(entry.key_span));
            }
            let surroundings = visit::Surroundings {
                text,
                notation,
                document: &document,
                sops: sops.as_ref(),
                state,
            };
            // Comments alone are encrypted as well, beside the metadata to come.
            let empty = empty_mapping(document.root.span);
            let leaves = visit::leaves(
                &surroundings,
                root.as_ref().unwrap_or(&empty),
                &mut problems,
            );
            outline.documents.push(Document {
                leaves,
                root,
                sops,
                span: document.span,
            });
        }
        let mut roots = outline.documents.iter().map(|document| &document.root);
        if roots.all(Option::is_none) && problems.is_empty() {
            problems.push(OutlineError::Nothing);
        }
        if problems.is_empty() {
            Ok(outline)
        } else {
            Err(problems)
        }
    }

    /// Lists the values and comments of all documents, in order.
    pub fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.documents.iter().flat_map(|document| &document.leaves)
    }

    /// Returns whether both hold the same documents, keys, values and comments, however written.
    pub fn same_content(&self, other: &Self) -> bool {
        self.same_shape(other, |mine, theirs| mine.content == theirs.content)
    }

    /// Returns whether both hold the same documents and routes, with contents that `same` accepts.
    pub fn same_shape(&self, other: &Self, same: impl Fn(&Leaf, &Leaf) -> bool) -> bool {
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

/// Returns whether a text is a YAML or JSON file that SOPS sealed: a mapping with metadata below `sops`.
pub fn is_sealed(text: &str) -> bool {
    let sealed = |notation| {
        load(&as_read(text, notation), notation).is_ok_and(|documents| has_metadata(&documents))
    };
    may_be_sealed(text) && (sealed(Notation::Json) || sealed(Notation::Yaml))
}

/// Tells most files that are not without parsing them.
fn may_be_sealed(text: &str) -> bool {
    text.contains("sops") && text.contains("ENC[")
}

fn load(text: &str, notation: Notation) -> Result<Vec<spanned_yaml::Document>, OutlineError> {
    match notation {
        Notation::Yaml => spanned_yaml::load(text).map_err(OutlineError::Yaml),
        Notation::Json => json::load(text)
            .map(|document| vec![document])
            .map_err(OutlineError::Json),
    }
}

fn has_metadata(documents: &[spanned_yaml::Document]) -> bool {
    let mut roots = documents.iter().map(|document| &document.root);
    roots.any(|root| root.get("sops").is_some_and(is_metadata))
}

/// Finds a `%YAML` line with a version that go-yaml does not read.
fn foreign_version(text: &str, documents: &[spanned_yaml::Document]) -> Option<OutlineError> {
    let inside = |at| {
        documents
            .iter()
            .any(|document| (document.root.span.start..document.root.span.end).contains(&at))
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let version = line.strip_prefix("%YAML").map(str::trim);
        if version.is_some_and(|version| !version.starts_with("1.1")) && !inside(at) {
            let span = Span::new(at, at + line.trim_end().len());
            return Some(OutlineError::YamlVersion(span));
        }
        at += line.len();
    }
    None
}

/// Returns the text that all spans are about: a byte order mark at the start is no part of it, and in YAML a NEL
/// (U+0085) is a line break, as it is to go-yaml.
pub fn as_read(text: &str, notation: Notation) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    if notation == Notation::Yaml && text.contains('\u{85}') {
        return Cow::Owned(text.replace('\u{85}', "\n"));
    }
    Cow::Borrowed(text)
}

fn empty_mapping(span: Span) -> Node {
    Node {
        span,
        content: NodeContent::Mapping {
            entries: Vec::new(),
            flow: false,
        },
        alias_of: None,
        anchored: false,
    }
}

fn root_of(document: &spanned_yaml::Document) -> Result<Option<Node>, OutlineError> {
    let root = &document.root;
    match &root.content {
        NodeContent::Mapping { .. } if !root.anchored => Ok(Some(root.clone())),
        NodeContent::Scalar(_) if root.span.is_empty() => Ok(None),
        _ => Err(OutlineError::NoMapping(root.first_line_span())),
    }
}
