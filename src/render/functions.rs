//! The functions that templates can call.

mod apps;
mod files;
mod keys;
mod network;

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::callable::{Arguments, Failure, Flow, Function};
use super::environment::Environment;
use super::session;
use super::sourcemap;
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
        signature: "age_recipient()",
        summary: "Returns the public age key of the project, from `age.key`",
        flow: Flow::Declassified,
        arguments: &[],
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
pub(super) fn register(tera: &mut Tera, environment: &Arc<Environment>) {
    for function in FUNCTIONS {
        let environment = Arc::clone(environment);
        tera.register_function(
            function.name,
            move |given: Kwargs, _: &State| -> TeraResult<Value> {
                Arguments::new(function.name, function.arguments, given)
                    .map(|arguments| arguments.flowing(function.flow))
                    .and_then(|arguments| (function.call)(&environment, &arguments))
                    .map_err(Failure::into_tera)
            },
        );
    }
    tera.register_function("range", |given: Kwargs, _: &State| -> TeraResult<Value> {
        Arguments::new("range", &["start", "end", "step_by"], given)
            .and_then(|arguments| network::range(&arguments))
            .map_err(Failure::into_tera)
    });
    tera.register_function(
        sourcemap::STEP,
        |given: Kwargs, _: &State| -> TeraResult<&'static str> {
            let fits = match given.get::<&Value>("of")? {
                Some(value) => session::weigh(value),
                None => session::step(1),
            };
            if fits {
                Ok("")
            } else {
                Err(Error::message("a limit is reached"))
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::FUNCTIONS;

    #[test]
    fn signatures_name_every_argument_and_the_table_is_sorted() {
        for function in FUNCTIONS {
            let expected = format!("{}({})", function.name, function.arguments.join(", "));
            assert_eq!(function.signature, expected);
        }
        assert!(FUNCTIONS.is_sorted_by_key(|function| function.name));
    }
}
