//! Plain words that YAML 1.1, and so every other tool on the way to the cluster, reads as another type.

use serde_json::Value;

use super::places::ConfigPlaces;
use crate::config::codes;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Resolver};

/// A value that others read otherwise.
#[derive(Clone, Debug)]
pub struct OtherReading {
    /// Where it stands: a JSON pointer (RFC 6901).
    pub pointer: String,
    text: String,
    here: Value,
    elsewhere: Value,
}

impl OtherReading {
    /// Finds them in a document, with the pointers that they have in the config.
    pub(super) fn find(root: &Node, found: &mut Vec<Self>) {
        root.each_scalar(&mut |pointer, scalar| {
            let here = Resolver::Core.resolve(scalar);
            let elsewhere = Resolver::Kubernetes.resolve(scalar);
            if here != elsewhere {
                found.push(Self {
                    pointer: pointer.to_owned(),
                    text: scalar.text.clone(),
                    here,
                    elsewhere,
                });
            }
        });
    }

    /// Warns of it; without the value unless that may be shown, which only the schema can say.
    pub fn warning(&self, places: &ConfigPlaces, shown: bool) -> Diagnostic {
        let place = places.value(&self.pointer);
        let (message, label) = if shown {
            let (here, elsewhere) = (&self.here, &self.elsewhere);
            (
                format!("`{}` means another value in YAML 1.1", self.text),
                format!("read as {here}, elsewhere as {elsewhere}"),
            )
        } else {
            let label = format!(
                "read as {}, elsewhere as {}",
                kind(&self.here),
                kind(&self.elsewhere)
            );
            ("this means another value in YAML 1.1".to_owned(), label)
        };
        let warning = Diagnostic::warning(&codes::YAML_1_1_SCALAR, message)
            .with_hint("put it in quotes, or write the number in decimal");
        match place {
            Some(place) => warning.at_place(place, label),
            None => warning,
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table of keys",
    }
}
