//! The CEL functions for networks, beside CEL's own and those of Kubernetes.
//!
//! | function | gives |
//! |---|---|
//! | `inCidr(cidr, address)` | whether the address lies in the range |
//! | `isHost(cidr, address)` | whether a host of the range can have the address: not its own nor its broadcast address |
//! | `isRange(text)` | whether it is a range: `10.0.0.32/27`, or `10.0.0.32-10.0.0.63` |
//! | `inRange(range, address)` | whether the address lies in the range |
//! | `overlaps(range, range)` | whether two ranges share an address |
//! | `host(cidr, n)` | the n-th address of the range |
//! | `prefixLength(cidr)` | the prefix length of the range |

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use kube_cel::KubeCelExt as _;
use kube_cel::cel::{Context, ExecutionError};
use serde_json::Value;

use super::address::{is_host, nth_address};
use super::address_range::AddressRange;
use crate::cel::{self, Meter, Unevaluated};

/// Why an expression has no value.
pub(super) enum EvaluationFailure {
    /// It is not CEL.
    Syntax,
    /// It cannot work with the values.
    Execution(ExecutionError),
    /// It costs more than what is left for all expressions of the schema.
    TooCostly,
}

/// Evaluates the expressions of a schema, which share one budget.
pub(super) struct Evaluator {
    functions: Context<'static>,
    meter: Meter,
}

impl Evaluator {
    pub(super) fn new() -> Self {
        Self {
            functions: functions(),
            meter: Meter::default(),
        }
    }

    /// Evaluates an expression that stands on a value, `own`, of a config.
    pub(super) fn evaluate(
        &self,
        expression: &str,
        own: &Value,
        config: &Value,
    ) -> Result<kube_cel::cel::Value, EvaluationFailure> {
        let tree = cel::expression(expression).map_err(|_| EvaluationFailure::Syntax)?;
        let mut context = self.functions.new_inner_scope();
        for (name, value) in [("self", own), ("config", config)] {
            if let Some(part) = cel::part(value, name, &tree) {
                context.add_variable_from_value(name, part);
            }
        }
        let result = tree.evaluate(&context, &self.meter);
        result.map_err(|unevaluated| match unevaluated {
            Unevaluated::Execution(error) => EvaluationFailure::Execution(error),
            Unevaluated::TooCostly => EvaluationFailure::TooCostly,
        })
    }
}

/// Returns a context with the functions of CEL, of Kubernetes and for networks.
fn functions() -> Context<'static> {
    let mut context = Context::default().with_all();
    cel::add_functions(&mut context);
    add_functions(&mut context);
    context
}

fn add_functions(context: &mut Context<'_>) {
    context.add_function("inCidr", |range: Arc<String>, address: Arc<String>| {
        Ok::<_, ExecutionError>(
            cidr("inCidr", &range)?.contains(&parse_address::<Ipv4Addr>("inCidr", &address)?),
        )
    });
    context.add_function("isHost", |range: Arc<String>, address: Arc<String>| {
        let address = parse_address("isHost", &address)?;
        Ok::<_, ExecutionError>(is_host(cidr("isHost", &range)?, address))
    });
    context.add_function("isRange", |text: Arc<String>| {
        Ok::<_, ExecutionError>(AddressRange::parse(&text).is_some())
    });
    context.add_function("inRange", |text: Arc<String>, address: Arc<String>| {
        let address: IpAddr = parse_address("inRange", &address)?;
        Ok::<_, ExecutionError>(range("inRange", &text)?.contains(address))
    });
    context.add_function("overlaps", |left: Arc<String>, right: Arc<String>| {
        let right = range("overlaps", &right)?;
        Ok::<_, ExecutionError>(range("overlaps", &left)?.overlaps(right))
    });
    context.add_function("host", |range: Arc<String>, number: i64| {
        let host = u32::try_from(number)
            .ok()
            .and_then(|number| nth_address(range.parse().ok()?, number));
        let address =
            host.ok_or_else(|| ExecutionError::function_error("host", "no such address"))?;
        Ok::<_, ExecutionError>(Arc::new(address.to_string()))
    });
    context.add_function("prefixLength", |range: Arc<String>| {
        Ok::<_, ExecutionError>(i64::from(cidr("prefixLength", &range)?.prefix_len()))
    });
}

fn cidr(function: &str, text: &str) -> Result<Ipv4Net, ExecutionError> {
    text.parse()
        .map_err(|_| ExecutionError::function_error(function, "not a range"))
}

fn range(function: &str, text: &str) -> Result<AddressRange, ExecutionError> {
    AddressRange::parse(text).ok_or_else(|| ExecutionError::function_error(function, "not a range"))
}

fn parse_address<A: FromStr>(function: &str, text: &str) -> Result<A, ExecutionError> {
    text.parse()
        .map_err(|_| ExecutionError::function_error(function, "not an address"))
}
