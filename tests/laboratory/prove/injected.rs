//! Values that hardening added: each must change the render when it is taken out.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::Value;

use super::rendering::HelmController;
use super::{Render, Rendered};
use crate::laboratory::examples::TREES;
use crate::laboratory::judgement::Finding;
use crate::laboratory::releases::AppliedRelease;

/// Takes each added value out of its release and renders anew; gives how many, and those without effect.
///
/// One of a path, a value and a release is tried once, whatever trees have it.
pub(super) fn without_effect(
    controller: &HelmController<'_>,
    rendered: &Rendered<'_, '_>,
) -> (usize, BTreeSet<Finding>) {
    let mut tried = BTreeSet::new();
    let mut todo: BTreeMap<usize, Vec<Vec<String>>> = BTreeMap::new();
    for (number, (render, _)) in rendered.iter().enumerate() {
        let release = render.release;
        for path in added(render) {
            for leaf in leaves(at(&release.values, &path).unwrap(), &path) {
                let value = at(&release.values, &leaf).unwrap().to_string();
                if tried.insert((release.label.clone(), leaf.clone(), value)) {
                    todo.entry(number).or_default().push(leaf);
                }
            }
        }
    }
    let dead = todo.par_iter().flat_map_iter(|(number, leaves)| {
        let render = rendered[*number].0;
        let whole = || lines(controller, render.release, &render.release.values, render);
        let (first, second) = (whole(), whole());
        // Lines with a new certificate or password in them differ by themselves.
        let noise: BTreeSet<String> = first
            .symmetric_difference(&second)
            .map(|line| key(line))
            .collect();
        let quiet = |lines: BTreeSet<String>| -> BTreeSet<String> {
            lines
                .into_iter()
                .filter(|line| !noise.contains(&key(line)))
                .collect()
        };
        let first = quiet(first);
        let without = leaves.iter().filter(move |leaf| {
            let mut values = render.release.values.clone();
            take_out(&mut values, leaf);
            quiet(lines(controller, render.release, &values, render)) == first
        });
        let dead = without.map(|leaf| Finding {
            kind: "value-without-effect",
            owner: render.release.label.clone(),
            what: leaf.join("."),
        });
        dead.collect::<Vec<_>>()
    });
    (tried.len(), dead.collect())
}

/// Lists the paths of what was added to the values of a release, in any of its trees.
fn added(render: &Render<'_>) -> Vec<Vec<String>> {
    let trees = TREES
        .iter()
        .filter(|tree| render.trees.contains(&tree.name.as_str()));
    let injected = trees.flat_map(|tree| &tree.injected);
    let of_release = injected.filter(|(object, _)| *object == render.release.label);
    let paths: BTreeSet<&String> = of_release.map(|(_, path)| path).collect();
    let steps = |path: &String| {
        let mut steps = steps(&render.release.values, path)
            .unwrap_or_else(|| panic!("no `{path}` in {}", render.release.label));
        steps.reverse();
        steps
    };
    paths.into_iter().map(steps).collect()
}

/// Reads a path whose keys may have dots in them; gives its steps from the last to the first.
fn steps(value: &Value, path: &str) -> Option<Vec<String>> {
    for (key, below) in value.as_object()? {
        if path == key {
            return Some(vec![key.clone()]);
        }
        let rest = path
            .strip_prefix(key.as_str())
            .and_then(|rest| rest.strip_prefix('.'));
        if let Some(mut steps) = rest.and_then(|rest| steps(below, rest)) {
            steps.push(key.clone());
            return Some(steps);
        }
    }
    None
}

fn at<'v>(value: &'v Value, steps: &[String]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| value.get(step))
}

fn leaves(value: &Value, path: &[String]) -> Vec<Vec<String>> {
    match value.as_object().filter(|entries| !entries.is_empty()) {
        Some(entries) => entries
            .iter()
            .flat_map(|(key, value)| leaves(value, &[path, std::slice::from_ref(key)].concat()))
            .collect(),
        None => vec![path.to_vec()],
    }
}

fn take_out(values: &mut Value, leaf: &[String]) {
    let (last, above) = leaf.split_last().unwrap();
    let holder = above.iter().fold(values, |value, step| &mut value[step]);
    holder.as_object_mut().unwrap().remove(last);
}

/// Renders, and numbers equal lines, so that one more of them shows.
fn lines(
    controller: &HelmController<'_>,
    release: &AppliedRelease,
    values: &Value,
    render: &Render<'_>,
) -> BTreeSet<String> {
    let text = controller.render_with(release, values, render.kubernetes, &render.apis);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    // A chart that does not render without the value needs it.
    for line in text.unwrap_or_default().lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(line, count)| format!("{line} ×{count}"))
        .collect()
}

fn key(line: &str) -> String {
    line.split(": ")
        .next()
        .unwrap_or_default()
        .trim_start()
        .to_owned()
}
