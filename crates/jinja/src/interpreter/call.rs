//! Calls of functions, methods and macros.

use crate::arguments::{CallArguments, named_of};
use crate::callable::{CallError, Callable};
use crate::error::{ErrorKind, Failure, Outcome};
use crate::foreign;
use crate::interpreter::statement::at;
use crate::interpreter::{Activation, Interpreter, Macro};
use crate::output::Output;
use crate::syntax_tree::{Arguments, Expression, ExpressionKind, Name};
use crate::value::{Dictionary, Entity, Value, View, adopt, items, lock, tuple, type_name, view};

impl Interpreter<'_> {
    pub(super) fn evaluate_arguments(
        &mut self,
        arguments: &Arguments,
        activation: &Activation,
    ) -> Outcome<CallArguments> {
        let mut evaluated = CallArguments::default();
        for argument in &arguments.positional {
            evaluated
                .positional
                .push(self.evaluate(argument, activation)?);
        }
        for (name, argument) in &arguments.named {
            evaluated
                .named
                .push((name.to_string(), self.evaluate(argument, activation)?));
        }
        if let Some(rest) = &arguments.rest {
            let value = self.evaluate(rest, activation)?;
            evaluated
                .positional
                .extend(items(&value).map_err(|failure| at(failure, activation, rest))?);
        }
        if let Some(rest) = &arguments.named_rest {
            let value = self.evaluate(rest, activation)?;
            for (name, value) in
                named_of(&value).map_err(|failure| at(failure, activation, rest))?
            {
                if evaluated.named.iter().any(|(other, _)| *other == name) {
                    let failure = Failure::of_type(format!("the argument `{name}` is given twice"));
                    return Err(at(failure, activation, rest));
                }
                evaluated.named.push((name, value));
            }
        }
        Ok(evaluated)
    }

    /// The call of a call block, which hands over the block.
    pub(super) fn evaluate_call_block(
        &mut self,
        call: &Expression,
        block: Value,
        activation: &Activation,
    ) -> Outcome<Value> {
        let ExpressionKind::Call(callee, arguments) = &call.node else {
            return Err(Failure::syntax("expected a call"));
        };
        let callee = self.evaluate(callee, activation)?;
        let mut arguments = self.evaluate_arguments(arguments, activation)?;
        arguments.named.push(("caller".to_owned(), block));
        self.call(&callee, arguments)
            .map_err(|failure| at(failure, activation, call))
    }

    pub(crate) fn call(&mut self, callee: &Value, arguments: CallArguments) -> Outcome<Value> {
        self.budget.enter()?;
        let result = match view(callee) {
            View::Entity(Entity::Function(function)) => function.call(self, arguments),
            View::Entity(Entity::Callable { name, callable }) => {
                call_outside(name, &**callable, &arguments)
            }
            View::Entity(Entity::Method { receiver, name }) => {
                self.call_method(receiver, name, arguments)
            }
            View::Entity(Entity::Macro(callee)) => self.call_macro(callee, arguments),
            View::Entity(Entity::Loop(state)) => self.call_loop(state, arguments),
            View::Entity(Entity::Block(reference)) => arguments
                .expect_none("block")
                .and_then(|()| self.call_block(reference)),
            View::Entity(Entity::Joiner { separator, used }) => {
                let was_used = std::mem::replace(&mut *lock(used), true);
                let separator = if was_used {
                    separator.clone()
                } else {
                    Value::from("")
                };
                arguments.expect_none("joiner").map(|()| separator)
            }
            View::Entity(Entity::Undefined(undefined)) => Err(undefined.failure()),
            _ => match foreign::of(callee) {
                Some(object) => {
                    let answer = object.call(&arguments.positional, &arguments.named);
                    taken_from_outside(object.text(), answer)
                }
                None => Err(Failure::of_type(format!(
                    "a value of type `{}` cannot be called",
                    type_name(callee)
                ))),
            },
        };
        self.budget.leave();
        result
    }

    fn call_macro(&mut self, callee: &Macro, mut arguments: CallArguments) -> Outcome<Value> {
        let definition = &callee.definition;
        let activation = callee.activation.inner(&definition.body.unset);
        let scope = &activation.scope;
        let count = definition.parameters.len();
        let mut positional = std::mem::take(&mut arguments.positional);
        let varargs = positional.split_off(positional.len().min(count));
        let mut given: Vec<Option<Value>> = positional.into_iter().map(Some).collect();
        for (name, _) in definition.parameters.iter().skip(given.len()) {
            given.push(arguments.take_named(name));
        }
        let has_caller_parameter = definition
            .parameters
            .iter()
            .any(|(name, _)| name.as_ref() == "caller");
        if definition.takes_caller && !has_caller_parameter {
            let block = arguments
                .take_named("caller")
                .filter(|value| !crate::arguments::is_none(value));
            let block =
                block.unwrap_or_else(|| self.undefined("No caller defined", Some("caller")));
            scope.set(&Name::from("caller"), block);
        }
        if definition.takes_kwargs {
            let mut entries = Dictionary::default();
            arguments
                .named
                .drain(..)
                .for_each(|(name, value)| entries.insert_text(&name, value));
            scope.set(&Name::from("kwargs"), entries.into_value());
        } else if let Some((name, _)) = arguments.named.first() {
            let callee = callee.name().unwrap_or("caller");
            return Err(Failure::of_type(format!(
                "the macro `{callee}` has no parameter `{name}`"
            )));
        }
        if definition.takes_varargs {
            scope.set(&Name::from("varargs"), tuple(varargs));
        } else if !varargs.is_empty() {
            let callee = callee.name().unwrap_or("caller");
            return Err(Failure::of_type(format!(
                "the macro `{callee}` takes at most {count} arguments"
            )));
        }
        self.run_macro(callee, given, &activation)
    }

    fn run_macro(
        &mut self,
        callee: &Macro,
        given: Vec<Option<Value>>,
        activation: &Activation,
    ) -> Outcome<Value> {
        let autoescape = std::mem::replace(&mut self.autoescape, callee.autoescape);
        let parameters = &callee.definition.parameters;
        // A parameter that has no value yet is undefined, whatever is outside.
        for (name, _) in parameters {
            activation.scope.unset(name);
        }
        for ((name, default), value) in parameters.iter().zip(given) {
            let value = match (value, default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.evaluate(default, activation)?,
                (None, None) => {
                    let hint = format!("parameter {} was not provided", crate::value::quote(name));
                    self.undefined(hint, Some(name))
                }
            };
            activation.scope.set(name, value);
        }
        let mut output = Output::default();
        self.run_body(&callee.definition.body.body, activation, &mut output)?;
        self.autoescape = autoescape;
        Ok(self.capture(output))
    }
}

/// Calls a function of the embedding program.
pub(crate) fn call_outside(
    name: &str,
    callable: &dyn Callable,
    arguments: &CallArguments,
) -> Outcome<Value> {
    taken_from_outside(name, callable.call(&arguments.positional, &arguments.named))
}

fn taken_from_outside(name: &str, result: Result<Value, CallError>) -> Outcome<Value> {
    match result {
        Ok(value) => Ok(adopt(value)),
        Err(CallError { message, cause }) => {
            let mut failure = Failure::new(ErrorKind::Call, "Exception", message);
            failure.variable = Some(name.to_owned());
            failure.cause = cause;
            Err(failure)
        }
    }
}
