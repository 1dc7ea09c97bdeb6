//! What guards a project: what is left out when it is judged, and for whom it seals.

use std::collections::BTreeMap;

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
    /// The table of `kiln.toml` that it is in: `harden`, `audit`.
    pub table: String,
    /// The code of the rule.
    pub rule: String,
    /// The namespace; `*` for every one.
    pub namespace: String,
    /// The name of the object; `*` for every one.
    pub name: String,
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
/// Where creation rules stand.
pub(super) const RULES_FILE: &str = ".sops.yaml";

impl GuardExemption {
    /// Returns whether the same is exempt from the same, for whatever reason.
    pub(super) fn covers_same(&self, other: &Self) -> bool {
        let key = |it: &Self| [&it.table, &it.rule, &it.namespace, &it.name].map(Clone::clone);
        key(self) == key(other)
    }

    /// Returns what is exempt from what, in words.
    pub(super) fn what(&self) -> String {
        let place = match (self.namespace.as_str(), self.name.as_str()) {
            ("*", "*") => "everything".to_owned(),
            ("*", name) => format!("`{}` in every namespace", plain(name)),
            (namespace, "*") => format!("everything in `{}`", plain(namespace)),
            (namespace, name) => format!("`{}`", plain(&format!("{namespace}/{name}"))),
        };
        format!("{place} from `{}`", plain(&self.rule))
    }
}

impl Guards {
    /// Lists what another side says otherwise.
    ///
    /// Creation rules that are rendered are outputs, which are compared as such.
    pub(super) fn changes(&self, new: &Self) -> Vec<SettingChange> {
        let mut found = Vec::new();
        let mut tell =
            |file: &str, setting: String, before: Option<String>, after: Option<String>| {
                if before != after {
                    found.push(SettingChange {
                        file: file.to_owned(),
                        setting,
                        before,
                        after,
                    });
                }
            };
        let noise = |guards: &Self| (!guards.noise).then(|| "false".to_owned());
        tell(
            PROJECT_FILE,
            "diff.defaults".to_owned(),
            noise(self),
            noise(new),
        );
        let of = |guards: &Self, pattern: &String| {
            guards.ignore.contains(pattern).then(|| plain(pattern))
        };
        let patterns = self.ignore.iter().chain(&new.ignore);
        let mut seen = Vec::new();
        for pattern in patterns {
            if !seen.contains(&pattern) {
                tell(
                    PROJECT_FILE,
                    "diff.ignore".to_owned(),
                    of(self, pattern),
                    of(new, pattern),
                );
                seen.push(pattern);
            }
        }
        let gone = self.exemptions.iter().map(|old| (Some(old), new.like(old)));
        let added = new.exemptions.iter().filter(|new| self.like(new).is_none());
        for (old, new) in gone.chain(added.map(|new| (None, Some(new)))) {
            let Some(table) = old.or(new).map(|it| format!("{}.exempt", it.table)) else {
                continue;
            };
            let shown = |it: &GuardExemption| format!("{} ({})", it.what(), plain(&it.reason));
            tell(PROJECT_FILE, table, old.map(shown), new.map(shown));
        }
        for (own, others, is_new) in [
            (&self.public, &new.public, false),
            (&new.public, &self.public, true),
        ] {
            let only_here = own
                .iter()
                .filter(|own| !others.iter().any(|it| it.is_same(own)));
            for public in only_here {
                let says = Some(format!("{}, public: true", plain(&public.origin)));
                let (before, after) = if is_new { (None, says) } else { (says, None) };
                tell(&public.file, plain(&public.key), before, after);
            }
        }
        if !(self.rules_rendered && new.rules_rendered) {
            let (old, new) = (by_path(&self.rules), by_path(&new.rules));
            let paths: BTreeMap<&String, ()> = old
                .keys()
                .chain(new.keys())
                .map(|path| (path, ()))
                .collect();
            for path in paths.into_keys() {
                let setting = format!("creation_rules[{path}]");
                tell(
                    RULES_FILE,
                    setting,
                    old.get(path).cloned(),
                    new.get(path).cloned(),
                );
            }
        }
        found
    }

    fn like(&self, other: &GuardExemption) -> Option<&GuardExemption> {
        self.exemptions.iter().find(|own| own.covers_same(other))
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
