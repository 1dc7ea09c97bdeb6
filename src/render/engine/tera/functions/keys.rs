//! The keys that `kiln init` makes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sops_age::keys::{Identity, KeyKind, Recipient};
use tera::Value;

use super::super::callable::{Arguments, Flow, FunctionFailure};
use super::super::environment::TemplateEnvironment;
use super::files::{MAKE_KEYS, missing_secret, text};
use crate::render::codes;
use crate::secret::{AGE_KEY, TUNNEL};

/// How every age identity starts, the post-quantum ones (`AGE-SECRET-KEY-PQ-1…`) too.
const IDENTITY: &str = "AGE-SECRET-KEY-";

pub(super) fn age_identity(
    environment: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let text = key_file(environment, arguments.flow)?;
    Ok(Value::from(first_identity(environment, &text)?))
}

/// The kind of keys that tools want which know no others.
const X25519: &str = "x25519";
const ANY_KIND: &str = "any";

/// Derived from the identity, as that is the one that has to open what is sealed; the comment that `age-keygen` writes
/// counts only where the identity does not tell.
pub(super) fn age_recipient(
    environment: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let text = key_file(environment, arguments.flow)?;
    match arguments.text_or("kind", ANY_KIND)? {
        ANY_KIND => {}
        X25519 => return x25519_recipient(&text).map(Value::from),
        kind => {
            let told = FunctionFailure::argument(format!("there is no kind of keys `{kind}`"));
            return Err(told.with_suggestion(kind, [ANY_KIND, X25519]));
        }
    }
    let identity = first_identity(environment, &text)?;
    let known = Identity::read(&identity).ok();
    let known = known.and_then(|identity| identity.recipient());
    if let Some(recipient) = known.or_else(|| named_recipient(&text)) {
        return Ok(Value::from(recipient));
    }
    Err(broken("names no public key that can be read")
        .with_hint("add the line `# public key: age1…` that `age-keygen -y age.key` prints"))
}

/// Finds the first key of the kind that every tool knows.
fn x25519_recipient(text: &str) -> Result<String, FunctionFailure> {
    let lines = text.lines().map(str::trim);
    let mut identities = lines.filter_map(|line| Identity::read(line).ok());
    let found = identities.find(|identity| identity.kind() == KeyKind::X25519);
    let found = found.and_then(|identity| identity.recipient());
    let named = || named_recipient(text).filter(|named| is_x25519(named));
    found.or_else(named).ok_or_else(|| {
        broken("holds no key of the kind X25519, and what is rendered here works with no other")
            .with_hint(
                "add one below the first, which stays the one that seals: `age-keygen >> age.key`",
            )
    })
}

fn is_x25519(text: &str) -> bool {
    Recipient::read(text).is_ok_and(|recipient| recipient.kind() == KeyKind::X25519)
}

/// Returns the public key that the comment of `age-keygen` tells.
fn named_recipient(text: &str) -> Option<String> {
    let named = text.lines().find_map(|line| {
        let comment = line.trim().strip_prefix('#')?.trim_start();
        let key = comment.get(.."public key:".len())?;
        key.eq_ignore_ascii_case("public key:")
            .then(|| comment[key.len()..].trim())
    });
    let named = named.filter(|text| {
        let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        text.starts_with("age1") && text.len() > 10 && is_word
    });
    named.map(str::to_owned)
}

fn key_file(environment: &TemplateEnvironment, flow: Flow) -> Result<String, FunctionFailure> {
    text(environment, AGE_KEY, flow)?.ok_or_else(|| missing_secret(AGE_KEY))
}

/// Returns the first identity of a key file.
fn first_identity(
    environment: &TemplateEnvironment,
    text: &str,
) -> Result<String, FunctionFailure> {
    let mut lines = text.lines().map(str::trim);
    let Some(identity) = lines.find(|line| line.starts_with(IDENTITY)) else {
        return Err(broken("holds no line that starts with `AGE-SECRET-KEY-`").with_hint(MAKE_KEYS));
    };
    environment.note_secret(identity, AGE_KEY);
    Ok(identity.to_owned())
}

fn broken(what: &str) -> FunctionFailure {
    FunctionFailure::new(&codes::BROKEN_KEY, format!("`{AGE_KEY}` {what}"))
}

pub(super) fn cloudflare_tunnel_id(
    environment: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    Ok(Value::from(tunnel(environment, arguments.flow)?.id))
}

pub(super) fn cloudflare_tunnel_token(
    environment: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let tunnel = tunnel(environment, arguments.flow)?;
    let credentials = json!({"a": tunnel.account, "t": tunnel.id, "s": tunnel.secret});
    let token = STANDARD.encode(credentials.to_string());
    environment.note_secret(&token, TUNNEL);
    Ok(Value::from(token))
}

/// The credentials file that `cloudflared tunnel create` writes.
struct Tunnel {
    account: String,
    id: String,
    secret: String,
}

fn tunnel(environment: &TemplateEnvironment, flow: Flow) -> Result<Tunnel, FunctionFailure> {
    let hint =
        "`cloudflared tunnel create --credentials-file cloudflare-tunnel.json kubernetes` makes it";
    let Some(text) = text(environment, TUNNEL, flow)? else {
        let missing = FunctionFailure::new(
            &codes::MISSING_SECRET,
            format!("there is no secret file `{TUNNEL}`"),
        );
        return Err(missing.with_hint(hint));
    };
    let broken = |what: String| {
        FunctionFailure::new(&codes::BROKEN_KEY, format!("`{TUNNEL}` {what}")).with_hint(hint)
    };
    let credentials: serde_json::Value =
        serde_json::from_str(&text).map_err(|_| broken("is not JSON".to_owned()))?;
    let field = |key: &str| {
        let value = credentials
            .get(key)
            .and_then(serde_json::Value::as_str)
            .filter(|value| !value.is_empty());
        value
            .map(str::to_owned)
            .ok_or_else(|| broken(format!("has no `{key}`")))
    };
    let tunnel = Tunnel {
        account: field("AccountTag")?,
        id: field("TunnelID")?,
        secret: field("TunnelSecret")?,
    };
    environment.note_secret(&tunnel.secret, TUNNEL);
    Ok(tunnel)
}
