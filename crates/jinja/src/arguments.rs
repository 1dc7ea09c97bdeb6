//! Arguments of a call.

use crate::error::{Failure, Outcome};
use crate::value::{
    Entity, Value, View, is_true, number_of, text_of, type_name, undefined_of, view,
};

/// The arguments of a call: those by place, and those by name.
#[derive(Debug, Default)]
pub(crate) struct CallArguments {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(String, Value)>,
}

impl CallArguments {
    pub(crate) fn take_named(&mut self, name: &str) -> Option<Value> {
        let at = self.named.iter().position(|(other, _)| other == name)?;
        Some(self.named.remove(at).1)
    }

    /// The values of parameters of these names; what fits none of them is an error, as in Python.
    pub(crate) fn bind<const N: usize>(
        mut self,
        callee: &str,
        names: [&str; N],
    ) -> Outcome<[Option<Value>; N]> {
        if self.positional.len() > N {
            return Err(Failure::of_type(format!(
                "`{callee}` takes at most {N} arguments"
            )));
        }
        let mut bound = [const { None }; N];
        for (slot, value) in bound.iter_mut().zip(std::mem::take(&mut self.positional)) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let slot = names
                .iter()
                .position(|other| *other == name)
                .and_then(|at| bound.get_mut(at));
            match slot {
                Some(slot @ None) => *slot = Some(value),
                Some(Some(_)) => {
                    return Err(Failure::of_type(format!(
                        "`{callee}` gets two values for `{name}`"
                    )));
                }
                None => {
                    return Err(Failure::of_type(format!(
                        "`{callee}` has no argument `{name}`"
                    )));
                }
            }
        }
        Ok(bound)
    }

    /// Asks for no arguments at all.
    pub(crate) fn expect_none(self, callee: &str) -> Outcome<()> {
        self.bind::<0>(callee, []).map(|_| ())
    }
}

/// The value of an argument that has to be given.
pub(crate) fn required(value: Option<Value>, callee: &str, name: &str) -> Outcome<Value> {
    value.ok_or_else(|| Failure::of_type(format!("`{callee}` needs the argument `{name}`")))
}

/// An integer as an index or a size; what is beyond 64 bits counts as the largest.
pub(crate) fn index(value: &Value, what: &str) -> Outcome<i64> {
    if let Some(undefined) = undefined_of(value) {
        // Python asks for an index, which undefined values do not have.
        return Err(Failure::of_type(format!(
            "{what} is undefined: {}",
            undefined.failure().message
        )));
    }
    let size = number_of(value).and_then(|number| number.to_size());
    size.ok_or_else(|| {
        Failure::of_type(format!("{what} is an integer, not `{}`", type_name(value)))
    })
}

/// The same, or what stands for a missing argument.
pub(crate) fn index_or(value: Option<Value>, otherwise: i64, what: &str) -> Outcome<i64> {
    value.map_or(Ok(otherwise), |value| index(&value, what))
}

/// Whether an argument is given and true.
pub(crate) fn flag(value: Option<Value>, otherwise: bool) -> Outcome<bool> {
    value.map_or(Ok(otherwise), |value| is_true(&value))
}

/// The text of an argument that has to be one.
pub(crate) fn text_argument<'value>(value: &'value Value, what: &str) -> Outcome<&'value str> {
    text_of(value)
        .ok_or_else(|| Failure::of_type(format!("{what} is a text, not `{}`", type_name(value))))
}

pub(crate) fn is_none(value: &Value) -> bool {
    matches!(view(value), View::None)
}

/// A given argument that is not `None`.
pub(crate) fn given(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !is_none(value))
}

/// The pairs of a dict, by text keys.
pub(crate) fn named_of(value: &Value) -> Outcome<Vec<(String, Value)>> {
    let View::Entity(Entity::Dict(entries)) = view(value) else {
        return Err(Failure::of_type(format!(
            "arguments after `**` are a dict, not `{}`",
            type_name(value)
        )));
    };
    let pairs = crate::value::lock(entries).pairs();
    pairs
        .into_iter()
        .map(|(key, value)| match text_of(&key) {
            Some(name) => Ok((name.to_owned(), value)),
            None => Err(Failure::of_type("the names of arguments are texts")),
        })
        .collect()
}
