//! The catalogue in all mixtures: each app alone, and apps on and off at random.
//!
//! What is on comes from `examples/full`, which has the options of every app. The tree of each mixture
//! compiles, no check warns, and no object has a kind whose app is off.

use std::collections::{BTreeMap, BTreeSet};

use kiln::pipeline::{self, CompileFailure, World};
use kiln::source::{Files as _, MemoryFiles};
use kiln::tree::App;
use kiln::yaml::{self, Resolver};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rayon::prelude::*;
use serde_json::Value;

/// How many mixtures; each takes about half a second of one core in a build without optimization.
const MIXTURES: usize = 160;

/// Parts of the config that are all there or not at all.
const PARTS: [&str; 5] = ["storage", "backup", "alerts", "proxmox", "security"];

/// Kinds that only an app brings, by the group of their API.
pub(crate) const GROUPS: &[(&str, &str)] = &[
    ("cert-manager.io", "cert-manager"),
    ("trust.cert-manager.io", "trust-manager"),
    ("postgresql.cnpg.io", "cloudnative-pg"),
    ("barmancloud.cnpg.io", "plugin-barman-cloud"),
    ("dragonflydb.io", "dragonfly-operator"),
    ("external-secrets.io", "external-secrets"),
    ("kyverno.io", "kyverno"),
    ("policies.kyverno.io", "kyverno"),
    ("policy.sigstore.dev", "policy-controller"),
    ("aquasecurity.github.io", "trivy-operator"),
    ("velero.io", "velero"),
    ("volsync.backube", "volsync"),
    ("snapshot.storage.k8s.io", "snapshot-controller"),
    ("chaos-mesh.org", "chaos-mesh"),
    ("tuppr.home-operations.com", "tuppr"),
    ("sloth.slok.dev", "sloth"),
    ("externaldns.k8s.io", "cloudflare-dns"),
];

pub(crate) struct Zeros;

impl rand_core::RngCore for Zeros {
    fn next_u32(&mut self) -> u32 {
        0
    }

    fn next_u64(&mut self) -> u64 {
        0
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Zeros {}

fn full() -> Value {
    let text = include_str!("../examples/full/cluster.yaml");
    let documents = yaml::load(text).unwrap();
    documents[0].root.to_value(Resolver::Core)
}

/// The keys of the project, made once by the real command.
pub(crate) fn keys() -> MemoryFiles {
    let sandbox = crate::support::Sandbox::with(&[
        ("kiln.toml", ""),
        (
            "cluster.yaml",
            include_str!("../examples/full/cluster.yaml"),
        ),
    ]);
    sandbox.kiln(&["init"]).success();
    let mut files = BTreeMap::new();
    for path in sandbox.files() {
        if !path.ends_with(".yaml") {
            files.insert(path.clone(), sandbox.read(&path).into_bytes());
        }
    }
    let tunnel = include_bytes!("../examples/full/cloudflare-tunnel.json");
    files.insert("cloudflare-tunnel.json".to_owned(), tunnel.to_vec());
    MemoryFiles(files)
}

struct Project {
    files: MemoryFiles,
    identity: String,
}

impl Project {
    fn with<T>(&self, config: &Value, ask: impl FnOnce(&World<'_>) -> T) -> T {
        let mut files = self.files.clone();
        files
            .0
            .insert("cluster.yaml".to_owned(), yaml::emit(config).into_bytes());
        files.0.insert(
            "kiln.toml".to_owned(),
            b"data = [\"cluster.yaml\"]".to_vec(),
        );
        let catalogue = pipeline::catalogue();
        let identities = vec![(
            "age.key".to_owned(),
            kiln::secret::Secret::new(self.identity.clone()),
        )];
        let now = "2026-01-01T00:00:00Z".to_owned();
        ask(&World::new(&files, &catalogue, &|_| None, identities, now))
    }
}

fn project() -> Project {
    let files = keys();
    let identity = files.read("age.key").unwrap().unwrap();
    Project {
        files,
        identity: String::from_utf8(identity).unwrap(),
    }
}

/// Switches exactly the named apps on, with what they need; gives the config.
fn mixture(full: &Value, apps: &[App], names: &BTreeSet<&str>, without: &[&str]) -> Value {
    let mut on: BTreeSet<&str> = names.clone();
    loop {
        let needs: Vec<&str> = apps
            .iter()
            .filter(|app| on.contains(app.name.as_str()))
            .flat_map(|app| app.needs.iter().map(String::as_str))
            .collect();
        let before = on.len();
        on.extend(needs);
        if on.len() == before {
            break;
        }
    }
    let mut config = full.clone();
    for part in without {
        config.as_object_mut().unwrap().remove(*part);
    }
    for (name, options) in config["apps"].as_object_mut().unwrap() {
        options["enabled"] = Value::Bool(on.contains(name.as_str()));
    }
    config["spegel"] = serde_json::json!({ "enabled": on.contains("spegel") });
    config
}

pub(crate) fn problems(failure: &CompileFailure) -> String {
    match failure {
        CompileFailure::Problems(problems) => {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| {
                    let place = problem.primary.as_ref();
                    let path = place.map_or("", |label| label.place.source.path.as_str());
                    format!("{}: {} ({path})", problem.code(), problem.message)
                })
                .collect();
            lines.join("\n")
        }
        CompileFailure::Read(error) => error.to_string(),
    }
}

/// Compiles a mixture and says what is wrong with it.
fn wrong(project: &Project, config: &Value) -> Option<String> {
    project.with(config, |world| {
        let apps = match pipeline::apps(world) {
            Ok(apps) => apps,
            Err(failure) => return Some(problems(&failure)),
        };
        let on = |name: &str| apps.iter().any(|(app, _)| app.name == name && app.enabled);
        let compiled = match pipeline::compile(world, &mut Zeros) {
            Ok(compiled) => compiled,
            Err(failure) => return Some(problems(&failure)),
        };
        if !compiled.warnings.is_empty() {
            return Some(problems(&CompileFailure::Problems(compiled.warnings)));
        }
        for file in compiled.tree.files() {
            for line in file.source.text.lines() {
                let Some(version) = line.trim_start().strip_prefix("apiVersion: ") else {
                    continue;
                };
                let group = version.split('/').next().unwrap_or_default();
                let owner = GROUPS.iter().find(|(known, _)| *known == group);
                if let Some((_, app)) = owner
                    && !on(app)
                {
                    return Some(format!("{} has a `{group}` and `{app}` is off", file.path));
                }
            }
        }
        None
    })
}

fn apps(project: &Project, full: &Value) -> Vec<App> {
    let apps = project.with(full, |world| {
        pipeline::apps(world).map_err(|failure| problems(&failure))
    });
    apps.unwrap().into_iter().map(|(app, _)| app).collect()
}

/// The apps that have a switch in the config.
fn switches<'a>(apps: &'a [App], full: &Value) -> Vec<&'a str> {
    let switch = |app: &&App| full["apps"].get(&app.name).is_some() || app.name == "spegel";
    let names = apps.iter().filter(switch).map(|app| app.name.as_str());
    names.collect()
}

fn judge(project: &Project, mixtures: &[(String, Value)]) {
    // As the command does: a render needs more stack than a thread has by itself.
    let pool = rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build();
    let failures: Vec<String> = pool.unwrap().install(|| {
        let judged = mixtures.par_iter().filter_map(|(what, config)| {
            wrong(project, config).map(|problem| format!("{what}:\n{problem}\n"))
        });
        judged.collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_full_example_has_every_switch_and_everything_on() {
    let full = full();
    let apps = apps(&project(), &full);
    let off: Vec<&App> = apps.iter().filter(|app| !app.enabled).collect();
    assert!(off.is_empty(), "{off:?}");
    let missing: Vec<&str> = apps
        .iter()
        .filter(|app| {
            let when = app.when.as_deref().unwrap_or_default();
            when.starts_with("apps") && full["apps"].get(&app.name).is_none()
        })
        .map(|app| app.name.as_str())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_app_compiles_alone() {
    let (project, full) = (project(), full());
    let apps = apps(&project, &full);
    let switches = switches(&apps, &full);
    let mut mixtures = vec![(
        "nothing".to_owned(),
        mixture(&full, &apps, &BTreeSet::new(), &PARTS),
    )];
    mixtures.extend(switches.iter().map(|name| {
        let config = mixture(&full, &apps, &BTreeSet::from([*name]), &[]);
        (format!("{name} alone"), config)
    }));
    judge(&project, &mixtures);
}

#[test]
fn apps_compile_in_all_mixtures() {
    let (project, full) = (project(), full());
    let apps = apps(&project, &full);
    let switches = switches(&apps, &full);
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mixtures: Vec<(String, Value)> = (0..MIXTURES)
        .map(|_| {
            // From nearly nothing to nearly all.
            let share = 1 + random.next_u32() % 19;
            let names: BTreeSet<&str> = switches
                .iter()
                .copied()
                .filter(|_| random.next_u32() % 20 < share)
                .collect();
            let bits = random.next_u32();
            let without: Vec<&str> = PARTS
                .iter()
                .enumerate()
                .filter(|(at, _)| bits >> at & 3 == 3)
                .map(|(_, part)| *part)
                .collect();
            let config = mixture(&full, &apps, &names, &without);
            (format!("{names:?} without {without:?}"), config)
        })
        .collect();
    judge(&project, &mixtures);
}
