//! Keys of age plugins: recipients `age1NAME1…`, identities `AGE-PLUGIN-NAME-1…`.
//!
//! The program `age-plugin-NAME` of `$PATH` does the work, over the [plugin protocol](https://c2sp.org/age-plugin). It
//! runs when a key of its kind wraps or opens something, never when one is read. It may ask for a touch or a PIN; whom it
//! asks is up to a [`PluginDialog`], and without one every question is answered by no.

use std::fmt;
use std::sync::Arc;

use age::plugin::{IdentityPluginV1, RecipientPluginV1, ResolveError};
use age::secrecy::SecretString;

use super::bech32_text::{self, KeyDamage};
use crate::secret::Secret;

/// Where the questions and messages of plugins go.
///
/// Each answer is `None` where nobody can be asked.
pub trait PluginDialog: Send + Sync {
    /// Shows a message, such as the request to touch a token.
    fn show(&self, message: &str);

    /// Asks for one of two answers; `true` is `yes`.
    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool>;

    /// Asks for something that may be seen.
    fn ask(&self, message: &str) -> Option<String>;

    /// Asks for something that must not be seen, such as a PIN.
    fn ask_secret(&self, message: &str) -> Option<Secret>;
}

/// A dialog in the form that age hands around; empty where nobody can be asked.
#[derive(Clone, Default)]
pub(super) struct DialogHandle(Option<Arc<dyn PluginDialog>>);

impl age::Callbacks for DialogHandle {
    fn display_message(&self, message: &str) {
        if let Some(dialog) = &self.0 {
            dialog.show(message);
        }
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        self.0.as_ref()?.confirm(message, yes, no)
    }

    fn request_public_string(&self, message: &str) -> Option<String> {
        self.0.as_ref()?.ask(message)
    }

    fn request_passphrase(&self, message: &str) -> Option<SecretString> {
        let secret = self.0.as_ref()?.ask_secret(message)?;
        Some(SecretString::from(secret.expose().to_owned()))
    }
}

/// Joins what a plugin says of its failure into one line without control characters.
///
/// Taken as texts, since age does not let anybody name the type of its errors.
pub(super) fn told_by<P: fmt::Display>(problems: &[P]) -> String {
    let told: Vec<String> = problems
        .iter()
        .map(|problem| one_line(&problem.to_string()))
        .collect();
    told.join("; ")
}

/// Replaces line breaks and control characters, and the marks for directions of text, by spaces.
pub(super) fn one_line(text: &str) -> String {
    let breaks = |letter: char| {
        letter.is_control()
            || letter.is_whitespace()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let words: Vec<&str> = text.split(breaks).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// The program of a plugin that is not installed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program `{program}` is not in `$PATH`")]
pub struct MissingPlugin {
    /// Its name: `age-plugin-NAME`.
    pub program: String,
}

impl MissingPlugin {
    fn new(name: &str, problem: ResolveError) -> Self {
        let program = match problem {
            ResolveError::MissingPlugin { binary_name } => binary_name,
            _ => format!("age-plugin-{name}"),
        };
        Self { program }
    }
}

/// A public key of a plugin.
#[derive(Clone)]
pub struct PluginRecipient {
    key: age::plugin::Recipient,
    dialog: DialogHandle,
}

/// A private key of a plugin: often only the name of a key that never leaves a token.
///
/// `Debug` shows nothing of it.
#[derive(Clone)]
pub struct PluginIdentity {
    key: age::plugin::Identity,
    dialog: DialogHandle,
}

impl PluginRecipient {
    /// Reads a public key.
    ///
    /// # Errors
    /// What is wrong with the text, or that no plugin can be called so.
    pub fn read(text: &str) -> Result<Self, KeyDamage> {
        bech32_text::decode(text)?;
        Ok(Self {
            key: text.parse().map_err(|_| KeyDamage::NoKey)?,
            dialog: DialogHandle::default(),
        })
    }

    /// Returns the `NAME` in `age-plugin-NAME`.
    pub fn plugin(&self) -> &str {
        self.key.plugin()
    }

    /// Has the questions of the plugin asked.
    #[must_use]
    pub fn with_dialog(self, dialog: Arc<dyn PluginDialog>) -> Self {
        let dialog = DialogHandle(Some(dialog));
        Self { dialog, ..self }
    }

    pub(super) fn connect(&self) -> Result<RecipientPluginV1<DialogHandle>, MissingPlugin> {
        let own = std::slice::from_ref(&self.key);
        RecipientPluginV1::new(self.plugin(), own, &[], self.dialog.clone())
            .map_err(|problem| MissingPlugin::new(self.plugin(), problem))
    }
}

impl fmt::Display for PluginRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(formatter)
    }
}

impl fmt::Debug for PluginRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PluginRecipient({self})")
    }
}

impl PluginIdentity {
    /// Reads a private key.
    ///
    /// # Errors
    /// What is wrong with the text, or that no plugin can be called so.
    pub fn read(text: &str) -> Result<Self, KeyDamage> {
        bech32_text::decode(text)?;
        Ok(Self {
            key: text.parse().map_err(|_| KeyDamage::NoKey)?,
            dialog: DialogHandle::default(),
        })
    }

    /// Returns the `NAME` in `age-plugin-NAME`.
    pub fn plugin(&self) -> &str {
        self.key.plugin()
    }

    /// Has the questions of the plugin asked.
    #[must_use]
    pub fn with_dialog(self, dialog: Arc<dyn PluginDialog>) -> Self {
        let dialog = DialogHandle(Some(dialog));
        Self { dialog, ..self }
    }

    pub(super) fn connect(&self) -> Result<IdentityPluginV1<DialogHandle>, MissingPlugin> {
        let own = std::slice::from_ref(&self.key);
        IdentityPluginV1::new(self.plugin(), own, self.dialog.clone())
            .map_err(|problem| MissingPlugin::new(self.plugin(), problem))
    }
}

impl fmt::Debug for PluginIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PluginIdentity({})", self.plugin())
    }
}
