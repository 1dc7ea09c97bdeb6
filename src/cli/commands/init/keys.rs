//! The keys of a project, made where they are missing.

use std::fmt::Write as _;

use age::secrecy::ExposeSecret as _;
use rand_core::{CryptoRngCore, OsRng};
use ssh_key::{Algorithm, LineEnding, PrivateKey};
use zeroize::Zeroizing;

use crate::cli::clock;
use crate::cli::credentials;
use crate::cli::error::CommandError;
use crate::cli::printer::Printer;
use crate::fs::{self, Access, Disk};
use crate::secret::{AGE_KEY, DEPLOY_KEY, Secret, WEBHOOK_TOKEN, recipients_in};

const DEPLOY_KEY_PUBLIC: &str = "deploy.key.pub";
const SOPS_RULES: &str = ".sops.yaml";

/// Makes the keys that a project lacks, readable by their owner only, and returns how many.
///
/// The age key is the one that all secrets are sealed for, so none is made for a project that has
/// sealing rules already: that would lock the owner out of what is there.
pub fn make_missing(disk: &Disk, printer: &mut Printer) -> Result<usize, CommandError> {
    let mut made = 0;
    if is_missing(disk, AGE_KEY) {
        refuse_to_replace(disk)?;
    }
    if [AGE_KEY, DEPLOY_KEY, WEBHOOK_TOKEN]
        .iter()
        .any(|name| is_missing(disk, name))
    {
        // First, so that there is no moment in which git would take a key.
        credentials::ignore(disk, printer)?;
    }
    if is_missing(disk, AGE_KEY) {
        let (text, recipient) = age_key();
        create(disk, AGE_KEY, &text, Access::Private)?;
        printer.status(format!(
            "created {AGE_KEY} for {recipient}; keep a copy in a safe place"
        ));
        made += 1;
    }
    if is_missing(disk, DEPLOY_KEY) {
        let (private, public) = deploy_key(&mut OsRng)?;
        create(disk, DEPLOY_KEY, &private, Access::Private)?;
        create(disk, DEPLOY_KEY_PUBLIC, &public, Access::Usual)?;
        printer.status(format!("created {DEPLOY_KEY} and {DEPLOY_KEY_PUBLIC}"));
        made += 1;
    }
    if is_missing(disk, WEBHOOK_TOKEN) {
        create(
            disk,
            WEBHOOK_TOKEN,
            &webhook_token(&mut OsRng),
            Access::Private,
        )?;
        printer.status(format!("created {WEBHOOK_TOKEN}"));
        made += 1;
    }
    Ok(made)
}

/// Makes a new age key, and returns the text of an `age.key` in which it stands above those that are there; nothing is written. The first key is the one that counts, and the others still open what is sealed for
/// them.
pub fn new_age_key(disk: &Disk) -> Result<Secret, CommandError> {
    let (text, _) = age_key();
    let old = Zeroizing::new(disk.peek(AGE_KEY)?.unwrap_or_default());
    let old = std::str::from_utf8(&old)
        .map_err(|_| CommandError::failed(format!("`{AGE_KEY}` is not UTF-8 text")))?;
    let both = Zeroizing::new(format!("{}{old}", text.expose()));
    Ok(Secret::new(both.as_str()))
}

/// Writes `age.key` as [`new_age_key`] made it; git is told to ignore it first.
pub fn write_age_key(
    disk: &Disk,
    text: &Secret,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    credentials::ignore(disk, printer)?;
    if is_missing(disk, AGE_KEY) {
        create(disk, AGE_KEY, text, Access::Private)?;
    } else {
        disk.replace(AGE_KEY, text.expose().as_bytes())?;
    }
    printer.status(format!(
        "put a new key into {AGE_KEY}; keep a copy in a safe place"
    ));
    Ok(())
}

fn is_missing(disk: &Disk, name: &str) -> bool {
    !disk.root().join(name).exists()
}

fn create(disk: &Disk, name: &str, text: &Secret, access: Access) -> Result<(), fs::Error> {
    disk.create(name, text.expose().as_bytes(), access)
}

fn refuse_to_replace(disk: &Disk) -> Result<(), CommandError> {
    let rules = disk.peek(SOPS_RULES)?.unwrap_or_default();
    let recipients = recipients_in(&String::from_utf8_lossy(&rules));
    if recipients.is_empty() {
        return Ok(());
    }
    let message = format!(
        "`{AGE_KEY}` is missing, but secrets here are sealed for {}",
        recipients.join(", ")
    );
    Err(CommandError::failed(message)
        .hint(format!("copy the key of that name back to `{AGE_KEY}`"))
        .hint("to replace it by a new one, copy it back and run `kiln secrets rekey --keygen`")
        .hint(format!(
            "if it is lost, remove `{SOPS_RULES}` and all sealed files to start over"
        )))
}

/// Makes an identity file as `age-keygen` writes it, and its recipient.
fn age_key() -> (Secret, String) {
    let identity = age::x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let text = format!(
        "# created: {}\n# public key: {recipient}\n{}\n",
        clock::now(),
        secret.expose_secret()
    );
    (Secret::new(text), recipient)
}

/// Makes an ed25519 key pair in OpenSSH's formats.
fn deploy_key(entropy: &mut impl CryptoRngCore) -> Result<(Secret, Secret), CommandError> {
    let failed =
        |error: ssh_key::Error| CommandError::failed("cannot make a deploy key").because(&error);
    let mut key = PrivateKey::random(entropy, Algorithm::Ed25519).map_err(failed)?;
    key.set_comment("flux");
    let private = key.to_openssh(LineEnding::LF).map_err(failed)?;
    let public = key.public_key().to_openssh().map_err(failed)?;
    Ok((
        Secret::new(private.as_str()),
        Secret::new(format!("{public}\n")),
    ))
}

/// Makes a token of 32 random bytes in hex.
fn webhook_token(entropy: &mut impl CryptoRngCore) -> Secret {
    let mut bytes = [0; 32];
    entropy.fill_bytes(&mut bytes);
    let mut token = String::with_capacity(65);
    for byte in bytes {
        write!(token, "{byte:02x}").expect("writing to a String cannot fail");
    }
    token.push('\n');
    Secret::new(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_an_age_key_that_age_reads() {
        let (text, recipient) = age_key();
        let key = text.expose().lines().last().unwrap();
        let identity: age::x25519::Identity = key.parse().unwrap();
        assert_eq!(identity.to_public().to_string(), recipient);
    }

    #[test]
    fn writes_a_deploy_key_that_ssh_reads() {
        let (private, public) = deploy_key(&mut OsRng).unwrap();
        let key = PrivateKey::from_openssh(private.expose()).unwrap();
        assert_eq!(
            format!("{}\n", key.public_key().to_openssh().unwrap()),
            public.expose()
        );
    }
}
