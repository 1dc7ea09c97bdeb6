//! Files of the project.

use std::sync::Arc;

use tera::Value;

use super::super::callable::{Arguments, Flow, FunctionFailure};
use super::super::environment::TemplateEnvironment;
use crate::diagnostic;
use crate::render::codes;

pub(super) fn file(
    environment: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let path = arguments.text("path")?;
    match text(environment, path, arguments.flow)? {
        Some(text) => Ok(Value::from(text)),
        None => Err(FunctionFailure::new(
            &codes::MISSING_FILE,
            format!("there is no file `{path}`"),
        )
        .with_hint("paths are relative to the folder of the project")),
    }
}

pub(super) fn secret(
    environment: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let path = arguments.text("path")?;
    let Some(text) = text(environment, path, arguments.flow)? else {
        return Err(missing_secret(path));
    };
    let value = text.trim_end_matches(['\n', '\r']);
    if value.trim().is_empty() {
        return Err(FunctionFailure::new(
            &codes::EMPTY_SECRET,
            format!("the secret file `{path}` is empty"),
        )
        .with_hint(MAKE_KEYS));
    }
    environment.note_secret(value, path);
    Ok(Value::from(value))
}

/// What to do about a key that is not there.
pub(super) const MAKE_KEYS: &str = "`kiln init` makes the keys of a project";

pub(super) fn missing_secret(path: &str) -> FunctionFailure {
    FunctionFailure::new(
        &codes::MISSING_SECRET,
        format!("there is no secret file `{path}`"),
    )
    .with_hint(MAKE_KEYS)
}

/// Returns the text of a file below the project folder.
pub(super) fn text(
    environment: &TemplateEnvironment,
    path: &str,
    flow: Flow,
) -> Result<Option<String>, FunctionFailure> {
    let inside = |part: &str| !matches!(part, "" | "." | "..");
    if path.contains(['\\', '\0']) || !path.split('/').all(inside) {
        let message = format!("`{path}` is not the path of a file of the project");
        return Err(FunctionFailure::argument(message)
            .with_hint("paths are relative to the folder of the project and do not leave it"));
    }
    let Some(bytes) = environment.file(path, flow)? else {
        return Ok(None);
    };
    let text = String::from_utf8(Arc::unwrap_or_clone(bytes));
    text.map(Some).map_err(|_| {
        FunctionFailure::new(
            &diagnostic::codes::NOT_UTF8,
            format!("`{path}` is not a UTF-8 text"),
        )
    })
}
