//! What a project leaves out of rules, and why.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::facts::Facts;
use super::{REMEDIES, secrets};
use crate::diagnostic::Diagnostic;
use crate::flux::builds::Member;
use crate::flux::{self, Kustomization};
use crate::rules::codes;
use crate::source::{Place, Span};
use crate::tree::File;
use crate::tree::secret_manifest::with_items;
use crate::workload::Exemption;
use crate::yaml::Node;

/// The exemptions of a project, and which of them were of use.
#[derive(Debug, Default)]
pub struct Exemptions {
    list: Vec<Exemption>,
    used: Mutex<BTreeSet<usize>>,
}

impl Exemptions {
    /// Takes the exemptions of a project.
    pub fn new(list: Vec<Exemption>) -> Self {
        Self {
            list,
            used: Mutex::default(),
        }
    }

    /// Lists them.
    pub fn list(&self) -> &[Exemption] {
        &self.list
    }

    /// Finds the exemption from one of some rules, by one of the names of a thing, and notes that it is of use.
    ///
    /// What stands in no object has no names.
    pub(super) fn covering<'c>(
        &self,
        codes: impl IntoIterator<Item = &'c str>,
        names: &[(String, String)],
        path: &str,
    ) -> Option<&Exemption> {
        if self.list.is_empty() {
            return None;
        }
        let codes: Vec<&str> = codes
            .into_iter()
            .filter(|code| is_exemptable(code))
            .collect();
        let nameless = [(String::new(), String::new())];
        let names = if names.is_empty() { &nameless } else { names };
        let found = self.list.iter().position(|exemption| {
            codes.contains(&exemption.code.as_str())
                && exemption.holds_in(path)
                && names
                    .iter()
                    .any(|(namespace, name)| exemption.covers(namespace, name))
        })?;
        let used = self.used.lock();
        used.unwrap_or_else(PoisonError::into_inner).insert(found);
        Some(&self.list[found])
    }

    /// Lists what makes no sense by itself: a rule that there is not, or none that anything may be exempt from, and a
    /// reason that is missing.
    pub fn problems(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for exemption in &self.list {
            problems.extend(unknown_code(exemption));
            if exemption.reason.trim().is_empty() {
                let message = format!("the exemption of {} does not say why", exemption.label());
                let problem = Diagnostic::error(&codes::EXEMPTION_WITHOUT_REASON, message)
                    .with_hint("add a `reason` that whoever reads it next year understands")
                    .at_place_if(exemption.place.as_ref());
                problems.push(problem);
            }
        }
        problems
    }

    /// Lists the exemptions that covered nothing, of the rules that were asked.
    pub fn unused(&self, is_asked: &dyn Fn(&str) -> bool) -> Vec<Diagnostic> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = self.list.iter().enumerate().filter(|(index, exemption)| {
            let code = exemption.code.as_str();
            !used.contains(index) && unknown_code(exemption).is_none() && is_asked(code)
        });
        unused
            .map(|(_, exemption)| {
                let message = format!("the exemption of {} exempts nothing", exemption.label());
                Diagnostic::warning(&codes::EXEMPTION_UNUSED, message)
                    .with_hint("remove it, or check the names")
                    .at_place_if(exemption.place.as_ref())
            })
            .collect()
    }
}

fn unknown_code(exemption: &Exemption) -> Option<Diagnostic> {
    let code = exemption.code.as_str();
    let problem = if code == secrets::LEAK {
        let message =
            format!("nothing can be exempt from `{code}`: it would write a secret in plain text");
        Diagnostic::error(&codes::EXEMPTION_UNKNOWN_RULE, message)
            .with_hint("move the value into a file that is sealed")
    } else if exemptable().any(|known| known == code) {
        return None;
    } else {
        Diagnostic::error(
            &codes::EXEMPTION_UNKNOWN_RULE,
            format!("there is no rule `{code}`"),
        )
        .with_suggestion(code, exemptable())
    };
    Some(problem.at_place_if(exemption.place.as_ref()))
}

fn is_exemptable(code: &str) -> bool {
    code != secrets::LEAK
}

fn exemptable() -> impl Iterator<Item = &'static str> {
    let rules = super::all().map(|rule| rule.meaning.code);
    rules
        .filter(|code| is_exemptable(code))
        .chain(REMEDIES.iter().map(|remedy| remedy.meaning.code))
        .chain(flux::codes::ALL.iter().map(|meaning| meaning.code))
}

impl Facts<'_> {
    /// Names the object that stands at a place, and returns namespace and name for each build that takes it in.
    ///
    /// What stands in no object has no names, and is called by its file.
    pub(super) fn subjects_at(&self, place: &Place) -> (String, Vec<(String, String)>) {
        let path = &place.source.path;
        let file = self.files.get(path.as_str()).copied();
        let file = file.or_else(|| {
            let path = self.builds.files.path_of_output(path);
            self.builds.files.output(&path)
        });
        let Some(file) = file else {
            return (path.clone(), Vec::new());
        };
        let mut kustomizations = self.builds.kustomizations.values();
        if let Some(kustomization) = kustomizations.find(|found| found.file.path == file.path) {
            let generator = generator(kustomization, place.span);
            return (path.clone(), generator.into_iter().collect());
        }
        let members = self.builds.members.iter();
        let inside = |member: &&Member<'_>| {
            member.written.is_some_and(|written| {
                written.file.path == file.path && covers(written.root, place.span)
            })
        };
        let mut built = members.filter(inside).peekable();
        let Some(first) = built.peek() else {
            let written = written(self, file, place);
            return (path.clone(), written.into_iter().collect());
        };
        let label = first.label();
        let names = built.map(|member| (member.namespace_name().to_owned(), member.name.clone()));
        (label, names.collect())
    }
}

/// Returns namespace and name of the object at a place, as they are written.
fn written(facts: &Facts<'_>, file: &File, place: &Place) -> Option<(String, String)> {
    let documents = facts.documents(file);
    let mut documents = documents.iter();
    let document = documents
        .find(|document| (document.span.start..document.span.end).contains(&place.span.start))?;
    let objects = with_items(&document.root);
    // The innermost is the last: items follow the list that holds them.
    let inside = |(_, node): &&(_, &Node)| covers(node, place.span);
    let object = objects
        .iter()
        .rfind(inside)
        .map_or(&document.root, |(_, node)| *node);
    let text = |route| object.find_text(route).unwrap_or_default().to_owned();
    Some((text("metadata.namespace"), text("metadata.name")))
}

/// Finds the generator of a kustomization that stands at a place.
fn generator(kustomization: &Kustomization<'_>, span: Span) -> Option<(String, String)> {
    let root = kustomization.root()?;
    let generators = ["secretGenerator", "configMapGenerator"];
    let mut items = generators
        .into_iter()
        .filter_map(|field| root.get(field)?.items())
        .flatten();
    let item = items.find(|item| covers(item, span))?;
    let namespace = item
        .find_text("namespace")
        .or(kustomization.namespace.as_deref());
    let name = item.find_text("name").unwrap_or_default();
    Some((namespace.unwrap_or_default().to_owned(), name.to_owned()))
}

fn covers(node: &Node, span: Span) -> bool {
    node.span.start <= span.start && span.start < node.span.end
}
