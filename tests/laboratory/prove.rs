//! `just prove --charts DIR [FILTER]`: renders each release of the examples by the real helm, as helm-controller does, records
//! the renders, and judges them: by the API server where it is at hand, and as every test run does from the records.
//!
//! With a filter, only the releases whose label or chart holds it are rendered, and no report is written.

mod injected;
mod rendering;
mod report;
mod server;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use kiln::profiler::record::{RecordedRender, digest, pack};
use rayon::prelude::*;

use super::charts::{NOT_HAD, records};
use super::examples::{ExampleTree, TREES};
use super::judgement::{Finding, JudgedCluster};
use super::releases::AppliedRelease;
use crate::support::oracle;
use rendering::{HelmController, RenderedRelease};
use sources::ChartSources;

/// The variable that holds the words after `just prove`.
const ASKED: &str = "KILN_PROVE";

/// A release on trees that give it the same chart, values, post-renderers and APIs.
struct Render<'t> {
    release: &'t AppliedRelease,
    kubernetes: &'t str,
    apis: String,
    trees: Vec<&'t str>,
}

#[test]
#[ignore = "the maintainers' run: `just prove --charts DIR`"]
fn every_release_of_the_examples_is_what_its_record_says() {
    let asked = env::var(ASKED).unwrap_or_default();
    let mut words = asked.split_whitespace();
    let (mut charts, mut filter) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "--charts" => charts = words.next().map(PathBuf::from),
            word => filter = Some(word.to_owned()),
        }
    }
    let charts = charts.expect("`--charts DIR` says where the charts are");
    let tool =
        |name: &str| oracle(name).unwrap_or_else(|| panic!("nothing is proved without {name}"));
    let (helm, kustomize) = (tool("helm"), tool("kz"));
    let sources = ChartSources::open(&charts);
    let controller = HelmController {
        helm,
        kustomize,
        sources: &sources,
    };
    let mut clock = Instant::now();
    let mut done = |what: &str| {
        eprintln!("{:>4} s  {what}", clock.elapsed().as_secs());
        clock = Instant::now();
    };
    done(&format!("{} trees compiled", TREES.len()));

    let renders = renders(&controller, filter.as_deref());
    done(&format!("{} renders to make", renders.len()));
    let rendered = render_all(&controller, &renders);
    done("rendered");
    let mut problems: BTreeSet<Finding> = rendered
        .iter()
        .filter_map(|(_, result)| result.as_ref().err().cloned())
        .collect();
    let records = recorded(&rendered, filter.as_deref());
    write(&records);
    problems.extend(judged(&records));
    done("recorded and judged");
    let (tried, dead) = injected::without_effect(&controller, &rendered);
    problems.extend(dead);
    done(&format!("{tried} injected values taken out, one by one"));
    let refusals = server::refusals(&rendered);
    done("held against the API server, where it is at hand");
    let table = report::body(&rendered, &problems, tried, refusals.as_ref());
    eprintln!("\n{table}");
    let refused: Vec<&String> = refusals.iter().flat_map(server::Refusals::all).collect();
    if filter.is_none() && refusals.is_some() {
        report::write(&table);
    }
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        problems.is_empty() && refused.is_empty(),
        "{}\n{refused:#?}",
        problems.join("\n")
    );
}

/// Lists what is to be rendered, equal ones once.
fn renders<'t>(controller: &HelmController<'_>, filter: Option<&str>) -> Vec<Render<'t>> {
    let all: Vec<(&ExampleTree, &AppliedRelease)> = TREES
        .iter()
        .flat_map(|tree| tree.releases.iter().map(move |release| (tree, release)))
        .collect();
    let mut of_chart: BTreeMap<&str, (&ExampleTree, &AppliedRelease)> = BTreeMap::new();
    for (tree, release) in &all {
        of_chart.entry(&release.chart).or_insert((tree, release));
    }
    let brought: BTreeMap<&str, BTreeSet<String>> = of_chart
        .into_par_iter()
        .map(|(chart, (tree, release))| (chart, controller.apis_brought(release, &tree.kubernetes)))
        .collect();
    let mut found: BTreeMap<[String; 6], Render<'t>> = BTreeMap::new();
    for tree in TREES.iter() {
        let apis = rendering::apis(tree, &brought);
        for release in &tree.releases {
            let wanted = filter
                .is_none_or(|part| release.label.contains(part) || release.chart.contains(part));
            if !wanted || NOT_HAD.iter().any(|(chart, _)| *chart == release.chart) {
                continue;
            }
            let key = [
                release.label.clone(),
                format!("{} {}", release.chart, release.version),
                digest(&release.values),
                digest(&release.post_renderers),
                tree.kubernetes.clone(),
                apis.clone(),
            ];
            let render = found.entry(key).or_insert_with(|| Render {
                release,
                kubernetes: &tree.kubernetes,
                apis: apis.clone(),
                trees: Vec::new(),
            });
            render.trees.push(&tree.name);
        }
    }
    found.into_values().collect()
}

type Rendered<'r, 't> = Vec<(&'r Render<'t>, Result<RenderedRelease, Finding>)>;

fn render_all<'r, 't>(
    controller: &HelmController<'_>,
    renders: &'r [Render<'t>],
) -> Rendered<'r, 't> {
    let made = renders.par_iter().map(|render| {
        let made = controller.render(render.release, render.kubernetes, &render.apis);
        let failed = |why| Finding {
            kind: "not-rendered",
            owner: render.release.label.clone(),
            what: why,
        };
        (render, made.map_err(failed))
    });
    made.collect()
}

/// Makes the records, equal ones once; those that a filter leaves out stay as they are.
fn recorded(rendered: &Rendered<'_, '_>, filter: Option<&str>) -> Vec<RecordedRender> {
    let made: BTreeSet<(&str, &str)> = rendered
        .iter()
        .map(|(render, _)| {
            (
                render.release.namespace.as_str(),
                render.release.name.as_str(),
            )
        })
        .collect();
    let kept = records::all()
        .iter()
        .filter(|record| filter.is_some() && !made.contains(&(&record.namespace, &record.release)));
    let mut records: Vec<RecordedRender> = kept.cloned().collect();
    for (render, result) in rendered {
        let Ok(result) = result else { continue };
        let release = render.release;
        let record = RecordedRender {
            chart: release.chart.clone(),
            version: release.version.clone(),
            nearest: result.nearest.clone(),
            kubernetes: render.kubernetes.to_owned(),
            chart_digest: result.chart_digest.clone(),
            release: release.name.clone(),
            namespace: release.namespace.clone(),
            values_digest: digest(&release.values),
            post_renderers_digest: digest(&release.post_renderers),
            trees: Vec::new(),
            objects: result.objects.clone(),
        };
        let same = |known: &&mut RecordedRender| {
            RecordedRender {
                trees: Vec::new(),
                ..(**known).clone()
            } == record
        };
        let trees = render.trees.iter().map(|tree| (*tree).to_owned());
        match records.iter_mut().find(same) {
            Some(known) => known.trees.extend(trees),
            None => records.push(RecordedRender {
                trees: trees.collect(),
                ..record
            }),
        }
    }
    records.iter_mut().for_each(|record| record.trees.sort());
    records.sort_by(|one, other| {
        let key = |record: &RecordedRender| {
            [
                record.chart.clone(),
                record.namespace.clone(),
                record.release.clone(),
                record.trees[0].clone(),
            ]
        };
        key(one).cmp(&key(other))
    });
    records
}

/// Writes the file of each chart, and removes those of charts that no release has.
fn write(records: &[RecordedRender]) {
    let folder = records::folder();
    fs::create_dir_all(&folder).unwrap();
    let mut of_chart: BTreeMap<String, Vec<RecordedRender>> = BTreeMap::new();
    for record in records {
        of_chart
            .entry(format!("{}.json.gz", record.chart))
            .or_default()
            .push(record.clone());
    }
    for file in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        if !of_chart.contains_key(file.file_name().to_str().unwrap()) {
            fs::remove_file(file.path()).unwrap();
        }
    }
    for (name, records) in of_chart {
        fs::write(folder.join(name), pack(&records)).unwrap();
    }
}

/// Judges the records with their trees, as every test run does.
fn judged(records: &[RecordedRender]) -> BTreeSet<Finding> {
    let of_tree = TREES.iter().flat_map(|tree| {
        let releases = tree.releases.iter();
        let renders: Vec<_> = releases
            .filter_map(|release| Some((release, records::find(records, tree, release).ok()?)))
            .collect();
        JudgedCluster::new(tree, &renders).findings()
    });
    of_tree.collect()
}
