//! The functions that templates can call.

mod apps;
mod files;
mod keys;
mod network;
mod outputs;

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::callable::{Arguments, Flow, Function, FunctionFailure};
use super::environment::TemplateEnvironment;
use super::{meter, session};
use std::sync::Arc;

/// Every function beyond Tera's own `range` and `throw`, sorted by name.
///
/// Their flows are the whole list of what templates may show of a secret: [`Flow::Declassified`].
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "age_identity",
        signature: "age_identity()",
        summary: "Returns the private age key of the project, from `age.key`",
        flow: Flow::Secret,
        arguments: &[],
        call: keys::age_identity,
    },
    Function {
        name: "age_recipient",
        signature: "age_recipient(kind=\"any\")",
        summary: "Returns the public age key of the project, from `age.key`; the first of the kind `x25519`, for a tool that knows no other",
        flow: Flow::Declassified,
        arguments: &["kind"],
        call: keys::age_recipient,
    },
    Function {
        name: "cidr_host",
        signature: "cidr_host(cidr, host)",
        summary: "Returns the address number `host` of a network, counted from its end when negative",
        flow: Flow::Open,
        arguments: &["cidr", "host"],
        call: network::cidr_host,
    },
    Function {
        name: "cloudflare_tunnel_id",
        signature: "cloudflare_tunnel_id()",
        summary: "Returns the id of the Cloudflare tunnel, from `cloudflare-tunnel.json`",
        flow: Flow::Declassified,
        arguments: &[],
        call: keys::cloudflare_tunnel_id,
    },
    Function {
        name: "cloudflare_tunnel_token",
        signature: "cloudflare_tunnel_token()",
        summary: "Returns the token that runs the Cloudflare tunnel, from `cloudflare-tunnel.json`",
        flow: Flow::Secret,
        arguments: &[],
        call: keys::cloudflare_tunnel_token,
    },
    Function {
        name: "enabled",
        signature: "enabled(app)",
        summary: "Returns whether an app is on",
        flow: Flow::Open,
        arguments: &["app"],
        call: apps::enabled,
    },
    Function {
        name: "enabled_apps",
        signature: "enabled_apps(namespace)",
        summary: "Returns the names of the apps that are on in a namespace, sorted",
        flow: Flow::Open,
        arguments: &["namespace"],
        call: apps::enabled_apps,
    },
    Function {
        name: "file",
        signature: "file(path)",
        summary: "Returns the text of a file of the project, as it is",
        flow: Flow::Open,
        arguments: &["path"],
        call: files::file,
    },
    Function {
        name: "output_globs",
        signature: "output_globs()",
        summary: "Returns patterns of all files that are rendered, for tools that must leave them alone: `FOLDER/**` of an app, `FOLDER/@(NAME|NAME)` elsewhere",
        flow: Flow::Open,
        arguments: &[],
        call: outputs::output_globs,
    },
    Function {
        name: "secret",
        signature: "secret(path)",
        summary: "Returns the text of a secret file of the project, without its last line break",
        flow: Flow::Secret,
        arguments: &["path"],
        call: files::secret,
    },
];

/// The functions of Tera itself, for suggestions.
pub(super) const BUILT_IN: &[&str] = &["range", "throw"];

/// Makes the functions known to Tera.
pub(super) fn register(tera: &mut Tera, environment: &Arc<TemplateEnvironment>) {
    for function in FUNCTIONS {
        let environment = Arc::clone(environment);
        tera.register_function(
            function.name,
            move |given: Kwargs, _: &State| -> TeraResult<Value> {
                Arguments::new(function.name, function.arguments, given)
                    .map(|arguments| arguments.flowing(function.flow))
                    .and_then(|arguments| {
                        let result = (function.call)(&environment, &arguments)?;
                        session::pay_for_result(&result)?;
                        Ok(result)
                    })
                    .map_err(FunctionFailure::into_tera)
            },
        );
    }
    tera.register_function("range", |given: Kwargs, _: &State| -> TeraResult<Value> {
        Arguments::new("range", &["start", "end", "step_by"], given)
            .and_then(|arguments| network::range(&arguments))
            .map_err(FunctionFailure::into_tera)
    });
    tera.register_function(
        meter::STEP,
        |given: Kwargs, state: &State| -> TeraResult<&'static str> {
            if count(&given, state)? {
                Ok("")
            } else {
                Err(Error::message("a limit is reached"))
            }
        },
    );
}

/// Counts what a call in a metered template says, and returns whether it is within the limits.
fn count(given: &Kwargs, state: &State) -> TeraResult<bool> {
    if let Some(value) = given.get::<&Value>("of")? {
        return Ok(session::weigh(value));
    }
    let Some(names) = given.get::<&str>("names")? else {
        let text = given.get::<usize>("text")?.unwrap_or_default();
        let called = given.get::<bool>("called")?.unwrap_or_default();
        let steps = if called { session::CALL_STEPS } else { 1 };
        return Ok(session::step(steps) && session::pay(text));
    };
    let copies = given.get::<usize>("copies")?.unwrap_or_default();
    let loops = given.get::<u32>("loops")?.unwrap_or_default();
    let values: Vec<Value> = names
        .split(' ')
        .map(|path| named(path, state))
        .collect::<TeraResult<_>>()?;
    let sizes = values.iter().map(|value| value.len().unwrap_or_default());
    let rounds = if loops == 0 {
        1
    } else {
        sizes.sum::<usize>().max(1).saturating_pow(loops)
    };
    let rounds_left = loops == 0 || session::step(rounds.try_into().unwrap_or(u64::MAX));
    let weight = values.iter().fold(0, |sum: usize, value| {
        sum.saturating_add(session::weight(value))
    });
    Ok(rounds_left && session::pay(weight.saturating_mul(copies).saturating_mul(rounds)))
}

/// Looks up a variable, or what lies in it; undefined where there is none.
fn named(path: &str, state: &State) -> TeraResult<Value> {
    let mut steps = path.split('.');
    let root = steps.next().unwrap_or_default();
    let mut value = state.get::<Value>(root)?.unwrap_or_else(Value::undefined);
    for step in steps {
        let next = value
            .as_map()
            .and_then(|entries| entries.iter().find(|(key, _)| key.as_str() == Some(step)))
            .map_or_else(Value::undefined, |(_, next)| next.clone());
        value = next;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::FUNCTIONS;

    #[test]
    fn signatures_name_every_argument_and_the_table_is_sorted() {
        for function in FUNCTIONS {
            let (name, arguments) = function.signature.split_once('(').unwrap();
            let arguments = arguments.strip_suffix(')').unwrap().split(", ");
            // An argument that may be left out stands there with what it is then.
            let arguments = arguments.map(|argument| argument.split('=').next().unwrap());
            let told: Vec<&str> = arguments.filter(|argument| !argument.is_empty()).collect();
            assert_eq!((name, told.as_slice()), (function.name, function.arguments));
        }
        assert!(FUNCTIONS.is_sorted_by_key(|function| function.name));
    }
}
