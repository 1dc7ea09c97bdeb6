//! From a sealed file to plain text.

use spanned_yaml::{Route, Span};
use zeroize::Zeroizing;

use crate::cipher::{DataKey, Token, looks_encrypted};
use crate::edit::{self, Edit};
use crate::keys::{Keyring, UnlockError};
use crate::mac::Mac;
use crate::metadata::{Metadata, MetadataError};
use crate::outline::{Content, Leaf, Notation, Outline, OutlineError, Spot, State};
use crate::scalar_text;
use crate::scope::{covered_value, is_covered};
use crate::store::Store;
use crate::value::{Kind, Value};

/// The key below which the binary store keeps the whole file.
pub(crate) const BINARY_KEY: &str = "data";

/// A file that SOPS sealed, with its metadata read.
pub struct SealedFile {
    /// What everybody can read of it.
    pub outline: Outline,
    /// What SOPS keeps about it.
    pub metadata: Metadata,
    store: Store,
}

/// Why a text is no sealed file that this crate can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// The format is one that this crate does not know.
    #[error("{} files are not supported", .0.name())]
    Store(Store),
    /// The text cannot be read at all.
    #[error("{}", first(.0))]
    Outline(Vec<OutlineError>),
    /// There is no metadata.
    #[error("the file has no top-level key `sops`")]
    NotSealed,
    /// The metadata is none that this crate can use.
    #[error("{problem}")]
    Metadata {
        /// What is wrong with it.
        problem: MetadataError,
        /// The key `sops`.
        span: Span,
    },
}

fn first(problems: &[OutlineError]) -> String {
    problems
        .first()
        .map_or_else(|| "the file cannot be read".to_owned(), ToString::to_string)
}

/// Why there is no data key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockedError {
    /// The file is sealed for other kinds of keys, or for nobody.
    #[error("the file is not sealed for any age key")]
    NoAgeKey {
        /// The kinds of keys, as the metadata names them.
        kinds: Vec<&'static str>,
    },
    /// No identity at hand opens it.
    #[error("no identity at hand opens the file")]
    NoIdentity(#[source] UnlockError),
}

/// Why a file does not open with its data key: it was changed since it was sealed, or is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A value that should be a ciphertext is none; it may be a secret, and has no place here.
    #[error("`{route}` should be encrypted and is not")]
    InPlain {
        /// Where it stands.
        route: Route,
    },
    /// A value looks like a ciphertext and is none.
    #[error("`{route}` is not a ciphertext that SOPS could have written")]
    Malformed {
        /// Where it stands.
        route: Route,
        /// The bytes of it.
        span: Span,
    },
    /// A ciphertext does not open.
    #[error("`{route}` does not decrypt: it was changed, or moved from another key or file")]
    Forged {
        /// Where it stands.
        route: Route,
        /// The bytes of it.
        span: Span,
    },
    /// All values open, and are not those of the digest.
    #[error("the file was changed after it was sealed: its MAC does not match")]
    Mac,
}

impl SealedFile {
    /// Reads a sealed file; `None` for any other text.
    ///
    /// # Errors
    /// A sealed file that cannot be read.
    pub fn find(text: &str, store: Store) -> Option<Result<Self, SealedError>> {
        let found = Outline::read_sealed(text, store.notation()?)?;
        Some(
            found
                .map_err(SealedError::Outline)
                .and_then(|outline| Self::of(outline, store)),
        )
    }

    /// Reads a text that should be a sealed file.
    ///
    /// # Errors
    /// What is none, or cannot be read.
    pub fn read(text: &str, store: Store) -> Result<Self, SealedError> {
        let notation = store.notation().ok_or(SealedError::Store(store))?;
        let outline = Outline::read(text, notation, State::Sealed).map_err(SealedError::Outline)?;
        Self::of(outline, store)
    }

    fn of(outline: Outline, store: Store) -> Result<Self, SealedError> {
        let mut documents = outline.documents.iter();
        let Some(entry) = documents.find_map(|document| document.sops.as_ref()) else {
            return Err(SealedError::NotSealed);
        };
        let metadata = Metadata::read(&entry.value).map_err(|problem| SealedError::Metadata {
            problem,
            span: entry.key_span,
        })?;
        Ok(Self {
            outline,
            metadata,
            store,
        })
    }

    /// Finds the data key with the identities at hand.
    ///
    /// # Errors
    /// None of them opens it.
    pub fn unlock(&self, keyring: &Keyring) -> Result<DataKey, LockedError> {
        if self.metadata.age.is_empty() {
            return Err(LockedError::NoAgeKey {
                kinds: self.metadata.foreign.clone(),
            });
        }
        keyring
            .open(&self.metadata.age)
            .map_err(LockedError::NoIdentity)
    }

    /// Decrypts every value and checks the MAC.
    ///
    /// # Errors
    /// The file was changed since it was sealed.
    pub fn open(self, key: DataKey) -> Result<OpenedFile, OpenError> {
        let Self {
            mut outline,
            metadata,
            store,
        } = self;
        let mut mac = Mac::new(metadata.mac_only_encrypted);
        let mut tokens = Vec::new();
        let mut bytes = None;
        let leaves = outline.documents.iter_mut();
        for leaf in leaves.flat_map(|document| &mut document.leaves) {
            // Before the content changes: a comment decides about its own scope by its sealed text.
            let covered = is_covered(leaf, &metadata.scope);
            if store == Store::Binary && leaf.keys.iter().eq([BINARY_KEY]) && covered {
                let (token, opened) = binary(leaf, &key)?;
                mac.add_bytes(&opened);
                bytes = Some(opened);
                tokens.push(Some(token));
                continue;
            }
            let opened = match covered_value(leaf, &metadata.scope) {
                None => None,
                Some(value) => match decrypt(leaf, value, &key) {
                    Ok(opened) => Some((value.text.expose().to_owned(), opened)),
                    // As in SOPS: a comment may have been added by hand, and counts for nothing.
                    Err(_) if leaf.is_comment() => None,
                    Err(problem) => return Err(problem),
                },
            };
            let (token, value) = opened.unzip();
            tokens.push(token);
            if let Some(value) = value {
                leaf.content = Content::Value(value);
            }
            mac.add(leaf, covered);
        }
        let stored = Token::read(&metadata.mac)
            .and_then(|token| key.decrypt(&token, &metadata.last_modified));
        let digest = mac.finish();
        let Some(mac) = stored.filter(|stored| stored.text.expose() == digest) else {
            return Err(OpenError::Mac);
        };
        if store == Store::Binary && bytes.is_none() {
            let route = Route::default().then(BINARY_KEY);
            return Err(OpenError::InPlain { route });
        }
        Ok(OpenedFile {
            outline,
            metadata,
            key,
            tokens,
            bytes,
            mac,
        })
    }
}

/// A file whose values were decrypted and whose MAC holds.
pub struct OpenedFile {
    /// The outline of the sealed text, with the contents in plain text.
    pub outline: Outline,
    /// What SOPS keeps about it.
    pub metadata: Metadata,
    pub(crate) key: DataKey,
    /// For each leaf in order, its ciphertext, if it was encrypted.
    pub(crate) tokens: Vec<Option<String>>,
    /// The whole content, if the store is binary.
    pub(crate) bytes: Option<Zeroizing<Vec<u8>>>,
    /// The digest of the plain text.
    pub(crate) mac: Value,
}

fn binary(leaf: &Leaf, key: &DataKey) -> Result<(String, Zeroizing<Vec<u8>>), OpenError> {
    let Content::Value(value) = &leaf.content else {
        return Err(OpenError::InPlain {
            route: leaf.route.clone(),
        });
    };
    let text = value.text.expose();
    if text.is_empty() {
        return Ok((String::new(), Zeroizing::default()));
    }
    let token = token(leaf, text)?;
    let opened = key.decrypt_bytes(&token, &leaf.context());
    let opened = opened.filter(|_| token.kind == Kind::Str);
    opened
        .map(|bytes| (text.to_owned(), bytes))
        .ok_or_else(|| forged(leaf))
}

fn token(leaf: &Leaf, text: &str) -> Result<Token, OpenError> {
    let route = || leaf.route.clone();
    Token::read(text).ok_or_else(|| {
        if looks_encrypted(text) {
            OpenError::Malformed {
                route: route(),
                span: leaf.spot.span(),
            }
        } else {
            OpenError::InPlain { route: route() }
        }
    })
}

fn forged(leaf: &Leaf) -> OpenError {
    OpenError::Forged {
        route: leaf.route.clone(),
        span: leaf.spot.span(),
    }
}

fn decrypt(leaf: &Leaf, value: &Value, key: &DataKey) -> Result<Value, OpenError> {
    let token = token(leaf, value.text.expose())?;
    let opened = key
        .decrypt(&token, &leaf.context())
        .ok_or_else(|| forged(leaf))?;
    // A type is not authenticated: nothing but a comment may turn into one, and back.
    if (opened.kind == Kind::Comment) != leaf.is_comment() {
        return Err(forged(leaf));
    }
    Ok(opened)
}

impl OpenedFile {
    /// Writes the file in plain text: values in the place of ciphertexts, no metadata.
    pub fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        if let Some(bytes) = &self.bytes {
            return bytes.clone();
        }
        let text = self.outline.text.as_str();
        let mut edits = Vec::new();
        for (leaf, token) in self.outline.leaves().zip(&self.tokens) {
            match (token, &leaf.content, &leaf.spot) {
                (Some(_), Content::Value(value), _) => edits.extend(self.plain(leaf, value)),
                // Its comments, as `sops` has them, are its only items.
                (None, Content::EmptySequence, Spot::Nothing(span)) if span.is_empty() => {
                    edits.push((*span, " []".to_owned()));
                }
                _ => {}
            }
        }
        for document in &self.outline.documents {
            if let Some(sops) = &document.sops {
                let flow = document
                    .root
                    .as_ref()
                    .is_some_and(|root| text[root.span.start..].starts_with('{'));
                let entry = Span::new(sops.key_span.start, sops.value.span.end);
                let piece = if flow {
                    flow_entry(text, entry)
                } else {
                    block_lines(text, entry)
                };
                edits.push((piece, String::new()));
            }
        }
        Zeroizing::new(edit::apply(text, edits).into_bytes())
    }

    fn plain(&self, leaf: &Leaf, value: &Value) -> Option<Edit> {
        let text = self.outline.text.as_str();
        let content = value.text.expose();
        let replacement = match &leaf.spot {
            Spot::Comment(span) | Spot::CommentItem(span) => {
                // A break would turn the rest of a comment into YAML.
                return Some((*span, format!("#{}", content.replace(['\n', '\r'], " "))));
            }
            Spot::Nothing(_) => return None,
            Spot::Flow(_) | Spot::Literal { .. } => self.scalar(value, scalar_text::quoted),
            Spot::Block { span, column } => {
                let ends_line = text[span.end..]
                    .trim_start_matches([' ', '\t', '\r'])
                    .starts_with('\n');
                let block = || scalar_text::block(content, column + 2).filter(|_| ends_line);
                self.scalar(value, |content| {
                    block().unwrap_or_else(|| scalar_text::inline(content))
                })
            }
        };
        Some((leaf.spot.span(), replacement))
    }

    fn scalar(&self, value: &Value, string: impl FnOnce(&str) -> String) -> String {
        let text = value.text.expose();
        let json = self.outline.notation == Notation::Json;
        match (value.kind, text) {
            (Kind::Str | Kind::Comment | Kind::Time, _) if json => crate::json::quoted(text),
            (Kind::Str | Kind::Comment, _) => string(text),
            (Kind::Bool, _) => text.to_ascii_lowercase(),
            (Kind::Float, "+Inf") => ".inf".to_owned(),
            (Kind::Float, "-Inf") => "-.inf".to_owned(),
            (Kind::Float, "NaN") => ".nan".to_owned(),
            (Kind::Int | Kind::Float | Kind::Time, _) => text.to_owned(),
        }
    }
}

/// The lines of an entry in block YAML.
pub(crate) fn block_lines(text: &str, entry: Span) -> Span {
    let start = text[..entry.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let end = text[entry.end..]
        .find('\n')
        .map_or(text.len(), |newline| entry.end + newline + 1);
    Span::new(start, end)
}

/// An entry in braces, with the comma that parts it from its neighbour.
fn flow_entry(text: &str, entry: Span) -> Span {
    let after = &text[entry.end..];
    let rest = after.trim_start();
    if let Some(rest) = rest.strip_prefix(',') {
        return Span::new(entry.start, text.len() - rest.trim_start_matches(' ').len());
    }
    let before = text[..entry.start].trim_end();
    let start = before.strip_suffix(',').map_or(entry.start, str::len);
    Span::new(start, entry.end)
}
