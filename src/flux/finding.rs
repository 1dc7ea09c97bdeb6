//! What is wrong with what Flux would apply, and what of it is not seen.

use std::collections::BTreeSet;

use kustomize::{Place, Problem, ProblemKind, join};

use super::applied_object::ObjectKey;
use super::tree_files::TreeFiles;
use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::codes;
use crate::source::{self, LeftOut, Source};
use crate::tree::secret_manifest::SecretManifest;
use crate::yaml::Node;

/// A problem that keeps Flux from applying a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FluxProblem {
    /// What it means.
    pub meaning: &'static Meaning,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a final period.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Another place that matters.
    pub related: Option<Place>,
    /// What to do; empty where the message says it.
    pub help: String,
    /// The builds that have it, as indexes.
    pub builds: BTreeSet<usize>,
}

/// A part of what Flux applies that cannot be seen from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenPart {
    /// What is not seen: `Kustomization/flux-system/apps`, a URL, a ConfigMap.
    pub what: String,
    /// Why, in one sentence without a final period.
    pub why: String,
    /// What would make it seen; empty where nothing here can.
    pub remedy: String,
    /// Whether there may be objects in it, and not only values of variables.
    pub hides_objects: bool,
    /// The namespace that its objects go to, where that is known.
    pub namespace: Option<String>,
    /// The build that it is missing from, as an index.
    pub build: usize,
    /// Where it is asked for.
    pub place: Option<Place>,
}

impl UnseenPart {
    /// Names it as messages do, in backticks.
    pub fn told(&self) -> String {
        in_backticks(&self.what)
    }
}

/// Puts a name into backticks; words around a name have theirs already.
pub(super) fn in_backticks(what: &str) -> String {
    if what.contains('`') {
        what.to_owned()
    } else {
        format!("`{what}`")
    }
}

impl FluxProblem {
    pub(super) fn error(
        meaning: &'static Meaning,
        message: impl Into<String>,
        place: &Place,
    ) -> Self {
        Self {
            meaning,
            severity: Severity::Error,
            message: message.into(),
            place: Some(place.clone()),
            related: None,
            help: String::new(),
            builds: BTreeSet::new(),
        }
    }

    pub(super) fn warning(
        meaning: &'static Meaning,
        message: impl Into<String>,
        place: &Place,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(meaning, message, place)
        }
    }

    #[must_use]
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Takes a refusal of kustomize's.
    pub fn of_kustomize(problem: Problem) -> Self {
        Self {
            meaning: match problem.kind {
                ProblemKind::Missing => &codes::RESOURCE_MISSING,
                ProblemKind::Duplicate => &codes::DUPLICATE_OBJECT,
                ProblemKind::UnknownField => &codes::KUSTOMIZATION_UNKNOWN_KEY,
                ProblemKind::NoTarget | ProblemKind::Ambiguous => &codes::KUSTOMIZE_NO_TARGET,
                ProblemKind::Circle
                | ProblemKind::Outside
                | ProblemKind::Malformed
                | ProblemKind::Refused => &codes::KUSTOMIZE_REFUSED,
            },
            severity: Severity::Error,
            message: problem.message,
            place: problem.place,
            related: problem.related,
            help: problem.help,
            builds: BTreeSet::new(),
        }
    }

    /// Takes a refusal of kustomize's in a folder of a tree: what is not there may only be left out of the source.
    pub(super) fn of_build(problem: Problem, folder: &str, tree: Option<&TreeFiles<'_>>) -> Self {
        let mut found = Self::of_kustomize(problem);
        let (Some(tree), true, Some(place)) = (
            tree,
            *found.meaning == codes::RESOURCE_MISSING,
            &found.place,
        ) else {
            return found;
        };
        let Some((written, why)) = left_out_at(place, folder, tree) else {
            return found;
        };
        found.meaning = &codes::RESOURCE_IGNORED;
        found.message = format!("`{written}` is there, and Flux does not get it: {why}");
        let help = match why {
            LeftOut::ByGit => "add it with `git add --force`, or mend the `.gitignore`",
            LeftOut::ByFlux => "mend the `.sourceignore`, or the `spec.ignore` of the source",
            LeftOut::Symlink => {
                "put a file in the place of the symlink, or name the file that it leads to"
            }
            LeftOut::OtherRepository | LeftOut::Unreadable(_) => "take the entry out",
        };
        help.clone_into(&mut found.help);
        found
    }

    /// Turns the problem into a diagnostic; `find` finds a place in the file that the user wrote.
    pub fn diagnostic(
        &self,
        find: &dyn Fn(&Place) -> Option<source::Place>,
        owners: &[&ObjectKey],
    ) -> Diagnostic {
        let mut diagnostic = match self.severity {
            Severity::Error => Diagnostic::error(self.meaning, self.message.clone()),
            Severity::Warning => Diagnostic::warning(self.meaning, self.message.clone()),
        };
        if let Some(place) = self.place.as_ref().and_then(find) {
            diagnostic = diagnostic.at_place(place, "");
        }
        if let Some(place) = self.related.as_ref().and_then(find) {
            diagnostic = diagnostic.with_related(place, "here as well");
        }
        if !self.help.is_empty() {
            diagnostic = diagnostic.with_hint(self.help.clone());
        }
        match owners {
            _ if *self.meaning == codes::FLUX_PATH => diagnostic,
            [] => diagnostic,
            [one] => diagnostic.with_hint(format!("Flux builds it for `{one}`")),
            [first, rest @ ..] => diagnostic.with_hint(format!(
                "Flux builds it for `{first}` and {} more",
                rest.len()
            )),
        }
    }
}

/// Returns a place as one in a message, of which no text is shown where its file may hold a secret in the open.
pub fn shown_place(files: &[&TreeFiles<'_>], place: &Place) -> Option<source::Place> {
    let found = place_in(files, place)?;
    let text = &found.source.text;
    let has_patch = text.contains("kind: Secret") && text.contains("patch");
    let documents = place.file.documents().ok();
    let mut documents = documents.into_iter().flat_map(|all| all.iter());
    let holds = |root: &Node| {
        !SecretManifest::all(root).is_empty()
            || root.get("secretGenerator").is_some()
            || root.find_text("kind") == Some("SecretGenerator")
    };
    if !(has_patch || text.contains("stringData") || documents.any(|one| holds(&one.root))) {
        return Some(found);
    }
    let hidden = Source::sensitive(found.source.path.as_str(), text.as_ref());
    Some(source::Place::new(&hidden, found.span))
}

/// Returns a place of a build as one in a message; `None` for a file that was read from none of these trees.
pub fn place_in(files: &[&TreeFiles<'_>], place: &Place) -> Option<source::Place> {
    let source = files.iter().find_map(|tree| tree.source_of(place))?;
    Some(source::Place::new(source, place.span))
}

/// Returns the path that stands at a place, and why it is no part of the source.
///
/// It counts from the folder of the file that it stands in, or from the one that a Flux Kustomization builds.
fn left_out_at<'t>(
    place: &Place,
    folder: &str,
    tree: &'t TreeFiles<'_>,
) -> Option<(String, &'t LeftOut)> {
    let text = place.file.text().ok()?;
    let written = text.get(place.span.start..place.span.end)?;
    let written = written.trim_matches(['"', '\'']);
    // A generator names a file behind the key that it gets.
    let path = written.rsplit('=').next().unwrap_or(written);
    let own = tree
        .path_of(place)?
        .rsplit_once('/')
        .map_or("", |(own, _)| own);
    let why = [own, folder]
        .into_iter()
        .find_map(|from| tree.left_out(&join(from, path)?))?;
    Some((path.to_owned(), why))
}
