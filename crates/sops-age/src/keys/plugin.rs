//! Keys of age plugins: recipients `age1NAME1…`, identities `AGE-PLUGIN-NAME-1…`.
//!
//! The program `age-plugin-NAME` of `$PATH` does the work, over the [plugin protocol](https://c2sp.org/age-plugin). It
//! runs when a key of its kind wraps or opens something, never when one is read, and only where the caller gives
//! [`PluginAccess`]: whoever may write a rule file or a key file must not choose the programs that run. It may ask for a
//! touch or a PIN; whom it asks is up to a [`PluginDialog`].

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

/// Whether the programs of plugins may run, and whom they may ask.
#[derive(Clone, Default)]
pub enum PluginAccess {
    /// None may run.
    #[default]
    Denied,
    /// They may run; each question is answered by no.
    Silent,
    /// They may run, and ask.
    Asking(Arc<dyn PluginDialog>),
}

impl fmt::Debug for PluginAccess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Denied => "Denied",
            Self::Silent => "Silent",
            Self::Asking(_) => "Asking",
        })
    }
}

impl PluginAccess {
    /// Returns the dialog in the form that age hands around.
    fn dialog(&self, plugin: &str) -> Result<DialogHandle, PluginRefusal> {
        match self {
            Self::Denied => Err(PluginRefusal::Denied {
                program: program_of(plugin),
            }),
            Self::Silent => Ok(DialogHandle(None)),
            Self::Asking(dialog) => Ok(DialogHandle(Some(Arc::clone(dialog)))),
        }
    }
}

/// A dialog, or nobody who can be asked.
#[derive(Clone)]
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

/// Why the program of a plugin does not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginRefusal {
    /// It is not installed.
    #[error("the program `{program}` is not in `$PATH`")]
    Missing {
        /// Its name: `age-plugin-NAME`.
        program: String,
    },
    /// The caller did not allow it.
    #[error("the program `{program}` may not run here")]
    Denied {
        /// Its name: `age-plugin-NAME`.
        program: String,
    },
}

fn program_of(plugin: &str) -> String {
    format!("age-plugin-{plugin}")
}

/// The name is sound, since the key was read: what cannot be resolved is not there.
fn missing(plugin: &str) -> impl FnOnce(ResolveError) -> PluginRefusal {
    let program = program_of(plugin);
    |_| PluginRefusal::Missing { program }
}

/// A public key of a plugin.
#[derive(Clone)]
pub struct PluginRecipient {
    key: age::plugin::Recipient,
    access: PluginAccess,
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
            access: PluginAccess::default(),
        })
    }

    /// Returns the `NAME` in `age-plugin-NAME`.
    pub fn plugin(&self) -> &str {
        self.key.plugin()
    }

    /// Says whether the program may run, and whom it may ask.
    #[must_use]
    pub fn with_access(self, access: PluginAccess) -> Self {
        Self { access, ..self }
    }

    pub(super) fn connect(&self) -> Result<RecipientPluginV1<DialogHandle>, PluginRefusal> {
        let dialog = self.access.dialog(self.plugin())?;
        let own = std::slice::from_ref(&self.key);
        RecipientPluginV1::new(self.plugin(), own, &[], dialog).map_err(missing(self.plugin()))
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

/// A private key of a plugin: often only the name of a key that never leaves a token.
///
/// Wiped when dropped, but for the copy that the `age` crate makes while the plugin runs; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct PluginIdentity {
    name: String,
    text: Secret,
    access: PluginAccess,
}

impl PluginIdentity {
    /// Reads a private key.
    ///
    /// # Errors
    /// What is wrong with the text, or that no plugin can be called so.
    pub fn read(text: &str) -> Result<Self, KeyDamage> {
        bech32_text::decode(text)?;
        let key: age::plugin::Identity = text.parse().map_err(|_| KeyDamage::NoKey)?;
        Ok(Self {
            name: key.plugin().to_owned(),
            text: Secret::new(text),
            access: PluginAccess::default(),
        })
    }

    /// Returns the `NAME` in `age-plugin-NAME`.
    pub fn plugin(&self) -> &str {
        &self.name
    }

    /// Says whether the program may run, and whom it may ask.
    #[must_use]
    pub fn with_access(self, access: PluginAccess) -> Self {
        Self { access, ..self }
    }

    pub(super) fn connect(&self) -> Result<IdentityPluginV1<DialogHandle>, PluginRefusal> {
        let dialog = self.access.dialog(&self.name)?;
        let own: Vec<age::plugin::Identity> = self.text.expose().parse().into_iter().collect();
        IdentityPluginV1::new(&self.name, &own, dialog).map_err(missing(&self.name))
    }
}

impl fmt::Debug for PluginIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PluginIdentity({})", self.name)
    }
}
