//! A file in plain text that is to be sealed.

use rand_core::CryptoRngCore;
use spanned_yaml::Span;
use zeroize::Zeroizing;

use crate::cipher::{DataKey, IV_BYTES};
use crate::keys::{Recipient, WrapError};
use crate::outline::{Leaf, Outline, OutlineError, State, Tie};
use crate::reader::OpenedFile;
use crate::rules::Layouts;
use crate::scope::{Scope, covered_value};
use crate::store::Store;

/// A file in plain text, read.
pub enum PlainFile {
    /// YAML or JSON, of which some values are encrypted.
    Tree(Outline),
    /// Bytes that are encrypted as a whole.
    Binary(Zeroizing<Vec<u8>>),
}

/// Why a file cannot be sealed as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlainError {
    /// The format is one that this crate does not know.
    #[error("{} files are not supported", .0.name())]
    Store(Store),
    /// The file is no text, and its format is one of texts.
    #[error("the file is not UTF-8")]
    NoText,
    /// The text holds what SOPS cannot encrypt.
    #[error("the file cannot be sealed")]
    Outline(Vec<OutlineError>),
}

/// Why a file cannot be sealed by a rule.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A comment decides what is encrypted, but not clearly of which value.
    #[error("a comment that decides what is encrypted is not aligned with what follows")]
    CommentAstray(Span),
    /// `unencrypted_comment_regex` matches the ciphertext of a comment as well: nobody could open the file.
    #[error("`unencrypted_comment_regex` also matches an encrypted comment")]
    MisreadComment(Span),
    /// An encrypted value has an anchor.
    #[error("there is an anchor in what is encrypted")]
    Anchor(Span),
    /// An encrypted value stands at its place through an alias.
    #[error("there is an alias in what is encrypted")]
    Alias(Span),
    /// The data key could not be wrapped.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// What was written does not read back as what it was: a defect of this crate, found before it costs a secret.
    #[error("the file was sealed, but does not read back as what it was")]
    SelfCheck,
}

/// How a file is to be sealed.
#[derive(Clone, Copy)]
pub struct SealTarget<'s> {
    /// What is encrypted.
    pub scope: &'s Scope,
    /// Whether the digest is over what is encrypted only.
    pub mac_only_encrypted: bool,
    /// Who can open the file.
    pub recipients: &'s [Recipient],
    /// How new metadata is laid out.
    pub layouts: &'s Layouts,
}

/// The random numbers of one file: drawn in the order of files, so that files may then be
/// encrypted in any order with the same result.
pub struct Draw {
    pub(crate) key: DataKey,
    pub(crate) ivs: Vec<[u8; IV_BYTES]>,
}

impl Draw {
    /// Draws a data key, and one nonce for every value that `scope` covers and one for the MAC.
    pub fn new(file: &PlainFile, scope: &Scope, entropy: &mut dyn CryptoRngCore) -> Self {
        let covered = match file {
            PlainFile::Tree(outline) => outline
                .leaves()
                .filter(|leaf| covered_value(leaf, scope).is_some())
                .count(),
            PlainFile::Binary(_) => 1,
        };
        Self::of(covered, entropy)
    }

    /// Draws as much as [`OpenedFile::rotate`] needs.
    pub fn for_rotation(file: &OpenedFile, entropy: &mut dyn CryptoRngCore) -> Self {
        let encrypted = file.tokens.iter().filter(|token| token.is_some());
        Self::of(encrypted.count(), entropy)
    }

    fn of(values: usize, entropy: &mut dyn CryptoRngCore) -> Self {
        let mut draw = || {
            let mut bytes = [0; 32];
            entropy.fill_bytes(&mut bytes);
            bytes
        };
        Self {
            key: DataKey::new(draw()),
            ivs: (0..=values).map(|_| draw()).collect(),
        }
    }
}

impl PlainFile {
    /// Reads a file of a format.
    ///
    /// # Errors
    /// Everything in it that SOPS or this crate cannot encrypt, whatever the rule.
    pub fn read(bytes: &[u8], store: Store) -> Result<Self, PlainError> {
        let notation = store.notation().ok_or(PlainError::Store(store))?;
        if store == Store::Binary {
            return Ok(Self::Binary(Zeroizing::new(bytes.to_vec())));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PlainError::NoText)?;
        let outline = Outline::read(text, notation, State::Plain).map_err(PlainError::Outline)?;
        Ok(Self::Tree(outline))
    }

    /// Returns the values and comments, if it has a structure.
    pub fn outline(&self) -> Option<&Outline> {
        match self {
            Self::Tree(outline) => Some(outline),
            Self::Binary(_) => None,
        }
    }

    /// Lists what stops the file from being sealed with this scope.
    pub fn unsealable(&self, scope: &Scope) -> Vec<SealError> {
        let leaves = self.outline().into_iter().flat_map(Outline::leaves);
        leaves.filter_map(|leaf| unsealable(leaf, scope)).collect()
    }
}

fn unsealable(leaf: &Leaf, scope: &Scope) -> Option<SealError> {
    if leaf.astray && leaf.comment().is_some_and(|text| scope.heeds(text)) {
        return Some(SealError::CommentAstray(leaf.spot.span()));
    }
    // What an alias stands for has comments of its own, which decide there as well.
    let sealed = covered_value(leaf, scope).is_some() || scope.is_by_comment();
    match leaf.tie.filter(|_| sealed)? {
        Tie::Anchor(span) => Some(SealError::Anchor(span)),
        Tie::Alias(span) => Some(SealError::Alias(span)),
    }
}
