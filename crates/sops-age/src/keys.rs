//! Whom a file is sealed for, and the private keys at hand.

mod keyring;
mod recipient;

pub use keyring::{IdentityFlaw, IdentityProblem, Keyring, USUAL_IDENTITY_FILE};
pub use recipient::{Recipient, Unfit, WrapError, WrappedKey};
