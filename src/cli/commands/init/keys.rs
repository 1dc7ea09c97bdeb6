//! The keys of a project, made where they are missing.

use base16ct::HexDisplay;
use clap::ValueEnum;
use rand_core::{CryptoRngCore, OsRng};
use sops_age::RULE_FILE;
use sops_age::keys::{IdentityFile, NativeKind, shown_recipient};
use ssh_key::{Algorithm, LineEnding, PrivateKey};
use zeroize::Zeroizing;

use crate::cli::clock;
use crate::cli::credentials;
use crate::cli::error::CommandError;
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::fs::{self, Access, Disk};
use crate::pipeline::{self, KeyHandling};
use crate::secret::{AGE_KEY, DEPLOY_KEY, Secret, WEBHOOK_TOKEN, recipients_in};
use crate::tree::App;

const DEPLOY_KEY_PUBLIC: &str = "deploy.key.pub";

/// Makes the keys that a project lacks, readable by their owner only, and returns how many.
///
/// The age key is the one that all secrets are sealed for, so none is made for a project that has
/// sealing rules already: that would lock the owner out of what is there.
pub fn make_missing(
    disk: &Disk,
    kind: Option<KeyType>,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<usize, CommandError> {
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
        let kind = kind.unwrap_or_else(|| usual_type(disk, settings));
        let file = kind.generate();
        create(disk, AGE_KEY, &file.text, Access::Private)?;
        printer.status(format!(
            "created {AGE_KEY} for {}; keep a copy in a safe place",
            shown_recipient(&file.recipient)
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

/// Makes a new age key, and returns the text of an `age.key` in which it stands above those that are there; nothing is
/// written. The first key is the one that counts, and the others still open what is sealed for them.
pub fn new_age_key(
    disk: &Disk,
    kind: Option<KeyType>,
    settings: &Settings,
) -> Result<Secret, CommandError> {
    let kind = kind.unwrap_or_else(|| usual_type(disk, settings));
    let text = kind.generate().text;
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

fn create(disk: &Disk, name: &str, text: &Secret, access: Access) -> Result<(), fs::DiskError> {
    disk.create(name, text.expose().as_bytes(), access)
}

fn refuse_to_replace(disk: &Disk) -> Result<(), CommandError> {
    let rules = disk.peek(RULE_FILE)?.unwrap_or_default();
    let recipients = recipients_in(&String::from_utf8_lossy(&rules));
    if recipients.is_empty() {
        return Ok(());
    }
    let message = format!(
        "`{AGE_KEY}` is missing, but secrets here are sealed for {}",
        recipients
            .iter()
            .map(|recipient| shown_recipient(recipient))
            .collect::<Vec<_>>()
            .join(", ")
    );
    Err(CommandError::failed(message)
        .hint(format!("copy the key of that name back to `{AGE_KEY}`"))
        .hint("to replace it by a new one, copy it back and run `kiln secrets rekey --keygen`")
        .hint(format!(
            "if it is lost, remove `{RULE_FILE}` and all sealed files to start over"
        )))
}

/// The kinds of age keys that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyType {
    /// For every version of age, SOPS and Flux: `age1…`.
    #[value(help = None)]
    X25519,
    /// Withstands quantum computers; for SOPS 3.12, age 1.3, Flux 2.9 and newer: `age1pq1…`.
    #[value(help = None)]
    PostQuantum,
}

/// The type of a new key where nobody asks for another.
///
/// Whoever keeps a copy of a public repository can decrypt it once X25519 is broken, and secrets live long. All that
/// opens a sealed file of a rendered project reads post-quantum keys: SOPS (since 3.12) and age (since 1.3) in the
/// versions that `.mise/config.toml` of the catalogue pins, and kustomize-controller 1.9 of the Flux that it pins (since
/// 2.9). A test holds the pins against these.
const DEFAULT_KEY_TYPE: KeyType = KeyType::PostQuantum;

/// The apps of the catalogue that encrypt for the cluster's key by themselves, and know X25519 alone.
///
/// [talos-backup](https://github.com/siderolabs/talos-backup/blob/main/pkg/encryption/encryption.go) reads its recipient
/// with `age.ParseX25519Recipient`.
const X25519_APPS: [&str; 1] = ["talos-backup"];

/// Chooses the type of a new key for a project: post-quantum, unless one of its apps knows X25519 alone.
///
/// What is wrong with the project is for the compile to tell.
fn usual_type(disk: &Disk, settings: &Settings) -> KeyType {
    let session = ProjectSession::open_root(disk.root(), settings, KeyUse::Never);
    let apps = session.ok().and_then(|session| {
        let world = session.world().with_keys(KeyHandling::AtHand);
        pipeline::apps(&world).ok()
    });
    let wants_x25519 = |app: &App| app.enabled && X25519_APPS.contains(&app.name.as_str());
    let mut apps = apps.iter().flatten();
    if apps.any(|(app, _)| wants_x25519(app)) {
        KeyType::X25519
    } else {
        DEFAULT_KEY_TYPE
    }
}

impl Default for KeyType {
    fn default() -> Self {
        DEFAULT_KEY_TYPE
    }
}

impl KeyType {
    /// Makes an identity file as `age-keygen` writes it, and its recipient.
    pub fn generate(self) -> IdentityFile {
        let kind = match self {
            Self::X25519 => NativeKind::X25519,
            Self::PostQuantum => NativeKind::PostQuantum,
        };
        IdentityFile::generate(kind, &clock::now())
    }
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
    Secret::new(format!("{:x}\n", HexDisplay(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_pins_tools_that_read_the_default_key() {
        let pins = include_str!("../../../../templates/versions.yaml");
        let pins = crate::yaml::load(pins).unwrap().remove(0).root;
        for (tool, since) in [("sops", (3, 12)), ("age", (1, 3)), ("flux2", (2, 9))] {
            // The one that is there, and the one that a project may hold it back to.
            for key in ["version", "minimum"] {
                let pinned = pins.find_text(&format!("tools.{tool}.{key}")).unwrap();
                let mut parts = pinned.split('.').map(|part| part.parse().unwrap());
                let pinned = (parts.next().unwrap(), parts.next().unwrap());
                assert!(pinned >= since, "{tool} {key} {pinned:?}");
            }
        }
        assert_eq!(DEFAULT_KEY_TYPE, KeyType::PostQuantum);
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
