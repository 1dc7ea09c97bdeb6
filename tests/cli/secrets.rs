#[cfg(target_os = "linux")]
mod edit;
mod files;
mod set;
mod status;

use std::fs;
use std::process::Command;
use std::time::Duration;

use insta::assert_snapshot;
use kiln::fs::{Disk, Folder, Holder};

use sops_age::Secret;
use sops_age::keys::{Keyring, USUAL_IDENTITY_FILE, WrappedKey, shown_recipient};

use crate::support::{Run, Sandbox, oracle};

/// A plain word that stands in secrets only.
const CANARY: &str = "canary-2c9e-tweet";

/// A project with its own rules and two secrets, rendered for the key that it returns.
fn sealed() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init", "--key-type", "x25519"]).success();
    sandbox.write("kiln.toml", "catalogue = false\n");
    sandbox.write(
        "templates/.sops.yaml.tera",
        "creation_rules:\n  - path_regex: .*\\.sops\\.\n    age: #{ age_recipient() }#\n",
    );
    for name in ["a", "b"] {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\nstringData:\n  word: {CANARY}\n"
        );
        sandbox.write(&format!("templates/{name}.sops.yaml"), text);
    }
    sandbox.kiln(&["render"]).success();
    let recipient = recipient(&sandbox, "age.key");
    (sandbox, recipient)
}

fn recipient(sandbox: &Sandbox, file: &str) -> String {
    let text = sandbox.read(file);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "));
    line.unwrap().to_owned()
}

/// Puts another key into `age.key`, and the old one into `old.key`.
fn replace_key(sandbox: &Sandbox) -> String {
    fs::rename(sandbox.path("age.key"), sandbox.path("old.key")).unwrap();
    let other = Sandbox::new();
    other.kiln(&["init", "--key-type", "x25519"]).success();
    fs::copy(other.path("age.key"), sandbox.path("age.key")).unwrap();
    recipient(sandbox, "age.key")
}

fn contents(sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    let files = sandbox.files().into_iter();
    files
        .map(|path| (path.clone(), fs::read(sandbox.path(&path)).unwrap()))
        .collect()
}

#[track_caller]
fn refused(run: &Run, code: &str) {
    let mut errors = run.codes();
    errors.retain(|code| code.starts_with("error"));
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(errors, [format!("error[{code}]")], "{run}");
    let shown = run.to_string();
    let mut keys = shown.split("AGE-SECRET-KEY-1").skip(1);
    let is_key = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    assert!(!keys.any(is_key), "{run}");
    assert!(!run.to_string().contains(CANARY), "{run}");
}

#[test]
fn another_key_renders_nothing() {
    let (sandbox, old) = sealed();
    let new = replace_key(&sandbox);
    let before = contents(&sandbox);
    let commands = [
        &["render"][..],
        &["render", "--check"],
        &["render", "--force"],
        &["check"],
    ];
    for arguments in commands {
        let run = sandbox.kiln(arguments);
        refused(&run, "wrong-key");
        for named in [&old, &new] {
            assert!(run.stderr.contains(&shown_recipient(named)), "{run}");
        }
    }
    assert_eq!(contents(&sandbox), before);
    // The right key anywhere at hand is enough.
    sandbox
        .kiln_with(&[("SOPS_AGE_KEY_FILE", "old.key")], &["check"])
        .success();
}

#[test]
fn the_talos_bundle_counts_as_sealed() {
    let Some(sops) = oracle("sops") else { return };
    let (sandbox, old) = sealed();
    seal(
        &sandbox,
        &sops,
        &old,
        "talos/secrets.sops.yaml",
        "id: one\n",
    );
    for output in ["a.sops.yaml", "b.sops.yaml", ".sops.yaml", "kiln.lock"] {
        fs::remove_file(sandbox.path(output)).unwrap();
    }
    replace_key(&sandbox);
    refused(&sandbox.kiln(&["render"]), "wrong-key");
    assert!(!sandbox.path("a.sops.yaml").exists());
    fs::remove_file(sandbox.path("talos/secrets.sops.yaml")).unwrap();
    sandbox.kiln(&["render"]).success();
}

#[test]
fn a_new_key_above_the_old_one_is_a_legal_way() {
    let (sandbox, old) = sealed();
    let new = replace_key(&sandbox);
    let both = sandbox.read("age.key") + &sandbox.read("old.key");
    sandbox.write("age.key", both);
    sandbox.kiln(&["render"]).success();
    let text = sandbox.read("a.sops.yaml");
    assert!(text.contains(&new) && !text.contains(&old), "{text}");
}

#[test]
fn a_broken_key_file_stops_everything() {
    let (sandbox, _) = sealed();
    let whole = sandbox.read("age.key");
    let broken = [
        whole.trim_end()[..whole.len() - 10].to_owned(),
        whole.to_lowercase(),
        String::new(),
        "# public key: none\n".to_owned(),
        format!("{whole}AGE-SECRET-KEY-1QQQ\n"),
    ];
    for text in broken
        .iter()
        .filter(|text| !text.contains("age-secret-key-"))
    {
        sandbox.write("age.key", text);
        refused(&sandbox.kiln(&["render"]), "bad-identity");
        refused(&sandbox.kiln(&["check"]), "bad-identity");
    }
    sandbox.write("age.key", &whole);
    sandbox.write("named.key", "AGE-SECRET-KEY-1QQQ\n");
    let run = sandbox.kiln_with(&[("SOPS_AGE_KEY_FILE", "named.key")], &["check"]);
    refused(&run, "bad-identity");
    // The user's own file may hold what other programs use.
    let usual = format!("../home/.config/{USUAL_IDENTITY_FILE}");
    sandbox.write(&usual, "AGE-SECRET-KEY-1QQQ\n");
    sandbox.kiln(&["check"]).success();
    sandbox.write(
        "kiln.toml",
        "catalogue = false\n[seal]\nidentities = [\"named.key\"]\n",
    );
    refused(&sandbox.kiln(&["check"]), "bad-identity");
}

fn seal(sandbox: &Sandbox, sops: &std::path::Path, recipient: &str, path: &str, text: &str) {
    sandbox.write(path, text);
    // A rule file would decide for whom.
    let rules = sandbox.path("../home/rules.yaml");
    fs::write(&rules, format!("creation_rules:\n  - age: {recipient}\n")).unwrap();
    let mut command = Command::new(sops);
    command
        .arg("--config")
        .arg(rules)
        .args(["encrypt", "--in-place", path])
        .current_dir(sandbox.path(""));
    sandbox.finish(&command.output().unwrap()).success();
}

fn open(sandbox: &Sandbox, sops: &std::path::Path, key: &str, path: &str) -> Run {
    let mut command = Command::new(sops);
    command
        .env_clear()
        .env("HOME", sandbox.path("../home"))
        .env("SOPS_AGE_KEY_FILE", sandbox.path(key))
        .args(["decrypt", path])
        .current_dir(sandbox.path(""));
    sandbox.finish(&command.output().unwrap())
}

/// The data key of a sealed file, as its owner has it.
fn data_key(sandbox: &Sandbox, key: &str, path: &str) -> Vec<u8> {
    let text = sandbox.read(path);
    let start = text.find("-----BEGIN AGE").unwrap();
    let end = text.find("-----END AGE ENCRYPTED FILE-----").unwrap() + 32;
    let armored = text[start..end].replace("\\n", "\n");
    let armored: Vec<&str> = armored.lines().map(str::trim).collect();
    let copy = WrappedKey {
        recipient: String::new(),
        enc: armored.join("\n") + "\n",
    };
    let keys = Secret::new(sandbox.read(key));
    let (keyring, _) = Keyring::parse(&[(key.to_owned(), keys)]);
    keyring.open(&[copy]).unwrap().bytes().to_vec()
}

/// Has the real `sops` seal what Kiln does not render, in every form that it takes, and names all that is sealed.
fn seal_by_hand(sandbox: &Sandbox, sops: &std::path::Path, recipient: &str) -> Vec<&'static str> {
    let talos =
        format!("cluster:\n  # {CANARY}\n  id: {CANARY}\n  key: |\n    one\n    two\nnumber: 5\n");
    let json = format!("{{\n\t\"word\": \"{CANARY}\",\n\t\"list\": [1, 2.5, true]\n}}\n");
    let plain = [
        ("talos/secrets.sops.yaml", talos),
        ("own.sops.json", json),
        ("blob.sops.bin", format!("{CANARY} bytes\n")),
        ("without-a-name.yaml", format!("word: {CANARY}\n")),
        ("cluster.sops.yaml", sandbox.read("cluster.yaml")),
    ];
    fs::remove_file(sandbox.path("cluster.yaml")).unwrap();
    for (path, text) in &plain {
        seal(sandbox, sops, recipient, path, text);
    }
    let paths = plain.iter().map(|(path, _)| *path);
    paths.chain(["a.sops.yaml", "b.sops.yaml"]).collect()
}

#[test]
fn rekey_seals_everything_anew() {
    let Some(sops) = oracle("sops") else { return };
    let (sandbox, old) = sealed();
    let files = seal_by_hand(&sandbox, &sops, &old);
    let opened: Vec<Run> = files
        .iter()
        .map(|path| open(&sandbox, &sops, "age.key", path))
        .collect();
    let keys: Vec<Vec<u8>> = files
        .iter()
        .map(|path| data_key(&sandbox, "age.key", path))
        .collect();
    // Another project, with keys of its own.
    sandbox.write("nested/kiln.toml", "");
    fs::copy(
        sandbox.path("a.sops.yaml"),
        sandbox.path("nested/a.sops.yaml"),
    )
    .unwrap();

    let new = replace_key(&sandbox);
    let before = contents(&sandbox);
    let shown = |run: Run| {
        run.to_string()
            .replace(&new, "[NEW]")
            .replace(&shown_recipient(&new), "[NEW]")
            .replace(&old, "[OLD]")
    };
    let dry = ["secrets", "rekey", "--old-key", "old.key", "--check"];
    assert_snapshot!(shown(sandbox.kiln(&dry)), @r#"
    exit code 1
    --- stdout
    sealed blob.sops.bin
    sealed cluster.sops.yaml
    sealed own.sops.json
    sealed talos/secrets.sops.yaml
    sealed without-a-name.yaml
    changed .sops.yaml
    changed a.sops.yaml
    changed b.sops.yaml
    --- stderr
    would seal for [NEW]: 3 outputs and 5 other files
    "#);
    assert_eq!(contents(&sandbox), before);
    let rekey = ["secrets", "rekey", "--old-key", "old.key"];
    assert_snapshot!(shown(sandbox.kiln(&rekey)), @r#"
    exit code 0
    --- stderr
    sealed blob.sops.bin
    sealed cluster.sops.yaml
    sealed own.sops.json
    sealed talos/secrets.sops.yaml
    sealed without-a-name.yaml
    changed .sops.yaml
    changed a.sops.yaml
    changed b.sops.yaml
    sealed for [NEW]: 3 outputs and 5 other files
    next: push, hand the key to the cluster (`just bootstrap keys`), then take the old one out of age.key
    "#);
    for ((path, opened), key) in files.iter().zip(opened).zip(keys) {
        assert_eq!(open(&sandbox, &sops, "age.key", path), opened, "{path}");
        assert_ne!(
            open(&sandbox, &sops, "old.key", path).code,
            Some(0),
            "{path}"
        );
        assert_ne!(data_key(&sandbox, "age.key", path), key, "{path}");
    }
    assert!(sandbox.read("nested/a.sops.yaml").contains(&old));

    let after = contents(&sandbox);
    assert_snapshot!(shown(sandbox.kiln(&rekey)), @r#"
    exit code 0
    --- stderr
    nothing to do: all that is sealed here is sealed for [NEW]
    "#);
    assert_eq!(contents(&sandbox), after);
    fs::remove_file(sandbox.path("old.key")).unwrap();
    sandbox.kiln(&["render", "--check"]).success();
}

#[test]
fn rekey_makes_the_new_key_too() {
    let (sandbox, old) = sealed();
    let before = contents(&sandbox);
    let run = sandbox.kiln(&["secrets", "rekey", "--keygen", "--check"]);
    assert_eq!(run.code, Some(1), "{run}");
    // A run that is refused leaves no new key behind.
    sandbox.write("bad.sops.env", "WORD=ENC[AES256_GCM,data:x]\n");
    let run = sandbox.kiln(&["secrets", "rekey", "--keygen"]);
    refused(&run, "unsupported-secret-format");
    fs::remove_file(sandbox.path("bad.sops.env")).unwrap();
    assert_eq!(contents(&sandbox), before);
    sandbox.kiln(&["secrets", "rekey", "--keygen"]).success();
    let new = recipient(&sandbox, "age.key");
    assert_ne!(new, old);
    assert!(sandbox.read("age.key").contains(&old));
    assert!(sandbox.read("a.sops.yaml").contains(&new));
    // The old one may go.
    let first: Vec<String> = sandbox
        .read("age.key")
        .lines()
        .take(3)
        .map(str::to_owned)
        .collect();
    sandbox.write("age.key", first.join("\n"));
    assert_eq!(sandbox.kiln(&["secrets", "rekey", "--check"]).code, Some(0));
    sandbox.kiln(&["render", "--check"]).success();
}

/// Waits until another process holds the right to write, and returns what it calls itself; `None` if none ever does.
fn holder(folder: &Folder) -> Option<String> {
    for _ in 0..600 {
        match folder.claim(".kiln", &Holder::default()) {
            Err(kiln::fs::DiskError::Busy {
                holder: Some(holder),
                ..
            }) => return Some(holder.command),
            // It is free still, or its holder is just signing it.
            Ok(_) | Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    None
}

#[test]
fn rekey_takes_keys_and_templates_as_they_are_after_the_wait() {
    let (sandbox, old) = sealed();
    let disk = Disk::open(&sandbox.path("")).unwrap();
    let claim = disk
        .folder(".")
        .unwrap()
        .claim(".kiln", &Holder::default())
        .unwrap();
    let rekey = ["secrets", "rekey", "--keygen"];
    let mut children = [(); 2].map(|()| sandbox.command().args(rekey).spawn().unwrap());
    std::thread::sleep(Duration::from_millis(1500));
    for child in &mut children {
        assert!(child.try_wait().unwrap().is_none(), "it does not wait");
    }
    sandbox.write("templates/notes.txt", "edited meanwhile\n");
    drop(claim);
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(sandbox.read("notes.txt"), "edited meanwhile\n");
    // Neither run lost the key of the other.
    let keys = sandbox.read("age.key");
    assert_eq!(keys.matches("\nAGE-SECRET-KEY-").count(), 3);
    assert!(keys.contains(&old));
    let new = recipient(&sandbox, "age.key");
    for path in ["a.sops.yaml", "b.sops.yaml"] {
        assert!(sandbox.read(path).contains(&new), "{path}");
    }
    sandbox.kiln(&["render", "--check"]).success();
}

#[test]
fn nobody_writes_between_what_rekey_reads_and_what_it_writes() {
    let (sandbox, old) = sealed();
    let new = replace_key(&sandbox);
    let key = sandbox.read("old.key");
    fs::remove_file(sandbox.path("old.key")).unwrap();
    // The run waits for the old key, as from a password manager.
    let pipe = sandbox.path("../home/old.key");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let rekey = ["secrets", "rekey", "--old-key", "../home/old.key"];
    let mut child = sandbox.command().args(rekey).spawn().unwrap();
    let folder = Disk::open(&sandbox.path("")).unwrap().folder(".").unwrap();
    let writer = holder(&folder);
    if writer.is_none() {
        child.kill().unwrap();
    }
    assert_eq!(writer.as_deref(), Some("kiln secrets rekey"));
    sandbox.write("templates/notes.txt", "edited meanwhile\n");
    fs::write(&pipe, key).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(sandbox.read("notes.txt"), "edited meanwhile\n");
    let text = sandbox.read("a.sops.yaml");
    assert!(text.contains(&new) && !text.contains(&old), "{text}");
    assert!(!sandbox.path(".kiln").exists());
}

#[test]
fn rekey_keeps_what_was_edited_by_hand() {
    let Some(sops) = oracle("sops") else { return };
    let (sandbox, old) = sealed();
    let text = sandbox
        .read("templates/a.sops.yaml")
        .replace(CANARY, "edited");
    seal(&sandbox, &sops, &old, "a.sops.yaml", &text);
    let new = replace_key(&sandbox);
    sandbox
        .kiln(&["secrets", "rekey", "--old-key", "old.key"])
        .success();
    let opened = open(&sandbox, &sops, "age.key", "a.sops.yaml").success();
    insta::assert_snapshot!(opened, @"
    apiVersion: v1
    kind: Secret
    metadata:
        name: a
    stringData:
        word: edited
    ");
    assert!(sandbox.read("a.sops.yaml").contains(&new));
    assert!(!sandbox.read("a.sops.yaml").contains(&old));
}

#[test]
fn rekey_says_which_line_of_your_rules_to_edit() {
    let Some(sops) = oracle("sops") else { return };
    let (sandbox, old) = sealed();
    fs::remove_file(sandbox.path("templates/.sops.yaml.tera")).unwrap();
    sandbox.kiln(&["render"]).code.unwrap();
    let rules = format!(
        "creation_rules:\n  - path_regex: ^a\\.\n    age: {old}\n  - age:\n      - {old}\n"
    );
    sandbox.write(".sops.yaml", rules);
    sandbox.kiln(&["render"]).success();
    seal(&sandbox, &sops, &old, "own.sops.yaml", "word: one\n");
    let new = replace_key(&sandbox);
    let before = contents(&sandbox);
    let rekey = ["secrets", "rekey", "--old-key", "old.key"];
    let run = sandbox.kiln(&rekey);
    let shown = run.to_string().replace(&shown_recipient(&new), "[NEW]");
    let shown = shown
        .replace(&shown_recipient(&old), "[OLD]")
        .replace(&old, "[OLD]");
    assert_snapshot!(shown, @r#"
    exit code 1
    --- stderr
    error[rekey-rule]: a creation rule still seals for `[OLD]`, the key that is replaced
     --> .sops.yaml:3:10
      |
    3 |     age: [OLD]
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `[NEW]` in its place

    error[rekey-rule]: a creation rule still seals for `[OLD]`, the key that is replaced
     --> .sops.yaml:5:9
      |
    5 |       - [OLD]
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `[NEW]` in its place

    2 errors, nothing written
    "#);
    assert_eq!(contents(&sandbox), before);
    sandbox.write(".sops.yaml", sandbox.read(".sops.yaml").replace(&old, &new));
    sandbox.kiln(&rekey).success();
    for path in ["a.sops.yaml", "b.sops.yaml", "own.sops.yaml"] {
        assert!(sandbox.read(path).contains(&new), "{path}");
        open(&sandbox, &sops, "age.key", path).success();
    }
}

#[test]
fn rekey_says_what_it_cannot_do() {
    let Some(sops) = oracle("sops") else { return };
    let (sandbox, old) = sealed();
    replace_key(&sandbox);
    // The old key is nowhere.
    refused(&sandbox.kiln(&["secrets", "rekey"]), "wrong-key");
    let run = sandbox.kiln(&["secrets", "rekey", "--old-key", "age.key"]);
    refused(&run, "rekey-same-key");
    assert_eq!(
        sandbox
            .kiln(&["secrets", "rekey", "--old-key", "no.key"])
            .code,
        Some(2)
    );
    // A stranger's file.
    let other = Sandbox::new();
    other.kiln(&["init", "--key-type", "x25519"]).success();
    let stranger = recipient(&other, "age.key");
    seal(&sandbox, &sops, &stranger, "own.sops.yaml", "word: one\n");
    let rekey = ["secrets", "rekey", "--old-key", "old.key"];
    let before = contents(&sandbox);
    let run = sandbox.kiln(&rekey);
    refused(&run, "wrong-identity");
    assert!(
        run.stderr.contains(&shown_recipient(&stranger)) && run.stderr.contains("own.sops.yaml"),
        "{run}"
    );
    assert_eq!(contents(&sandbox), before);
    fs::remove_file(sandbox.path("own.sops.yaml")).unwrap();
    // A form that Kiln does not write.
    seal(&sandbox, &sops, &old, "own.sops.env", "WORD=one\n");
    let run = sandbox.kiln(&rekey);
    refused(&run, "unsupported-secret-format");
    fs::remove_file(sandbox.path("own.sops.env")).unwrap();
    // No key to seal for: what is sealed elsewhere still is.
    fs::remove_file(sandbox.path("age.key")).unwrap();
    fs::remove_file(sandbox.path("templates/.sops.yaml.tera")).unwrap();
    sandbox.write(".sops.yaml", format!("creation_rules:\n  - age: {old}\n"));
    refused(&sandbox.kiln(&rekey), "rekey-no-key");
}
