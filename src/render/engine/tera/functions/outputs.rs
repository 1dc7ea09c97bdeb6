//! Which files are rendered.

use std::collections::{BTreeMap, BTreeSet};

use tera::Value;

use super::super::callable::{Arguments, FunctionFailure};
use super::super::environment::TemplateEnvironment;
use crate::render::apps::{AppPosition, position};

/// The signature is that of every function.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the table of functions asks for it"
)]
pub(super) fn output_globs(
    environment: &TemplateEnvironment,
    _arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let globs = environment.with_apps(|apps| globs(environment.outputs(apps)));
    Ok(Value::from(Vec::from_iter(globs)))
}

/// Writes paths as patterns of the shell's extended kind, which match these and nothing else: an app's folder whole, in other
/// folders the names.
fn globs<'p>(paths: impl Iterator<Item = &'p str>) -> BTreeSet<String> {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for path in paths {
        if let AppPosition::App(namespace, app) = position(path) {
            found.insert(format!("kubernetes/apps/{namespace}/{app}/**"));
        } else {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            names.entry(folder).or_default().push(name);
        }
    }
    for (folder, names) in names {
        let slash = if folder.is_empty() { "" } else { "/" };
        found.insert(format!("{folder}{slash}@({})", names.join("|")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_folders_of_apps_whole_and_names_the_rest() {
        let paths = [
            ".github/workflows/kiln.yaml",
            ".github/workflows/scan.yaml",
            "justfile",
            "kubernetes/apps/default/echo/app/helmrelease.yaml",
            "kubernetes/apps/default/echo/ks.yaml",
            "kubernetes/apps/default/namespace.yaml",
        ];
        let found = Vec::from_iter(globs(paths.into_iter()));
        assert_eq!(
            found,
            [
                ".github/workflows/@(kiln.yaml|scan.yaml)",
                "@(justfile)",
                "kubernetes/apps/default/@(namespace.yaml)",
                "kubernetes/apps/default/echo/**",
            ]
        );
    }
}
