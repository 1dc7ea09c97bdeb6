//! The CEL functions for networks, beside CEL's own and those of Kubernetes.
//!
//! | function | gives |
//! |---|---|
//! | `inCidr(cidr, address)` | whether the address lies in the range |
//! | `overlaps(cidr, cidr)` | whether two ranges share an address |
//! | `host(cidr, n)` | the n-th address of the range |
//! | `prefixLength(cidr)` | the prefix length of the range |

use std::cell::OnceCell;
use std::net::Ipv4Addr;
use std::sync::Arc;

use kube_cel::KubeCelExt as _;
use kube_cel::cel::{Context, ExecutionError};
use serde_json::Value;

use super::address::Cidr;
use crate::cel;

/// Why an expression has no value.
pub(super) enum Failure {
    /// It is not CEL.
    Syntax,
    /// It cannot work with the values.
    Execution(ExecutionError),
}

/// Evaluates expressions on one config: handing values to CEL is what costs, and is done when an expression
/// asks for them.
pub(super) struct Evaluator {
    config: cel::Whole,
    /// Knows all functions.
    plain: Context<'static>,
    /// Knows `config` as well.
    whole: OnceCell<Context<'static>>,
}

impl Evaluator {
    pub(super) fn new(config: &Value) -> Self {
        Self {
            config: cel::Whole::of(config),
            plain: functions(),
            whole: OnceCell::new(),
        }
    }

    /// Goes to what stands at a pointer of the config.
    pub(super) fn at(&self, pointer: &str) -> Scope<'_> {
        self.with(self.config.at(pointer))
    }

    /// Goes to a value: `self` of the expressions there.
    pub(super) fn with(&self, own: kube_cel::cel::Value) -> Scope<'_> {
        Scope {
            evaluator: self,
            own,
            plain: OnceCell::new(),
            whole: OnceCell::new(),
        }
    }

    fn whole(&self) -> &Context<'static> {
        self.whole.get_or_init(|| {
            let mut context = functions();
            context.add_variable_from_value("config", self.config.root());
            context
        })
    }
}

/// Evaluates expressions on one value of the config.
pub(super) struct Scope<'e> {
    evaluator: &'e Evaluator,
    own: kube_cel::cel::Value,
    plain: OnceCell<Context<'e>>,
    whole: OnceCell<Context<'e>>,
}

impl Scope<'_> {
    /// Evaluates an expression.
    pub(super) fn evaluate(&self, expression: &str) -> Result<kube_cel::cel::Value, Failure> {
        let tree = cel::expression(expression).map_err(|_| Failure::Syntax)?;
        let context = if tree.references().has_variable("config") {
            let base = || self.evaluator.whole();
            self.whole.get_or_init(|| self.inside(base()))
        } else {
            self.plain
                .get_or_init(|| self.inside(&self.evaluator.plain))
        };
        kube_cel::cel::Value::resolve(&tree, context).map_err(Failure::Execution)
    }

    fn inside<'c>(&self, base: &'c Context<'static>) -> Context<'c> {
        let mut context = base.new_inner_scope();
        context.add_variable_from_value("self", self.own.clone());
        context
    }
}

/// Returns a context with the functions of CEL, of Kubernetes and for networks.
fn functions() -> Context<'static> {
    let mut context = Context::default().with_all();
    add_functions(&mut context);
    context
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
