//! Whom a file is sealed for, and the private keys at hand.
//!
//! | kind | recipient | identity |
//! |---|---|---|
//! | X25519 | `age1…` | `AGE-SECRET-KEY-1…` |
//! | post-quantum | `age1pq1…` | `AGE-SECRET-KEY-PQ-1…` |
//! | SSH | `ssh-ed25519 AAAA…` | a private key of OpenSSH without a passphrase |
//! | plugin | `age1NAME1…` | `AGE-PLUGIN-NAME-1…` |
//!
//! Formats: the [age specification](https://c2sp.org/age), its [plugin protocol](https://c2sp.org/age-plugin), and
//! [`agessh`](https://pkg.go.dev/filippo.io/age/agessh). Private keys and data keys lie in memory that is wiped when they
//! are dropped; no `Debug`, error or message shows anything of them. Nothing here reads a file or the environment: both
//! are handed in as a [`KeyEnvironment`]. Programs of plugins and of commands are looked up in `$PATH`.
//!
//! ```
//! use sops_age::DataKey;
//! use sops_age::keys::{IdentityFile, Keyring, NativeKind, Recipient};
//!
//! let file = IdentityFile::generate(NativeKind::PostQuantum, "2026-11-30T12:00:00Z");
//! let recipient = Recipient::read(&file.recipient).unwrap();
//! let wrapped = recipient.wrap(&DataKey::new([7; 32])).unwrap();
//!
//! let (keyring, problems) = Keyring::parse(&[("age.key".to_owned(), file.text)]);
//! assert!(problems.is_empty());
//! assert_eq!(keyring.open(&[wrapped]).unwrap().bytes(), &[7; 32]);
//! ```

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
    IdentityFlaw, IdentityProblem, Keyring, USUAL_IDENTITY_FILE, UnlockError, UnlockObstacle,
};
pub use plugin::{PluginAccess, PluginDialog, PluginIdentity, PluginRecipient, PluginRefusal};
pub use post_quantum::{PostQuantumIdentity, PostQuantumRecipient};
pub use recipient::{
    ForeignKey, KeyKind, Recipient, Unfit, WrapError, WrapFailure, WrappedKey, is_same_recipient,
    shown_recipient,
};
pub use ssh::{SshIdentity, SshRecipient, SshRefusal};
