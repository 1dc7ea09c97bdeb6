//! Which apps are on.

use tera::Value;

use super::super::callable::{Arguments, Failure};
use super::super::environment::Environment;
use crate::tree::App;

pub(super) fn enabled(environment: &Environment, arguments: &Arguments) -> Result<Value, Failure> {
    let name = arguments.text("app")?;
    environment.with_apps(|apps| match apps.iter().find(|app| app.name == name) {
        Some(app) => Ok(Value::from(app.enabled)),
        None => Err(Failure::argument(format!("there is no app `{name}`"))
            .with_suggestion(name, apps.iter().map(|app| app.name.as_str()))),
    })
}

pub(super) fn enabled_apps(
    environment: &Environment,
    arguments: &Arguments,
) -> Result<Value, Failure> {
    let namespace = arguments.text("namespace")?;
    environment.with_apps(|apps| names_in(apps, namespace))
}

fn names_in(apps: &[App], namespace: &str) -> Result<Value, Failure> {
    if !apps.iter().any(|app| app.namespace == namespace) {
        return Err(
            Failure::argument(format!("no app is in the namespace `{namespace}`"))
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
