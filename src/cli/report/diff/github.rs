//! A diff as annotations of a GitHub workflow run.

use super::{amount, counts, sentences, settings};
use crate::cli::report::github::{message, property};
use crate::diff::{Danger, Report};

/// Renders a warning for each danger, and a notice that counts what differs.
///
/// `prefix` is what stands before paths, from the root of the checkout.
pub fn render(report: &Report, prefix: &str) -> String {
    let mut text = String::new();
    for danger in &report.dangers {
        text.push_str(&annotation(report, danger, prefix));
    }
    text.extend(settings(report).map(|row| {
        let told = message(&format!("{} {}: {}", row.sign, row.name, row.values()));
        format!("::notice title=kiln diff setting::{told}\n")
    }));
    let mut facts = counts(report);
    if !report.dangers.is_empty() {
        facts = format!("{facts}; {}", amount(report.dangers.len(), "danger"));
    }
    let told = format!("{} → {}: {facts}", report.before, report.after);
    text + &format!("::notice title=kiln diff::{}\n", message(&told))
}

fn annotation(report: &Report, danger: &Danger, prefix: &str) -> String {
    // A file that is only on the old side is not in the checkout.
    let is_here = |path: &str| {
        let mut places = report
            .changes
            .iter()
            .filter_map(|change| change.after.as_ref());
        places.any(|spot| spot.path == path)
    };
    let mut properties = Vec::new();
    let is_here = |path: &str| danger.of_project || is_here(path);
    if let Some(spot) = danger.spot.as_ref().filter(|spot| is_here(&spot.path)) {
        properties.push(format!(
            "file={}",
            property(&format!("{prefix}{}", spot.path))
        ));
        properties.push(format!("line={}", spot.line));
    }
    properties.push(format!("title={}", property(danger.code())));
    let told = message(&sentences(danger));
    format!("::warning {}::{told}\n", properties.join(","))
}
