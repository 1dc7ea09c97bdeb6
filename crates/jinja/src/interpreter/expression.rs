//! Evaluates expressions.

use std::sync::Arc;

use crate::arguments::CallArguments;
use crate::error::{Failure, Outcome};
use crate::interpreter::call::call_outside;
use crate::interpreter::{Activation, Found, Interpreter};
use crate::operator::{compute, concatenate, holds, negative, positive};
use crate::syntax::UndefinedMode;
use crate::syntax_tree::{Comparison, Expression, ExpressionKind, Name, Slice};
use crate::value::{
    Dictionary, Key, Undefined, Value, is_true, list, quote, text_of, try_str, tuple, type_name,
    undefined_of,
};
use crate::{filter, predicate};

impl Interpreter<'_> {
    pub(super) fn evaluate(
        &mut self,
        expression: &Expression,
        activation: &Activation,
    ) -> Outcome<Value> {
        self.budget.enter()?;
        let result = self.evaluate_kind(expression, activation);
        self.budget.leave();
        result.map_err(|failure| failure.at(&activation.template.source.name, &expression.span))
    }

    pub(super) fn lookup(&self, name: &Name, activation: &Activation) -> Value {
        let undefined = || Undefined::variable(self.undefined_mode(), name).into_value();
        match activation.scope.find(name) {
            Found::Value(value) => value,
            Found::Unset => undefined(),
            Found::Nothing => self
                .environment
                .globals
                .get(&**name)
                .cloned()
                .unwrap_or_else(undefined),
        }
    }

    /// The value of what is printed. What is made of literals only, Jinja2 computes while it compiles, and then what
    /// Python cannot slice is undefined; if that fails, it is computed as all else.
    pub(super) fn evaluate_printed(
        &mut self,
        expression: &Expression,
        activation: &Activation,
    ) -> Outcome<Value> {
        let value = self.evaluate(expression, activation);
        match &value {
            Err(failure) if is_sliced_in_vain(failure) && expression.node.is_literal() => {
                self.is_folding = true;
                let folded = self.evaluate(expression, activation);
                self.is_folding = false;
                // What cannot be printed is not folded.
                folded
                    .and_then(|folded| try_str(&folded).map(|_| folded))
                    .or(value)
            }
            _ => value,
        }
    }

    fn evaluate_kind(
        &mut self,
        expression: &Expression,
        activation: &Activation,
    ) -> Outcome<Value> {
        match &expression.node {
            ExpressionKind::Constant(value) => Ok(value.clone()),
            ExpressionKind::Name(name) => Ok(self.lookup(name, activation)),
            ExpressionKind::List(items) => Ok(list(self.evaluate_all(items, activation)?)),
            ExpressionKind::Tuple(items) => Ok(tuple(self.evaluate_all(items, activation)?)),
            ExpressionKind::Dict(pairs) => self.evaluate_dict(pairs, activation),
            ExpressionKind::Attribute(owner, name) => {
                let owner = self.evaluate(owner, activation)?;
                self.attribute(&owner, name)
            }
            ExpressionKind::Item(owner, key) => {
                let owner = self.evaluate(owner, activation)?;
                let is_written = key.node.is_literal();
                let key = self.evaluate(key, activation)?;
                if is_written {
                    self.item(&owner, &key)
                } else {
                    self.computed_item(&owner, &key)
                }
            }
            ExpressionKind::Slice(inner, slice) => {
                let owner = self.evaluate(inner, activation)?;
                match self.evaluate_slice(&owner, slice, activation) {
                    Err(failure) if self.is_folding && is_sliced_in_vain(&failure) => {
                        Ok(self.missing_in(&owner, &Value::from("slice")).into_value())
                    }
                    sliced => sliced,
                }
            }
            ExpressionKind::Call(callee, arguments) => {
                let callee = self.evaluate(callee, activation)?;
                let arguments = self.evaluate_arguments(arguments, activation)?;
                self.call(&callee, arguments)
            }
            ExpressionKind::Filter(Some(value), name, arguments) => {
                let value = self.evaluate(value, activation)?;
                let arguments = self.evaluate_arguments(arguments, activation)?;
                self.apply_filter(name, value, arguments)
            }
            ExpressionKind::Filter(None, ..) => {
                Err(Failure::syntax("expected a value before the filter"))
            }
            ExpressionKind::Test(value, name, arguments) => {
                let value = self.evaluate(value, activation)?;
                let arguments = self.evaluate_arguments(arguments, activation)?;
                self.apply_test(name, value, arguments)
            }
            _ => self.evaluate_operator(expression, activation),
        }
    }

    fn evaluate_operator(
        &mut self,
        expression: &Expression,
        activation: &Activation,
    ) -> Outcome<Value> {
        match &expression.node {
            ExpressionKind::Not(inner) => {
                Ok(Value::from(!is_true(&self.evaluate(inner, activation)?)?))
            }
            ExpressionKind::Negative(inner) => negative(&self.evaluate(inner, activation)?),
            ExpressionKind::Positive(inner) => positive(&self.evaluate(inner, activation)?),
            ExpressionKind::And(left, right) => {
                let left = self.evaluate(left, activation)?;
                if is_true(&left)? {
                    self.evaluate(right, activation)
                } else {
                    Ok(left)
                }
            }
            ExpressionKind::Or(left, right) => {
                let left = self.evaluate(left, activation)?;
                if is_true(&left)? {
                    Ok(left)
                } else {
                    self.evaluate(right, activation)
                }
            }
            ExpressionKind::Binary(operator, left, right) => {
                let left = self.evaluate(left, activation)?;
                let right = self.evaluate(right, activation)?;
                compute(*operator, &left, &right, &mut self.budget)
            }
            ExpressionKind::Concat(parts) => {
                let parts = self.evaluate_all(parts, activation)?;
                concatenate(&parts, self.autoescape, &mut self.budget)
            }
            ExpressionKind::Compare(first, others) => {
                self.evaluate_comparison(first, others, activation)
            }
            ExpressionKind::Conditional {
                condition,
                then,
                otherwise,
                line,
            } => {
                if self.evaluate_truth(condition, activation)? {
                    return self.evaluate(then, activation);
                }
                if let Some(otherwise) = otherwise {
                    self.evaluate(otherwise, activation)
                } else {
                    let name = quote(&activation.template.source.name);
                    let hint = format!(
                        "the inline if-expression on line {line} in {name} evaluated to false \
                         and no else section was defined."
                    );
                    // Jinja2 takes the default mode here, whatever is set.
                    Ok(Undefined::hinted(UndefinedMode::Default, hint, None).into_value())
                }
            }
            _ => Err(Failure::syntax("this expression has no value")),
        }
    }

    fn evaluate_all(
        &mut self,
        expressions: &[Expression],
        activation: &Activation,
    ) -> Outcome<Vec<Value>> {
        expressions
            .iter()
            .map(|expression| self.evaluate(expression, activation))
            .collect()
    }

    fn evaluate_dict(
        &mut self,
        pairs: &[(Expression, Expression)],
        activation: &Activation,
    ) -> Outcome<Value> {
        let mut entries = Dictionary::default();
        for (key, value) in pairs {
            let key = self.evaluate(key, activation)?;
            let value = self.evaluate(value, activation)?;
            entries.insert(Key::of(&key)?, key, value);
        }
        Ok(entries.into_value())
    }

    fn evaluate_comparison(
        &mut self,
        first: &Expression,
        others: &[(Comparison, Expression)],
        activation: &Activation,
    ) -> Outcome<Value> {
        let mut left = self.evaluate(first, activation)?;
        for (comparison, right) in others {
            let right = self.evaluate(right, activation)?;
            if !holds(*comparison, &left, &right)? {
                return Ok(Value::from(false));
            }
            left = right;
        }
        Ok(Value::from(true))
    }

    fn evaluate_slice(
        &mut self,
        owner: &Value,
        slice: &Slice,
        activation: &Activation,
    ) -> Outcome<Value> {
        let mut part = |part: &Option<Expression>| -> Outcome<Option<Value>> {
            part.as_ref()
                .map(|part| self.evaluate(part, activation))
                .transpose()
        };
        let (start, end, step) = (part(&slice.start)?, part(&slice.end)?, part(&slice.step)?);
        crate::sequence::slice(owner, start, end, step)
    }

    /// Applies the filters of a block to what it printed.
    pub(super) fn apply_filters(
        &mut self,
        filter: &Expression,
        value: Value,
        activation: &Activation,
    ) -> Outcome<Value> {
        let ExpressionKind::Filter(inner, name, arguments) = &filter.node else {
            return Err(Failure::syntax("expected a filter"));
        };
        let value = match inner {
            Some(inner) => self.apply_filters(inner, value, activation)?,
            None => value,
        };
        let arguments = self.evaluate_arguments(arguments, activation)?;
        self.apply_filter(name, value, arguments)
            .map_err(|failure| failure.at(&activation.template.source.name, &filter.span))
    }

    pub(crate) fn apply_filter(
        &mut self,
        name: &str,
        value: Value,
        arguments: CallArguments,
    ) -> Outcome<Value> {
        self.budget.take(1)?;
        let lines = self.lines_of(&value);
        let filtered = if let Some(callable) = self.environment.filters.get(name) {
            call_outside(name, &**callable, &with_first(value, arguments))?
        } else if let Some(filter) = filter::find(name) {
            filter(self, &value, arguments)?
        } else {
            return Err(nothing_named("filter", name));
        };
        self.inherit_lines(lines, &filtered);
        Ok(filtered)
    }

    pub(crate) fn apply_test(
        &mut self,
        name: &str,
        value: Value,
        arguments: CallArguments,
    ) -> Outcome<Value> {
        self.budget.take(1)?;
        if let Some(callable) = self.environment.tests.get(name) {
            return call_outside(name, &**callable, &with_first(value, arguments));
        }
        match predicate::find(name) {
            Some(test) => test(self, &value, arguments).map(Value::from),
            None => Err(nothing_named("test", name)),
        }
    }
}

/// The name of a filter or test that is given as a value.
pub(crate) fn callable_name(name: &Value, exists: impl Fn(&str) -> bool) -> Outcome<Arc<str>> {
    if let Some(name) = text_of(name).filter(|name| exists(name)) {
        return Ok(Arc::from(name));
    }
    let message = match undefined_of(name) {
        Some(undefined) => {
            format!(
                "{}; the name of a filter or test stands in quotes",
                undefined.failure().message
            )
        }
        None if text_of(name).is_some() => "there is no filter or test of this name".to_owned(),
        None => format!(
            "the name of a filter or test is a text, not `{}`",
            type_name(name)
        ),
    };
    Err(Failure::raised("TemplateRuntimeError", message))
}

/// Whether it may be the error of a slice that a value does not have.
fn is_sliced_in_vain(failure: &Failure) -> bool {
    matches!(failure.exception, "TypeError" | "KeyError")
}

fn nothing_named(what: &str, name: &str) -> Box<Failure> {
    Failure::raised(
        "TemplateRuntimeError",
        format!("there is no {what} `{name}`"),
    )
}

fn with_first(value: Value, mut arguments: CallArguments) -> CallArguments {
    arguments.positional.insert(0, value);
    arguments
}
