use std::fmt;

use sops_age::Store;
use spanned_yaml::Resolver;

use super::documents::Author;
use super::sops::Sops;

/// The ways to say what is encrypted, as further lines of a rule.
const SELECTORS: [&[&str]; 10] = [
    &[],
    &["encrypted_regex: ^(data|stringData)$"],
    &["encrypted_regex: a", "mac_only_encrypted: true"],
    &["unencrypted_regex: ^(kind|b)"],
    &["unencrypted_regex: z", "mac_only_encrypted: true"],
    &["encrypted_suffix: Data"],
    &["unencrypted_suffix: suffix"],
    &["encrypted_comment_regex: note"],
    &["encrypted_comment_regex: tail"],
    &["unencrypted_comment_regex: '^ note 1'"],
];

const STORES: [(Store, &str); 7] = [
    (Store::Yaml, "a.sops.yaml"),
    (Store::Yaml, "a.sops.yaml"),
    (Store::Yaml, "a.sops.yml"),
    (Store::Yaml, "a.sops.yaml"),
    (Store::Json, "a.sops.json"),
    (Store::Json, "a.sops.json"),
    (Store::Binary, "a.sops.bin"),
];

/// A random file with its rule.
pub(crate) struct Case {
    pub(crate) number: u64,
    pub(crate) store: Store,
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    pub(crate) more: &'static [&'static str],
}

impl Case {
    pub(crate) fn new(number: u64) -> Self {
        let mut author = Author::new(number);
        let (store, name) = STORES[author.below(STORES.len())];
        let more = SELECTORS[author.below(SELECTORS.len())];
        let bytes = author.file(store);
        Self {
            number,
            store,
            name,
            bytes,
            more,
        }
    }

    pub(crate) fn is_by_comment(&self) -> bool {
        self.more.iter().any(|line| line.contains("comment"))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.bytes);
        write!(
            formatter,
            "case {} with {:?} ({}):\n{text}",
            self.number, self.more, self.name
        )
    }
}

/// Runs over cases and returns how many there were; `KILN_SOPS_CASES` asks for more, from `KILN_SOPS_FROM` on.
pub(crate) fn each_case(usual: u64, mut judge: impl FnMut(Case)) -> u64 {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let from = number("KILN_SOPS_FROM").unwrap_or(0);
    let count = number("KILN_SOPS_CASES").unwrap_or(usual);
    (from..from + count).for_each(|number| judge(Case::new(number)));
    count
}

/// What a sealed file holds, as `sops` decrypts it.
#[derive(Debug, PartialEq)]
pub(crate) enum Content {
    /// Documents, without comments, whatever their layout.
    Tree(Vec<serde_json::Value>),
    Bytes(Vec<u8>),
    /// What no reader of YAML takes back: go-yaml indents some texts in lists wrongly.
    Unreadable,
    /// Why `sops` does not open it.
    Refused(String),
}

/// Asks `sops` what a sealed file holds.
pub(crate) fn content(sops: &Sops, case: &Case, sealed: &str) -> Content {
    let bytes = match sops.decrypt(case.name, sealed) {
        Ok(bytes) if case.store == Store::Binary => return Content::Bytes(bytes),
        Ok(bytes) => bytes,
        Err(told) => return Content::Refused(told),
    };
    let text = String::from_utf8(bytes).unwrap();
    let read = |text: &str| -> Option<Vec<serde_json::Value>> {
        let documents = spanned_yaml::load(text).ok()?;
        let values = documents
            .iter()
            .map(|one| one.root.to_value(Resolver::Core));
        Some(values.collect())
    };
    match read(&text) {
        Some(values) => Content::Tree(values),
        None => match sops.decrypt_to_json(case.name, sealed) {
            Ok(json) => Content::Tree(read(&json).unwrap()),
            Err(_) => Content::Unreadable,
        },
    }
}
