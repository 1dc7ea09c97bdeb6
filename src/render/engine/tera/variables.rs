//! The variables of templates.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::{Value, json};
use tera::Context;

use crate::config::cluster::versions::VersionTable;
use crate::render::apps::{AppPosition, position};
use crate::render::asks::GatheredAsks;
use crate::tree::App;

/// The variable of what apps ask of a namespace.
const NAMESPACE: &str = "namespace";

/// The variables of templates: the config's, `versions` and `asked`, in the folder of a namespace `namespace`, and in that
/// of an app also `app`.
pub(in crate::render) struct TemplateVariables<'a> {
    everywhere: Context,
    in_namespaces: BTreeMap<&'a str, Context>,
    in_apps: BTreeMap<(&'a str, &'a str), Context>,
}

impl<'a> TemplateVariables<'a> {
    /// Takes over the config, the versions, the options of the apps that are on, and what these ask for. A key of the
    /// config goes before a variable of ours.
    pub(in crate::render) fn of(
        values: &Value,
        versions: &VersionTable,
        apps: &'a [App],
        asked: &GatheredAsks,
    ) -> Self {
        let mut everywhere = Context::new();
        everywhere.insert("versions", &versions.variable());
        everywhere.insert("asked", &asked.to_json());
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
        let enabled = apps.iter().filter(|app| app.enabled);
        let namespaces: BTreeSet<&str> = enabled.map(|app| app.namespace.as_str()).collect();
        let in_namespaces = namespaces.into_iter().map(|name| {
            let mut variables = everywhere.clone();
            if values.get(NAMESPACE).is_none() {
                variables.insert(NAMESPACE, &asked.namespaces.to_json(name));
            }
            (name, variables)
        });
        Self {
            in_namespaces: in_namespaces.collect(),
            in_apps: in_apps.collect(),
            everywhere,
        }
    }

    /// Returns what the template at a path sees.
    pub(super) fn at<'s>(&'s self, path: &'s str) -> &'s Context {
        let app = match position(path) {
            AppPosition::App(namespace, name) => self.in_apps.get(&(namespace, name)),
            AppPosition::Namespace(name) => self.in_namespaces.get(name),
            _ => None,
        };
        app.unwrap_or(&self.everywhere)
    }
}
