//! What Flux applies today, and would not any more.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::adopt::codes;
use crate::diagnostic::{Diagnostic, Listed};
use crate::diff::{ChangeKind, DiffReport, OutputLine, Subject};
use crate::flux::AppliedObjects;

/// The objects that a switch takes out of what Flux applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LostObjects {
    /// The objects, each with where it is written.
    lost: Vec<(Subject, Option<OutputLine>)>,
}

impl LostObjects {
    /// Takes from a comparison the objects that Flux applies on its old side, and no longer on the new one, those that
    /// get another name included.
    pub fn of(report: &DiffReport, before: &AppliedObjects) -> Self {
        let applied: BTreeSet<(String, String, String)> = before
            .objects
            .iter()
            .map(|object| {
                let name = object.key().name;
                (object.group().to_owned(), object.kind().to_owned(), name)
            })
            .collect();
        let is_applied = |subject: &Subject| {
            let Subject {
                group, kind, name, ..
            } = subject;
            applied.contains(&(group.clone(), kind.clone(), name.clone()))
        };
        let mut lost = Vec::new();
        for change in &report.changes {
            let gone = match change.kind {
                ChangeKind::Removed => [&change.subject].into_iter().chain(&change.also).collect(),
                ChangeKind::Renamed => Vec::from_iter(&change.was),
                ChangeKind::Added | ChangeKind::Changed => Vec::new(),
            };
            let gone = gone.into_iter().filter(|subject| is_applied(subject));
            lost.extend(gone.map(|subject| (subject.clone(), change.before.clone())));
        }
        lost.sort();
        Self { lost }
    }

    /// Lists the names of all of them: `Kind/namespace/name`, or `Kind/name`.
    pub fn names(&self) -> Vec<String> {
        self.lost.iter().map(|(subject, _)| name(subject)).collect()
    }

    /// Says which of them nobody has let go by its name, and which names are none of theirs.
    pub fn problems(&self, dropped: &[String]) -> Vec<Diagnostic> {
        let names = self.names();
        let unknown = dropped.iter().filter(|name| !names.contains(name));
        let mut problems: Vec<Diagnostic> = unknown
            .map(|name| {
                let message = format!("the switch does not drop `{name}`");
                Diagnostic::error(&codes::DROP_UNKNOWN, message)
                    .with_suggestion(name, names.iter().map(String::as_str))
                    .with_hint("name what it drops, as `Kind/namespace/name`, or leave it out")
            })
            .collect();
        let kept: Vec<&(Subject, Option<OutputLine>)> = self
            .lost
            .iter()
            .filter(|(subject, _)| !dropped.contains(&name(subject)))
            .collect();
        problems.extend(refusal(&kept));
        problems
    }
}

/// Names an object as `--drop` takes it.
fn name(subject: &Subject) -> String {
    let one = Subject {
        cluster: String::new(),
        ..subject.clone()
    };
    one.to_string()
}

/// Says which folders Flux cannot build today and why, so that nobody can tell what a switch does to them.
pub fn refused_builds(today: &AppliedObjects) -> Option<Diagnostic> {
    let builds = today.builds.iter().enumerate();
    let refused = builds.filter(|(_, build)| build.is_reached() && build.refused);
    let refused: Vec<(&str, &str)> = refused
        .map(|(index, build)| {
            let problems = today.problems.iter();
            let mut own = problems.filter(|problem| problem.builds.contains(&index));
            let why = own.next().map(|problem| problem.message.as_str());
            (build.folder.as_str(), why.unwrap_or("nobody says why"))
        })
        .collect();
    let message = match refused.as_slice() {
        [] => return None,
        [(folder, why)] => format!("Flux cannot build `{folder}` today: {why}"),
        all => format!("Flux cannot build {} folders today", all.len()),
    };
    let mut problem = Diagnostic::error(&codes::NOT_COMPARED, message).with_hint(
        "mend that first, as nobody can tell what the switch does to it; `kiln build` says where it stands",
    );
    if refused.len() > 1 {
        let listed = refused.iter().map(|(folder, why)| Listed {
            path: (*folder).to_owned(),
            text: format!("({why})"),
        });
        problem.list = listed.collect();
    }
    Some(problem)
}

fn refusal(lost: &[&(Subject, Option<OutputLine>)]) -> Option<Diagnostic> {
    let message = match lost {
        [] => return None,
        [(subject, _)] => format!("Flux applies `{subject}` today, and would remove it"),
        all => format!(
            "Flux applies {} objects today that it would remove",
            all.len()
        ),
    };
    let listed = lost.iter().map(|(subject, spot)| Listed {
        path: subject.to_string(),
        text: spot
            .as_ref()
            .map_or_else(String::new, |spot| format!("of {spot}")),
    });
    let options: Vec<String> = lost
        .iter()
        .map(|(subject, _)| format!("--drop {}", quoted(&name(subject))))
        .collect();
    let mut problem = Diagnostic::error(&codes::OBJECT_LOST, message)
        .with_hint("to keep it, move its manifest into a folder of your own, which your own Flux Kustomization applies")
        .with_hint(format!("to let it go, name it: `kiln adopt {}`", options.join(" ")));
    problem.list = listed.collect();
    Some(problem)
}

/// Quotes a word for a shell, if need be.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(names: &[(&str, &str, &str)]) -> LostObjects {
        let subject = |(kind, namespace, name): &(&str, &str, &str)| Subject {
            kind: (*kind).to_owned(),
            namespace: (*namespace).to_owned(),
            name: (*name).to_owned(),
            ..Subject::default()
        };
        LostObjects {
            lost: names.iter().map(|names| (subject(names), None)).collect(),
        }
    }

    #[test]
    fn each_of_them_is_let_go_by_its_name() {
        let lost = lost(&[
            ("Pool", "", "pool"),
            ("Certificate", "network", "${A/./-}-x"),
        ]);
        let [refusal] = &lost.problems(&[])[..] else {
            panic!("one")
        };
        assert_eq!(refusal.code(), "object-lost");
        assert!(
            refusal.hints[1]
                .ends_with("`kiln adopt --drop Pool/pool --drop 'Certificate/network/${A/./-}-x'`"),
            "{refusal:?}"
        );
        assert_eq!(lost.problems(&lost.names()), []);
        let problems = lost.problems(&["Pool/pol".to_owned()]);
        assert_eq!(problems[0].code(), "drop-unknown");
        assert_eq!(problems[0].hints[0], "did you mean `Pool/pool`?");
        assert_eq!(problems[1].list.len(), 2);
        assert_eq!(LostObjects::default().problems(&[]), []);
    }
}
