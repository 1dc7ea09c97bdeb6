//! What the plugins of a project offer to its templates.

use crate::value::PluginValue;
use crate::wire::number;

/// What plugins made of the environment of templates.
#[derive(Debug, Clone)]
pub struct Offered {
    /// Functions that templates can call, in the order of their registration.
    pub functions: Vec<Offer>,
    /// Filters.
    pub filters: Vec<Offer>,
    /// Tests.
    pub tests: Vec<Offer>,
    /// The data as templates see them after all plugins: what was loaded, with what constructors changed in it, and
    /// what the `data` hooks returned. Keys that a constructor adds on the top level are seen only if `data` returns
    /// them, as with makejinja.
    pub data: PluginValue,
    /// Other variables that plugins set in `env.globals`.
    pub globals: Vec<(String, PluginValue)>,
    /// Policies of Jinja2 that plugins set.
    pub policies: Vec<(String, PluginValue)>,
    /// Extensions of the template language that plugins ask for; they cannot be had.
    pub extensions: Vec<String>,
    /// Attributes of the environment that plugins set, such as `trim_blocks`; that is without effect.
    pub environment_changes: Vec<String>,
    /// Whether a plugin has path filters. Without them every path is kept.
    pub has_path_filters: bool,
    /// The version of Python, as `3.12.4`.
    pub python_version: String,
    /// What was printed while the plugins were loaded, to both streams.
    pub printed: String,
}

/// A function, and the name under which templates know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The name under which it is registered.
    pub name: String,
    /// What to call.
    pub callee: Callee,
}

/// A function of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callee {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// What Jinja2 passes to it before the arguments.
    pub passed: PassedArgument,
}

/// What Jinja2 passes to a function before the arguments of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedArgument {
    /// Nothing.
    Nothing,
    /// The variables that are seen where it is called: `pass_context`.
    Context,
    /// How what surrounds it is evaluated: `pass_eval_context`.
    EvaluationContext,
    /// The environment: `pass_environment`.
    Environment,
}

impl Offered {
    pub(crate) fn read(answer: &PluginValue) -> Option<Self> {
        let texts = |name: &str| -> Option<Vec<String>> {
            let PluginValue::List(items) = answer.get(name)? else {
                return None;
            };
            let text = |item: &PluginValue| item.as_text().map(str::to_owned);
            items.iter().map(text).collect()
        };
        let named = |name: &str| -> Option<Vec<(String, PluginValue)>> {
            let PluginValue::Map(entries) = answer.get(name)? else {
                return None;
            };
            // A name that is no text cannot be written in a template.
            let entry = |(key, value): &(PluginValue, PluginValue)| {
                Some((key.as_text()?.to_owned(), value.clone()))
            };
            Some(entries.iter().filter_map(entry).collect())
        };
        Some(Self {
            functions: read_offers(answer.get("functions")?)?,
            filters: read_offers(answer.get("filters")?)?,
            tests: read_offers(answer.get("tests")?)?,
            data: answer.get("data")?.clone(),
            globals: named("globals")?,
            policies: named("policies")?,
            extensions: texts("extensions")?,
            environment_changes: texts("changed")?,
            has_path_filters: answer.get("has_path_filters")?.is_true(),
            python_version: answer.get("version")?.as_text()?.to_owned(),
            printed: String::new(),
        })
    }
}

fn read_offers(told: &PluginValue) -> Option<Vec<Offer>> {
    let PluginValue::List(told) = told else {
        return None;
    };
    let offer = |told: &PluginValue| {
        let PluginValue::List(parts) = told else {
            return None;
        };
        let [name, PluginValue::List(callee)] = parts.as_slice() else {
            return None;
        };
        let name = name.as_text()?.to_owned();
        let passed = match callee.get(1)?.as_text()? {
            "context" => PassedArgument::Context,
            "eval_context" => PassedArgument::EvaluationContext,
            "environment" => PassedArgument::Environment,
            _ => PassedArgument::Nothing,
        };
        let id = number(callee.first()?)?;
        let callee = Callee {
            id,
            name: name.clone(),
            passed,
        };
        Some(Offer { name, callee })
    };
    told.iter().map(offer).collect()
}
