//! Both directions with age itself.

use std::path::Path;

use sops_age::DataKey;
use sops_age::keys::{KeyKind, NativeKind, Recipient};

use super::workshop::{Workshop, copy, keyring, new_key, printed, ran, wrap};
use crate::oracle::oracle;

const KEY: [u8; 32] = [0xa5; 32];

/// A private key in a file, and its public half.
struct Pair {
    identity: String,
    recipient: String,
}

fn pairs(workshop: &Workshop) -> Vec<Pair> {
    let native = [NativeKind::X25519, NativeKind::PostQuantum].map(|kind| {
        let file = new_key(kind);
        Pair {
            identity: file.text.expose().to_owned(),
            recipient: file.recipient,
        }
    });
    let ssh = workshop.ssh_keygen("ssh", &["-t", "ed25519", "-N", ""]);
    let ssh = ssh.map(|_| Pair {
        identity: workshop.read("ssh"),
        recipient: workshop.read("ssh.pub").trim().to_owned(),
    });
    native.into_iter().chain(ssh).collect()
}

fn decrypt(workshop: &Workshop, age: &Path, identity: &str, armored: &str) -> Vec<u8> {
    let key = workshop.write("identity", identity);
    let mut command = workshop.program(age);
    printed(command.arg("-d").arg("-i").arg(key), armored.as_bytes())
}

#[test]
fn age_opens_what_is_wrapped_here() {
    let Some(age) = oracle("age") else { return };
    let workshop = Workshop::new();
    let pairs = pairs(&workshop);
    for (number, pair) in pairs.iter().enumerate() {
        let wrapped = wrap(&pair.recipient, &DataKey::new(KEY));
        assert_eq!(decrypt(&workshop, &age, &pair.identity, &wrapped.enc), KEY);
        let other = &pairs[(number + 1) % pairs.len()];
        let key = workshop.write("identity", &other.identity);
        let mut command = workshop.program(&age);
        let refused = ran(command.arg("-d").arg("-i").arg(key), wrapped.enc.as_bytes());
        assert!(!refused.status.success(), "{}", other.recipient);
    }
}

#[test]
fn what_age_encrypts_opens_here() {
    let Some(age) = oracle("age") else { return };
    let workshop = Workshop::new();
    let pairs = pairs(&workshop);
    for (number, pair) in pairs.iter().enumerate() {
        let mut command = workshop.program(&age);
        let enc = printed(command.args(["-a", "-r", &pair.recipient]), &KEY);
        // sops takes white space around it.
        let copies = [copy(
            "age1unknown",
            format!("\n {}\n", String::from_utf8(enc).unwrap()),
        )];
        let opened = keyring(&pair.identity).open(&copies).unwrap();
        assert_eq!(opened.bytes(), &KEY);
        let other = &pairs[(number + 1) % pairs.len()];
        assert!(keyring(&other.identity).open(&copies).is_err());
    }
}

#[test]
fn both_make_the_same_key_files() {
    let Some(keygen) = oracle("age-keygen") else {
        return;
    };
    let workshop = Workshop::new();
    for (kind, arguments) in [
        (NativeKind::X25519, &[][..]),
        (NativeKind::PostQuantum, &["-pq"]),
    ] {
        let theirs = printed(workshop.program(&keygen).args(arguments), b"");
        let theirs = String::from_utf8(theirs).unwrap();
        let recipient = theirs
            .lines()
            .nth(1)
            .unwrap()
            .strip_prefix("# public key: ")
            .unwrap();
        assert_eq!(keyring(&theirs).recipients(), [recipient]);
        let ours = new_key(kind);
        let convert = printed(
            workshop.program(&keygen).arg("-y"),
            ours.text.expose().as_bytes(),
        );
        assert_eq!(
            String::from_utf8(convert).unwrap().trim_end(),
            ours.recipient
        );
        let shape = |text: &str| -> Vec<(String, usize)> {
            let lines = text.lines().skip(1);
            lines
                .map(|line| (line.chars().take(18).collect(), line.len()))
                .collect()
        };
        assert_eq!(shape(ours.text.expose())[0], shape(&theirs)[0]);
        assert_eq!(shape(ours.text.expose())[1].1, shape(&theirs)[1].1);
        assert!(ours.text.expose().starts_with("# created: 2026-"));
    }
}

/// age encrypts a file for several keys: one header, and all of them open it.
#[test]
fn a_header_for_several_keys_of_a_kind_opens_for_each() {
    let Some(age) = oracle("age") else { return };
    let workshop = Workshop::new();
    let keys = [
        new_key(NativeKind::PostQuantum),
        new_key(NativeKind::PostQuantum),
    ];
    let mut command = workshop.program(&age);
    for key in &keys {
        command.args(["-r", &key.recipient]);
    }
    let enc = String::from_utf8(printed(command.arg("-a"), &KEY)).unwrap();
    for key in &keys {
        let opened = keyring(key.text.expose()).open(&[copy("", enc.as_str())]);
        assert_eq!(opened.unwrap().bytes(), &KEY);
    }
    // Both refuse to put a post-quantum key beside another.
    let plain = new_key(NativeKind::X25519).recipient;
    let mut command = workshop.program(&age);
    let mixed = command.args(["-a", "-r", &keys[0].recipient, "-r", &plain]);
    assert!(!ran(mixed, &KEY).status.success());
    let mixed = [&keys[0].recipient, &plain].map(|text| Recipient::read(text).unwrap());
    let mixed = mixed
        .iter()
        .map(|recipient| recipient as &dyn ::age::Recipient);
    assert!(::age::Encryptor::with_recipients(mixed).is_err());
}

#[test]
fn what_ssh_keygen_makes_is_read_or_named() {
    let workshop = Workshop::new();
    let Some(path) = workshop.ssh_keygen("plain", &["-t", "ed25519", "-N", ""]) else {
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let ring = keyring(&text);
    assert_eq!(ring.kinds(), [KeyKind::Ssh]);
    let public = workshop.read("plain.pub");
    assert!(ring.holds(public.trim()) && public.starts_with(&ring.recipients()[0]));
    for (name, arguments, told) in [
        (
            "locked",
            &["-t", "ed25519", "-N", "hunter2"][..],
            "that a passphrase protects",
        ),
        (
            "rsa",
            &["-t", "rsa", "-b", "2048", "-N", ""],
            "of the kind RSA",
        ),
        (
            "pem",
            &["-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"],
            "of the kind RSA",
        ),
        (
            "ecdsa",
            &["-t", "ecdsa", "-N", ""],
            "of another kind than ed25519",
        ),
    ] {
        workshop.ssh_keygen(name, arguments);
        let text = sops_age::Secret::new(workshop.read(name));
        let (ring, problems) = sops_age::keys::Keyring::parse(&[(name.to_owned(), text)]);
        assert!(ring.is_empty());
        assert_eq!(
            problems[0].to_string(),
            format!("line 1 of `{name}` is an SSH key {told}, which is not supported")
        );
        let public = Recipient::read(&workshop.read(&format!("{name}.pub")));
        assert_eq!(public.is_ok(), name == "locked", "{public:?}");
    }
}
