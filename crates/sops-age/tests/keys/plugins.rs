//! The plugin protocol with real plugins.
//!
//! They are looked up in `$PATH`, which a test cannot change for itself: each runs once more as a child that has one.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use sops_age::keys::{KeyKind, NativeKind, PluginAccess, PluginDialog, Recipient, UnlockObstacle};
use sops_age::{DataKey, Secret};

use super::workshop::{Workshop, copy, keyring, new_key, printed, wrap};
use crate::oracle::oracle;

const KEY: [u8; 32] = [0x5a; 32];
/// Set in the child: its `$PATH` has the plugins.
const INSIDE: &str = "SOPS_AGE_TEST_PLUGINS";

/// Runs a test again with the folders of some oracles as `$PATH`; returns whether this is that run.
fn inside(test: &str, programs: &[&str]) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let programs: Option<Vec<PathBuf>> = programs.iter().map(|name| oracle(name)).collect();
    let Some(programs) = programs else {
        return false;
    };
    let folders = programs.iter().map(|program| program.parent().unwrap());
    let mut child = Command::new(env::current_exe().unwrap());
    child
        .args(["--exact", &format!("keys::plugins::{test}"), "--nocapture"])
        .env(INSIDE, "1")
        .env("PATH", env::join_paths(folders).unwrap());
    let output = child.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
    false
}

#[test]
fn an_identity_of_a_plugin_opens_what_is_for_it() {
    if !inside(
        "an_identity_of_a_plugin_opens_what_is_for_it",
        &["age-plugin-pq"],
    ) {
        return;
    }
    let native = new_key(NativeKind::PostQuantum);
    let mut convert = Command::new("age-plugin-pq");
    let text = printed(convert.arg("-identity"), native.text.expose().as_bytes());
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("AGE-PLUGIN-PQ-1"));
    let ring = keyring(&text).with_plugins(&PluginAccess::Silent);
    assert_eq!(
        (ring.kinds(), ring.recipients().len()),
        (vec![KeyKind::Plugin], 0)
    );
    let wrapped = wrap(&native.recipient, &DataKey::new(KEY));
    assert_eq!(
        ring.open(std::slice::from_ref(&wrapped)).unwrap().bytes(),
        &KEY
    );
    let other = new_key(NativeKind::PostQuantum);
    let foreign = wrap(&other.recipient, &DataKey::new(KEY));
    let failure = ring.open(&[foreign]).err().unwrap();
    assert!(
        !failure
            .obstacles
            .iter()
            .any(|one| matches!(one, UnlockObstacle::NoPlugin { .. }))
    );
    // A plugin is the last that is tried, and a broken file is no reason for a panic.
    let both = keyring(&format!("{text}\n{}", other.text.expose()));
    let both = both.with_plugins(&PluginAccess::Silent);
    let copies = [
        copy("x", "no age file"),
        wrap(&other.recipient, &DataKey::new([1; 32])),
        wrapped,
    ];
    assert_eq!(both.open(&copies).unwrap().bytes(), &[1; 32]);
}

/// The recipient of `age-plugin-tagtest`, a token that exists for tests only.
const TAG: &str = "age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h";

#[test]
fn a_recipient_of_a_plugin_wraps_for_its_token() {
    let programs = ["age-plugin-tag", "age-plugin-tagtest"];
    if !inside("a_recipient_of_a_plugin_wraps_for_its_token", &programs) {
        return;
    }
    let recipient = Recipient::read(TAG).unwrap();
    assert!(recipient.wrap(&DataKey::new(KEY)).is_err());
    let recipient = recipient.with_plugins(&PluginAccess::Silent);
    assert_eq!(
        (recipient.kind(), recipient.to_string()),
        (KeyKind::Plugin, TAG.to_owned())
    );
    let wrapped = recipient.wrap(&DataKey::new(KEY)).unwrap();
    let token = keyring(&identity_of("tagtest")).with_plugins(&PluginAccess::Silent);
    assert_eq!(token.open(&[wrapped]).unwrap().bytes(), &KEY);
}

/// Returns the identity of a plugin that needs no data.
fn identity_of(plugin: &str) -> String {
    let prefix = bech32::Hrp::parse(&format!("age-plugin-{plugin}-")).unwrap();
    bech32::encode::<bech32::Bech32>(prefix, &[])
        .unwrap()
        .to_uppercase()
}

/// Notes what a plugin asks, and answers.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl PluginDialog for Notes {
    fn show(&self, message: &str) {
        self.0.lock().unwrap().push(format!("show {message}"));
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.unwrap_or_default();
        self.0
            .lock()
            .unwrap()
            .push(format!("confirm {message} {yes}/{no}"));
        Some(true)
    }

    fn ask(&self, message: &str) -> Option<String> {
        self.0.lock().unwrap().push(format!("ask {message}"));
        Some("seven".to_owned())
    }

    fn ask_secret(&self, message: &str) -> Option<Secret> {
        self.0.lock().unwrap().push(format!("secret {message}"));
        Some(Secret::new("4711"))
    }
}

/// A plugin in a few lines of shell: it asks everything, and fails with what it was told.
#[cfg(unix)]
const ASKING: &str = r#"#!/bin/sh
while read -r line; do [ "$line" = "-> done" ] && break; done
read -r line
ask() { printf -- '-> %s\n%s\n' "$1" "$2"; read -r a; read -r b; told="$told $a:$b"; }
ask msg VG91Y2g
ask 'confirm eWVz bm8' U3VyZT8
ask request-public TmFtZT8
ask request-secret UElOPw
body=$(printf '%s' "$told" | base64 -w 0 | tr -d =)
printf -- '-> error internal\n%s\n' "$body"
read -r a; read -r b
printf -- '-> done\n\n'
"#;

#[cfg(unix)]
#[test]
fn questions_go_to_the_dialog_and_nowhere_else() {
    use std::os::unix::fs::PermissionsExt as _;

    let workshop = Workshop::new();
    let program = workshop.write("age-plugin-asking", ASKING);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    if env::var_os(INSIDE).is_none() {
        let path = format!("{}:/usr/bin:/bin", workshop.path("").display());
        let mut child = Command::new(env::current_exe().unwrap());
        child.args([
            "--exact",
            "keys::plugins::questions_go_to_the_dialog_and_nowhere_else",
        ]);
        let output = child.env(INSIDE, "1").env("PATH", path).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && told.contains("1 passed"),
            "{told}"
        );
        return;
    }
    let ring = keyring(&identity_of("asking")).with_plugins(&PluginAccess::Silent);
    let copies = [wrap(
        &new_key(NativeKind::X25519).recipient,
        &DataKey::new(KEY),
    )];
    let told = |ring: &sops_age::keys::Keyring| {
        let failure = ring.open(&copies).err().unwrap();
        assert_eq!(failure.obstacles.len(), 1);
        failure.obstacles[0].to_string()
    };
    let alone = told(&ring);
    assert!(
        alone.starts_with("the plugin that `key` names says: "),
        "{alone}"
    );
    assert_eq!(alone.matches("fail").count(), 3, "{alone}");
    let notes = Arc::new(Notes::default());
    let dialog: Arc<dyn PluginDialog> = notes.clone();
    let answered = told(&ring.with_plugins(&PluginAccess::Asking(dialog)));
    assert_eq!(answered.matches("fail").count(), 0, "{answered}");
    assert!(
        answered.contains("ok yes:") && answered.contains("NDcxMQ"),
        "{answered}"
    );
    assert_eq!(
        *notes.0.lock().unwrap(),
        [
            "show Touch",
            "confirm Sure? yes/no",
            "ask Name?",
            "secret PIN?"
        ]
    );
}
