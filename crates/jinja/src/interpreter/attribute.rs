//! Attributes and items of values.

use std::sync::Arc;

use crate::arguments::CallArguments;
use crate::error::{Failure, Outcome};
use crate::foreign;
use crate::interpreter::{Interpreter, LoopState};
use crate::method;
use crate::value::{
    Entity, Undefined, Value, View, count, date_attribute, date_method, lock, text, text_of, tuple,
    type_name, view,
};

impl Interpreter<'_> {
    /// What stands for an attribute or an item that a value does not have.
    pub(crate) fn missing_in(&self, owner: &Value, name: &Value) -> Undefined {
        Undefined::missing_in(self.undefined_mode(), owner, name.clone())
    }

    /// What `owner.name` gives: an attribute or method first, then an item.
    pub(crate) fn attribute(&mut self, owner: &Value, name: &Arc<str>) -> Outcome<Value> {
        if let View::Entity(Entity::Undefined(undefined)) = view(owner) {
            return undefined.check_access().map(|()| owner.clone());
        }
        if let Some(value) = self.own_attribute(owner, name) {
            return Ok(value);
        }
        let key = text(&**name);
        match crate::sequence::item(owner, &key) {
            Ok(Some(value)) => Ok(value),
            _ => Ok(self.missing_in(owner, &key).into_value()),
        }
    }

    /// What `owner[key]` gives: an item first, then an attribute or method.
    pub(crate) fn item(&mut self, owner: &Value, key: &Value) -> Outcome<Value> {
        let found = self.find_item(owner, key)?;
        Ok(found.unwrap_or_else(|| self.missing_in(owner, key).into_value()))
    }

    /// The same for a key that is computed.
    pub(super) fn computed_item(&mut self, owner: &Value, key: &Value) -> Outcome<Value> {
        let found = self.find_item(owner, key)?;
        Ok(found.unwrap_or_else(|| self.missing_in(owner, key).computed().into_value()))
    }

    fn find_item(&mut self, owner: &Value, key: &Value) -> Outcome<Option<Value>> {
        if let View::Entity(Entity::Undefined(undefined)) = view(owner) {
            return undefined.check_access().map(|()| Some(owner.clone()));
        }
        if let Some(value) = crate::sequence::item(owner, key)? {
            return Ok(Some(value));
        }
        Ok(text_of(key).and_then(|name| self.own_attribute(owner, &Arc::from(name))))
    }

    /// What Python's `getattr` gives.
    pub(crate) fn own_attribute(&mut self, owner: &Value, name: &Arc<str>) -> Option<Value> {
        if method::exists(owner, name) {
            return Some(Value::from_object(Entity::Method {
                receiver: owner.clone(),
                name: Arc::clone(name),
            }));
        }
        let entity = match view(owner) {
            View::Entity(entity) => entity,
            View::Foreign => return foreign::attribute(owner, name),
            View::Int(_) | View::Bool(_) | View::Float(_) => return number_attribute(owner, name),
            _ => return None,
        };
        match entity {
            Entity::BigInteger(_) => number_attribute(owner, name),
            Entity::Tuple { items, fields } => {
                let at = fields.iter().position(|field| *field == &**name)?;
                items.get(at).cloned()
            }
            Entity::Namespace(entries) => lock(entries).get_text(name).cloned(),
            Entity::Moment(moment) => date_attribute(moment, name),
            Entity::Range { start, end, step } => match &**name {
                "start" => Some(Value::from(*start)),
                "stop" => Some(Value::from(*end)),
                "step" => Some(Value::from(*step)),
                _ => None,
            },
            Entity::Cycler { items, position } => match &**name {
                "current" => items.get(*lock(position)).cloned(),
                "pos" => Some(count(*lock(position))),
                "items" => Some(tuple(items.clone())),
                _ => None,
            },
            Entity::Joiner { separator, used } => match &**name {
                "sep" => Some(separator.clone()),
                "used" => Some(Value::from(*lock(used))),
                _ => None,
            },
            Entity::Loop(state) => state.attribute(name, self),
            Entity::Macro(callee) => macro_attribute(callee, name),
            Entity::Module(module) => module.exports.get(&**name).cloned(),
            Entity::SelfReference(reference) => reference.block(name),
            Entity::Block(reference) if &**name == "super" => Some(reference.parent(self)),
            _ => None,
        }
    }

    pub(crate) fn call_method(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: CallArguments,
    ) -> Outcome<Value> {
        match view(receiver) {
            View::Entity(Entity::Loop(state)) if LoopState::has_method(name) => {
                state.call_method(name, arguments)
            }
            View::Entity(Entity::Moment(moment)) => {
                let [argument] =
                    arguments.bind(name, [if name == "isoformat" { "sep" } else { "format" }])?;
                let argument = argument.as_ref().and_then(text_of);
                date_method(moment, name, argument)?.ok_or_else(|| {
                    Failure::unsupported(format!("the method `{name}` of dates is not supported"))
                })
            }
            View::Entity(Entity::Cycler { items, position }) => {
                arguments.expect_none(name)?;
                let mut position = lock(position);
                if name == "reset" {
                    *position = 0;
                    return Ok(Value::from(()));
                }
                let current = items.get(*position).cloned().unwrap_or_default();
                *position = (*position + 1) % items.len().max(1);
                Ok(current)
            }
            _ => method::call(&mut self.budget, receiver, name, arguments),
        }
    }
}

fn number_attribute(owner: &Value, name: &str) -> Option<Value> {
    match (name, view(owner)) {
        ("real" | "numerator", View::Bool(truth)) => Some(Value::from(i64::from(truth))),
        ("real", _) => Some(owner.clone()),
        ("imag", View::Float(_)) => Some(Value::from(0.0)),
        ("imag", _) => Some(Value::from(0)),
        ("numerator", _) if type_name(owner) == "int" => Some(owner.clone()),
        ("denominator", View::Int(_) | View::Bool(_) | View::Entity(_)) => Some(Value::from(1)),
        _ => None,
    }
}

fn macro_attribute(callee: &crate::interpreter::Macro, name: &str) -> Option<Value> {
    let definition = callee.definition();
    Some(match name {
        "name" => callee.name().map_or_else(|| Value::from(()), Value::from),
        "arguments" => tuple(
            definition
                .parameters
                .iter()
                .map(|(name, _)| text(&**name))
                .collect(),
        ),
        "catch_kwargs" => Value::from(definition.takes_kwargs),
        "catch_varargs" => Value::from(definition.takes_varargs),
        "caller" => Value::from(definition.takes_caller),
        _ => return None,
    })
}
