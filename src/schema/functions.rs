//! The CEL functions for networks, beside CEL's own and those of Kubernetes.
//!
//! | function | gives |
//! |---|---|
//! | `inCidr(cidr, address)` | whether the address lies in the range |
//! | `overlaps(cidr, cidr)` | whether two ranges share an address |
//! | `host(cidr, n)` | the n-th address of the range |
//! | `prefixLength(cidr)` | the prefix length of the range |

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kube_cel::KubeCelExt as _;
use kube_cel::cel::{Context, ExecutionError, Program};
use rayon::prelude::*;
use serde_json::Value;

use super::address::Cidr;
use crate::cel;

/// Expressions that were compiled, by their text: most stand in the schema of every app.
pub(super) struct Programs(BTreeMap<String, Option<Arc<Program>>>);

/// An expression that is compiled by whoever asks first; others wait for it.
type Slot = Arc<OnceLock<Option<Arc<Program>>>>;

/// What this process compiled: a watch, and the two sides of a diff, ask the same again.
static COMPILED: Mutex<BTreeMap<String, Slot>> = Mutex::new(BTreeMap::new());

fn compiled(expression: &str) -> Option<Arc<Program>> {
    let slot = {
        let mut slots = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(expression) {
            Some(slot) => Arc::clone(slot),
            None => Arc::clone(slots.entry(expression.to_owned()).or_default()),
        }
    };
    let compile = || Program::compile(expression).ok().map(Arc::new);
    slot.get_or_init(compile).clone()
}

/// Starts to compile the expressions of a schema on another thread: they will be asked for, and the parser
/// of CEL gains nothing from several threads.
pub(super) fn compile_early(schema: &Value) {
    let mut texts = BTreeSet::new();
    expressions(schema, &mut texts);
    let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
    rayon::spawn(move || {
        for text in &texts {
            compiled(text);
        }
    });
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
    fn get(&self, expression: &str) -> Option<Arc<Program>> {
        match self.0.get(expression) {
            Some(known) => known.clone(),
            None => compiled(expression),
        }
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

/// Evaluates expressions on one config: handing values to CEL is what costs, and is done when an expression
/// asks for them.
pub(super) struct Evaluator<'p> {
    config: cel::Whole,
    programs: &'p Programs,
    /// Knows all functions.
    plain: Context<'static>,
    /// Knows `config` as well.
    whole: OnceCell<Context<'static>>,
}

impl<'p> Evaluator<'p> {
    pub(super) fn new(config: &Value, programs: &'p Programs) -> Self {
        Self {
            config: cel::Whole::of(config),
            programs,
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
    evaluator: &'e Evaluator<'e>,
    own: kube_cel::cel::Value,
    plain: OnceCell<Context<'e>>,
    whole: OnceCell<Context<'e>>,
}

impl Scope<'_> {
    /// Evaluates an expression.
    pub(super) fn evaluate(&self, expression: &str) -> Result<kube_cel::cel::Value, Failure> {
        let program = self.evaluator.programs.get(expression);
        let program = program.ok_or(Failure::Syntax)?;
        let context = if program.references().has_variable("config") {
            let base = || self.evaluator.whole();
            self.whole.get_or_init(|| self.inside(base()))
        } else {
            self.plain
                .get_or_init(|| self.inside(&self.evaluator.plain))
        };
        program.execute(context).map_err(Failure::Execution)
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
