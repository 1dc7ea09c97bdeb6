//! What a project leaves out of the checks.

use std::collections::BTreeSet;

use super::context::Context;
use super::{CHECKS, checks};
use crate::diagnostic::Diagnostic;
use crate::flux::builds::Member;
use crate::flux::{self, Kustomization};
use crate::source::{Place, Span};
use crate::tree::File;
use crate::tree::secret_manifest::with_items;
use crate::workload::Exemption;
use crate::yaml::Node;

/// Says which exemptions name no check, or one that nobody may be exempt from.
pub(super) fn problems(exemptions: &[Exemption]) -> Vec<Diagnostic> {
    let problem = |exemption: &Exemption| {
        let code = &exemption.code;
        let problem = if *code == checks::secret_leak::CHECK.code {
            Diagnostic::error(
                "exemption-unknown-rule",
                format!(
                    "nothing can be exempt from `{code}`: it would write a secret in plain text"
                ),
            )
            .with_hint("move the value into a file that is sealed")
        } else if exemptable().any(|known| known == code) {
            return None;
        } else {
            Diagnostic::error("exemption-unknown-rule", format!("there is no check `{code}`"))
                .with_suggestion(code, exemptable())
                .with_hint("`[[harden.exempt]]` is for hardening rules, `[[audit.exempt]]` for checks of the audit")
        };
        Some(problem.at_place_if(exemption.place.as_ref()))
    };
    exemptions.iter().filter_map(problem).collect()
}

fn exemptable() -> impl Iterator<Item = &'static str> {
    let checks = CHECKS.iter().map(|check| check.code);
    checks
        .filter(|code| *code != checks::secret_leak::CHECK.code)
        .chain(flux::CODES.iter().map(|meaning| meaning.code))
}

/// Takes the findings away that the project exempts, and tells of exemptions that took none.
pub(super) fn apply(context: &Context<'_>, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let exemptions = context.exempt;
    if exemptions.is_empty() {
        return found;
    }
    let mut problems = problems(exemptions);
    let mut used = BTreeSet::new();
    for finding in found {
        let exempt = exemption(context, exemptions, &finding);
        if exempt.is_none() {
            problems.push(finding);
        }
        used.extend(exempt);
    }
    let unused = exemptions.iter().enumerate().filter(|(index, exemption)| {
        !used.contains(index) && exemptable().any(|known| known == exemption.code)
    });
    problems.extend(unused.map(|(_, exemption)| {
        let message = format!("the exemption of {} exempts nothing", exemption.label());
        Diagnostic::warning("exemption-unused", message)
            .with_hint("remove it, or check the names")
            .at_place_if(exemption.place.as_ref())
    }));
    problems
}

/// Returns the index of the exemption that a finding falls under.
fn exemption(
    context: &Context<'_>,
    exemptions: &[Exemption],
    finding: &Diagnostic,
) -> Option<usize> {
    let same = |exemption: &Exemption| {
        exemption.code == finding.code && exemption.code != checks::secret_leak::CHECK.code
    };
    if !exemptions.iter().any(same) {
        return None;
    }
    let place = finding.primary.as_ref().map(|label| &label.place);
    let subjects = place.map_or_else(Vec::new, |place| subjects(context, place));
    let path = place.map_or("", |place| &place.source.path);
    exemptions.iter().position(|exemption| {
        same(exemption)
            && exemption.holds_in(path)
            && subjects
                .iter()
                .any(|(namespace, name)| exemption.covers(namespace, name))
    })
}

/// Lists namespace and name of the object that stands at a place, once for each build that takes it in.
///
/// What stands in no object has neither.
fn subjects(context: &Context<'_>, place: &Place) -> Vec<(String, String)> {
    let nameless = vec![(String::new(), String::new())];
    let Some(file) = context.tree.get(&place.source.path) else {
        return nameless;
    };
    let mut kustomizations = context.builds.kustomizations.values();
    if let Some(kustomization) = kustomizations.find(|found| found.file.path == file.path) {
        return generator(kustomization, place.span).map_or(nameless, |subject| vec![subject]);
    }
    let members = context.builds.members.iter();
    let inside = |member: &&Member<'_>| {
        member.object.file.path == file.path && covers(member.object.root, place.span)
    };
    let built: Vec<(String, String)> = members
        .filter(inside)
        .map(|member| (member.namespace_name().to_owned(), member.name.clone()))
        .collect();
    if built.is_empty() {
        return written(context, file, place).map_or(nameless, |subject| vec![subject]);
    }
    built
}

/// Returns namespace and name of the object at a place, as they are written.
fn written(context: &Context<'_>, file: &File, place: &Place) -> Option<(String, String)> {
    let documents = context.documents(file);
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
