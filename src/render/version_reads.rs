//! Which versions a template reads.

use std::collections::BTreeSet;

use crate::config::cluster::versions::{VersionGroup, VersionKey};

/// How a template starts to name a version.
const VARIABLE: &str = "versions.";

/// Lists the versions that a template reads by their names, on or off.
///
/// The text is read as it is, since the templates of an app that is off cannot be rendered; a name that is computed is left
/// out.
pub(super) fn in_text(text: &str) -> BTreeSet<VersionKey> {
    let reads = text.match_indices(VARIABLE).filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        !before.is_some_and(|letter| is_of_name(letter) || letter == '.')
    });
    let keys = reads.filter_map(|(at, _)| key(&text[at + VARIABLE.len()..]));
    keys.collect()
}

fn key(text: &str) -> Option<VersionKey> {
    let (word, rest) = name(text);
    let group = VersionGroup::of(word)?;
    let name = match rest.strip_prefix('[') {
        _ if group.is_single() => "",
        Some(quoted) => {
            let quote = quoted
                .chars()
                .next()
                .filter(|it| matches!(it, '"' | '\''))?;
            quoted[1..].split_once(quote)?.0
        }
        None => name(rest.strip_prefix('.')?).0,
    };
    (group.is_single() || !name.is_empty()).then(|| VersionKey {
        group,
        name: name.to_owned(),
    })
}

/// Splits a text behind its first name.
fn name(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|letter| !is_of_name(letter))
            .unwrap_or(text.len()),
    )
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_in_both_forms() {
        let text = "#% set chart = versions.charts[\"cert-manager\"] %#\n#{ versions.tools.flux2.version }#\n\
                    #{ versions.talos.version }# #{ versions.actions['actions/checkout'].digest }#\n\
                    #{ versions.charts[name] }# #{ my.versions.talos }# #{ versions.chart.x }#";
        let found = in_text(text);
        let routes: Vec<String> = found.iter().map(VersionKey::route).collect();
        assert_eq!(
            routes,
            [
                "talos",
                "charts.cert-manager",
                "tools.flux2",
                "actions.actions/checkout"
            ]
        );
    }
}
