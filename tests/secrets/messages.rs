//! No message shows a secret, whatever is wrong.
//!
//! A canary stands at every place where a user can put a secret, and every mistake that the diagnostics know is made.

mod applied;
mod bullets;
mod every_code;
mod mistakes;
mod process;
mod random;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kiln::cli::report::{github, human, json};
use kiln::diagnostic::{Diagnostic, codes};
use kiln::pipeline::{self, CompileFailure, ConfigChange, KeyHandling};
use kiln::secret::Secret;
use rand_core::OsRng;

use super::project::{IDENTITY, Project};

/// A secret that is no word, no key and no number, and of which each part is none.
pub(super) const CANARY: &str = "Zq7/xW9+kV3@pL5!nB8";
/// A secret that is a number.
pub(super) const NUMBER: &str = "7391846205";
/// How many letters of a secret in a row tell something.
const TELLING: usize = 6;

/// A project that compiles, with secrets of all kinds and of every origin.
pub(super) fn laden() -> Project {
    let mut project = Project::with(&format!(
        "    word: {CANARY}\n    pin: {NUMBER}\n    list: [\"{CANARY}\"]\n    map: {{a: \"{CANARY}\"}}\n    whole:\n      deep: {CANARY}\n    referred: '{CANARY}'\n    either: {{fromFile: some.txt}}\n    plain: {{fromEnv: TOKEN}}\n"
    ));
    project.env.insert("TOKEN".to_owned(), CANARY.to_owned());
    project.put("some.txt", &format!("{CANARY}\n"));
    project.put("deploy.key", CANARY);
    project.put(
        "templates/.sops.yaml.tera",
        "creation_rules:\n  - path_regex: \\.sops\\.yaml$\n    age: #{ age_recipient() }#\n",
    );
    project.put(
        "templates/keep.sops.yaml.tera",
        &format!(
            "literal: {CANARY} #{{ apps.demo.word | to_json }}#\npin: {NUMBER}\nkey: #{{ secret(path=\"deploy.key\") | to_json }}#\nplain: #{{ apps.demo.plain | to_json }}#\n"
        ),
    );
    project
}

/// What is wrong with a project, by compiling, auditing or switching an app.
pub(super) fn problems(project: &Project) -> Vec<Diagnostic> {
    let compiled = project.world(KeyHandling::Needed, |world| {
        pipeline::compile(world, &mut OsRng)
    });
    settled(compiled.map(|compiled| compiled.warnings))
}

pub(super) fn audit_problems(project: &Project) -> Vec<Diagnostic> {
    settled(
        project
            .world(KeyHandling::Needed, pipeline::audit)
            .map(|audited| audited.warnings),
    )
}

pub(super) fn rekey_problems(project: &Project, old: &[&str]) -> Vec<Diagnostic> {
    let old: Vec<String> = old.iter().map(|origin| (*origin).to_owned()).collect();
    let rekeyed = project.world(KeyHandling::Needed, |world| {
        pipeline::rekey(world, &old, &mut OsRng)
    });
    settled(rekeyed.map(|rekeyed| rekeyed.compiled.warnings))
}

pub(super) fn switch_problems(
    project: &Project,
    names: &[&str],
    on: bool,
    options: &[&str],
) -> Vec<Diagnostic> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let change = ConfigChange {
        names: owned(names),
        on,
        options: options.iter().map(|option| Secret::new(*option)).collect(),
    };
    let switched = project.world(KeyHandling::Needed, |world| {
        pipeline::switch(world, &change, &mut OsRng)
    });
    settled(switched.map(|switched| switched.warnings))
}

fn settled(result: Result<Vec<Diagnostic>, CompileFailure>) -> Vec<Diagnostic> {
    match result {
        Ok(warnings) => warnings,
        Err(CompileFailure::Problems(problems)) => problems,
        Err(CompileFailure::Read(error)) => {
            vec![Diagnostic::error(
                &codes::UNREADABLE_CONFIG,
                error.to_string(),
            )]
        }
    }
}

/// What is printed of a problem in all forms.
pub(super) fn forms(problem: &Diagnostic) -> String {
    format!(
        "{}{}{}\n{}\n",
        human::render(problem, false),
        human::render(problem, true),
        json::render(problem),
        github::render(problem, "")
    )
}

/// Expects no part of a secret in a text.
#[track_caller]
pub(super) fn assert_no_secret(text: &str, context: &str) {
    let identity = &IDENTITY["AGE-SECRET-KEY-".len()..];
    let encoded = [CANARY, NUMBER].map(|secret| STANDARD.encode(secret));
    let encoded = encoded.iter().map(String::as_str);
    for secret in [CANARY, NUMBER, identity].into_iter().chain(encoded) {
        let letters: Vec<char> = secret.chars().collect();
        for part in letters.windows(TELLING) {
            let part: String = part.iter().collect();
            assert!(!text.contains(&part), "{context}: `{part}` in\n{text}");
        }
    }
}

#[track_caller]
pub(super) fn assert_hidden(problems: &[Diagnostic], context: &str) {
    for problem in problems {
        assert_no_secret(&forms(problem), context);
    }
}

#[test]
fn a_project_full_of_secrets_compiles() {
    let found: Vec<String> = problems(&laden()).iter().map(forms).collect();
    assert!(found.is_empty(), "{}", found.concat());
}
