//! Whom a file is sealed for, and the private keys at hand.

mod bech32_text;
mod identity;
mod key_command;
mod key_source;
mod keyring;
mod plugin;
mod post_quantum;
mod recipient;
mod ssh;
mod x_wing;

pub use bech32_text::KeyDamage;
pub use identity::{Identity, IdentityFile, IdentityRefusal, NativeKind};
pub use key_command::{KeyCommand, KeyCommandError};
pub use key_source::{
    FoundKeys, KeyEnvironment, KeyFile, KeySourceProblem, KeySources, UserSystem,
};
pub use keyring::{
    IdentityFlaw, IdentityProblem, Keyring, OpenError, OpenObstacle, USUAL_IDENTITY_FILE,
};
pub use plugin::{MissingPlugin, PluginDialog, PluginIdentity, PluginRecipient};
pub use post_quantum::{PostQuantumIdentity, PostQuantumRecipient};
pub use recipient::{
    ForeignKey, KeyKind, Recipient, Unfit, WrapError, WrapFailure, WrappedKey, is_same_recipient,
    shown_recipient,
};
pub use ssh::{SshIdentity, SshRecipient, SshRefusal};
