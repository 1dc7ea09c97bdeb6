//! Which apps are on.

use tera::Value;

use super::super::callable::{Arguments, FunctionFailure};
use super::super::environment::TemplateEnvironment;
use crate::tree::App;

pub(super) fn enabled(
    environment: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let name = arguments.text("app")?;
    environment.with_apps(|apps| match apps.iter().find(|app| app.name == name) {
        Some(app) => Ok(Value::from(app.enabled)),
        None => Err(
            FunctionFailure::argument(format!("there is no app `{name}`"))
                .with_suggestion(name, apps.iter().map(|app| app.name.as_str())),
        ),
    })
}

pub(super) fn enabled_apps(
    environment: &TemplateEnvironment,
    arguments: &Arguments,
) -> Result<Value, FunctionFailure> {
    let namespace = arguments.text("namespace")?;
    environment.with_apps(|apps| names_in(apps, namespace))
}

fn names_in(apps: &[App], namespace: &str) -> Result<Value, FunctionFailure> {
    if !apps.iter().any(|app| app.namespace == namespace) {
        return Err(
            FunctionFailure::argument(format!("no app is in the namespace `{namespace}`"))
                .with_suggestion(namespace, apps.iter().map(|app| app.namespace.as_str())),
        );
    }
    let mut names: Vec<&str> = apps
        .iter()
        .filter(|app| app.enabled && app.namespace == namespace)
        .map(|app| app.name.as_str())
        .collect();
    names.sort_unstable();
    Ok(Value::from(names))
}
