//! Reading a `.sops.yaml`.

use std::collections::BTreeSet;

use regex::Regex;
use spanned_yaml::{Entry, LoadError, Node, Resolver, Span};

use super::{CreationRule, Layouts, RuleFile, RuleProblem, RuleProblemKind};
use crate::keys::{Recipient, Unfit};
use crate::pattern;
use crate::scope::{Scope, Selector};

/// `keys` is no word of SOPS, but the usual place of anchors for recipients.
const TOP_KEYS: [&str; 4] = ["creation_rules", "destination_rules", "keys", "stores"];

const RULE_KEYS: [&str; 8] = [
    "path_regex",
    "age",
    "key_groups",
    "shamir_threshold",
    "mac_only_encrypted",
    "aws_profile",
    "path",
    "omit_extensions",
];

/// Keys for other kinds of master keys, in rules and in key groups.
const FOREIGN: [&str; 8] = [
    "pgp",
    "kms",
    "gcp_kms",
    "hckms",
    "azure_keyvault",
    "hc_vault_transit_uri",
    "hc_vault",
    "azure_kv",
];

pub(super) fn rules(text: &str) -> Result<RuleFile, LoadError> {
    let documents = spanned_yaml::load(text)?;
    let mut reader = RuleFileReader {
        text,
        file: RuleFile::default(),
    };
    if let Some(document) = documents.first() {
        reader.file(&document.root);
    }
    Ok(reader.file)
}

struct RuleFileReader<'r> {
    text: &'r str,
    file: RuleFile,
}

impl RuleFileReader<'_> {
    fn file(&mut self, root: &Node) {
        let Some(entries) = root.entries() else {
            if !root.is_null() {
                self.file.strange = true;
                self.shape(
                    root.first_line_span(),
                    "a rule file is a mapping with `creation_rules`",
                );
            }
            return;
        };
        self.unknown(entries, &TOP_KEYS);
        if let Some(entry) = root.entry("creation_rules") {
            self.file.span = Some(entry.key_span);
            match entry.value.items() {
                Some(items) => {
                    self.file.rules = items.iter().map(|item| self.rule(item)).collect();
                }
                None if entry.value.is_null() => {}
                None => self.shape(entry.key_span, "`creation_rules` is a list of rules"),
            }
        }
        let layouts = self.layouts(root);
        for rule in &mut self.file.rules {
            rule.layouts = layouts.clone();
        }
    }

    fn layouts(&mut self, root: &Node) -> Layouts {
        let usual = Layouts::default();
        let yaml = root.find("stores.yaml.indent");
        Layouts {
            yaml: yaml.map_or(usual.yaml, |node| self.yaml_indent(node)),
            json: self.json_indent(root, "json").unwrap_or(usual.json),
            binary: self
                .json_indent(root, "json_binary")
                .unwrap_or(usual.binary),
        }
    }

    /// go-yaml takes 2 to 9; SOPS takes 0 as "not set".
    fn yaml_indent(&mut self, node: &Node) -> usize {
        let usual = Layouts::default().yaml;
        match node.to_value(Resolver::Core).as_u64() {
            Some(0) => usual,
            Some(indent @ 2..=9) => usize::try_from(indent).unwrap_or(usual),
            Some(_) => 2,
            None => {
                self.shape(node.span, "`stores.yaml.indent` is a number of blanks");
                usual
            }
        }
    }

    /// SOPS takes -1 for a tab.
    fn json_indent(&mut self, root: &Node, store: &str) -> Option<String> {
        let node = root.get("stores")?.get(store)?.get("indent")?;
        let number = node.to_value(Resolver::Core).as_i64();
        match number.map(usize::try_from) {
            Some(Ok(blanks @ 0..=64)) => Some(" ".repeat(blanks)),
            Some(Err(_)) if number == Some(-1) => Some("\t".to_owned()),
            _ => {
                let what =
                    format!("`stores.{store}.indent` is a number of blanks, or -1 for a tab");
                self.shape(node.span, &what);
                None
            }
        }
    }

    fn rule(&mut self, node: &Node) -> CreationRule {
        let start = node.first_line_span();
        let mut rule = CreationRule {
            path: None,
            path_regex: None,
            span: start,
            start,
            scope: Scope::default(),
            scope_span: start,
            mac_only_encrypted: false,
            recipients: Vec::new(),
            recipients_span: None,
            layouts: Layouts::default(),
            named_keys: BTreeSet::new(),
            unfit: Vec::new(),
        };
        let Some(entries) = node.entries() else {
            self.file.strange = true;
            self.shape(start, "a creation rule is a mapping");
            return rule;
        };
        let selectors = Selector::ALL.map(Selector::key);
        let known: Vec<&'static str> = RULE_KEYS
            .iter()
            .chain(&FOREIGN)
            .chain(&selectors)
            .copied()
            .collect();
        self.unknown(entries, &known);
        if let Some(entry) = filled(node, "path_regex") {
            rule.path = self.regex(entry);
            rule.path_regex = entry.value.text().map(str::to_owned);
            rule.span = entry.key_span;
        }
        if let Some(scope) = self.scope(node) {
            if let Some(entry) = node.entry(scope.selector.key()) {
                rule.scope_span = entry.key_span;
            }
            rule.scope = scope;
        }
        if let Some(entry) = node.entry("mac_only_encrypted") {
            rule.mac_only_encrypted = self.flag(entry);
        }
        self.keys(node, &mut rule);
        named_keys(node, &mut rule.named_keys);
        rule
    }

    fn scope(&mut self, node: &Node) -> Option<Scope> {
        let chosen: Vec<(Selector, &Entry)> = Selector::ALL
            .into_iter()
            .filter_map(|selector| Some((selector, filled(node, selector.key())?)))
            .collect();
        if let [(first, one), (second, other), ..] = chosen.as_slice() {
            let kind = RuleProblemKind::Selectors {
                one: *first,
                one_span: one.key_span,
                other: *second,
            };
            self.problem(kind, other.key_span);
            return None;
        }
        let (selector, entry) = chosen.first()?;
        match Scope::new(*selector, entry.value.text()?) {
            Ok(scope) => Some(scope),
            Err(problem) => {
                let key = entry.key.clone();
                let kind = RuleProblemKind::Pattern { key, problem };
                self.problem(kind, entry.value.span);
                None
            }
        }
    }

    fn regex(&mut self, entry: &Entry) -> Option<Regex> {
        match pattern::compile(entry.value.text()?) {
            Ok(regex) => Some(regex),
            Err(problem) => {
                let key = entry.key.clone();
                let kind = RuleProblemKind::Pattern { key, problem };
                self.problem(kind, entry.value.span);
                None
            }
        }
    }

    fn flag(&mut self, entry: &Entry) -> bool {
        match entry.value.to_value(Resolver::Kubernetes) {
            serde_json::Value::Bool(flag) => flag,
            serde_json::Value::Null => false,
            _ => {
                let what = format!("`{}` is true or false", entry.key);
                self.shape(entry.value.span, &what);
                false
            }
        }
    }

    /// Reads for whom a rule seals: `key_groups` if there are any, the keys of the rule otherwise.
    fn keys(&mut self, node: &Node, rule: &mut CreationRule) {
        let before = self.file.problems.len();
        let groups = node
            .get("key_groups")
            .and_then(Node::items)
            .unwrap_or_default();
        match groups {
            [] => self.group(node, rule),
            [group] => self.group(group, rule),
            _ => {
                let entry = node.entry("key_groups");
                let span = entry.map_or_else(|| node.first_line_span(), |entry| entry.key_span);
                rule.unfit.push(told(RuleProblemKind::KeyGroups, span));
            }
        }
        self.threshold(node, groups.len(), rule);
        let mut seen = BTreeSet::new();
        rule.recipients
            .retain(|recipient| seen.insert(recipient.to_string()));
        let nobody = rule.recipients.is_empty() && rule.unfit.is_empty();
        if nobody && self.file.problems.len() == before {
            let span = node.first_line_span();
            rule.unfit.push(told(RuleProblemKind::NoRecipient, span));
        }
    }

    fn threshold(&mut self, node: &Node, groups: usize, rule: &mut CreationRule) {
        let Some(entry) = filled(node, "shamir_threshold") else {
            return;
        };
        match entry.value.to_value(Resolver::Core).as_u64() {
            Some(threshold @ 2..) if groups <= 1 => {
                let kind = RuleProblemKind::Threshold(threshold);
                rule.unfit.push(told(kind, entry.value.span));
            }
            Some(_) => {}
            None => self.shape(
                entry.value.span,
                "`shamir_threshold` is a number of key groups",
            ),
        }
    }

    fn group(&mut self, node: &Node, rule: &mut CreationRule) {
        for key in FOREIGN {
            if let Some(entry) = filled(node, key) {
                let kind = RuleProblemKind::ForeignKey(key);
                rule.unfit.push(told(kind, entry.key_span));
            }
        }
        for group in node.get("merge").and_then(Node::items).unwrap_or_default() {
            self.group(group, rule);
        }
        let Some(entry) = node.entry("age") else {
            return;
        };
        rule.recipients_span
            .get_or_insert_with(|| entry.value.first_line_span());
        let parts: Vec<(String, Span)> = match entry.value.items() {
            Some(items) => items
                .iter()
                .flat_map(|item| self.recipients(item))
                .collect(),
            None => self.recipients(&entry.value),
        };
        for (text, span) in parts {
            match Recipient::read(&text) {
                Ok(recipient) => rule.recipients.push(recipient),
                Err(unfit) => self.unfit(text, span, unfit, rule),
            }
        }
    }

    /// Splits a list of recipients with commas, each with its place where it stands as it is.
    fn recipients(&mut self, node: &Node) -> Vec<(String, Span)> {
        let Some(text) = node.text() else {
            self.file.strange = true;
            self.shape(
                node.first_line_span(),
                "`age` is a list of recipients, or a string with commas",
            );
            return Vec::new();
        };
        if node.is_null() {
            return Vec::new();
        }
        let written = &self.text[node.span.start..node.span.end];
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        parts
            .map(|part| {
                let span = written.find(part).map_or(node.span, |at| {
                    let start = node.span.start + at;
                    Span::new(start, start + part.len())
                });
                (part.to_owned(), span)
            })
            .collect()
    }

    fn unfit(&mut self, text: String, span: Span, unfit: Unfit, rule: &mut CreationRule) {
        // What does not even start like a recipient may be a secret that was put there.
        let hidden = !text.starts_with("age1") && !text.starts_with("ssh-");
        let supported = !matches!(unfit, Unfit::Unsupported(_));
        self.file.strange |= hidden && unfit == Unfit::Malformed;
        // Of a private key not even the place: a label would print the line.
        let span = (unfit != Unfit::Private).then_some(span);
        let problem = RuleProblem {
            kind: RuleProblemKind::Recipient {
                text: if hidden { String::new() } else { text },
                hidden,
                unfit,
            },
            span,
        };
        if supported {
            self.file.problems.push(problem);
        } else {
            rule.unfit.push(problem);
        }
    }

    fn unknown(&mut self, entries: &[Entry], known: &[&'static str]) {
        for entry in entries
            .iter()
            .filter(|entry| !known.contains(&entry.key.as_str()) && entry.key != "<<")
        {
            self.file.strange = true;
            let kind = RuleProblemKind::UnknownKey {
                key: entry.key.clone(),
                known: known.to_vec(),
            };
            self.problem(kind, entry.key_span);
        }
    }

    fn shape(&mut self, span: Span, what: &str) {
        self.problem(RuleProblemKind::Shape(what.to_owned()), span);
    }

    fn problem(&mut self, kind: RuleProblemKind, span: Span) {
        self.file.problems.push(told(kind, span));
    }
}

fn told(kind: RuleProblemKind, span: Span) -> RuleProblem {
    RuleProblem {
        kind,
        span: Some(span),
    }
}

/// Gathers the keys that a rule or a group of keys names, also those of kinds that this crate cannot seal for.
fn named_keys(node: &Node, found: &mut BTreeSet<String>) {
    for kind in FOREIGN {
        if let Some(entry) = filled(node, kind) {
            let parts = texts(&entry.value);
            found.extend(parts.into_iter().map(|text| format!("{kind}: {text}")));
        }
    }
    if let Some(entry) = node.entry("age") {
        found.extend(texts(&entry.value));
    }
    for key in ["merge", "key_groups"] {
        for group in node.get(key).and_then(Node::items).unwrap_or_default() {
            named_keys(group, found);
        }
    }
}

/// Gathers the texts below a node, those with commas taken apart.
fn texts(node: &Node) -> Vec<String> {
    if let Some(items) = node.items() {
        return items.iter().flat_map(texts).collect();
    }
    if let Some(entries) = node.entries() {
        return entries
            .iter()
            .flat_map(|entry| texts(&entry.value))
            .collect();
    }
    let parts = node.text().unwrap_or_default().split(',');
    let filled = parts.map(str::trim).filter(|part| !part.is_empty());
    filled.map(str::to_owned).collect()
}

/// Finds an entry whose value is neither null nor an empty string or list, as SOPS skips those.
fn filled<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    node.entry(key).filter(|entry| {
        let empty_text = entry.value.text().is_some_and(str::is_empty);
        let empty_list = entry.value.items().is_some_and(<[_]>::is_empty);
        !(entry.value.is_null() || empty_text || empty_list)
    })
}
