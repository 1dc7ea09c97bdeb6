//! Loops, and the variable `loop` in them.

use std::sync::{Arc, Mutex};

use crate::arguments::CallArguments;
use crate::error::{Failure, Outcome};
use crate::interpreter::statement::{Flow, at, origin};
use crate::interpreter::{Activation, Interpreter};
use crate::output::Output;
use crate::syntax_tree::{ForLoop, Name};
use crate::value::{Entity, Value, are_equal, count, items, lock, tuple};

/// The variable `loop`.
#[derive(Debug)]
pub(crate) struct LoopState {
    items: Vec<Value>,
    position: Mutex<Position>,
    depth0: usize,
    /// What a recursive loop runs again.
    recursion: Option<(Arc<ForLoop>, Activation)>,
}

#[derive(Debug, Default)]
struct Position {
    index0: usize,
    /// What `changed` was called with last.
    last_seen: Option<Value>,
}

impl LoopState {
    pub(crate) fn index(&self) -> usize {
        lock(&self.position).index0 + 1
    }

    pub(crate) fn length(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn attribute(&self, name: &str, interpreter: &Interpreter<'_>) -> Option<Value> {
        let index0 = lock(&self.position).index0;
        let length = self.items.len();
        let neighbour = |at: Option<usize>, hint: &str| {
            let item = at.and_then(|at| self.items.get(at)).cloned();
            item.unwrap_or_else(|| interpreter.undefined(hint, None))
        };
        Some(match name {
            "index" => count(index0 + 1),
            "index0" => count(index0),
            "revindex" => count(length.saturating_sub(index0)),
            "revindex0" => count(length.saturating_sub(index0 + 1)),
            "first" => Value::from(index0 == 0),
            "last" => Value::from(index0 + 1 >= length),
            "length" => count(length),
            "depth" => count(self.depth0 + 1),
            "depth0" => count(self.depth0),
            "previtem" => neighbour(index0.checked_sub(1), "there is no previous item"),
            "nextitem" => neighbour(Some(index0 + 1), "there is no next item"),
            _ => return None,
        })
    }

    pub(crate) fn has_method(name: &str) -> bool {
        matches!(name, "cycle" | "changed")
    }

    pub(crate) fn call_method(&self, name: &str, arguments: CallArguments) -> Outcome<Value> {
        if !arguments.named.is_empty() {
            return Err(Failure::of_type(format!(
                "`loop.{name}` takes no named arguments"
            )));
        }
        let values = arguments.positional;
        if name == "cycle" {
            let index0 = lock(&self.position).index0;
            let at = index0.checked_rem(values.len());
            let chosen = at.and_then(|at| values.get(at)).cloned();
            return chosen.ok_or_else(|| Failure::of_type("`loop.cycle` needs items"));
        }
        let seen = tuple(values);
        let before = lock(&self.position).last_seen.clone();
        if let Some(before) = before
            && are_equal(&before, &seen)?
        {
            return Ok(Value::from(false));
        }
        lock(&self.position).last_seen = Some(seen);
        Ok(Value::from(true))
    }
}

impl Interpreter<'_> {
    pub(super) fn run_loop(
        &mut self,
        each: &Arc<ForLoop>,
        activation: &Activation,
        line: usize,
        output: &mut Output,
    ) -> Outcome<()> {
        let iterable = self.evaluate(&each.iterable, activation)?;
        if each.is_recursive {
            let printed = self.run_recursive_loop(each, &iterable, activation, 0)?;
            return self.print(&printed, &origin(activation, line), output);
        }
        self.run_iterations(each, &iterable, activation, 0, output)
    }

    fn run_recursive_loop(
        &mut self,
        each: &Arc<ForLoop>,
        iterable: &Value,
        activation: &Activation,
        depth0: usize,
    ) -> Outcome<Value> {
        self.budget.enter()?;
        let mut output = Output::default();
        let mut activation = activation.clone();
        activation.is_captured = true;
        self.run_iterations(each, iterable, &activation, depth0, &mut output)?;
        self.budget.leave();
        Ok(self.capture(output))
    }

    /// What calling `loop` in a recursive loop gives.
    pub(super) fn call_loop(
        &mut self,
        state: &LoopState,
        arguments: CallArguments,
    ) -> Outcome<Value> {
        let [iterable] = arguments.bind("loop", ["iterable"])?;
        let iterable = crate::arguments::required(iterable, "loop", "iterable")?;
        let Some((each, activation)) = &state.recursion else {
            return Err(Failure::of_type(
                "only a loop that is marked as `recursive` can be called",
            ));
        };
        self.run_recursive_loop(each, &iterable, activation, state.depth0 + 1)
    }

    fn run_iterations(
        &mut self,
        each: &Arc<ForLoop>,
        iterable: &Value,
        activation: &Activation,
        depth0: usize,
        output: &mut Output,
    ) -> Outcome<()> {
        let mut values =
            items(iterable).map_err(|failure| at(failure, activation, &each.iterable))?;
        self.budget.take(values.len())?;
        let is_filtered_first = each.has_loop_variable && each.condition.is_some();
        if is_filtered_first {
            let mut kept = Vec::new();
            for value in values {
                if self.meets_condition(each, &value, activation)? {
                    kept.push(value);
                }
            }
            values = kept;
        }
        let state = each.has_loop_variable.then(|| {
            let recursion = each
                .is_recursive
                .then(|| (Arc::clone(each), activation.clone()));
            Value::from_object(Entity::Loop(LoopState {
                items: values.clone(),
                position: Mutex::default(),
                depth0,
                recursion,
            }))
        });
        let loop_name = Name::from("loop");
        // Jinja2 takes a loop for empty unless the end of its body was reached once.
        let mut is_empty = true;
        for (index0, value) in values.into_iter().enumerate() {
            if !is_filtered_first && !self.meets_condition(each, &value, activation)? {
                continue;
            }
            let inner = activation.inner(&each.body.unset);
            self.assign(&each.target, value, &inner)?;
            if let Some(state) = &state {
                if let Some(Entity::Loop(state)) = state.downcast_object_ref() {
                    lock(&state.position).index0 = index0;
                }
                inner.scope.set(&loop_name, state.clone());
            }
            match self.run_body(&each.body.body, &inner, output)? {
                Flow::Break => break,
                Flow::Continue => {}
                Flow::Normal => is_empty = false,
            }
        }
        if is_empty && let Some(otherwise) = &each.otherwise {
            self.run_frame(otherwise, activation, output)?;
        }
        Ok(())
    }

    fn meets_condition(
        &mut self,
        each: &ForLoop,
        value: &Value,
        activation: &Activation,
    ) -> Outcome<bool> {
        let Some(condition) = &each.condition else {
            return Ok(true);
        };
        let inner = activation.inner(&[]);
        self.assign(&each.target, value.clone(), &inner)?;
        self.evaluate_truth(condition, &inner)
    }
}
