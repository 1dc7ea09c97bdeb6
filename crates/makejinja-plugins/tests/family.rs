//! What the functions of the cluster-template family give, without Python.

use std::collections::BTreeMap;

use makejinja_plugins::PluginValue;
use makejinja_plugins::family::{FamilyFunction, FileText, KeyFiles, NetworkLibrary};
use zeroize::Zeroizing;

#[derive(Default)]
struct MemoryKeyFiles(BTreeMap<&'static str, &'static str>);

impl KeyFiles for MemoryKeyFiles {
    fn read_secret(&self, path: &str) -> Result<Option<Zeroizing<String>>, String> {
        if path == "locked.key" {
            return Err("permission denied".to_owned());
        }
        Ok(self
            .0
            .get(path)
            .map(|text| Zeroizing::new((*text).to_owned())))
    }

    fn list_files(&self, folder: &str) -> Result<Option<Vec<String>>, String> {
        let below = |path: &&str| {
            path.strip_prefix(folder)?
                .strip_prefix('/')
                .map(str::to_owned)
        };
        let found: Vec<String> = self.0.keys().rev().filter_map(below).collect();
        Ok((!found.is_empty()).then_some(found))
    }
}

fn files(files: &[(&'static str, &'static str)]) -> MemoryKeyFiles {
    MemoryKeyFiles(files.iter().copied().collect())
}

fn text(text: &str) -> PluginValue {
    PluginValue::from(text)
}

fn call(
    function: FamilyFunction,
    files: &MemoryKeyFiles,
    arguments: &[PluginValue],
) -> Result<PluginValue, String> {
    function
        .call(files, arguments, &[])
        .map_err(|error| error.message)
}

fn nth(
    library: NetworkLibrary,
    network: &str,
    nth: impl Into<PluginValue>,
) -> Result<PluginValue, String> {
    let none = MemoryKeyFiles::default();
    call(
        FamilyFunction::NthHost(library),
        &none,
        &[text(network), nth.into()],
    )
}

const NO: Result<PluginValue, String> = Ok(PluginValue::Bool(false));

#[test]
fn hosts_are_counted_as_ipaddress_does() {
    let library = NetworkLibrary::Ipaddress;
    assert_eq!(nth(library, "10.0.0.5/24", 1), Ok(text("10.0.0.1")));
    assert_eq!(
        nth(library, "10.0.0.0/255.255.254.0", 256),
        Ok(text("10.0.1.0"))
    );
    assert_eq!(
        nth(library, "10.0.0.0/0.0.0.255", 255),
        Ok(text("10.0.0.255"))
    );
    assert_eq!(nth(library, "10.0.0.0/24", 256), NO);
    assert_eq!(nth(library, "10.0.0.0/24", -1), NO);
    assert_eq!(nth(library, "10.0.0.7", 0), Ok(text("10.0.0.7")));
    assert_eq!(
        nth(library, "0.0.0.0/0", 4_294_967_295),
        Ok(text("255.255.255.255"))
    );
    assert_eq!(nth(library, "2001:db8::/32", 10), Ok(text("2001:db8::a")));
    let most = PluginValue::Integer(u128::MAX.to_string());
    assert_eq!(
        nth(library, "::/0", most.clone()),
        Ok(text("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
    );
    assert_eq!(nth(library, "::1/128", most), NO);
    for wrong in [
        "",
        "10.0.0.0/33",
        "10.0.0/8",
        "010.0.0.0/8",
        "10.0.0.0/a",
        "10.0.0.0/1.2.3.4",
        "a/8/8",
        " 10.0.0.0/8",
    ] {
        assert_eq!(nth(library, wrong, 1), NO, "{wrong}");
    }
    let error = nth(library, "10.0.0.0/8", "1").unwrap_err();
    assert_eq!(
        error,
        "`query` is of type `str`, and a whole number is needed"
    );
}

#[test]
fn hosts_are_counted_as_netaddr_does() {
    let library = NetworkLibrary::Netaddr;
    assert_eq!(nth(library, "10.0.0.5/24", "1"), Ok(text("10.0.0.1")));
    assert_eq!(nth(library, "10.0.0.5/24", -1), Ok(text("10.0.0.255")));
    assert_eq!(nth(library, "10.0.0.5/24", -256), Ok(text("10.0.0.0")));
    assert_eq!(nth(library, "10.0.0.5/24", 256), Ok(text("10.0.0.5/24")));
    assert_eq!(nth(library, "10.0.0.5/24", "first"), NO);
    assert_eq!(nth(library, "10.0.0.5/24", " 1_0 "), Ok(text("10.0.0.10")));
    assert_eq!(
        nth(library, "10.0.0.5/24", -257).unwrap_err(),
        "the network has no host -257"
    );
    assert_eq!(
        nth(library, "home", 1).unwrap_err(),
        "`value` is no network"
    );
}

const AGE: &str = "# created: 2026\r\n# public key: age1pq1abc_d\r\n AGE-SECRET-KEY-PQ-1XYZ \r\n";
const CLASSIC: &str = "# public key: age1\n# public key: age1abc-\nAGE-SECRET-KEY-1XYZ";

#[test]
fn age_keys_are_found() {
    let keys = files(&[("age.key", AGE), ("old.key", CLASSIC), ("empty.key", "")]);
    let new = FamilyFunction::AgeKey { post_quantum: true };
    let old = FamilyFunction::AgeKey {
        post_quantum: false,
    };
    assert_eq!(
        call(new, &keys, &[text("public")]),
        Ok(text("age1pq1abc_d"))
    );
    assert_eq!(
        call(new, &keys, &[text("private")]),
        Ok(text("AGE-SECRET-KEY-PQ-1XYZ"))
    );
    assert_eq!(
        call(old, &keys, &[text("private")]),
        Ok(text("AGE-SECRET-KEY-PQ")),
        "as the original"
    );
    assert_eq!(
        call(new, &keys, &[text("public"), text("old.key")]),
        Ok(text("age1abc"))
    );
    assert_eq!(
        call(new, &keys, &[text("private"), text("old.key")]),
        Ok(text("AGE-SECRET-KEY-1XYZ"))
    );
    let error = |arguments: &[PluginValue]| call(new, &keys, arguments).unwrap_err();
    assert_eq!(
        error(&[text("public"), text("gone.key")]),
        "there is no file `gone.key`"
    );
    assert_eq!(
        error(&[text("public"), text("empty.key")]),
        "`empty.key` has no public key"
    );
    assert_eq!(
        error(&[text("public"), text("locked.key")]),
        "`locked.key` cannot be read: permission denied"
    );
    assert_eq!(
        error(&[text("secret")]),
        "`key_type` is neither `public` nor `private`"
    );
    assert_eq!(error(&[]), "the argument `key_type` is missing");
    let named = [("file_path".to_owned(), text("old.key"))];
    let found = new.call(&keys, &[text("public")], &named).unwrap();
    assert_eq!(found, text("age1abc"));
    let twice = new
        .call(&keys, &[text("public"), text("age.key")], &named)
        .unwrap_err();
    assert_eq!(twice.message, "the argument `file_path` is given twice");
}

const TUNNEL: &str =
    r#"{"AccountTag": "acc\u00fc", "TunnelID": "1-2", "TunnelSecret": "c2Vj\"", "Endpoint": ""}"#;

#[test]
fn tunnels_are_read() {
    let keys = files(&[
        ("cloudflare-tunnel.json", TUNNEL),
        (
            "empty.json",
            r#"{"AccountTag": "a", "TunnelID": "", "TunnelSecret": "s"}"#,
        ),
        ("list.json", r#"["hunter2"]"#),
        ("broken.json", "{\n\"hunter2"),
    ]);
    let id = |refuses_empty| FamilyFunction::TunnelId { refuses_empty };
    let secret = |refuses_empty| FamilyFunction::TunnelSecret { refuses_empty };
    assert_eq!(call(id(true), &keys, &[]), Ok(text("1-2")));
    let token = "eyJhIjoiYWNjXHUwMGZjIiwidCI6IjEtMiIsInMiOiJjMlZqXCIifQ==";
    assert_eq!(call(secret(true), &keys, &[]), Ok(text(token)));
    let empty = [text("empty.json")];
    assert_eq!(call(id(false), &keys, &empty), Ok(text("")));
    assert_eq!(
        call(id(true), &keys, &empty).unwrap_err(),
        "`TunnelID` is empty in `empty.json`"
    );
    assert_eq!(
        call(secret(true), &keys, &empty).unwrap_err(),
        "`TunnelID` is empty in `empty.json`"
    );
    assert!(call(secret(false), &keys, &empty).is_ok());
    assert_eq!(
        call(id(true), &keys, &[text("list.json")]).unwrap_err(),
        "`list.json` holds no JSON object"
    );
    let error = call(id(true), &keys, &[text("broken.json")]).unwrap_err();
    assert_eq!(error, "`broken.json` is not JSON, at line 2, column 8");
    let field = FamilyFunction::TunnelField {
        file: "cloudflare-tunnel.json",
    };
    assert_eq!(call(field, &keys, &[text("Endpoint")]), Ok(text("")));
    assert_eq!(call(field, &keys, &[text("Gone")]), Ok(PluginValue::Null));
}

#[test]
fn files_are_returned_without_the_white_space_around_them() {
    let keys = files(&[
        ("deploy.key", "\u{1c}\n a\r\nb\rc \u{a0}\n"),
        ("blank", " \n"),
    ]);
    let function = |strips, refuses_empty| {
        let file = "deploy.key";
        FamilyFunction::FileText(FileText {
            file,
            takes_file: true,
            strips,
            refuses_empty,
        })
    };
    assert_eq!(call(function(true, true), &keys, &[]), Ok(text("a\nb\nc")));
    assert_eq!(
        call(function(false, false), &keys, &[]),
        Ok(text("\u{1c}\n a\nb\nc \u{a0}\n"))
    );
    assert_eq!(
        call(function(true, false), &keys, &[text("blank")]),
        Ok(text(""))
    );
    assert_eq!(
        call(function(true, true), &keys, &[text("blank")]).unwrap_err(),
        "`blank` is empty"
    );
    let error = call(function(true, true), &keys, &[PluginValue::from(1)]).unwrap_err();
    assert_eq!(
        error,
        "the argument `file_path` is of type `int`, and a text is needed"
    );
}

#[test]
fn patches_are_listed_in_order() {
    let keys = files(&[
        ("t/global/b.yaml.j2", ""),
        ("t/global/a.yaml.j2", ""),
        ("t/global/readme.md", ""),
    ]);
    let function = FamilyFunction::TalosPatches {
        folder: "t",
        ending: ".yaml.j2",
    };
    let found = call(function, &keys, &[text("global")]).unwrap();
    assert_eq!(
        found,
        PluginValue::List(vec![text("t/global/a.yaml.j2"), text("t/global/b.yaml.j2")])
    );
    assert_eq!(
        call(function, &keys, &[text("gone")]),
        Ok(PluginValue::List(vec![]))
    );
}

#[test]
fn what_is_secret_is_said() {
    let age = FamilyFunction::AgeKey { post_quantum: true };
    assert!(!age.gives_secret(&[text("public")], &[]));
    assert!(age.gives_secret(&[text("private")], &[]));
    assert!(age.gives_secret(&[], &[]));
    assert!(!age.gives_secret(&[], &[("key_type".to_owned(), text("public"))]));
    assert!(
        !FamilyFunction::TunnelId {
            refuses_empty: true
        }
        .gives_secret(&[], &[])
    );
    assert!(
        FamilyFunction::TunnelSecret {
            refuses_empty: true
        }
        .gives_secret(&[], &[])
    );
    let field = FamilyFunction::TunnelField { file: "a" };
    assert!(field.gives_secret(&[text("TunnelSecret")], &[]));
    assert!(!field.gives_secret(&[text("TunnelID")], &[]));
}
