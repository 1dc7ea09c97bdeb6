//! Both directions with sops: its files open here, and files with keys that are wrapped here open there.

use std::path::Path;

use serde_json::Value;
use sops_age::keys::{IdentityFile, Keyring, NativeKind, WrappedKey};
use sops_age::{DataKey, SealedFile, Store};

use super::workshop::{Workshop, keyring, new_key, printed, ran, wrap};
use crate::oracle::oracle;

const PLAIN: &str = r#"{"token": "hunter2"}"#;

fn seal(workshop: &Workshop, sops: &Path, recipients: &[&str]) -> Value {
    let file = workshop.write("plain.json", PLAIN);
    let recipients = recipients.join(",");
    let mut command = workshop.program(sops);
    let sealed = printed(
        command.args(["encrypt", "--age", &recipients]).arg(file),
        b"",
    );
    serde_json::from_slice(&sealed).unwrap()
}

fn copies(sealed: &Value) -> Vec<WrappedKey> {
    let text = |copy: &Value, key: &str| copy[key].as_str().unwrap().to_owned();
    let copies = sealed["sops"]["age"].as_array().unwrap().iter();
    copies
        .map(|copy| WrappedKey {
            recipient: text(copy, "recipient"),
            enc: text(copy, "enc"),
        })
        .collect()
}

/// Returns the data key, proved on all that it seals.
fn data_key(sealed: &Value, keyring: &Keyring) -> DataKey {
    let file = SealedFile::read(&sealed.to_string(), Store::Json).unwrap();
    let key = file.unlock(keyring).unwrap();
    assert!(file.open(key.clone()).is_ok());
    key
}

/// Replaces the wrapped keys of a sealed file by those that are made here.
fn rewrap(sealed: &Value, recipients: &[&str], key: &DataKey) -> Value {
    let wrapped = recipients.iter().map(|recipient| wrap(recipient, key));
    let wrapped =
        wrapped.map(|copy| serde_json::json!({"recipient": copy.recipient, "enc": copy.enc}));
    let mut sealed = sealed.clone();
    sealed["sops"]["age"] = wrapped.collect();
    sealed
}

fn opens(workshop: &Workshop, sops: &Path, sealed: &Value, variable: &str, value: &str) -> bool {
    let file = workshop.write("sealed.json", sealed.to_string());
    let mut command = workshop.program(sops);
    let output = ran(command.env(variable, value).arg("decrypt").arg(file), b"");
    let plain: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    let expected: Value = serde_json::from_str(PLAIN).unwrap();
    plain.is_some_and(|plain| plain == expected)
}

fn native() -> [IdentityFile; 3] {
    [
        NativeKind::X25519,
        NativeKind::PostQuantum,
        NativeKind::PostQuantum,
    ]
    .map(new_key)
}

fn secret(file: &IdentityFile) -> &str {
    file.text.expose().lines().last().unwrap()
}

#[test]
fn post_quantum_keys_alone_and_mixed_with_others() {
    let Some(sops) = oracle("sops") else { return };
    let workshop = Workshop::new();
    let [plain, quantum, stranger] = native();
    for recipients in [
        vec![quantum.recipient.as_str()],
        vec![plain.recipient.as_str(), quantum.recipient.as_str()],
    ] {
        let sealed = seal(&workshop, &sops, &recipients);
        let key = data_key(&sealed, &keyring(quantum.text.expose()));
        assert!(
            keyring(stranger.text.expose())
                .open(&copies(&sealed))
                .is_err()
        );
        let ours = rewrap(&sealed, &recipients, &key);
        assert!(opens(
            &workshop,
            &sops,
            &ours,
            "SOPS_AGE_KEY",
            secret(&quantum)
        ));
        assert!(!opens(
            &workshop,
            &sops,
            &ours,
            "SOPS_AGE_KEY",
            secret(&stranger)
        ));
        let has_plain = recipients.len() == 2;
        assert_eq!(
            opens(&workshop, &sops, &ours, "SOPS_AGE_KEY", secret(&plain)),
            has_plain
        );
        assert_eq!(
            keyring(plain.text.expose()).open(&copies(&ours)).is_ok(),
            has_plain
        );
    }
}

#[test]
fn ssh_keys_beside_native_ones() {
    let Some(sops) = oracle("sops") else { return };
    let workshop = Workshop::new();
    let Some(path) = workshop.ssh_keygen("ssh", &["-t", "ed25519", "-N", ""]) else {
        return;
    };
    let public = workshop.read("ssh.pub").trim().to_owned();
    let quantum = new_key(NativeKind::PostQuantum);
    let recipients = [public.as_str(), &quantum.recipient];
    let sealed = seal(&workshop, &sops, &recipients);
    let ring = keyring(&workshop.read("ssh"));
    // sops keeps the comment, which is no part of the key.
    assert!(ring.holds(&copies(&sealed)[0].recipient));
    let key = data_key(&sealed, &ring);
    let ours = rewrap(&sealed, &recipients, &key);
    let path = path.to_str().unwrap();
    assert!(opens(
        &workshop,
        &sops,
        &ours,
        "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
        path
    ));
    assert_eq!(copies(&ours)[0].recipient, copies(&sealed)[0].recipient);
}

/// sops reads the same variable as this crate: several keys in one line.
#[test]
fn several_keys_in_one_line() {
    let Some(sops) = oracle("sops") else { return };
    let workshop = Workshop::new();
    let [plain, quantum, stranger] = native();
    let line = [&stranger, &plain, &quantum].map(secret).join(" ");
    let sealed = seal(&workshop, &sops, &[&quantum.recipient]);
    assert!(opens(&workshop, &sops, &sealed, "SOPS_AGE_KEY", &line));
    data_key(&sealed, &keyring(&line));
}
