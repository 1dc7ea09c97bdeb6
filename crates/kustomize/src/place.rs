//! Files, places in them, and where a field comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::problem::{Problem, ProblemKind};
use spanned_yaml::{Document, LoadError, Node, Route, Span, load};

/// A file of the tree, read once and shared by all builds that use it.
///
/// `Debug` shows the path and the size only: the text may hold secrets.
pub struct SourceFile {
    /// The path below the root of the tree, with `/`.
    pub path: String,
    bytes: Arc<[u8]>,
    documents: OnceLock<Result<Arc<Vec<Document>>, SourceError>>,
    /// Those of texts that stand in it, by text.
    inner: Mutex<BTreeMap<String, Arc<Vec<Document>>>>,
}

/// Why the documents of a file cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// The file is no UTF-8 text; the offset of the first byte that is none.
    NotText(usize),
    /// The text is no YAML that kustomize reads.
    NotYaml(LoadError),
}

impl SourceError {
    /// Returns the error as a problem in the file.
    pub fn problem(&self, file: &Arc<SourceFile>) -> Problem {
        let (message, span) = match self {
            Self::NotText(offset) => (
                "the file is no UTF-8 text".to_owned(),
                Span::new(*offset, *offset),
            ),
            Self::NotYaml(error) => (error.message.clone(), error.span),
        };
        Problem::new(ProblemKind::Malformed, message, &Place::new(file, 0, span))
    }
}

impl SourceFile {
    /// Takes a file as it was read; its YAML is parsed when somebody asks for it.
    pub fn new(path: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            bytes: bytes.into(),
            documents: OnceLock::new(),
            inner: Mutex::default(),
        })
    }

    /// Takes a file whose YAML is parsed already.
    pub fn parsed(path: impl Into<String>, text: &str, documents: Arc<Vec<Document>>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            bytes: text.as_bytes().into(),
            documents: OnceLock::from(Ok(documents)),
            inner: Mutex::default(),
        })
    }

    /// Returns the bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the text of the file.
    ///
    /// # Errors
    /// The offset of the first byte that is no UTF-8.
    pub fn text(&self) -> Result<&str, usize> {
        str::from_utf8(&self.bytes).map_err(|error| error.valid_up_to())
    }

    /// Returns the YAML documents of the file, parsed at the first call.
    ///
    /// # Errors
    /// The file is no text or no YAML that kustomize reads.
    pub fn documents(&self) -> Result<&Arc<Vec<Document>>, &SourceError> {
        let documents = self.documents.get_or_init(|| {
            let text = self.text().map_err(SourceError::NotText)?;
            load(text).map(Arc::new).map_err(SourceError::NotYaml)
        });
        documents.as_ref()
    }

    /// Returns the YAML documents of a text that stands in the file, such as a patch.
    ///
    /// It is parsed once: what one Kustomization patches into a hundred others stands in each of their builds.
    pub(crate) fn inner_documents(&self, text: &str) -> Result<Arc<Vec<Document>>, LoadError> {
        let lock = || self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(text) {
            return Ok(Arc::clone(known));
        }
        let documents = Arc::new(load(text)?);
        lock().insert(text.to_owned(), Arc::clone(&documents));
        Ok(documents)
    }

    /// Returns line and column of a byte offset, both counted from 1, the column in characters.
    ///
    /// An offset past the end gives the end.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.bytes[..offset.min(self.bytes.len())];
        let line = before.split(|byte| *byte == b'\n').count();
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count();
        (line, column + 1)
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "SourceFile({}, {} bytes)",
            self.path,
            self.bytes.len()
        )
    }
}

/// Bytes of a file that somebody wrote.
#[derive(Clone)]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The index of the YAML document in the file; 0 for a file that is no YAML.
    pub document: usize,
    /// The bytes: of a value, or of a key where a field as a whole is meant.
    pub span: Span,
}

impl Place {
    /// Returns the place of bytes in a document of a file.
    pub fn new(file: &Arc<SourceFile>, document: usize, span: Span) -> Self {
        Self {
            file: Arc::clone(file),
            document,
            span,
        }
    }

    /// Returns line and column of the first byte, both counted from 1, the column in characters.
    pub fn line_column(&self) -> (usize, usize) {
        self.file.line_column(self.span.start)
    }

    /// Returns the place of the key whose value stands here; this place where it is no value of a key.
    #[must_use]
    pub fn of_key(&self) -> Self {
        let documents = self.file.documents().ok();
        let root = documents.and_then(|documents| documents.get(self.document));
        let route = self.route();
        match (root, route.0.last()) {
            (Some(document), Some(spanned_yaml::Step::Key(_))) => Self {
                span: document.root.span_of(&route),
                ..self.clone()
            },
            _ => self.clone(),
        }
    }

    /// Returns the route in the document to the value that starts here; the empty route where there is none.
    pub fn route(&self) -> Route {
        let documents = self.file.documents().ok();
        let root = documents.and_then(|documents| documents.get(self.document));
        let mut route = Route::default();
        if let Some(document) = root {
            find(&document.root, self.span, &mut route);
        }
        route
    }
}

/// Finds the outermost value of exactly these bytes.
fn find(node: &Node, span: Span, route: &mut Route) -> bool {
    if node.span == span {
        return true;
    }
    let steps: Vec<(spanned_yaml::Step, &Node)> = match (node.entries(), node.items()) {
        (Some(entries), _) => entries
            .iter()
            .map(|entry| (entry.key.as_str().into(), &entry.value))
            .collect(),
        (_, Some(items)) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (index.into(), item))
            .collect(),
        _ => Vec::new(),
    };
    for (step, child) in steps {
        route.0.push(step);
        if find(child, span, route) {
            return true;
        }
        route.0.pop();
    }
    false
}

/// Two places are equal when they are the same bytes of the same path.
impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.span == other.span
            && self.document == other.document
            && self.file.path == other.file.path
    }
}

impl Eq for Place {}

impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(formatter, "{}:{line}:{column}", self.file.path)
    }
}

/// Where the value of a field comes from: the place that decides it, and the ones that shaped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The place whose change changes the field: its own value, that of a patch, the entry of a generator.
    pub place: Place,
    shape: Option<Arc<OriginShape>>,
}

/// What else is known of an origin; most have nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OriginShape {
    places: Vec<Place>,
    of_secret: bool,
}

impl Origin {
    /// Returns the origin of a field that one place decides.
    pub fn new(place: Place) -> Self {
        Self { place, shape: None }
    }

    /// Lists the other places that have a part in the value: a prefix, an image's new tag, a variable.
    pub fn shaped_by(&self) -> &[Place] {
        self.shape.as_ref().map_or(&[], |shape| &shape.places)
    }

    /// Returns whether a value of a Secret has a part in the value: a replacement put it there.
    ///
    /// What stands in a Secret itself is not marked.
    pub fn is_of_secret(&self) -> bool {
        self.shape.as_ref().is_some_and(|shape| shape.of_secret)
    }

    /// Adds a place that has a part in the value.
    #[must_use]
    pub fn and(self, place: &Place) -> Self {
        if self.place == *place || self.shaped_by().contains(place) {
            return self;
        }
        self.reshaped(|shape| shape.places.push(place.clone()))
    }

    /// Adds all that has a part in another value, which becomes a part of this one.
    #[must_use]
    pub(crate) fn and_all(self, other: &Self) -> Self {
        let places = std::iter::once(&other.place).chain(other.shaped_by());
        let merged = places.fold(self, Self::and);
        if other.is_of_secret() {
            merged.of_secret()
        } else {
            merged
        }
    }

    /// Says that a value of a Secret has a part in the value.
    #[must_use]
    pub(crate) fn of_secret(self) -> Self {
        if self.is_of_secret() {
            return self;
        }
        self.reshaped(|shape| shape.of_secret = true)
    }

    fn reshaped(self, change: impl FnOnce(&mut OriginShape)) -> Self {
        let mut shape = self.shape.as_deref().cloned().unwrap_or_default();
        change(&mut shape);
        Self {
            place: self.place,
            shape: Some(Arc::new(shape)),
        }
    }
}

impl From<Place> for Origin {
    fn from(place: Place) -> Self {
        Self::new(place)
    }
}
