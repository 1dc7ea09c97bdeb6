//! A Secret in a file that will not be sealed.

use crate::check::Check;
use crate::check::context::{Context, is_open, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Place, Source};
use crate::tree::File;
use crate::tree::kustomization::split;
use crate::tree::object::Object;
use crate::yaml::Node;

pub(in crate::check) const CHECK: Check = Check {
    code: "secret-unsealed",
    summary: "A Secret with values stands in a file that will not be sealed",
    explanation: "\
Only files with `.sops.` in their name are encrypted. A Secret with `data` or `stringData` in any other
file would be committed in plain text: base64 is no encryption.

A Secret whose values are all filled in by Flux (`${NAME}`) holds nothing and is fine.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for file in context.tree.files().filter(|file| is_open(file)) {
        for object in Object::of(file).filter(|object| object.is("", "Secret")) {
            let field = ["stringData", "data"]
                .into_iter()
                .find(|field| holds_values(object, field));
            if let Some(field) = field {
                problems.push(unsealed(file, object, field));
            }
        }
    }
    problems
}

fn holds_values(object: Object<'_>, field: &str) -> bool {
    let entries = object
        .find(field)
        .and_then(Node::entries)
        .unwrap_or_default();
    entries.iter().any(|entry| {
        let text = entry.value.text().unwrap_or_default();
        !entry.value.is_null() && !text.is_empty() && !is_substituted(text)
    })
}

fn unsealed(file: &File, object: Object<'_>, field: &str) -> Diagnostic {
    let message = format!(
        "Secret `{}` has values, but `{}` will not be sealed",
        object.name(),
        file.path
    );
    // The label points at the field's name; the lines around it would show the values.
    let hidden = Source::sensitive(file.source.path.as_str(), file.source.text.as_ref());
    let at = object
        .find(field)
        .map_or_else(Default::default, |node| node.span);
    let key = object.root.entry(field).map_or(at, |entry| entry.key_span);
    let mut problem = Diagnostic::error(CHECK.code, message).at_place(Place::new(&hidden, key), "");
    if let Some(template) = file.template_place(key.start) {
        let hidden =
            Source::sensitive(template.source.path.as_str(), template.source.text.as_ref());
        problem = problem.with_related(Place::new(&hidden, template.span), "rendered from here");
    }
    let (_, name) = split(&file.path);
    let sealed = name.rsplit_once('.').map_or_else(
        || format!("{name}.sops.yaml"),
        |(stem, end)| format!("{stem}.sops.{end}"),
    );
    problem.with_hint(format!("name the file `{sealed}`"))
}
