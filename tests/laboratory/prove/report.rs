//! What `just prove` found, as a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use super::server::{Refusals, UNDEFINED};
use super::{Render, Rendered};
use crate::laboratory::judgement::{Finding, pod_template};
use crate::support::write_report;

/// What the run judges of the repository.
const JUDGED: [&str; 6] = [
    "schemas/charts/*.yaml",
    "schemas/charts/proved/*.json.gz",
    "tests/golden/full/**/helmrelease.yaml",
    "examples/*/cluster.yaml",
    "examples/*/cluster.toml",
    "examples/*/nodes.yaml",
];

const HEAD: &str = "\
| example | release | chart | nodes | objects | pods | refused | findings |
|---|---|---|---|---|---|---|---|
";

/// Writes the dated report.
pub(super) fn write(body: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    write_report(root, "charts", "just prove --charts DIR", &JUDGED, body);
}

/// Makes the table, equal lines of one example once, and lists the findings and refusals.
pub(super) fn body(
    rendered: &Rendered<'_, '_>,
    findings: &BTreeSet<Finding>,
    tried: usize,
    refusals: Option<&Refusals>,
) -> String {
    let mut lines: BTreeMap<[String; 7], BTreeSet<&str>> = BTreeMap::new();
    let mut totals = [0; 4];
    for (render, made) in rendered {
        let objects = made.as_ref().map_or(0, |made| made.objects.len());
        let pods = made.iter().flat_map(|made| &made.objects);
        let pods = pods.filter_map(pod_template).count();
        let label = &render.release.label;
        let found = findings
            .iter()
            .filter(|finding| finding.owner == *label)
            .count();
        for tree in &render.trees {
            let refused = refusals.map(|refusals| refusals.of(label, tree));
            for (total, more) in
                totals
                    .iter_mut()
                    .zip([1, objects, pods, refused.unwrap_or_default()])
            {
                *total += more;
            }
            let (example, nodes) = tree.split_once(" with ").unwrap_or((tree, "own"));
            let line = [
                example.to_owned(),
                label.trim_start_matches("HelmRelease/").to_owned(),
                version(
                    render,
                    made.as_ref().ok().and_then(|made| made.nearest.as_deref()),
                ),
                objects.to_string(),
                pods.to_string(),
                refused.map_or_else(|| "not asked".to_owned(), |count| count.to_string()),
                found.to_string(),
            ];
            lines
                .entry(line)
                .or_default()
                .insert(nodes.split(' ').next().unwrap_or_default());
        }
    }
    let mut text = HEAD.to_owned();
    for ([example, release, chart, counts @ ..], nodes) in lines {
        let nodes = nodes.into_iter().collect::<Vec<_>>().join(", ");
        let counts = counts.join(" | ");
        writeln!(
            text,
            "| {example} | {release} | {chart} | {nodes} | {counts} |"
        )
        .unwrap();
    }
    let [releases, objects, pods, refused] = totals;
    let asked = match refusals {
        Some(_) => format!("the API server refused or warned of {refused}"),
        None => "the API server was not asked".to_owned(),
    };
    write!(
        text,
        "\n`own`: the nodes that the example has. {releases} releases in all trees, {} renders: {objects} objects, {pods} pod templates; \
         {asked}. {tried} values that hardening added were taken out, one by one. {} findings.\n\n",
        rendered.len(),
        findings.len()
    )
    .unwrap();
    for (group, why) in UNDEFINED.iter().filter(|_| refusals.is_some()) {
        writeln!(text, "- not held against the server: {group}, as {why}").unwrap();
    }
    let refused = refusals.iter().flat_map(|refusals| refusals.all().cloned());
    let told: BTreeSet<String> = findings
        .iter()
        .map(ToString::to_string)
        .chain(refused)
        .collect();
    for line in told {
        writeln!(text, "- {line}").unwrap();
    }
    text
}

fn version(render: &Render<'_>, nearest: Option<&str>) -> String {
    let (chart, wanted) = (&render.release.chart, &render.release.version);
    match nearest {
        Some(nearest) => format!("{chart} {nearest} for {wanted}"),
        None => format!("{chart} {wanted}"),
    }
}
