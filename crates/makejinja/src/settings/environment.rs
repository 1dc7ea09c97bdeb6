//! Environment variables: `MAKEJINJA_` and the name of an option.

use super::given::{GivenOptions, GivenValue};
use super::nearest;
use crate::option_table::{OPTIONS, OptionSpec};
use crate::problem::{Origin, Problem, ProblemKind};

const PREFIX: &str = "MAKEJINJA_";

/// Adds what environment variables give.
pub(super) fn read_environment(environment: &[(String, String)], given: &mut GivenOptions) {
    for (name, value) in environment {
        if !name.starts_with(PREFIX) || name == "MAKEJINJA_SETTINGS" {
            continue;
        }
        let origin = Origin::new(name, 0..value.len());
        match OPTIONS.iter().find(|option| option.variable() == *name) {
            Some(option) if option.kind.is_table() => {
                let message = format!("`{}` cannot be set by an environment variable", option.name);
                let hint = format!("use `{}` on the command line", option.spellings[0]);
                let problem = Problem::new(ProblemKind::InvalidValue, message);
                given
                    .problems
                    .push(problem.with_hint(hint).at(Some(origin)));
            }
            Some(option) => {
                given
                    .values
                    .insert(option.name, GivenValue::text(value, origin));
            }
            None => given.notices.push(unknown_variable(name).at(Some(origin))),
        }
    }
}

/// Says that a variable sets nothing: makejinja does not look at it either.
fn unknown_variable(name: &str) -> Problem {
    let message = format!("`{name}` has no effect, because no option has this variable");
    let notice = Problem::new(ProblemKind::WithoutEffect, message);
    let variables: Vec<String> = OPTIONS.iter().map(OptionSpec::variable).collect();
    match nearest(name, variables.iter().map(String::as_str)) {
        Some(near) => notice.with_hint(format!("did you mean `{near}`?")),
        None => notice,
    }
}
