//! Changes of what guards a project: for whom it seals, how much, and what is left out when it is judged.

use std::collections::{BTreeMap, BTreeSet};

use sops_age::RULE_FILE;

use super::{Danger, DangerSubject, OutputLine, Subject, rank};
use crate::diff::change::Pair;
use crate::diff::guards::{GuardPublic, Guards, PROJECT_FILE, plain};
use crate::diff::items::Item;
use crate::diff::side::{Side, Sight};
use crate::secret::SealTerms;

/// A secret of the old side that stands in the open on the new one.
pub(super) fn unsealed(seen: &DangerSubject<'_, '_>, found: &mut Vec<Danger>) {
    let (Some(before), Some(after)) = (&seen.pair.before, &seen.pair.after) else {
        return;
    };
    if before.is_secret() && !after.is_secret() {
        let subject = &seen.change.subject;
        let message = format!("`{subject}` is no longer sealed");
        let why = format!(
            "`{}` was sealed, and `{}` is written in plain text",
            before.path(),
            after.path()
        );
        found.push(seen.danger("seal-removed", "", message, why));
    }
}

/// Finds what two sides say otherwise of sealing, and what the new one wants left out.
pub(in crate::diff) fn find(before: &Side, after: &Side, pairs: &[Pair<'_>]) -> Vec<Danger> {
    let mut found = sealing(before, after, pairs);
    found.extend(unsealed_by_name(before, after, pairs));
    let (Some(old), Some(new)) = (&before.guards, &after.guards) else {
        return found;
    };
    let no_longer_secret = new
        .public
        .iter()
        .filter(|new| !old.public.iter().any(|old| old.is_same(new)));
    found.extend(no_longer_secret.map(made_public));
    found.extend(exemptions(old, new));
    found
}

/// A value from elsewhere that the new side calls public.
fn made_public(public: &GuardPublic) -> Danger {
    Danger {
        message: format!(
            "`{}` takes `{}` and calls it public",
            plain(&public.key),
            plain(&public.origin)
        ),
        why: "what that is where Kiln runs may then be written, and shown, in the open".to_owned(),
        route: plain(&public.key),
        ..DangerPlace {
            path: public.file.clone(),
            line: public.line,
            of_project: true,
        }
        .of("secret-made-public")
    }
}

/// Finds exemptions and patterns that the new side has and the old one has not.
fn exemptions(old: &Guards, new: &Guards) -> Vec<Danger> {
    let mut found = Vec::new();
    let mut exempt = |line: usize, route: &str, message: String, why: &str| {
        found.push(Danger {
            message,
            why: why.to_owned(),
            route: route.to_owned(),
            ..DangerPlace {
                path: PROJECT_FILE.to_owned(),
                line,
                of_project: true,
            }
            .of("exemption-added")
        });
    };
    for added in &new.exemptions {
        if !old.exemptions.iter().any(|old| old.covers_same(added)) {
            let message = format!("`[[exempt]]` leaves out {}", added.what());
            exempt(
                added.line,
                "exempt",
                message,
                "nothing is added there, or found missing, any more",
            );
        }
    }
    let blind = "differences of that kind are not shown in any later change";
    for pattern in new
        .ignore
        .iter()
        .filter(|pattern| !old.ignore.contains(pattern))
    {
        let message = format!("`[diff] ignore` gains `{}`", plain(pattern));
        exempt(1, "diff.ignore", message, blind);
    }
    if new.noise && !old.noise {
        let message = "`[diff] defaults` leaves out the usual noise again".to_owned();
        exempt(1, "diff.defaults", message, blind);
    }
    found
}

/// Finds files that lost the `.sops` in their name, and got another content at once, so that nothing else ties them.
fn unsealed_by_name(before: &Side, after: &Side, pairs: &[Pair<'_>]) -> Vec<Danger> {
    let gone = pairs.iter().filter(|pair| pair.after.is_none());
    let sealed = gone
        .filter_map(|pair| pair.before.as_ref())
        .filter(|item| item.is_secret());
    let paths: BTreeSet<&str> = sealed.map(Item::path).collect();
    let mut found = Vec::new();
    for path in paths {
        let open = path.replace(".sops.", ".");
        let is_new = before.get(&open).is_none();
        let Some(held) = after
            .get(&open)
            .filter(|_| is_new && after.get(path).is_none())
        else {
            continue;
        };
        if held.sight == Sight::Open {
            found.push(Danger {
                message: format!("`{}` is no longer sealed", plain(&open)),
                why: format!(
                    "`{}` was sealed, and `{}` is written in plain text",
                    plain(path),
                    plain(&open)
                ),
                ..DangerPlace {
                    path: open,
                    line: 1,
                    of_project: false,
                }
                .of("seal-removed")
            });
        }
    }
    found
}

/// What one change of sealing does to how many files, and where it is written.
#[derive(Default)]
struct Effect {
    files: BTreeSet<String>,
    rule: Option<SealTerms>,
}

/// Finds new recipients and other selectors: of files that both sides seal, and of rules for the same paths.
fn sealing(before: &Side, after: &Side, pairs: &[Pair<'_>]) -> Vec<Danger> {
    let mut gained: BTreeMap<String, Effect> = BTreeMap::new();
    let mut narrowed: BTreeMap<(String, String), Effect> = BTreeMap::new();
    let mut compare =
        |old: &SealTerms, known: &BTreeSet<String>, new: &SealTerms, path: Option<&str>| {
            let note = |effect: &mut Effect| {
                effect.files.extend(path.map(str::to_owned));
                effect.rule.get_or_insert_with(|| new.clone());
            };
            for recipient in new.recipients.difference(known) {
                note(gained.entry(recipient.clone()).or_default());
            }
            if old.selector != new.selector {
                let both = (old.selector.clone(), new.selector.clone());
                note(narrowed.entry(both).or_default());
            }
        };
    for pair in pairs {
        if let (Some(old), Some(new)) = (&pair.before, &pair.after)
            && let Some(old) = before.sealed.get(old.path())
            && let Some(terms) = after.sealed.get(new.path())
        {
            compare(old, &old.recipients, terms, Some(new.path()));
        }
    }
    if let (Some(old), Some(new)) = (&before.guards, &after.guards)
        && !old.rules.is_empty()
    {
        let all: BTreeSet<String> = old
            .rules
            .iter()
            .flat_map(|rule| rule.recipients.clone())
            .collect();
        for rule in &new.rules {
            match old
                .rules
                .iter()
                .find(|old| old.path_regex == rule.path_regex)
            {
                Some(old) => compare(old, &old.recipients, rule, None),
                // A rule for other paths: whoever opened something already is no stranger.
                None => compare(rule, &all, rule, None),
            }
        }
    }
    let rules_rendered = after
        .guards
        .as_ref()
        .is_none_or(|guards| guards.rules_rendered);
    let place = |effect: &Effect| place_of(effect, after.guards.is_some(), rules_rendered);
    let recipients = gained.iter().map(|(recipient, effect)| Danger {
        message: format!(
            "`{}` becomes a recipient of {}",
            plain(recipient),
            what(effect)
        ),
        why: "whoever has that key can read what is sealed there from the next render on"
            .to_owned(),
        route: "recipients".to_owned(),
        ..place(effect).of("recipient-added")
    });
    let selectors = narrowed.iter().map(|((old, new), effect)| Danger {
        message: format!(
            "`{}` says what is encrypted of {}, instead of `{}`",
            plain(new),
            what(effect),
            plain(old)
        ),
        why: "what is not encrypted any more is written in plain text by the next render"
            .to_owned(),
        route: "selector".to_owned(),
        ..place(effect).of("seal-narrowed")
    });
    recipients.chain(selectors).collect()
}

/// Where a danger is written that is none of one object.
struct DangerPlace {
    path: String,
    line: usize,
    of_project: bool,
}

impl DangerPlace {
    fn of(self, code: &str) -> Danger {
        Danger {
            rank: rank(code),
            subject: file(&self.path),
            also: Vec::new(),
            route: String::new(),
            message: String::new(),
            why: String::new(),
            spot: Some(OutputLine {
                path: self.path,
                line: self.line,
            }),
            of_project: self.of_project,
        }
    }
}

fn place_of(effect: &Effect, compiled: bool, rules_rendered: bool) -> DangerPlace {
    let sealed = effect.files.first().filter(|_| !compiled);
    match (sealed, &effect.rule) {
        (Some(path), _) => DangerPlace {
            path: path.clone(),
            line: 1,
            of_project: false,
        },
        (None, rule) => DangerPlace {
            path: RULE_FILE.to_owned(),
            line: rule.as_ref().map_or(1, |rule| rule.line),
            of_project: !rules_rendered,
        },
    }
}

fn what(effect: &Effect) -> String {
    let files = match effect.files.len() {
        0 => None,
        1 => effect
            .files
            .first()
            .map(|path| format!("`{}`", plain(path))),
        count => Some(format!("{count} sealed files")),
    };
    let rule = effect
        .rule
        .as_ref()
        .and_then(|rule| rule.path_regex.as_deref());
    files.unwrap_or_else(|| match rule {
        Some(path) => format!("what the rule for `{}` seals", plain(path)),
        None => "what the rule for every path seals".to_owned(),
    })
}

fn file(path: &str) -> Subject {
    Subject {
        name: path.to_owned(),
        ..Subject::default()
    }
}
