//! Counts what an expression costs while it is evaluated.
//!
//! The evaluator knows no limits, so it gets another tree than the one that was parsed: each round of a macro pays for
//! what it looks at, each value that is copied or made pays for its size, and a function whose work is a product of its
//! arguments pays before it is called. Costs are those of the input and of nothing else: the same expression on the
//! same values costs the same everywhere.

use std::cell::Cell;

use kube_cel::cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, ListExpr, LiteralValue,
    SelectExpr, operators,
};
use kube_cel::cel::functions::FunctionContext;
use kube_cel::cel::objects::Key;
use kube_cel::cel::{Context, ExecutionError, IdedExpr, ResolveResult, Value};
use regex::RegexBuilder;

/// How much all expressions of a config, or all conditions of its apps, may cost together.
///
/// One is a value that is looked at once; a text costs one for each 64 bytes more.
pub const MAX_COST: u64 = 2_000_000;

/// How large a regular expression may become, in bytes.
const MAX_PATTERN: usize = 256 << 10;

/// The function that pays for a value: `@paid(value)`.
const PAID: &str = "@paid";
/// The function that pays for a round: `@round(accumulator, item)`.
const ROUND: &str = "@round";
/// The function that pays for a call: `@call("name", argument, …)`.
const CALL: &str = "@call";

/// The functions whose work is a product of what they are given.
const PRODUCTS: [&str; 14] = [
    "contains",
    "distinct",
    "equivalent",
    "find",
    "findAll",
    "format",
    "indexOf",
    "intersects",
    "join",
    "lastIndexOf",
    "matches",
    "range",
    "replace",
    "split",
];
/// The first parts of functions that are no variables: `sets.contains`.
const FAMILIES: [&str; 8] = [
    "base64",
    "format",
    "ip",
    "jsonpatch",
    "lists",
    "math",
    "optional",
    "sets",
];

thread_local! {
    /// What is left to pay with; an evaluation never leaves its thread.
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// What several expressions may cost together.
#[derive(Debug)]
pub struct Meter {
    left: Cell<u64>,
}

/// Why an expression has no value.
#[derive(Debug)]
pub enum Unevaluated {
    /// It cannot work with the values.
    Execution(ExecutionError),
    /// It costs more than what was left.
    TooCostly,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            left: Cell::new(MAX_COST),
        }
    }
}

impl Meter {
    /// Evaluates a tree that [`metered`] made, with the functions of [`add_functions`].
    pub(super) fn evaluate(
        &self,
        tree: &IdedExpr,
        context: &Context<'_>,
    ) -> Result<Value, Unevaluated> {
        LEFT.set(self.left.get());
        let result = super::guarded(|| Value::resolve(tree, context))
            .unwrap_or_else(|| Err(ExecutionError::function_error("CEL", "it fails")));
        let left = LEFT.take();
        self.left.set(left);
        // An operator may have taken the failure for a side that does not matter.
        if left == 0 {
            return Err(Unevaluated::TooCostly);
        }
        result.map_err(Unevaluated::Execution)
    }
}

/// Adds the functions that pay.
pub fn add_functions(context: &mut Context<'_>) {
    type Boxed = Box<dyn Fn(&mut FunctionContext<'_, '_>) -> ResolveResult + Send + Sync>;
    let paid: Boxed = Box::new(|call| {
        pay(1)?;
        let value = argument(call, 0)?;
        pay(weight(&value))?;
        Ok(value)
    });
    let round: Boxed = Box::new(|call| {
        pay(1)?;
        pay(weight(&argument(call, 0)?))?;
        pay(weight(&argument(call, 1)?))?;
        Ok(Value::Bool(true))
    });
    let before: Boxed = Box::new(|call| {
        pay(1)?;
        let arguments: Vec<Value> = (0..call.args.len())
            .map(|index| argument(call, index))
            .collect::<Result<_, _>>()?;
        if let Some((Value::String(name), arguments)) = arguments.split_first() {
            pay(call_cost(name, arguments))?;
        }
        Ok(Value::Bool(true))
    });
    context.add_function(PAID, paid);
    context.add_function(ROUND, round);
    context.add_function(CALL, before);
}

fn argument(call: &FunctionContext<'_, '_>, index: usize) -> ResolveResult {
    let expression = call.args.get(index);
    expression.map_or(Ok(Value::Null), |expression| {
        Value::resolve(expression, call.ptx)
    })
}

fn pay(cost: u64) -> Result<(), ExecutionError> {
    let left = LEFT.get().saturating_sub(cost);
    LEFT.set(left);
    if left == 0 {
        return Err(ExecutionError::function_error("cost", "a limit is reached"));
    }
    Ok(())
}

/// Returns the cost of a value: one, one for each 64 bytes of text, and that of what is in it.
fn weight(value: &Value) -> u64 {
    let text = |length: usize| 1 + length as u64 / 64;
    match value {
        Value::String(string) => text(string.len()),
        Value::Bytes(bytes) => text(bytes.len()),
        Value::List(items) => 1 + items.iter().map(weight).sum::<u64>(),
        Value::Map(entries) => {
            let key = |key: &Key| match key {
                Key::String(string) => text(string.len()),
                _ => 1,
            };
            let entries = entries.map.iter();
            1 + entries
                .map(|(name, value)| key(name) + weight(value))
                .sum::<u64>()
        }
        _ => 1,
    }
}

fn length(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::String(text)) => text.len() as u64,
        Some(Value::Bytes(bytes)) => bytes.len() as u64,
        Some(Value::List(items)) => items.len() as u64,
        Some(Value::Map(entries)) => entries.map.len() as u64,
        Some(Value::Int(number)) => number.unsigned_abs(),
        _ => 1,
    }
}

/// Returns what a function costs, by its name and its arguments; that of a method is the first.
fn call_cost(name: &str, arguments: &[Value]) -> u64 {
    let size = |index: usize| length(arguments.get(index));
    let whole: u64 = arguments.iter().map(weight).sum();
    let product = arguments
        .iter()
        .map(weight)
        .fold(1, |product: u64, weight| product.saturating_mul(weight));
    let cost = match name {
        "distinct" => whole.saturating_mul(size(0)),
        "range" | "split" => size(0),
        "join" => size(0).saturating_mul(size(1)) / 64 + whole,
        "replace" => replaced(arguments) / 64,
        "matches" | "find" | "findAll" => pattern_cost(arguments.get(1)).saturating_add(size(0)),
        "format" => arguments.first().map_or(0, widths),
        "contains" | "indexOf" | "lastIndexOf" => {
            product.saturating_add(size(0).saturating_mul(size(1)) / 64)
        }
        _ => product,
    };
    cost.saturating_add(whole)
}

/// Returns how long a text is once a part of it is replaced.
fn replaced(arguments: &[Value]) -> u64 {
    match arguments {
        [
            Value::String(text),
            Value::String(from),
            Value::String(to),
            ..,
        ] => {
            let count = text.matches(from.as_str()).count();
            (text.len() as u64).saturating_add((count as u64).saturating_mul(to.len() as u64))
        }
        _ => 1,
    }
}

/// Returns what it costs to compile a regular expression, all that is left for one that becomes too large.
fn pattern_cost(pattern: Option<&Value>) -> u64 {
    let Some(Value::String(pattern)) = pattern else {
        return 1;
    };
    let compiled = RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build();
    if let Err(regex::Error::CompiledTooBig(_)) = compiled {
        return MAX_COST;
    }
    let large = pattern.contains(['{', '\\', '(']);
    pattern.len() as u64 + if large { 1000 } else { 50 }
}

/// Returns the sum of the numbers in a text that says how to format: widths, which are made of blanks and zeros.
fn widths(text: &Value) -> u64 {
    let Value::String(text) = text else { return 1 };
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    let numbers = numbers.filter(|digits| !digits.is_empty());
    numbers
        .map(|digits| digits.parse::<u64>().unwrap_or(u64::MAX))
        .fold(0, u64::saturating_add)
}

/// Returns an expression that gives what `tree` gives, and pays for it.
pub(super) fn metered(tree: &IdedExpr) -> IdedExpr {
    Builder { bound: 0 }.value(tree)
}

/// Returns whether a tree has a message in it (`Type{field: 1}`), which the evaluator does not know.
pub(super) fn has_message(tree: &IdedExpr) -> bool {
    match &tree.expr {
        Expr::Struct(_) | Expr::Unspecified => true,
        Expr::Ident(_) | Expr::Literal(_) => false,
        Expr::Select(select) => has_message(&select.operand),
        Expr::Call(call) => {
            call.target.iter().any(|it| has_message(it)) || call.args.iter().any(has_message)
        }
        Expr::List(list) => list.elements.iter().any(has_message),
        Expr::Map(map) => map.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::StructField(_) => true,
            EntryExpr::MapEntry(entry) => has_message(&entry.key) || has_message(&entry.value),
        }),
        Expr::Comprehension(it) => [
            &it.iter_range,
            &it.accu_init,
            &it.loop_cond,
            &it.loop_step,
            &it.result,
        ]
        .into_iter()
        .any(has_message),
    }
}

/// Builds a metered tree.
struct Builder {
    /// How many variables were made up.
    bound: usize,
}

impl Builder {
    /// Meters an expression of which the value is copied.
    fn value(&mut self, tree: &IdedExpr) -> IdedExpr {
        let inner = self.looked_at(tree);
        let copied = match &tree.expr {
            // What macros make up is paid for in their rounds.
            Expr::Ident(name) => !name.starts_with('@'),
            Expr::Select(select) => !select.test,
            Expr::Call(call) => !is_logic(&call.func_name),
            Expr::List(_) | Expr::Map(_) => true,
            _ => false,
        };
        if copied {
            call(PAID, vec![inner])
        } else {
            inner
        }
    }

    /// Meters an expression at whose value another only looks.
    fn looked_at(&mut self, tree: &IdedExpr) -> IdedExpr {
        let expr = match &tree.expr {
            Expr::Select(select) => {
                let operand = &select.operand;
                let operand = match operand.expr {
                    Expr::Ident(_) => operand.as_ref().clone(),
                    _ => self.value(operand),
                };
                Expr::Select(SelectExpr {
                    operand: Box::new(operand),
                    ..select.clone()
                })
            }
            Expr::Call(call) => return self.call(tree.id, call),
            Expr::List(list) => Expr::List(ListExpr {
                elements: self.values(&list.elements),
                optional_indices: list.optional_indices.clone(),
            }),
            Expr::Map(map) => {
                let mut map = map.clone();
                map.entries = map.entries.iter().map(|entry| self.entry(entry)).collect();
                Expr::Map(map)
            }
            Expr::Comprehension(it) => self.comprehension(it),
            other => other.clone(),
        };
        IdedExpr { id: tree.id, expr }
    }

    fn values(&mut self, trees: &[IdedExpr]) -> Vec<IdedExpr> {
        trees.iter().map(|tree| self.value(tree)).collect()
    }

    fn entry(&mut self, entry: &IdedEntryExpr) -> IdedEntryExpr {
        let mut entry = entry.clone();
        if let EntryExpr::MapEntry(it) = &mut entry.expr {
            it.key = self.value(&it.key);
            it.value = self.value(&it.value);
        }
        entry
    }

    fn comprehension(&mut self, it: &ComprehensionExpr) -> Expr {
        let round = call(ROUND, vec![ident(&it.accu_var), ident(&it.iter_var)]);
        let step = self.value(&it.loop_step);
        let range = match it.iter_range.expr {
            Expr::Ident(_) => it.iter_range.clone(),
            _ => self.value(&it.iter_range),
        };
        Expr::Comprehension(Box::new(ComprehensionExpr {
            iter_range: range,
            iter_var: it.iter_var.clone(),
            iter_var2: it.iter_var2.clone(),
            accu_var: it.accu_var.clone(),
            accu_init: self.value(&it.accu_init),
            loop_cond: self.value(&it.loop_cond),
            loop_step: when(round, step),
            result: self.value(&it.result),
        }))
    }

    /// Meters a call; one whose work is a product is handed variables, so that it can be paid for before.
    fn call(&mut self, id: u64, it: &CallExpr) -> IdedExpr {
        let family = it.target.as_deref().and_then(|target| match &target.expr {
            Expr::Ident(name) if FAMILIES.contains(&name.as_str()) => Some(target),
            _ => None,
        });
        let is_product = PRODUCTS.contains(&it.func_name.as_str());
        if !is_product {
            let target = match (&it.target, family) {
                (_, Some(family)) => Some(family.clone()),
                (Some(target), None) => Some(self.value(target)),
                (None, None) => None,
            };
            return IdedExpr {
                id,
                expr: Expr::Call(CallExpr {
                    func_name: it.func_name.clone(),
                    target: target.map(Box::new),
                    args: self.values(&it.args),
                }),
            };
        }
        // `sets.contains` keeps its name; a variable that is named like a family is a variable for a method.
        let qualified = family.filter(|family| is_qualified(family, &it.func_name));
        let method = it.target.iter().filter(|_| qualified.is_none());
        let given: Vec<&IdedExpr> = method.map(|target| &**target).chain(&it.args).collect();
        let names: Vec<String> = given
            .iter()
            .map(|_| {
                self.bound += 1;
                format!("@v{}", self.bound)
            })
            .collect();
        let mut bound: Vec<IdedExpr> = names.iter().map(|name| ident(name)).collect();
        let name = literal(LiteralValue::String(it.func_name.as_str().into()));
        let before = call(CALL, std::iter::once(name).chain(bound.clone()).collect());
        let target = match (qualified, &it.target) {
            (Some(family), _) => Some(family.clone()),
            (None, Some(_)) => Some(bound.remove(0)),
            (None, None) => None,
        };
        let called = IdedExpr {
            id,
            expr: Expr::Call(CallExpr {
                func_name: it.func_name.clone(),
                target: target.map(Box::new),
                args: bound,
            }),
        };
        let all = names.iter().zip(given).rev();
        all.fold(when(before, called), |inner, (name, value)| {
            bind(name, self.value(value), inner)
        })
    }
}

/// Returns whether a family has a function of that name.
fn is_qualified(family: &IdedExpr, function: &str) -> bool {
    let known = [
        ("lists", "range"),
        ("sets", "contains"),
        ("sets", "equivalent"),
        ("sets", "intersects"),
    ];
    matches!(&family.expr, Expr::Ident(name) if known.contains(&(name.as_str(), function)))
}

/// Returns whether an operator gives a truth value, or one of its sides as it is.
fn is_logic(name: &str) -> bool {
    [
        operators::CONDITIONAL,
        operators::LOGICAL_AND,
        operators::LOGICAL_OR,
        operators::LOGICAL_NOT,
        operators::NOT_STRICTLY_FALSE,
        operators::EQUALS,
        operators::NOT_EQUALS,
        operators::GREATER,
        operators::GREATER_EQUALS,
        operators::LESS,
        operators::LESS_EQUALS,
        operators::IN,
    ]
    .contains(&name)
}

/// Returns `inner` with a variable: a macro without rounds.
fn bind(name: &str, value: IdedExpr, inner: IdedExpr) -> IdedExpr {
    made(Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: made(Expr::List(ListExpr::new(Vec::new()))),
        iter_var: "@unused".to_owned(),
        iter_var2: None,
        accu_var: name.to_owned(),
        accu_init: value,
        loop_cond: literal(LiteralValue::Boolean(false.into())),
        loop_step: ident(name),
        result: inner,
    })))
}

fn when(condition: IdedExpr, then: IdedExpr) -> IdedExpr {
    let never = literal(LiteralValue::Boolean(false.into()));
    call(operators::CONDITIONAL, vec![condition, then, never])
}

fn call(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    made(Expr::Call(CallExpr {
        func_name: name.to_owned(),
        target: None,
        args,
    }))
}

fn ident(name: &str) -> IdedExpr {
    made(Expr::Ident(name.to_owned()))
}

fn literal(value: LiteralValue) -> IdedExpr {
    made(Expr::Literal(value))
}

/// Returns a node that stands nowhere in the text.
fn made(expr: Expr) -> IdedExpr {
    IdedExpr { id: 0, expr }
}
