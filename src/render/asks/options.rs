//! The options of other apps that apps ask for.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::claims::contradicting;
use super::field_value::expression;
use crate::diagnostic::Diagnostic;
use crate::render::apps::AppManifest;
use crate::render::codes;
use crate::render::condition::Conditions;
use crate::source::{Place, Span};
use crate::tree::App;
use crate::yaml::decode::Table;
use crate::yaml::{Node, Resolver, pointer_step};

/// The key of an app's switch.
const SWITCH: &str = "enabled";

/// One entry of `[asks.APP]`, or of a table in it.
#[derive(Clone, Debug)]
pub(super) struct OptionAsk {
    /// The other app, and where it is named.
    app: (String, Span),
    /// The JSON pointer of the option, from the options of the other app.
    pointer: String,
    value: OptionValue,
    span: Span,
}

#[derive(Clone, Debug)]
enum OptionValue {
    Constant(Json),
    Expression(String),
}

/// An option that an app asks another one to have.
#[derive(Clone, Debug)]
pub struct AskedOption {
    /// Where the option is in the config: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The value.
    pub value: Json,
    /// The app that asks.
    pub by: String,
    /// Where it asks.
    pub place: Place,
}

/// Reads the tables `[asks.APP]`.
pub(super) fn decode(table: &mut Table<'_>) -> Vec<OptionAsk> {
    let mut found = Vec::new();
    for entry in table.named("asks", "a table of apps") {
        if entry.value.entries().is_none() {
            let message = format!("`[asks.{}]` must be a table of options", entry.key);
            table.wrong_type(entry.value.span, message);
            continue;
        }
        if let Some(switch) = entry.value.entry(SWITCH) {
            let message = "an app is not switched on by an ask: name it in `needs`";
            table.wrong_value(switch.key_span, message);
        }
        let app = (entry.key.clone(), entry.key_span);
        collect(&app, "", &entry.value, &mut found);
    }
    found
}

/// Collects the options in a table, tables in it taken apart.
fn collect(app: &(String, Span), pointer: &str, node: &Node, found: &mut Vec<OptionAsk>) {
    let value = match (expression(node), node.entries()) {
        (Some((text, _)), _) => OptionValue::Expression(text.to_owned()),
        (None, Some(entries)) => {
            for entry in entries {
                let pointer = format!("{pointer}/{}", pointer_step(&entry.key));
                collect(app, &pointer, &entry.value, found);
            }
            return;
        }
        (None, None) => OptionValue::Constant(node.to_value(Resolver::Core)),
    };
    found.push(OptionAsk {
        app: app.clone(),
        pointer: pointer.to_owned(),
        value,
        span: expression(node).map_or(node.span, |(_, span)| span),
    });
}

/// Lists the options that apps ask of others that are on.
pub(super) fn asked(
    asking: &[&AppManifest],
    apps: &[App],
    conditions: &Conditions<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<AskedOption> {
    let mut found: BTreeMap<String, AskedOption> = BTreeMap::new();
    for manifest in asking {
        for ask in &manifest.asks.options {
            let Some(other) = apps.iter().find(|other| other.name == ask.app.0) else {
                let place = manifest.place(ask.app.1);
                let message = format!(
                    "`{}` asks for options of the app `{}`, which does not exist",
                    manifest.app.name, ask.app.0
                );
                let names = apps.iter().map(|other| other.name.as_str());
                problems.push(
                    Diagnostic::error(&codes::APP_ASKS, message)
                        .at_place(place, "")
                        .with_suggestion(&ask.app.0, names),
                );
                continue;
            };
            if !other.enabled {
                continue;
            }
            match ask.evaluate(manifest, conditions) {
                Ok(option) => add(option, &mut found, problems),
                Err(problem) => problems.push(*problem),
            }
        }
    }
    found.into_values().collect()
}

impl OptionAsk {
    fn evaluate(
        &self,
        manifest: &AppManifest,
        conditions: &Conditions<'_>,
    ) -> Result<AskedOption, Box<Diagnostic>> {
        let place = manifest.place(self.span);
        Ok(AskedOption {
            pointer: format!("/apps/{}{}", pointer_step(&self.app.0), self.pointer),
            value: match &self.value {
                OptionValue::Constant(value) => value.clone(),
                OptionValue::Expression(text) => conditions.value(text, &place)?,
            },
            by: manifest.app.name.clone(),
            place,
        })
    }
}

/// Adds an option; another value of the same one is a contradiction.
fn add(
    option: AskedOption,
    found: &mut BTreeMap<String, AskedOption>,
    problems: &mut Vec<Diagnostic>,
) {
    match found.get(&option.pointer) {
        None => {
            found.insert(option.pointer.clone(), option);
        }
        Some(first) if first.value == option.value => {}
        Some(first) => {
            let message = format!(
                "`{}` and `{}` ask for different values of `{}`",
                first.by,
                option.by,
                option.pointer[1..].replace('/', ".")
            );
            let (first, other) = ((&*first.by, &first.place), (&*option.by, &option.place));
            problems.push(contradicting(message, first, other));
        }
    }
}
