//! The CEL functions for networks, beside CEL's own and those of Kubernetes.
//!
//! | function | gives |
//! |---|---|
//! | `inCidr(cidr, address)` | whether the address lies in the range |
//! | `overlaps(cidr, cidr)` | whether two ranges share an address |
//! | `host(cidr, n)` | the n-th address of the range |
//! | `prefixLength(cidr)` | the prefix length of the range |

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use kube_cel::KubeCelExt as _;
use kube_cel::cel::{Context, ExecutionError, Program};
use rayon::prelude::*;
use serde_json::Value;

use super::address::Cidr;
use crate::cel;

/// Expressions that were compiled, by their text: most stand in the schema of every app.
pub(super) struct Programs(BTreeMap<String, Option<Arc<Program>>>);

/// What this process compiled: a watch, and the two sides of a diff, ask the same again.
static COMPILED: Mutex<BTreeMap<String, Option<Arc<Program>>>> = Mutex::new(BTreeMap::new());

fn compiled(expression: &str) -> Option<Arc<Program>> {
    let known = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known().get(expression) {
        return found.clone();
    }
    let program = Program::compile(expression).ok().map(Arc::new);
    known().insert(expression.to_owned(), program.clone());
    program
}

impl Programs {
    /// Compiles the rules and computed defaults of a schema, side by side; those of the apps in `but` only when
    /// they are asked for.
    pub(super) fn of(schema: &Value, but: &BTreeSet<&str>) -> Self {
        let mut texts = BTreeSet::new();
        for (key, value) in schema.as_object().into_iter().flatten() {
            let properties = (key == "properties").then(|| value.as_object()).flatten();
            let Some(properties) = properties else {
                expressions(value, &mut texts);
                continue;
            };
            for (name, property) in properties {
                if name != "apps" {
                    expressions(property, &mut texts);
                }
            }
        }
        for (name, app) in super::defaults::properties(&schema["properties"]["apps"]) {
            if !but.contains(name.as_str()) {
                expressions(app, &mut texts);
            }
        }
        let programs = texts
            .into_par_iter()
            .map(|text| (text.to_owned(), compiled(text)));
        Self(programs.collect())
    }

    /// Compiles an expression unless that was done before; `None` when it is not CEL.
    fn get(&mut self, expression: &str) -> Option<Arc<Program>> {
        let compiled = self
            .0
            .entry(expression.to_owned())
            .or_insert_with(|| compiled(expression));
        compiled.clone()
    }
}

fn expressions<'s>(schema: &'s Value, texts: &mut BTreeSet<&'s str>) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(text) if key == "x-kiln-default" || key == "rule" => {
                        texts.insert(text);
                    }
                    _ => expressions(value, texts),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, texts)),
        _ => {}
    }
}

/// Why an expression has no value.
pub(super) enum Failure {
    /// It is not CEL.
    Syntax,
    /// It cannot work with the values.
    Execution(ExecutionError),
}

/// Evaluates expressions on one config: converting it is what costs, and is done once.
pub(super) struct Evaluator<'p> {
    base: Context<'static>,
    programs: &'p mut Programs,
}

impl<'p> Evaluator<'p> {
    pub(super) fn new(config: &Value, programs: &'p mut Programs) -> Self {
        let mut base = Context::default().with_all();
        add_functions(&mut base);
        base.add_variable_from_value("config", cel::value(config));
        Self { base, programs }
    }

    /// Evaluates an expression with `self` as `own`.
    pub(super) fn evaluate(
        &mut self,
        expression: &str,
        own: &Value,
    ) -> Result<kube_cel::cel::Value, Failure> {
        let program = self.programs.get(expression).ok_or(Failure::Syntax)?;
        let mut context = self.base.new_inner_scope();
        context.add_variable_from_value("self", cel::value(own));
        program.execute(&context).map_err(Failure::Execution)
    }
}

fn add_functions(context: &mut Context<'_>) {
    context.add_function("inCidr", |range: Arc<String>, address: Arc<String>| {
        Ok::<_, ExecutionError>(
            cidr("inCidr", &range)?.contains(parse_address("inCidr", &address)?),
        )
    });
    context.add_function("overlaps", |left: Arc<String>, right: Arc<String>| {
        Ok::<_, ExecutionError>(cidr("overlaps", &left)?.overlaps(cidr("overlaps", &right)?))
    });
    context.add_function("host", |range: Arc<String>, number: i64| {
        let host = u32::try_from(number)
            .ok()
            .and_then(|number| Cidr::parse(&range)?.host(number));
        let address =
            host.ok_or_else(|| ExecutionError::function_error("host", "no such address"))?;
        Ok::<_, ExecutionError>(Arc::new(address.to_string()))
    });
    context.add_function("prefixLength", |range: Arc<String>| {
        Ok::<_, ExecutionError>(i64::from(cidr("prefixLength", &range)?.prefix()))
    });
}

fn cidr(function: &str, text: &str) -> Result<Cidr, ExecutionError> {
    Cidr::parse(text).ok_or_else(|| ExecutionError::function_error(function, "not a range"))
}

fn parse_address(function: &str, text: &str) -> Result<Ipv4Addr, ExecutionError> {
    text.parse()
        .map_err(|_| ExecutionError::function_error(function, "not an address"))
}
