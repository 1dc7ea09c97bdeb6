//! What guards a project: what is left out when it is judged, and for whom it seals.

use std::collections::{BTreeMap, BTreeSet};

use sops_age::RULE_FILE;

use super::report::SettingChange;
use crate::secret::SealTerms;

/// The settings of a compiled side that say how it is judged and sealed.
///
/// A change brings its own; what it is judged by are those of the old side, so that it cannot blind who looks at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// What a comparison leaves out, besides the usual noise.
    pub ignore: Vec<String>,
    /// Whether a comparison leaves out the usual noise.
    pub noise: bool,
    /// The exemptions from rules and checks.
    pub exemptions: Vec<GuardExemption>,
    /// What the config takes from elsewhere and calls public.
    pub public: Vec<GuardPublic>,
    /// Whether the creation rules are rendered, so that they are an output themselves.
    pub rules_rendered: bool,
    /// The creation rules.
    pub rules: Vec<SealTerms>,
}

/// An exemption as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GuardExemption {
    /// The code of the rule.
    pub rule: String,
    /// The namespace; `*` for every one.
    pub namespace: String,
    /// The name of the object; `*` for every one.
    pub name: String,
    /// The output or the folder of outputs; `None` for everywhere.
    pub path: Option<String>,
    /// Why.
    pub reason: String,
    /// The line in `kiln.toml`, counted from 1.
    pub line: usize,
}

/// A value that the config takes from elsewhere and calls public, so that it may be written in the open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GuardPublic {
    /// The dotted key in the config.
    pub key: String,
    /// What it is taken from: `fromEnv: NAME`.
    pub origin: String,
    /// The data file.
    pub file: String,
    /// The line in it, counted from 1.
    pub line: usize,
}

impl GuardPublic {
    /// Returns whether the same is public under the same key.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.key == other.key && self.origin == other.origin
    }
}

/// Where settings of a project stand.
pub(super) const PROJECT_FILE: &str = "kiln.toml";

impl GuardExemption {
    /// Returns whether the same is exempt from the same, for whatever reason.
    pub(super) fn covers_same(&self, other: &Self) -> bool {
        let key = |it: &Self| [&it.rule, &it.namespace, &it.name].map(Clone::clone);
        key(self) == key(other) && self.path == other.path
    }

    /// Returns what is exempt from what, in words.
    pub(super) fn what(&self) -> String {
        let place = match (self.namespace.as_str(), self.name.as_str()) {
            ("*", "*") => "everything".to_owned(),
            ("*", name) => format!("`{}` in every namespace", plain(name)),
            (namespace, "*") => format!("everything in `{}`", plain(namespace)),
            (namespace, name) => format!("`{}`", plain(&format!("{namespace}/{name}"))),
        };
        let below = self.path.as_ref();
        let below = below.map_or_else(String::new, |path| format!(" in `{}`", plain(path)));
        format!("{place}{below} from `{}`", plain(&self.rule))
    }
}

impl Guards {
    /// Lists what another side says otherwise.
    ///
    /// Creation rules that are rendered are outputs, which are compared as such.
    pub(super) fn changes(&self, new: &Self) -> Vec<SettingChange> {
        let mut found = Vec::new();
        self.patterns(new, &mut found);
        self.exemptions(new, &mut found);
        self.publics(new, &mut found);
        if !(self.rules_rendered && new.rules_rendered) {
            let (old, new) = (by_path(&self.rules), by_path(&new.rules));
            let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for path in paths {
                let setting = format!("creation_rules[{path}]");
                let says = |rules: &BTreeMap<String, String>| rules.get(path).cloned();
                tell(&mut found, RULE_FILE, setting, (says(&old), says(&new)));
            }
        }
        found
    }

    fn patterns(&self, new: &Self, found: &mut Vec<SettingChange>) {
        let noise = |guards: &Self| (!guards.noise).then(|| "false".to_owned());
        let setting = "diff.defaults".to_owned();
        tell(found, PROJECT_FILE, setting, (noise(self), noise(new)));
        let of = |guards: &Self, pattern: &String| {
            let has = guards.ignore.contains(pattern);
            has.then(|| plain(pattern))
        };
        let mut seen = Vec::new();
        for pattern in self.ignore.iter().chain(&new.ignore) {
            if !seen.contains(&pattern) {
                let setting = "diff.ignore".to_owned();
                tell(
                    found,
                    PROJECT_FILE,
                    setting,
                    (of(self, pattern), of(new, pattern)),
                );
                seen.push(pattern);
            }
        }
    }

    fn exemptions(&self, new: &Self, found: &mut Vec<SettingChange>) {
        let known = self.exemptions.iter().map(|old| (Some(old), new.like(old)));
        let added = new.exemptions.iter();
        let added = added.filter(|new| self.like(new).is_none());
        for (old, new) in known.chain(added.map(|new| (None, Some(new)))) {
            let shown = |it: &GuardExemption| format!("{} ({})", it.what(), plain(&it.reason));
            tell(
                found,
                PROJECT_FILE,
                "exempt".to_owned(),
                (old.map(shown), new.map(shown)),
            );
        }
    }

    fn publics(&self, new: &Self, found: &mut Vec<SettingChange>) {
        let missing = |own: &GuardPublic, others: &[GuardPublic]| {
            let is_there = others.iter().any(|other| other.is_same(own));
            (!is_there).then(|| format!("{}, public: true", plain(&own.origin)))
        };
        let gone = self
            .public
            .iter()
            .map(|own| (own, missing(own, &new.public), None));
        let added = new
            .public
            .iter()
            .map(|own| (own, None, missing(own, &self.public)));
        for (own, before, after) in gone.chain(added) {
            tell(found, &own.file, plain(&own.key), (before, after));
        }
    }

    fn like(&self, other: &GuardExemption) -> Option<&GuardExemption> {
        self.exemptions.iter().find(|own| own.covers_same(other))
    }
}

/// Notes a setting of which both sides do not say the same.
fn tell(
    found: &mut Vec<SettingChange>,
    file: &str,
    setting: String,
    (before, after): (Option<String>, Option<String>),
) {
    if before != after {
        found.push(SettingChange {
            file: file.to_owned(),
            setting,
            before,
            after,
        });
    }
}

/// Says what rules say, by their `path_regex`; their order counts, since the first that matches is taken.
fn by_path(rules: &[SealTerms]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (at, rule) in rules.iter().enumerate() {
        let path = rule.path_regex.as_deref().unwrap_or("*");
        let recipients: Vec<&str> = rule.recipients.iter().map(String::as_str).collect();
        let text = format!(
            "rule {}: {}; for {}",
            at + 1,
            plain(&rule.selector),
            plain(&recipients.join(", "))
        );
        found.entry(plain(path)).or_insert(text);
    }
    found
}

/// Writes a text of somebody else's so that it ends no code and no line.
pub(super) fn plain(text: &str) -> String {
    let shown = |c: char| match c {
        '`' => '\'',
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{85}') => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}
