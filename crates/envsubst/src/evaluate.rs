//! From a template to a text.

use std::borrow::Cow;
use std::ops::Range;

use super::function::Function;
use super::glob::StepBudget;
use super::template::{Expression, Part};
use super::{ExpandError, Expansion, Lookup, MalformedKind, UndefinedVariable, VariableUse};

/// Puts the values of variables into a template of `text`.
pub(super) fn evaluate<'v>(
    text: &str,
    template: &[Part],
    lookup: &dyn Fn(&str) -> Lookup<'v>,
    strict: bool,
) -> Result<Expansion, ExpandError> {
    let mut evaluator = Evaluator {
        text,
        lookup,
        strict,
        budget: StepBudget::new(),
        undefined: Vec::new(),
    };
    let mut whole = Evaluated::default();
    for part in template {
        let evaluated = evaluator.evaluate_part(part)?;
        whole.append(evaluated);
    }
    let Evaluator { mut undefined, .. } = evaluator;
    if !undefined.is_empty() {
        undefined.sort_by_key(|variable| variable.span.start);
        return Err(ExpandError::Undefined(undefined));
    }
    let Evaluated {
        bytes, mut uses, ..
    } = whole;
    uses.sort_by_key(|variable| variable.input.start);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Expansion {
            text,
            variables: uses,
        }),
        Err(error) => Err(ExpandError::Malformed {
            span: cutting_expression(&uses, error.utf8_error().valid_up_to()),
            kind: MalformedKind::Character,
        }),
    }
}

/// Returns the expression whose bytes stand at, or last before, a place that is no text.
fn cutting_expression(uses: &[VariableUse], at: usize) -> Range<usize> {
    let covers = |variable: &&VariableUse| {
        let output = variable.output.as_ref();
        output.is_some_and(|output| output.start <= at)
    };
    let cutting = uses.iter().rfind(covers).or_else(|| uses.first());
    cutting.map_or(0..0, |variable| variable.input.clone())
}

/// What a part yields.
#[derive(Default)]
struct Evaluated {
    bytes: Vec<u8>,
    /// Whether the bytes are not the value, but the expression as it is written.
    not_seen: bool,
    /// The variables in it; their `output` counts from the start of `bytes`.
    uses: Vec<VariableUse>,
}

impl Evaluated {
    fn append(&mut self, other: Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.not_seen |= other.not_seen;
        self.uses.extend(other.uses.into_iter().map(|mut variable| {
            if let Some(output) = &mut variable.output {
                *output = output.start + start..output.end + start;
            }
            variable
        }));
    }
}

struct Evaluator<'e, 'v> {
    text: &'e str,
    lookup: &'e dyn Fn(&str) -> Lookup<'v>,
    strict: bool,
    budget: StepBudget,
    undefined: Vec<UndefinedVariable>,
}

impl<'v> Evaluator<'_, 'v> {
    fn evaluate_part(&mut self, part: &Part) -> Result<Evaluated, ExpandError> {
        match part {
            Part::Text(text) => Ok(Evaluated {
                bytes: text.clone().into_bytes(),
                ..Evaluated::default()
            }),
            Part::Expression(expression) => self.evaluate_expression(expression),
        }
    }

    fn evaluate_expression(&mut self, expression: &Expression) -> Result<Evaluated, ExpandError> {
        // Flux expands arguments first, needed or not: an undefined variable in them is an error all the same.
        let mut arguments = Vec::with_capacity(expression.arguments.len());
        for argument in &expression.arguments {
            arguments.push(self.evaluate_part(argument)?);
        }
        let value = self.find_value(expression);
        let default_used =
            expression.function == Function::Default && value.as_deref().is_some_and(str::is_empty);
        let needs_arguments = expression.function != Function::Default || default_used;
        let hidden = needs_arguments && arguments.iter().any(|argument| argument.not_seen);
        let mut evaluated = match value {
            Some(_) if default_used && !hidden => {
                let mut joined = Evaluated::default();
                arguments.drain(..).for_each(|part| joined.append(part));
                joined
            }
            Some(value) if !hidden => Evaluated {
                bytes: self.apply(expression, &value, &arguments)?,
                ..Evaluated::default()
            },
            _ => Evaluated {
                bytes: self.text[expression.span.clone()].into(),
                not_seen: true,
                ..Evaluated::default()
            },
        };
        let whole = 0..evaluated.bytes.len();
        let had_a_part = evaluated.not_seen || needs_arguments;
        for mut inner in arguments.into_iter().flat_map(|argument| argument.uses) {
            inner.output = had_a_part.then(|| whole.clone());
            evaluated.uses.push(inner);
        }
        evaluated.uses.push(VariableUse {
            name: expression.name.clone(),
            input: expression.span.clone(),
            output: Some(whole),
            default_used,
            not_seen: evaluated.not_seen,
        });
        Ok(evaluated)
    }

    /// Returns the value of the variable, empty where it has none; `None` where it is not seen.
    fn find_value(&mut self, expression: &Expression) -> Option<Cow<'v, str>> {
        match (self.lookup)(&expression.name) {
            Lookup::Value(value) => Some(value),
            Lookup::NotSeen => None,
            Lookup::Undefined => {
                if self.strict && expression.function != Function::Default {
                    self.undefined.push(UndefinedVariable {
                        name: expression.name.clone(),
                        span: expression.span.clone(),
                    });
                }
                Some(Cow::Borrowed(""))
            }
        }
    }

    fn apply(
        &mut self,
        expression: &Expression,
        value: &str,
        arguments: &[Evaluated],
    ) -> Result<Vec<u8>, ExpandError> {
        let arguments: Vec<Vec<u8>> = arguments
            .iter()
            .map(|argument| argument.bytes.clone())
            .collect();
        expression
            .function
            .apply(value, &arguments, &mut self.budget)
            .map_err(|kind| ExpandError::Malformed {
                span: expression.span.clone(),
                kind,
            })
    }
}
