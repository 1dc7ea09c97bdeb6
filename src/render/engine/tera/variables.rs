//! The variables of templates.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::{Value, json};
use tera::Context;

use crate::config::model::versions::VersionTable;
use crate::render::apps::{Position, position};
use crate::tree::App;

/// The variables of templates: the config's, `versions`, and in the folder of an app also `app`.
pub(in crate::render) struct Variables<'a> {
    everywhere: Context,
    in_apps: BTreeMap<(&'a str, &'a str), Context>,
}

impl<'a> Variables<'a> {
    /// Takes over the config, the versions, and the options of the apps that are on.
    pub(in crate::render) fn of(values: &Value, versions: &VersionTable, apps: &'a [App]) -> Self {
        let mut everywhere = Context::new();
        everywhere.insert("versions", &versions.variable());
        for (key, value) in values.as_object().into_iter().flatten() {
            everywhere.insert(key.clone(), value);
        }
        let enabled = apps.par_iter().filter(|app| app.enabled);
        let in_apps = enabled.map(|app| {
            let mut variables = everywhere.clone();
            let options = values.get("apps").and_then(|apps| apps.get(&app.name));
            variables.insert(
                "app",
                &json!({
                    "name": app.name,
                    "namespace": app.namespace,
                    "tier": app.tier,
                    "options": options.unwrap_or(&json!({})),
                }),
            );
            ((app.namespace.as_str(), app.name.as_str()), variables)
        });
        Self {
            in_apps: in_apps.collect(),
            everywhere,
        }
    }

    /// Returns what the template at a path sees.
    pub(super) fn at<'s>(&'s self, path: &'s str) -> &'s Context {
        let app = match position(path) {
            Position::App(namespace, name) => self.in_apps.get(&(namespace, name)),
            _ => None,
        };
        app.unwrap_or(&self.everywhere)
    }
}
