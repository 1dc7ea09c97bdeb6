//! The keys that `kiln init` makes.

use std::str::FromStr as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tera::Value;

use super::super::callable::{Arguments, Failure, Flow};
use super::super::environment::Environment;
use super::files::{MAKE_KEYS, missing_secret, text};
use crate::secret::{AGE_KEY, TUNNEL};

/// How every age identity starts, the post-quantum ones (`AGE-SECRET-KEY-PQ-1…`) too.
const IDENTITY: &str = "AGE-SECRET-KEY-";

pub(super) fn age_identity(
    environment: &Environment,
    arguments: &Arguments,
) -> Result<Value, Failure> {
    let (_, identity) = age_key(environment, arguments.flow)?;
    Ok(Value::from(identity))
}

/// Derived from the identity, as that is the one that has to open what is sealed; the comment that `age-keygen` writes
/// counts only where the kind of the identity is not known here.
pub(super) fn age_recipient(
    environment: &Environment,
    arguments: &Arguments,
) -> Result<Value, Failure> {
    let (text, identity) = age_key(environment, arguments.flow)?;
    if let Ok(identity) = age::x25519::Identity::from_str(&identity) {
        return Ok(Value::from(identity.to_public().to_string()));
    }
    let comment = text.lines().find_map(|line| {
        let comment = line.trim().strip_prefix('#')?.trim_start();
        let key = comment.get(.."public key:".len())?;
        key.eq_ignore_ascii_case("public key:")
            .then(|| comment[key.len()..].trim())
    });
    match comment.filter(|recipient| is_recipient(recipient)) {
        Some(recipient) => Ok(Value::from(recipient)),
        None => Err(broken("names no public key that can be read")
            .with_hint("add the line `# public key: age1…` that `age-keygen -y age.key` prints")),
    }
}

fn is_recipient(text: &str) -> bool {
    text.starts_with("age1")
        && text.len() > 10
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns the key file with the first identity in it.
fn age_key(environment: &Environment, flow: Flow) -> Result<(String, String), Failure> {
    let text = text(environment, AGE_KEY, flow)?.ok_or_else(|| missing_secret(AGE_KEY))?;
    let identity = text
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with(IDENTITY))
        .map(str::to_owned);
    let Some(identity) = identity else {
        return Err(broken("holds no line that starts with `AGE-SECRET-KEY-`").with_hint(MAKE_KEYS));
    };
    environment.note_secret(&identity, AGE_KEY);
    Ok((text, identity))
}

fn broken(what: &str) -> Failure {
    Failure::new("broken-key", format!("`{AGE_KEY}` {what}"))
}

pub(super) fn cloudflare_tunnel_id(
    environment: &Environment,
    arguments: &Arguments,
) -> Result<Value, Failure> {
    Ok(Value::from(tunnel(environment, arguments.flow)?.id))
}

pub(super) fn cloudflare_tunnel_token(
    environment: &Environment,
    arguments: &Arguments,
) -> Result<Value, Failure> {
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

fn tunnel(environment: &Environment, flow: Flow) -> Result<Tunnel, Failure> {
    let hint =
        "`cloudflared tunnel create --credentials-file cloudflare-tunnel.json kubernetes` makes it";
    let Some(text) = text(environment, TUNNEL, flow)? else {
        let missing = Failure::new(
            "missing-secret",
            format!("there is no secret file `{TUNNEL}`"),
        );
        return Err(missing.with_hint(hint));
    };
    let broken =
        |what: String| Failure::new("broken-key", format!("`{TUNNEL}` {what}")).with_hint(hint);
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
