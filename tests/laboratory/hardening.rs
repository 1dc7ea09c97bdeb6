//! What hardening adds, by what Flux' own packages build before and after: additions, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use kiln::rules::REMEDIES;
use kiln::yaml;
use serde_json::{Value, json};

use super::flux::{FluxBuild, OwnedObject, build, build_example, kustomization};
use super::nodes::example_with_nodes;
use crate::harden::trees;
use crate::support::{Sandbox, oracle};

/// The kinds of which hardening makes new objects.
const NEW_KINDS: [&str; 3] = ["NetworkPolicy", "PodDisruptionBudget", "PriorityClass"];

/// What differs between two builds of a tree.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    /// How many objects gained something.
    pub(crate) grown: usize,
    /// How many objects are new, by kind.
    pub(crate) new: BTreeMap<String, usize>,
    /// What is no addition, or one that does nothing.
    pub(crate) wrong: Vec<String>,
}

type ObjectName<'o> = (&'o str, &'o str, &'o str, &'o str);

impl Additions {
    /// Compares what Flux builds before hardening and after.
    pub(crate) fn between(before: &[OwnedObject], after: &[OwnedObject]) -> Self {
        let mut additions = Self::default();
        let old = by_name(before);
        let mut new = by_name(after);
        for (name, objects) in &old {
            let grown = new.remove(name).unwrap_or_default();
            if grown.len() != objects.len() {
                let wrong = format!("{name:?}: {} became {}", objects.len(), grown.len());
                additions.wrong.push(wrong);
                continue;
            }
            for (one, other) in objects.iter().zip(grown) {
                additions.grown += usize::from(*one != other);
                let told = format!("{name:?}");
                grows(one, other, &told, &mut additions.wrong);
            }
        }
        for ((_, kind, ..), objects) in &new {
            if !NEW_KINDS.contains(kind) {
                additions.wrong.push(format!("a new {kind}"));
            }
            *additions.new.entry((*kind).to_owned()).or_default() += objects.len();
        }
        let made = new.into_values().flatten().collect::<Vec<_>>();
        judge_budgets(&made, before, after, &mut additions.wrong);
        judge_classes(before, after, &mut additions.wrong);
        judge_post_renderers(after, &mut additions.wrong);
        additions
    }

    fn is_empty(&self) -> bool {
        self.grown == 0 && self.new.is_empty()
    }
}

fn text<'o>(object: &'o Value, pointer: &str) -> &'o str {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

fn by_name(objects: &[OwnedObject]) -> BTreeMap<ObjectName<'_>, Vec<&Value>> {
    let mut named: BTreeMap<ObjectName<'_>, Vec<&Value>> = BTreeMap::new();
    for OwnedObject { owner, object } in objects {
        let name = (
            owner.as_str(),
            text(object, "/kind"),
            text(object, "/metadata/namespace"),
            text(object, "/metadata/name"),
        );
        named.entry(name).or_default().push(object);
    }
    named
}

/// Notes where a value is not what it was, with more beside it; of lists only that of post-renderers may be longer.
fn grows(before: &Value, after: &Value, path: &str, wrong: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                let path = format!("{path}.{key}");
                match after.get(key) {
                    Some(other) => grows(value, other, &path, wrong),
                    None => wrong.push(format!("{path} is gone")),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let is_open = path.ends_with(".spec.postRenderers");
            if before.len() > after.len() || (before.len() < after.len() && !is_open) {
                wrong.push(format!("{path} has another length"));
            }
            for (index, (one, other)) in before.iter().zip(after).enumerate() {
                grows(one, other, &format!("{path}[{index}]"), wrong);
            }
        }
        // Never the values: they may be secrets.
        _ if before != after => wrong.push(format!("{path} is another value")),
        _ => {}
    }
}

/// Holds each new budget against the pods that it selects: some, as far as they are written, and no other's.
fn judge_budgets(
    made: &[&Value],
    before: &[OwnedObject],
    after: &[OwnedObject],
    wrong: &mut Vec<String>,
) {
    let old = before.iter().map(|owned| &owned.object);
    let old: Vec<&Value> = old.filter(|object| is_budget(object)).collect();
    let new: Vec<&Value> = made.iter().copied().filter(|one| is_budget(one)).collect();
    for (index, budget) in new.iter().enumerate() {
        let told = text(budget, "/metadata/name");
        if budget["spec"]["maxUnavailable"] != 1 {
            wrong.push(format!("the budget {told} may let no pod go"));
        }
        let namespace = text(budget, "/metadata/namespace");
        let objects = after.iter().map(|owned| &owned.object);
        let inside: Vec<&Value> = objects
            .filter(|object| text(object, "/metadata/namespace") == namespace)
            .collect();
        let pods: Vec<&Value> = inside
            .iter()
            .map(|object| &object["spec"]["template"]["metadata"]["labels"])
            .filter(|labels| selects(budget, labels))
            .collect();
        let is_made_elsewhere = inside.iter().any(|object| is_custom(object));
        if pods.is_empty() && !is_made_elsewhere {
            wrong.push(format!("the budget {told} selects nothing"));
        }
        let others = old.iter().chain(&new[..index]);
        let twice = others
            .filter(|other| text(other, "/metadata/namespace") == namespace)
            .any(|other| pods.iter().any(|labels| selects(other, labels)));
        if twice {
            wrong.push(format!("the budget {told} is the second over its pods"));
        }
    }
}

fn is_budget(object: &Value) -> bool {
    object["kind"] == "PodDisruptionBudget"
}

/// Returns whether something else than Kubernetes makes pods of an object: Helm, or an operator.
fn is_custom(object: &Value) -> bool {
    let version = text(object, "/apiVersion");
    let group = version.split_once('/').map_or("", |(group, _)| group);
    group.contains('.') && !group.ends_with(".k8s.io")
}

/// Returns whether a budget selects pods of some labels, by labels and by expressions that ask for some.
fn selects(budget: &Value, labels: &Value) -> bool {
    let selector = &budget["spec"]["selector"];
    let wanted = selector["matchLabels"].as_object();
    let expressions = selector["matchExpressions"].as_array();
    let holds = |expression: &Value| {
        let value = &labels[text(expression, "/key")];
        let mut values = expression["values"].as_array().into_iter().flatten();
        match text(expression, "/operator") {
            "In" => values.any(|one| one == value),
            "Exists" => !value.is_null(),
            _ => false,
        }
    };
    let mut wanted = wanted.into_iter().flatten().peekable();
    let mut expressions = expressions.into_iter().flatten().peekable();
    (wanted.peek().is_some() || expressions.peek().is_some())
        && wanted.all(|(key, value)| labels[key] == *value)
        && expressions.all(holds)
}

/// Asks that every priority class that is named anew is there.
fn judge_classes(before: &[OwnedObject], after: &[OwnedObject], wrong: &mut Vec<String>) {
    let named = |objects: &[OwnedObject]| {
        let mut found = BTreeSet::new();
        for owned in objects {
            name_classes(&owned.object, &mut found);
        }
        found
    };
    let defined = |name: &str| {
        let mut objects = after.iter().map(|owned| &owned.object);
        objects.any(|one| one["kind"] == "PriorityClass" && one["metadata"]["name"] == name)
    };
    for class in named(after).difference(&named(before)) {
        if !class.starts_with("system-") && !defined(class) {
            wrong.push(format!("there is no PriorityClass {class}"));
        }
    }
}

fn name_classes(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            found.extend(
                map.get("priorityClassName")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            map.values().for_each(|value| name_classes(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| name_classes(item, found)),
        _ => {}
    }
}

/// Asks that every patch of a post-renderer that has a target names it in the patch as well.
fn judge_post_renderers(after: &[OwnedObject], wrong: &mut Vec<String>) {
    for OwnedObject { object, .. } in after {
        let renderers = object["spec"]["postRenderers"].as_array();
        let patches = renderers.into_iter().flatten().flat_map(|renderer| {
            let patches = renderer["kustomize"]["patches"].as_array();
            patches.into_iter().flatten()
        });
        for patch in patches {
            let target = &patch["target"];
            let body = yaml::load(text(patch, "/patch"));
            let body = body.ok().and_then(|documents| {
                let root = &documents.first()?.root;
                root.entries().is_some().then(|| root.to_kubernetes())
            });
            // What is a list of operations names nothing.
            let Some(body) = body.filter(|_| target["name"].is_string()) else {
                continue;
            };
            let name = text(target, "/name").replace('\\', "");
            if target["kind"] != body["kind"] || body["metadata"]["name"] != *name {
                wrong.push(format!("a post-renderer for {name} patches something else"));
            }
        }
    }
}

/// Builds a tree in a sandbox from a folder, by `fluxbuild`.
fn build_from(sandbox: &Sandbox, fluxbuild: &std::path::Path, folder: &str) -> FluxBuild {
    let sync = kustomization("flux-system", &format!("./{folder}"), "");
    sandbox.write("../sync.yaml", sync);
    build(sandbox, Command::new(fluxbuild), "../sync.yaml")
}

#[test]
fn hardening_of_the_fixtures_only_adds() {
    let Some(fluxbuild) = oracle("fluxbuild") else {
        return;
    };
    let (mut wrong, mut judged, mut grown, mut made) = (Vec::new(), 0, 0, 0);
    for rule in REMEDIES {
        for folder in trees::folders(&trees::fixtures("harden").join(rule.meaning.code)) {
            let files = trees::texts(&folder.join("in"));
            let starts = ["kubernetes/flux/cluster", "kubernetes/flux", "flux", "apps"];
            let has = |start: &&&str| {
                let below = format!("{start}/");
                files.keys().any(|path| path.starts_with(&below))
            };
            let start = starts.iter().find(has).unwrap_or(&".");
            // Flux' packages would fetch a base from another machine.
            let mut kustomizations = files
                .iter()
                .filter(|(path, _)| path.ends_with("kustomization.yaml"));
            if kustomizations.any(|(_, text)| text.contains("- https://")) {
                continue;
            }
            judged += 1;
            let sandbox = Sandbox::new();
            for (path, text) in &files {
                sandbox.write(path, text);
            }
            for (path, text) in trees::texts(&folder.join("charts")) {
                sandbox.write(&format!("charts/{path}"), text);
            }
            let before = build_from(&sandbox, &fluxbuild, start);
            let arguments = ["harden", "--root", start];
            let written = sandbox.kiln(&[&arguments[..], &["--write"]].concat());
            assert_eq!(written.code, Some(0), "{}: {written}", folder.display());
            let after = build_from(&sandbox, &fluxbuild, start);
            let again = sandbox.kiln(&arguments);
            let told = folder.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            let told = told.display();
            assert_eq!(again.code, Some(0), "{told}: {again}");
            assert_eq!(before.refused, after.refused, "{told}");
            let additions = Additions::between(&before.objects, &after.objects);
            let found = additions.wrong.iter();
            wrong.extend(found.map(|wrong| format!("{told}: {wrong}")));
            grown += additions.grown;
            made += additions.new.values().sum::<usize>();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        judged > 20 && grown > 50 && made > 10,
        "{judged} trees, {grown} grown, {made} new"
    );
}

/// Renders an example without hardening and with, and compares what Flux builds.
fn judge_example(name: &str) {
    let sandbox = example_with_nodes(name, 3);
    let settings = sandbox.read("kiln.toml");
    assert!(!settings.contains("[harden]"), "{settings}");
    sandbox.write(
        "kiln.toml",
        format!("{settings}\n[harden]\nenabled = false\n"),
    );
    sandbox.kiln(&["render", "--keygen"]).success();
    let Some(before) = build_example(&sandbox) else {
        return;
    };
    sandbox.write("kiln.toml", settings);
    sandbox.kiln(&["render"]).success();
    let Some(after) = build_example(&sandbox) else {
        return;
    };
    let additions = Additions::between(&before.objects, &after.objects);
    assert!(
        additions.wrong.is_empty(),
        "{name}: {}",
        additions.wrong.join("\n")
    );
    assert!(
        additions.grown > 10 && !additions.new.is_empty(),
        "{additions:?}"
    );
}

#[test]
fn hardening_of_the_examples_only_adds() {
    for name in ["full", "homelab", "production"] {
        judge_example(name);
    }
}

#[test]
fn what_is_no_addition_is_found() {
    let owned = |object: Value| OwnedObject {
        owner: "flux-system/apps".to_owned(),
        object,
    };
    let deployment = |spec: Value| {
        let metadata = json!({"name": "web", "namespace": "shop"});
        owned(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}),
        )
    };
    let budget = |app: &str| {
        let metadata = json!({"name": app, "namespace": "shop"});
        let spec = json!({"maxUnavailable": 1, "selector": {"matchLabels": {"app": app}}});
        owned(
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}),
        )
    };
    let template = json!({"metadata": {"labels": {"app": "web"}}});
    let before = [deployment(
        json!({"replicas": 2, "template": template, "list": [1]}),
    )];
    let found = |after: &[OwnedObject]| Additions::between(&before, after);
    let more = json!({"replicas": 2, "template": template, "list": [1], "new": {"a": 1}});
    let right = found(&[deployment(more.clone()), budget("web")]);
    assert!(right.wrong.is_empty() && !right.is_empty(), "{right:?}");
    assert_eq!((right.grown, right.new["PodDisruptionBudget"]), (1, 1));
    assert!(found(&before).is_empty());
    let wrong = |after: &[OwnedObject], what: &str| {
        let found = found(after);
        assert!(
            found.wrong.iter().any(|one| one.contains(what)),
            "{what}: {found:?}"
        );
    };
    wrong(&[], "1 became 0");
    let other = |key: &str, value: Value| {
        let mut spec = more.clone();
        spec[key] = value;
        [deployment(spec)]
    };
    wrong(&other("replicas", json!(3)), "replicas is another value");
    wrong(&other("list", json!([1, 2])), "list has another length");
    wrong(&other("template", json!({})), "metadata is gone");
    wrong(
        &other("priorityClassName", json!("high")),
        "no PriorityClass high",
    );
    let policy = json!({"kind": "ConfigMap", "metadata": {"name": "new"}});
    wrong(
        &[deployment(more.clone()), owned(policy)],
        "a new ConfigMap",
    );
    wrong(
        &[deployment(more.clone()), budget("page")],
        "selects nothing",
    );
    let twice = [deployment(more), budget("web"), budget("web")];
    wrong(&twice, "is the second over its pods");
}
