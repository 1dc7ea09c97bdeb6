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
use std::sync::Arc;

use kube_cel::KubeCelExt as _;
use kube_cel::cel::{Context, ExecutionError, Program};
use rayon::prelude::*;
use serde_json::Value;

use super::address::Cidr;
use crate::cel;

/// Expressions that were compiled, by their text: most stand in the schema of every app.
pub(super) struct Programs(BTreeMap<String, Option<Program>>);

impl Programs {
    /// Compiles all rules and computed defaults of a schema, side by side.
    pub(super) fn of(schema: &Value) -> Self {
        let mut texts = BTreeSet::new();
        expressions(schema, &mut texts);
        let programs = texts
            .into_par_iter()
            .map(|text| (text.to_owned(), Program::compile(text).ok()));
        Self(programs.collect())
    }

    /// Compiles an expression unless that was done before; `None` when it is not CEL.
    fn get(&mut self, expression: &str) -> Option<&Program> {
        if !self.0.contains_key(expression) {
            self.0
                .insert(expression.to_owned(), Program::compile(expression).ok());
        }
        self.0.get(expression)?.as_ref()
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
