//! What the crate of the format tells, as diagnostics.

use std::borrow::Cow;
use std::sync::Arc;

use sops_age::{
    LockedError, Metadata, OpenError, OpenedFile, OutlineError, PlainError, PlainFile, Scope,
    SealError, SealedError, SealedFile, Store, as_read,
};

use sops_age::keys::Keyring;

use super::identities::cannot_open;
use crate::diagnostic::{self, Diagnostic};
use crate::seal::codes;
use crate::source::{Source, Span};
use crate::yaml;

/// Returns the source that spans of the format are about.
pub(super) fn source_of(source: &Arc<Source>) -> Arc<Source> {
    let store = Store::of_sealed(&source.path, &source.text);
    let text = store
        .notation()
        .map(|notation| as_read(&source.text, notation));
    match text {
        Some(text) if *text != *source.text => {
            let path = source.path.clone();
            Source::of(path, Cow::Owned(text.into_owned()), source.sensitive)
        }
        _ => Arc::clone(source),
    }
}

/// Says everything that stops a file from being read for sealing.
pub(super) fn plain_problems(source: &Arc<Source>, problem: PlainError) -> Vec<Diagnostic> {
    match problem {
        PlainError::Store(store) => vec![unsupported(source, store)],
        PlainError::NoText => vec![no_text(source)],
        PlainError::Outline(problems) => {
            let source = source_of(source);
            let told = problems.iter();
            told.map(|problem| outline_problem(&source, problem))
                .collect()
        }
    }
}

/// Says everything that stops a file that was read from being sealed with a scope.
pub(super) fn unsealable(
    source: &Arc<Source>,
    plain: &PlainFile,
    scope: &Scope,
) -> Vec<Diagnostic> {
    let problems = plain.unsealable(scope);
    let told = problems.iter();
    told.map(|problem| seal_problem(source, scope, problem))
        .collect()
}

/// Says that other keys than age's open a file as well.
pub(super) fn foreign(path: &str, metadata: &Metadata) -> Diagnostic {
    let kinds = metadata.foreign.join(", ");
    let message =
        format!("`{path}` is sealed for {kinds} as well, and Kiln seals for age keys only");
    Diagnostic::error(&codes::UNSUPPORTED_KEY_TYPE, message)
}

/// Says that a file cannot be sealed in its format.
fn unsupported(source: &Arc<Source>, store: Store) -> Diagnostic {
    let message = format!(
        "`{}` is of the format {}, and Kiln seals YAML, JSON and binary files",
        source.path,
        store.name()
    );
    Diagnostic::error(&codes::UNSUPPORTED_SECRET_FORMAT, message)
        .at(source, Span::default(), "")
        .with_hint("put the content into a `*.sops.yaml` file; if it is no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it")
}

/// Says that a file that is no text has a name of one that is.
fn no_text(source: &Arc<Source>) -> Diagnostic {
    let message = format!(
        "`{}` is to be sealed, but is no text, as its name says it is",
        source.path
    );
    Diagnostic::error(&codes::UNSUPPORTED_SECRET_FORMAT, message).with_hint(
        "call it by another name than `*.yaml` or `*.json`: SOPS seals such a file as a whole",
    )
}

/// Says what in a text SOPS cannot encrypt.
fn outline_problem(source: &Arc<Source>, problem: &OutlineError) -> Diagnostic {
    let path = &source.path;
    let (message, hint) = match problem {
        OutlineError::Yaml(error) => {
            return yaml::diagnose(error, &diagnostic::codes::YAML_SYNTAX, source);
        }
        OutlineError::Json(error) => {
            let message = format!("`{path}` is no JSON object that SOPS reads: {error}");
            let problem = Diagnostic::error(&codes::UNSEALABLE_JSON, message);
            return problem.at(source, error.span, "");
        }
        OutlineError::YamlVersion(_) => (
            format!("`{path}` asks for a version of YAML other than 1.1, and SOPS reads no other"),
            "remove the `%YAML` line",
        ),
        OutlineError::NoMapping(_) => (
            format!("a document of `{path}` is not a mapping, which SOPS cannot encrypt"),
            "put the value below a key",
        ),
        OutlineError::ReservedKey(_) => (
            format!("`{path}` has a top-level key `sops`, which SOPS keeps for itself"),
            "rename the key; a file that is sealed already is carried as it is where its name does not end in `.tera`",
        ),
        OutlineError::Nothing => {
            let message = format!("`{path}` holds nothing that could be sealed");
            return Diagnostic::error(&codes::UNSEALABLE_YAML, message);
        }
        OutlineError::Tag(_) => (
            format!("{problem} in `{path}`, which cannot be sealed"),
            "leave the tag out, or quote a value that is to be a string",
        ),
        OutlineError::Key { .. } => (
            format!("{problem} in `{path}`, which cannot be sealed"),
            "put the key in quotes",
        ),
        OutlineError::KeyOverLines(_) => (
            format!("{problem} in `{path}`, which cannot be sealed"),
            "write U+2028 and U+2029 as `\\L` and `\\P` in double quotes",
        ),
        OutlineError::BigNumber(_) => (
            format!("{problem} in `{path}`, which cannot be sealed"),
            "put the number in quotes",
        ),
    };
    let span = problem.span().unwrap_or_default();
    Diagnostic::error(&codes::UNSEALABLE_YAML, message)
        .at(source, span, "")
        .with_hint(hint)
}

/// Says why a file cannot be sealed by its rule.
pub(super) fn seal_problem(source: &Arc<Source>, scope: &Scope, problem: &SealError) -> Diagnostic {
    let path = &source.path;
    let source = source_of(source);
    match problem {
        SealError::CommentAstray(span) => {
            let key = scope.selector.key();
            let message = format!(
                "a comment that `{key}` matches is not aligned with what follows in `{path}`"
            );
            Diagnostic::error(&codes::SOPS_COMMENT_ASTRAY, message)
                .at(&source, *span, "")
                .with_hint("indent it like the entry it is about, as it decides what is encrypted")
        }
        SealError::MisreadComment(span) => {
            let message = format!(
                "`unencrypted_comment_regex` also matches an encrypted comment of `{path}`"
            );
            Diagnostic::error(&codes::SOPS_RULES_COMMENT_REGEX, message)
                .at(&source, *span, "")
                .with_hint(
                    "make it match only what the ciphertext cannot hold, such as `^ plain$` with its blank",
                )
        }
        SealError::Anchor(span) | SealError::Alias(span) => {
            let message = format!("{problem} of `{path}`, which SOPS could not open");
            Diagnostic::error(&codes::UNSEALABLE_YAML, message)
                .at(&source, *span, "")
                .with_hint("write the value out where it is used")
        }
        SealError::Wrap(problem) => {
            let message = format!("`{path}` cannot be sealed: {problem}");
            Diagnostic::error(&codes::SEAL_WRAP_FAILED, message).with_hint(
                "install the plugin that this recipient needs, which `kiln render` runs and `kiln check` does not, or take it out of the rule",
            )
        }
        SealError::SelfCheck => {
            let message = format!("`{path}` was sealed, but does not read back as what it was");
            Diagnostic::error(&codes::SEAL_SELF_CHECK, message).with_hint(
                "nothing was written; this is a defect of Kiln, please report it with the file's layout",
            )
        }
    }
}

/// Says why a text is no sealed file that could be opened.
pub(super) fn sealed_problem(source: &Arc<Source>, problem: &SealedError) -> Diagnostic {
    let path = &source.path;
    match problem {
        SealedError::Outline(problems) => {
            let source = source_of(source);
            let unread =
                || Diagnostic::error(&codes::NOT_SEALED, format!("`{path}` cannot be read"));
            problems
                .first()
                .map_or_else(unread, |problem| outline_problem(&source, problem))
        }
        SealedError::NotSealed => Diagnostic::error(
            &codes::NOT_SEALED,
            format!("`{path}` is not a file that SOPS sealed"),
        )
        .with_hint("it has no top-level key `sops`"),
        SealedError::Metadata { problem, span } => Diagnostic::error(
            &codes::MALFORMED_SOPS_METADATA,
            format!("`{path}` cannot be opened: {problem}"),
        )
        .at(&source_of(source), *span, ""),
        SealedError::Store(store) => {
            let message = format!(
                "`{path}` is of the format {}, and Kiln opens YAML, JSON and binary files",
                store.name()
            );
            Diagnostic::error(&codes::UNSUPPORTED_SECRET_FORMAT, message)
                .with_hint("open it with `sops decrypt`")
        }
    }
}

/// Says why a sealed file does not open.
pub(super) fn open_problem(source: &Arc<Source>, problem: &OpenError) -> Diagnostic {
    let path = &source.path;
    let (route, span, what) = match problem {
        OpenError::Mac => {
            let message =
                format!("`{path}` was changed after it was sealed: its MAC does not match");
            return Diagnostic::error(&codes::MAC_MISMATCH, message).with_hint(
                "restore it from version control, or render it anew, if you did not change it yourself",
            );
        }
        OpenError::InPlain { route } => (route, None, "should be encrypted and is not"),
        OpenError::Malformed { route, span } => (
            route,
            Some(span),
            "is not a ciphertext that SOPS could have written",
        ),
        OpenError::Forged { route, span } => (
            route,
            Some(span),
            "does not decrypt: it was changed, or moved from another key or file",
        ),
    };
    let message = format!("`{route}` in `{path}` {what}");
    let problem = Diagnostic::error(&codes::MALFORMED_CIPHERTEXT, message);
    match span {
        Some(span) => problem.at(&source_of(source), *span, ""),
        // The text may be the secret itself.
        None => problem,
    }
}

/// Opens a sealed file with the identities at hand.
pub(super) fn open(
    source: &Arc<Source>,
    sealed: SealedFile,
    keyring: &Keyring,
) -> Result<OpenedFile, Diagnostic> {
    let key = sealed
        .unlock(keyring)
        .map_err(|problem| locked_problem(&source.path, &sealed, keyring, &problem))?;
    sealed
        .open(key)
        .map_err(|problem| open_problem(source, &problem))
}

/// Opens a text that should be a sealed file.
pub(super) fn open_source(
    source: &Arc<Source>,
    keyring: &Keyring,
) -> Result<OpenedFile, Diagnostic> {
    let store = Store::of_sealed(&source.path, &source.text);
    let sealed = SealedFile::read(&source.text, store)
        .map_err(|problem| sealed_problem(source, &problem))?;
    open(source, sealed, keyring)
}

/// Says why there is no data key.
pub(super) fn locked_problem(
    path: &str,
    sealed: &SealedFile,
    keyring: &Keyring,
    problem: &LockedError,
) -> Diagnostic {
    match problem {
        LockedError::NoIdentity(failure) => {
            cannot_open(keyring, path, &sealed.metadata.age, failure)
        }
        LockedError::NoAgeKey { kinds } => {
            let kinds = if kinds.is_empty() {
                "nobody".to_owned()
            } else {
                kinds.join(", ")
            };
            let message = format!("`{path}` is sealed for {kinds} and not for any age key");
            Diagnostic::error(&codes::UNSUPPORTED_KEY_TYPE, message)
                .with_hint("Kiln opens files with age identities only: add an age recipient with `sops updatekeys`")
        }
    }
}
