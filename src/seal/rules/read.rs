//! Reading a `.sops.yaml`.

use std::collections::BTreeSet;
use std::sync::Arc;

use regex::Regex;

use super::{INDENT, Rule, RuleFile};
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::seal::pattern;
use crate::seal::scope::{Scope, Selector};
use crate::secret::SealTerms;
use crate::source::{Place, Source, Span, shown_key};
use crate::yaml::{self, Entry, Node, Resolver};
use sops_age::keys::{Recipient, Unfit};

const TOP_KEYS: [&str; 3] = ["creation_rules", "destination_rules", "stores"];

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

pub(super) fn rules(source: &Arc<Source>) -> StageResult<RuleFile> {
    let documents = yaml::load(&source.text).map_err(|error| {
        vec![yaml::diagnose(
            &error,
            "sops-rules-syntax",
            &source.keys_only(),
        )]
    })?;
    let mut reader = Reader {
        source,
        strange: false,
        problems: Vec::new(),
    };
    let mut rules = RuleFile {
        name: source.path.clone(),
        place: None,
        list: Vec::new(),
    };
    if let Some(document) = documents.first() {
        reader.file(&document.root, &mut rules);
    }
    let mut problems = reader.problems;
    if reader.strange {
        let shown = source.keys_only();
        let unfit = rules.list.iter_mut().flat_map(|rule| &mut rule.unfit);
        problems
            .iter_mut()
            .chain(unfit)
            .for_each(|problem| problem.show_in(&shown));
    }
    Warned::unless_errors(rules, problems)
}

struct Reader<'r> {
    source: &'r Arc<Source>,
    /// Whether there is something in it that nobody knows, so that it may be another file than it seems.
    strange: bool,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn file(&mut self, root: &Node, rules: &mut RuleFile) {
        let Some(entries) = root.entries() else {
            if !root.is_null() {
                self.strange = true;
                self.shape(
                    root.first_line_span(),
                    "a rule file is a mapping with `creation_rules`",
                );
            }
            return;
        };
        self.unknown(entries, &TOP_KEYS);
        if let Some(entry) = root.entry("creation_rules") {
            rules.place = Some(Place::new(self.source, entry.key_span));
            match entry.value.items() {
                Some(items) => rules.list = items.iter().map(|item| self.rule(item)).collect(),
                None if entry.value.is_null() => {}
                None => self.shape(entry.key_span, "`creation_rules` is a list of rules"),
            }
        }
        if let Some(indent) = root.find("stores.yaml.indent") {
            let indent = self.indent(indent);
            for rule in &mut rules.list {
                rule.indent = indent;
            }
        }
    }

    /// go-yaml takes 2 to 9; SOPS takes 0 as "not set".
    fn indent(&mut self, node: &Node) -> usize {
        match node.to_value(Resolver::Core).as_u64() {
            Some(0) => INDENT,
            Some(indent @ 2..=9) => usize::try_from(indent).unwrap_or(INDENT),
            Some(_) => 2,
            None => {
                self.shape(node.span, "`stores.yaml.indent` is a number of blanks");
                INDENT
            }
        }
    }

    fn rule(&mut self, node: &Node) -> Rule {
        let mut rule = Rule {
            path: None,
            place: Place::new(self.source, node.first_line_span()),
            scope: Scope::default(),
            scope_place: Place::new(self.source, node.first_line_span()),
            mac_only_encrypted: false,
            recipients: Vec::new(),
            indent: INDENT,
            recipients_place: None,
            unfit: Vec::new(),
            terms: SealTerms::default(),
        };
        let Some(entries) = node.entries() else {
            self.strange = true;
            self.shape(node.first_line_span(), "a creation rule is a mapping");
            return rule;
        };
        let selectors = Selector::ALL.map(Selector::key);
        let known: Vec<&str> = RULE_KEYS
            .iter()
            .chain(&FOREIGN)
            .chain(&selectors)
            .copied()
            .collect();
        self.unknown(entries, &known);
        if let Some(entry) = filled(node, "path_regex") {
            rule.path = self.regex(entry);
            rule.place = Place::new(self.source, entry.key_span);
        }
        if let Some(scope) = self.scope(node) {
            if let Some(entry) = node.entry(scope.selector.key()) {
                rule.scope_place = Place::new(self.source, entry.key_span);
            }
            rule.scope = scope;
        }
        if let Some(entry) = node.entry("mac_only_encrypted") {
            rule.mac_only_encrypted = self.flag(entry);
        }
        self.keys(node, &mut rule);
        rule.terms = self.terms(node, &rule);
        rule
    }

    fn terms(&self, node: &Node, rule: &Rule) -> SealTerms {
        let mut recipients = BTreeSet::new();
        named_keys(node, &mut recipients);
        let path = filled(node, "path_regex");
        SealTerms {
            path_regex: path.and_then(|entry| Some(entry.value.text()?.to_owned())),
            recipients,
            selector: rule.scope.to_string(),
            line: self.source.line_column(node.first_line_span().start).0,
        }
    }

    fn scope(&mut self, node: &Node) -> Option<Scope> {
        let chosen: Vec<(Selector, &Entry)> = Selector::ALL
            .into_iter()
            .filter_map(|selector| Some((selector, filled(node, selector.key())?)))
            .collect();
        if let [(first, one), (second, other), ..] = chosen.as_slice() {
            let message = format!(
                "a rule has both `{}` and `{}`, and SOPS takes only one",
                first.key(),
                second.key()
            );
            self.problems.push(
                Diagnostic::error("sops-rules-selectors", message)
                    .at(self.source, other.key_span, "")
                    .with_related(Place::new(self.source, one.key_span), "the other one")
                    .with_hint("keep one of them, or write two rules with different `path_regex`"),
            );
            return None;
        }
        let (selector, entry) = chosen.first()?;
        match Scope::new(*selector, entry.value.text()?) {
            Ok(scope) => Some(scope),
            Err(error) => {
                self.bad_regex(entry, &error);
                None
            }
        }
    }

    fn regex(&mut self, entry: &Entry) -> Option<Regex> {
        match pattern::compile(entry.value.text()?) {
            Ok(regex) => Some(regex),
            Err(error) => {
                self.bad_regex(entry, &error);
                None
            }
        }
    }

    fn bad_regex(&mut self, entry: &Entry, error: &regex::Error) {
        let reason = match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            error => {
                let text = error.to_string();
                text.lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ")
                    .to_owned()
            }
        };
        let message = format!("`{}` is not a regular expression: {reason}", entry.key);
        self.problems.push(
            Diagnostic::error("sops-rules-regex", message)
                .at(self.source, entry.value.span, "")
                .with_hint("SOPS uses the syntax of Go (RE2), which has no look-around and no back references"),
        );
    }

    fn flag(&mut self, entry: &Entry) -> bool {
        match entry.value.to_value(Resolver::Kubernetes) {
            serde_json::Value::Bool(flag) => flag,
            serde_json::Value::Null => false,
            _ => {
                self.shape(
                    entry.value.span,
                    &format!("`{}` is true or false", entry.key),
                );
                false
            }
        }
    }

    /// Reads for whom a rule seals: `key_groups` if there are any, the keys of the rule otherwise.
    fn keys(&mut self, node: &Node, rule: &mut Rule) {
        let before = self.problems.len();
        let groups = node
            .get("key_groups")
            .and_then(Node::items)
            .unwrap_or_default();
        match groups {
            [] => self.group(node, rule),
            [group] => self.group(group, rule),
            _ => {
                let entry = node
                    .entry("key_groups")
                    .map_or_else(|| node.first_line_span(), |entry| entry.key_span);
                let problem = Diagnostic::error(
                    "unsupported-key-groups",
                    "a rule has several key groups, and Kiln cannot split a data key over them",
                );
                // Nobody looks whether recipients stand there.
                rule.unfit
                    .push(problem.at(&self.source.keys_only(), entry, "").with_hint(
                        "put all recipients into one group, any of which then opens the file",
                    ));
            }
        }
        self.threshold(node, groups.len(), rule);
        let mut seen = BTreeSet::new();
        rule.recipients
            .retain(|recipient| seen.insert(recipient.to_string()));
        if rule.recipients.is_empty() && rule.unfit.is_empty() && self.problems.len() == before {
            let problem = Diagnostic::error("no-recipient", "a rule names no one to seal for");
            rule.unfit.push(
                problem
                    .at(self.source, node.first_line_span(), "")
                    .with_hint("add `age: age1…` with the public key of each identity that may open the file"),
            );
        }
    }

    fn threshold(&mut self, node: &Node, groups: usize, rule: &mut Rule) {
        let Some(entry) = filled(node, "shamir_threshold") else {
            return;
        };
        match entry.value.to_value(Resolver::Core).as_u64() {
            Some(0 | 1) => {}
            Some(threshold) if groups <= 1 => rule.unfit.push(
                Diagnostic::error(
                    "shamir-threshold",
                    format!("a threshold of {threshold} key groups cannot be honoured: the rule has one group"),
                )
                .at(self.source, entry.value.span, "")
                .with_hint("SOPS would pass over the threshold and let each single key open the file; remove it"),
            ),
            Some(_) => {}
            None => self.shape(entry.value.span, "`shamir_threshold` is a number of key groups"),
        }
    }

    fn group(&mut self, node: &Node, rule: &mut Rule) {
        for key in FOREIGN {
            if let Some(entry) = filled(node, key) {
                rule.unfit.push(
                    Diagnostic::error(
                        "unsupported-key-type",
                        format!("a rule seals for a key of `{key}`, and Kiln seals for age keys only"),
                    )
                    .at(self.source, entry.key_span, "")
                    .with_hint("use age recipients, or keep such files out of the templates and seal them with `sops`"),
                );
            }
        }
        for group in node.get("merge").and_then(Node::items).unwrap_or_default() {
            self.group(group, rule);
        }
        let Some(entry) = node.entry("age") else {
            return;
        };
        rule.recipients_place
            .get_or_insert_with(|| Place::new(self.source, entry.value.first_line_span()));
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
                Err(unfit) => self.unfit(&text, span, unfit, rule),
            }
        }
    }

    /// Splits a list of recipients with commas, each with its place where it stands as it is.
    fn recipients(&mut self, node: &Node) -> Vec<(String, Span)> {
        let Some(text) = node.text() else {
            self.strange = true;
            self.shape(
                node.first_line_span(),
                "`age` is a list of recipients, or a string with commas",
            );
            return Vec::new();
        };
        if node.is_null() {
            return Vec::new();
        }
        let written = &self.source.text[node.span.start..node.span.end];
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

    fn unfit(&mut self, text: &str, span: Span, unfit: Unfit, rule: &mut Rule) {
        match unfit {
            Unfit::Malformed => {
                // What does not even start like a recipient may be a secret that was put there.
                let hides = !text.starts_with("age1") && !text.starts_with("ssh-");
                self.strange |= hides;
                let named = if hides { "this".to_owned() } else { format!("`{text}`") };
                self.problems.push(
                    Diagnostic::error("bad-recipient", format!("{named} is not an age recipient"))
                        .at(self.source, span, "")
                        .with_hint("a recipient is the line `age1…` that `age-keygen -y` prints for an identity"),
                );
            }
            Unfit::Private => self.problems.push(
                // Not even its place: a label would print the line.
                Diagnostic::error("bad-recipient", format!("`{}` holds a private age key", self.source.path))
                    .with_hint("put the public key (`age1…`) there, and make a new key: this one may be known to others"),
            ),
            Unfit::Unsupported(kind) => rule.unfit.push(
                Diagnostic::error("unsupported-recipient", format!("{kind} are not supported yet as recipients"))
                    .at(self.source, span, "")
                    .with_hint("use a key that `age-keygen` makes without options (`age1…`, 62 letters)"),
            ),
        }
    }

    fn unknown(&mut self, entries: &[Entry], known: &[&str]) {
        for entry in entries
            .iter()
            .filter(|entry| !known.contains(&entry.key.as_str()) && entry.key != "<<")
        {
            self.strange = true;
            self.problems.push(
                Diagnostic::warning(
                    "sops-rules-unknown-key",
                    format!(
                        "SOPS knows no key `{}` and passes over it",
                        shown_key(&entry.key)
                    ),
                )
                .at(self.source, entry.key_span, "")
                .with_suggestion(&entry.key, known.iter().copied()),
            );
        }
    }

    fn shape(&mut self, span: Span, what: &str) {
        self.problems
            .push(Diagnostic::error("sops-rules-shape", what.to_owned()).at(
                self.source,
                span,
                "not so here",
            ));
    }
}

/// Gathers the keys that a rule or a group of keys names, also those of kinds that Kiln cannot seal for.
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
