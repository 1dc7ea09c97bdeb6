//! The record of hardening: what was added, what could not be, and what is exempt.

use serde_json::{Value, json};

use super::SCHEMA_VERSION;
use crate::cli::error::CommandError;
use crate::cli::printer::Printer;
use crate::pipeline::{Compiled, Exemption};
use crate::tree::{File, Gap, Injection};

/// Shows the record: a line each to those who asked for more, an object each to programs.
pub fn show(compiled: &Compiled, printer: &mut Printer) -> Result<(), CommandError> {
    let tree = &compiled.tree;
    if printer.is_json() {
        let injections = tree.injections().iter();
        let injections = injections.map(|injection| added(injection, tree.get(&injection.path)));
        let gaps = tree.gaps().iter().map(missing);
        let exemptions = compiled.exemptions.iter().map(exempt);
        for object in injections.chain(gaps).chain(exemptions) {
            printer.json(&object)?;
        }
        return Ok(());
    }
    for Injection {
        rule,
        path,
        object,
        route,
        reason,
        ..
    } in tree.injections()
    {
        let what = named(object, route);
        printer.detail(format_args!("added to {path}: {what} by {rule}: {reason}"));
    }
    for Gap {
        rule,
        path,
        object,
        route,
        reason,
    } in tree.gaps()
    {
        let what = named(object, route);
        printer.detail(format_args!(
            "missing in {path}: {what} by {rule}: {reason}"
        ));
    }
    for exemption in &compiled.exemptions {
        let Exemption {
            code,
            namespace,
            name,
            reason,
            ..
        } = exemption;
        printer.detail(format_args!(
            "exempt {namespace}/{name} from {code}: {reason}"
        ));
    }
    Ok(())
}

/// Names an object and what of it is meant; a whole object has no route.
pub(in crate::cli) fn named(object: &str, route: &str) -> String {
    if route.is_empty() {
        object.to_owned()
    } else {
        format!("{object}: {route}")
    }
}

/// Renders an addition; lines count from 1, the last is included.
fn added(injection: &Injection, file: Option<&File>) -> Value {
    let line = |offset| file.map(|file| file.source.line_column(offset).0);
    let last = injection.span.end.saturating_sub(1);
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "type": "injection",
        "rule": injection.rule,
        "path": injection.path,
        "line": line(injection.span.start),
        "endLine": line(last.max(injection.span.start)),
        "object": injection.object,
        "route": injection.route,
        "reason": injection.reason,
    })
}

fn missing(gap: &Gap) -> Value {
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "type": "gap",
        "rule": gap.rule,
        "path": gap.path,
        "object": gap.object,
        "route": gap.route,
        "reason": gap.reason,
    })
}

fn exempt(exemption: &Exemption) -> Value {
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "type": "exemption",
        "rule": exemption.code,
        "namespace": exemption.namespace,
        "name": exemption.name,
        "reason": exemption.reason,
    })
}
