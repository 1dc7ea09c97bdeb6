//! Whether others can get at the keys of a project: through git, or on the machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::credentials::{self, CREDENTIALS, IGNORE_FILE};
use super::error::CommandError;
use super::key_places::KeyPlaces;
use super::session::ProjectSession;
use super::settings::Settings;
use crate::cli::codes;
use crate::diagnostic::Diagnostic;
use crate::fs::{self, GitError, Repository};
use crate::pipeline::PlainSecret;
use crate::secret::KEY_FILES;
use crate::yaml::Step;

/// Looks for credentials that git tracks (errors) or would take (warnings), and for key files that other users
/// can read (warnings).
///
/// Starts git only where there is a repository; where git cannot tell, that is a warning.
pub fn inspect(
    session: &ProjectSession,
    settings: &Settings,
) -> Result<Vec<Diagnostic>, CommandError> {
    let keys = KeyFileReview::of(session, settings)?;
    let mut problems = Vec::new();
    if fs::may_be_versioned(&session.root) {
        match keys.committable(&session.root) {
            Ok(found) => problems.extend(found),
            // Without git nobody commits from here, and what looked like a repository may be none.
            Err(GitError::Missing { .. } | GitError::NoRepository { .. }) => {}
            Err(error) => problems.push(not_seen(&error)),
        }
    }
    problems.extend(keys.readable(&session.root));
    Ok(problems)
}

/// Warns of secrets of the config that are written out in data files that git tracks.
///
/// Starts git only where there are such secrets and a repository.
pub fn tracked_secrets(session: &ProjectSession, secrets: &[PlainSecret]) -> Vec<Diagnostic> {
    if secrets.is_empty() || !fs::may_be_versioned(&session.root) {
        return Vec::new();
    }
    let paths: BTreeSet<&str> = secrets
        .iter()
        .map(|one| one.place.source.path.as_str())
        .collect();
    let pathspecs: Vec<String> = paths
        .iter()
        .map(|path| format!(":(literal){path}"))
        .collect();
    // Where git cannot tell, the look at the key files says so.
    let found = Repository::committable(&session.root, &pathspecs);
    let found = found.unwrap_or_default().into_iter();
    let tracked: BTreeSet<String> = found
        .filter(|(tracked, _)| *tracked)
        .map(|(_, path)| path)
        .collect();
    let exposed = secrets
        .iter()
        .filter(|one| tracked.contains(&one.place.source.path));
    exposed.map(tracked_secret).collect()
}

fn tracked_secret(secret: &PlainSecret) -> Diagnostic {
    let (route, path) = (&secret.route, &secret.place.source.path);
    let message = format!("`{route}` is a secret, and stands in `{path}`, which git tracks");
    let problem =
        Diagnostic::warning(&codes::SECRET_TRACKED, message).at_place(secret.place.clone(), "");
    let is_in_list = route.0.iter().any(|step| matches!(step, Step::Index(_)));
    let problem = if is_in_list {
        problem.with_hint("write `{ fromEnv: NAME }` there, or move the list into a file that `kiln secrets edit` opens")
    } else {
        problem.with_hint(format!(
            "replace it with `kiln secrets set {route}`, which takes it out of `{path}`"
        ))
    };
    problem.with_hint("what was committed counts as known: change it at its source")
}

/// The key files that a project has, and what it says of them.
struct KeyFileReview {
    /// Paths in the project.
    own: Vec<String>,
    /// Absolute paths of those that others can read.
    elsewhere: Vec<PathBuf>,
    ignore: String,
}

impl KeyFileReview {
    fn of(session: &ProjectSession, settings: &Settings) -> Result<Self, CommandError> {
        let mut own: Vec<String> = KEY_FILES.map(str::to_owned).to_vec();
        // What is wrong with `kiln.toml` is for the compile to tell.
        own.extend(
            session
                .layout()
                .map_or_else(|_| Vec::new(), |layout| layout.identities),
        );
        let inside = |path: &PathBuf| {
            let path = path.strip_prefix(&session.root).ok().and_then(Path::to_str);
            path.map(str::to_owned)
        };
        let places = KeyPlaces(settings).files(&session.root);
        own.extend(places.iter().filter_map(inside));
        let elsewhere = session.open_to_others().iter();
        let elsewhere = elsewhere.filter(|path| inside(path).is_none());
        let ignore = session.disk.peek(IGNORE_FILE)?.unwrap_or_default();
        let ignore = String::from_utf8_lossy(&ignore).into_owned();
        own.sort();
        own.dedup();
        own.retain(|path| !credentials::lets_in(&ignore, path));
        Ok(Self {
            own,
            elsewhere: elsewhere.cloned().collect(),
            ignore,
        })
    }

    fn committable(&self, root: &Path) -> Result<Vec<Diagnostic>, GitError> {
        let mut pathspecs = credentials::pathspecs();
        pathspecs.extend(self.own.iter().map(|path| format!(":(literal){path}")));
        let mut found = Repository::committable(root, &pathspecs)?;
        found.retain(|(_, path)| !credentials::lets_in(&self.ignore, path));
        let (tracked, loose): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(tracked, _)| *tracked);
        let paths = |found: Vec<(bool, String)>| found.into_iter().map(|(_, path)| path).collect();
        Ok(tracked_problem(&paths(tracked))
            .into_iter()
            .chain(loose_problem(&paths(loose)))
            .collect())
    }

    fn readable(&self, root: &Path) -> Option<Diagnostic> {
        let own = self.own.iter();
        let own = own.filter(|path| fs::is_readable_by_others(&root.join(path)));
        let elsewhere = self.elsewhere.iter().map(|path| path.display().to_string());
        let open: Vec<String> = own.cloned().chain(elsewhere).collect();
        let (first, more) = open.split_first()?;
        let message = format!(
            "other users of this machine can read {}",
            named(first, more.len())
        );
        let problem = Diagnostic::warning(&codes::KEY_READABLE, message);
        Some(problem.with_hint(format!("run `chmod 600 {}`", open.join(" "))))
    }
}

/// Says that git does not tell, so that nothing is known of the keys.
fn not_seen(error: &GitError) -> Diagnostic {
    let message = "nobody can tell whether git would take the keys of this project";
    Diagnostic::warning(&codes::KEY_NOT_IGNORED, message).with_hint(error.to_string())
}

fn tracked_problem(paths: &BTreeSet<String>) -> Option<Diagnostic> {
    let patterns = patterns(paths);
    let first = paths.first()?;
    let message = format!("git tracks credentials: {}", named(first, paths.len() - 1));
    let listed: Vec<&str> = paths.iter().map(String::as_str).take(SHOWN).collect();
    let more = if paths.len() > SHOWN { " …" } else { "" };
    let problem = Diagnostic::error(&codes::KEY_TRACKED, message)
        .with_hint(format!("run `git rm --cached {}{more}`, and commit that", listed.join(" ")))
        .with_hint(format!("add {patterns} to `{IGNORE_FILE}`; `kiln init` adds all such rules"))
        .with_hint(
            "what was pushed counts as known: replace it, the age key by `kiln secrets rekey --keygen`",
        );
    Some(problem)
}

fn loose_problem(paths: &BTreeSet<String>) -> Option<Diagnostic> {
    let first = paths.first()?;
    let message = format!(
        "the next `git add` may take credentials: {}",
        named(first, paths.len() - 1)
    );
    let hint = format!(
        "add {} to `{IGNORE_FILE}`; `kiln init` adds all such rules",
        patterns(paths)
    );
    Some(Diagnostic::warning(&codes::KEY_NOT_IGNORED, message).with_hint(hint))
}

/// How many files a command in a hint names.
const SHOWN: usize = 10;

/// Names the lines of an ignore file that cover some paths.
fn patterns(paths: &BTreeSet<String>) -> String {
    let line = |path: &String| {
        let known = CREDENTIALS
            .iter()
            .find(|credential| credential.covers(path));
        known.map_or_else(|| format!("/{path}"), |known| known.pattern.to_owned())
    };
    let lines: BTreeSet<String> = paths.iter().map(line).collect();
    let lines: Vec<String> = lines.iter().map(|line| format!("`{line}`")).collect();
    lines.join(", ")
}

fn named(first: &str, more: usize) -> String {
    match more {
        0 => format!("`{first}`"),
        1 => format!("`{first}` and another file"),
        more => format!("`{first}` and {more} other files"),
    }
}
