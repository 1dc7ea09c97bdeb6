//! The functions of the cluster-template family beside the originals, which are run in Python.
//!
//! `KILN_PLUGIN_FILES` names a folder of plugin files, such as those of all commits of `onedr0p/cluster-template`; they
//! are not part of this repository. `KILN_PLUGIN_PYTHON` names a Python that has `netaddr`, `python3` if it is not set:
//!
//! ```text
//! KILN_PLUGIN_FILES=/tmp/plugins cargo test -p makejinja-plugins --test host originals -- --ignored --nocapture
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use makejinja_plugins::family::{DataDefaults, FamilyFunction, KeyFiles, defaults, folder_filter};
use makejinja_plugins::{KnownPlugin, PluginErrorKind, PluginHost, PluginValue, known_plugin};
use zeroize::Zeroizing;

use crate::project::{Project, function, int, text};

struct FolderKeyFiles<'a>(&'a Path);

impl KeyFiles for FolderKeyFiles<'_> {
    fn read_secret(&self, path: &str) -> Result<Option<Zeroizing<String>>, String> {
        match fs::read(self.0.join(path)) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
                Ok(Some(Zeroizing::new(text)))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn list_files(&self, folder: &str) -> Result<Option<Vec<String>>, String> {
        let Ok(entries) = fs::read_dir(self.0.join(folder)) else {
            return Ok(None);
        };
        let files = entries
            .map(Result::unwrap)
            .filter(|entry| entry.path().is_file());
        Ok(Some(
            files
                .map(|entry| entry.file_name().into_string().unwrap())
                .collect(),
        ))
    }
}

/// What the key files of a project hold, by the name of the case.
const KEYS: [(&str, &str, &str); 6] = [
    (
        "usual",
        "# created: 2026-01-01\n# public key: age1qqq\nAGE-SECRET-KEY-1QQQ\n",
        r#"{"AccountTag": "aüß\u0007/", "TunnelID": "1-2-3", "TunnelSecret": "c2Vj\"ret==\u007f🦀"}"#,
    ),
    (
        "post-quantum",
        "\r\n# public key: age1pq1zzz_9-x\r\nAGE-SECRET-KEY-PQ-1ZZZ\r\n\r\n",
        r#"{"AccountTag": "a", "TunnelID": 5, "TunnelSecret": "s", "More": [1, {"a": null}, 1.5, true]}"#,
    ),
    ("empty", "", ""),
    (
        "blank",
        " \u{1f}\u{a0}\n\t",
        r#"{"AccountTag": "", "TunnelID": "", "TunnelSecret": ""}"#,
    ),
    (
        "broken",
        "# public key: age1\nAGE-SECRET-KEY-",
        r#"{"TunnelID": null"#,
    ),
    (
        "other",
        "# public key: age1é界\n AGE-SECRET-KEY-é",
        r#"[{"TunnelID": "a"}]"#,
    ),
];

const KEY_FILES: [&str; 8] = [
    "age.key",
    "deploy.key",
    "github.key",
    "github-deploy.key",
    "github-push-token.txt",
    "flux-webhook-token.txt",
    "cloudflare-token.txt",
    "other.key",
];

fn python() -> Vec<String> {
    vec![env::var("KILN_PLUGIN_PYTHON").unwrap_or_else(|_| "python3".to_owned())]
}

fn write_keys(project: &Project, keys: &str, tunnel: &str) {
    for file in KEY_FILES {
        project.write(file, keys);
    }
    for file in ["cloudflare-tunnel.json", "cloudflared.json"] {
        project.write(file, tunnel);
    }
    let roots = [
        "bootstrap/templates/kubernetes/bootstrap/talos/patches",
        "templates/config/kubernetes/bootstrap/talos/patches",
        "templates/config/talos/patches",
        "template/config/talos/patches",
    ];
    for root in roots {
        for file in [
            "global/b.yaml.j2",
            "global/a.yaml.j2",
            "global/.c.yaml.j2",
            "global/d.yaml",
            "global/sub/e.yaml.j2",
        ] {
            project.write(&format!("{root}/{file}"), "");
        }
    }
}

fn network_cases() -> Vec<Vec<PluginValue>> {
    let networks = [
        "10.0.0.5/24",
        "10.0.0.0/255.255.0.0",
        "10.0.0.0/0.0.0.15",
        "10.0.0.1",
        "0.0.0.0/0",
        "10.0.0.0/31",
        "2001:db8::5/64",
        "::/0",
        "fe80::1",
        "10.0.0.0/33",
        "10.0.0.0/",
        "300.0.0.0/8",
        "10.0.0.0/8/8",
        "010.0.0.1/8",
        "home",
        "",
        "::1/129",
        "10.0.0.0/255.0.255.0",
        "10.0.0.0/0.0.0.0",
        "10.0.0.0/255.255.255.255",
        "2001:db8::1:0:0:1/127",
    ];
    let numbers = [
        0,
        1,
        2,
        15,
        16,
        255,
        256,
        -1,
        -2,
        -256,
        -300,
        4_294_967_295,
        4_294_967_296,
    ];
    let most = PluginValue::Integer(u128::MAX.to_string());
    let texts = ["1", " 1_0 ", "-1", "+2", "x", "", "1__0", "_1"].map(text);
    let mut hosts: Vec<PluginValue> = numbers.map(int).into_iter().chain(texts).collect();
    hosts.extend([most, PluginValue::Bool(true)]);
    let case = |network: &str| -> Vec<Vec<PluginValue>> {
        let hosts = hosts.iter();
        hosts
            .map(|host| vec![text(network), host.clone()])
            .collect()
    };
    networks.into_iter().flat_map(case).collect()
}

fn one_text<const N: usize>(texts: [&str; N]) -> Vec<Vec<PluginValue>> {
    texts.map(|argument| vec![text(argument)]).into()
}

/// The arguments with which a function is called.
fn cases(function: FamilyFunction) -> Vec<Vec<PluginValue>> {
    match function {
        FamilyFunction::NthHost(_) => network_cases(),
        FamilyFunction::PathStem | FamilyFunction::PathName => one_text([
            "a/b.yaml.j2",
            "b.yaml",
            ".hidden",
            ".a.b",
            "a/",
            "a/.",
            "..",
            ".",
            "",
            "/",
            "a/..",
            "a b.c",
            "ü.é",
            "a//b.c//",
            "a.",
            "..a",
            "...",
            "a/b/..c",
        ]),
        FamilyFunction::TalosPatches { .. } => one_text([
            "global",
            "global/",
            "./global",
            "controller",
            "global/sub",
            "",
            "../patches/global",
        ]),
        FamilyFunction::AgeKey { .. } => {
            let mut cases = one_text(["public", "private", "both", ""]);
            cases.push(vec![text("public"), text("other.key")]);
            cases.push(vec![text("private"), text("gone.key")]);
            cases.push(vec![]);
            cases
        }
        FamilyFunction::TunnelField { .. } => {
            one_text(["TunnelID", "TunnelSecret", "Gone", "More"])
        }
        FamilyFunction::AgePublicKey | FamilyFunction::AgePrivateKey => {
            vec![vec![], vec![text("age.key")]]
        }
        FamilyFunction::TunnelId { .. }
        | FamilyFunction::TunnelSecret { .. }
        | FamilyFunction::FileText(_) => {
            vec![vec![], vec![text("gone.key")], vec![text("a"), text("b")]]
        }
    }
}

/// The data to which defaults are added.
fn data_cases() -> Vec<PluginValue> {
    let nodes = |count| ("nodes", PluginValue::List(vec![PluginValue::Null; count]));
    let cidr = ("node_cidr", text("10.1.2.0/24"));
    let bgp = |asn| {
        [
            ("cilium_bgp_router_addr", text("a")),
            ("cilium_bgp_router_asn", text("1")),
            ("cilium_bgp_node_asn", text(asn)),
        ]
    };
    vec![
        PluginValue::map([cidr.clone(), nodes(1)]),
        PluginValue::map([
            nodes(3),
            ("spegel_enabled", PluginValue::Bool(false)),
            cidr.clone(),
        ]),
        PluginValue::map([cidr.clone(), nodes(2)].into_iter().chain(bgp("2"))),
        PluginValue::map([cidr.clone(), nodes(0)].into_iter().chain(bgp(""))),
        PluginValue::map([cidr.clone(), ("nodes", PluginValue::Null)]),
        PluginValue::map([cidr]),
        PluginValue::map([nodes(1)]),
        PluginValue::map([
            ("node_cidr", text("home")),
            nodes(1),
            ("node_default_gateway", PluginValue::Null),
        ]),
        PluginValue::map([(
            "network",
            PluginValue::map([("node_cidr", text("10.1.0.0/16"))]),
        )]),
        PluginValue::map([(
            "network",
            PluginValue::map([("node_cidr", text("x")), ("default_gateway", text("y"))]),
        )]),
        PluginValue::map([("network", PluginValue::Map(vec![]))]),
    ]
}

/// A plugin that offers the originals without running their constructor.
fn probe(known: &KnownPlugin) -> String {
    let class = known.class.as_deref().unwrap();
    format!(
        "import plugin\n\nclass Probe:\n    def __init__(self, env):\n        for name, value in vars(plugin).items():\n            \
         if callable(value):\n                env.globals[name] = value\n        env.globals['data_hook'] = data_hook\n\n\
         def data_hook(data):\n    made = plugin.{class}.__new__(plugin.{class})\n    made._data = data\n    return made.data()\n"
    )
}

fn is_same(original: &PluginValue, ours: &PluginValue) -> bool {
    match (original, ours) {
        // `netaddr` gives the network itself where there is no nth host; templates print it.
        (PluginValue::Handle(original), PluginValue::Text(ours)) => original.text == *ours,
        (PluginValue::List(original), PluginValue::List(ours)) => {
            // Not sorted in the oldest variants.
            let names = |items: &[PluginValue]| -> Vec<String> {
                items
                    .iter()
                    .filter_map(|item| item.as_text().map(str::to_owned))
                    .collect()
            };
            let (mut original, ours) = (names(original), names(ours));
            original.sort();
            original == ours
        }
        (original, ours) => original == ours,
    }
}

struct Comparison {
    cases: usize,
    variants: BTreeSet<String>,
    different: Vec<String>,
}

impl Comparison {
    fn compare(&mut self, file: &Path, source: &str, known: &KnownPlugin) {
        for (name, keys, tunnel) in KEYS {
            let mut project = Project::new(source);
            project.spec.command = python();
            project.spec.plugins = vec!["probe:Probe".to_owned()];
            project.write("probe.py", &probe(known));
            for module in ["validation", "validate", "utils", "bcrypt"] {
                project.write(
                    &format!("{module}.py"),
                    "def validate(*_):\n    pass\nhashpw = gensalt = validate\n",
                );
            }
            write_keys(&project, keys, tunnel);
            let (mut host, offered) = project.start();
            let files = FolderKeyFiles(project.path());
            for (called, ours) in known.functions.iter().chain(&known.filters) {
                let callee = function(&offered, called);
                for arguments in cases(*ours) {
                    let original = host.call(&callee, &arguments, &[]);
                    let made = ours.call(&files, &arguments, &[]);
                    self.cases += 1;
                    self.variants.insert(format!("{called}: {ours:?}"));
                    let same = match (&original, &made) {
                        (Ok(original), Ok(made)) => is_same(original, made),
                        (Err(error), Err(_)) => error.kind == PluginErrorKind::Exception,
                        _ => false,
                    };
                    if !same {
                        let arguments: Vec<Option<&str>> =
                            arguments.iter().map(PluginValue::as_text).collect();
                        let found = format!(
                            "{}: {called}{arguments:?} with {name} keys: {original:?} {made:?}",
                            file.display()
                        );
                        self.different.push(found);
                    }
                }
            }
            if !known.defaults.is_empty() && name == "usual" {
                self.compare_defaults(
                    file,
                    &known.defaults,
                    &mut host,
                    &function(&offered, "data_hook"),
                );
            }
        }
    }

    fn compare_defaults(
        &mut self,
        file: &Path,
        which: &DataDefaults,
        host: &mut PluginHost,
        hook: &makejinja_plugins::Callee,
    ) {
        self.variants.insert(format!("data: {which:?}"));
        for (number, data) in data_cases().into_iter().enumerate() {
            let original = host.call(hook, std::slice::from_ref(&data), &[]);
            let mut ours = data;
            let made = defaults(which, &mut ours);
            self.cases += 1;
            let same = match (&original, made) {
                (Ok(original), Ok(())) => *original == ours,
                (Err(_), Err(_)) => true,
                _ => false,
            };
            if !same {
                self.different.push(format!(
                    "{}: data, case {number}: {original:?}",
                    file.display()
                ));
            }
        }
    }
}

/// The data to which filters of folders are applied, with one key more in each than in the one before.
fn filter_data() -> Vec<PluginValue> {
    let enabled = |is| PluginValue::map([("enabled", is)]);
    let on = || enabled(PluginValue::Bool(true));
    let talos = [("schematicID", text("a")), ("schematics", on())];
    let distribution =
        PluginValue::map([("type", text("talos")), ("talos", PluginValue::map(talos))]);
    let github = PluginValue::map([("webhook", on())]);
    let flux = PluginValue::map([("enabled", PluginValue::Bool(true)), ("github", github)]);
    let entries = [
        ("bootstrap_distribution", text("k3s")),
        ("distribution", text("talos")),
        ("cloudflare", enabled(text("true"))),
        ("bootstrap_cloudflare", on()),
        ("template_cloudflare", enabled(PluginValue::Bool(false))),
        ("flux", flux),
        ("addon_homepage", on()),
        ("addon_volsync", PluginValue::Null),
        ("talos", PluginValue::map([("schematic_id", text(""))])),
        ("bootstrap_node_inventory", PluginValue::List(vec![])),
    ];
    let mut cases: Vec<PluginValue> = (0..=entries.len())
        .map(|count| PluginValue::map(entries.iter().take(count).cloned()))
        .collect();
    cases.push(PluginValue::map([("distribution", distribution)]));
    cases
}

#[test]
#[ignore = "needs filters of other people's, in the folder that KILN_PLUGIN_FILES names"]
fn filters_of_folders_decide_the_same() {
    let folder = PathBuf::from(env::var("KILN_PLUGIN_FILES").unwrap());
    let (mut without_python, mut for_python, mut files) = (0, 0, 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        if !source.starts_with("main = ") {
            continue;
        }
        files += 1;
        let mut project = Project::new(&source);
        project.spec.plugins = vec!["probe:Probe".to_owned()];
        project.write(
            "probe.py",
            "import plugin\n\nclass Probe:\n    def functions(self):\n        return [keeps]\n\n\
             def keeps(data):\n    return plugin.main(data) is not False\n",
        );
        let (mut host, offered) = project.start();
        let keeps = function(&offered, "keeps");
        for data in filter_data() {
            let original = host.call(&keeps, std::slice::from_ref(&data), &[]);
            match folder_filter(&source, &data) {
                Some(kept) => {
                    without_python += 1;
                    let original = original.unwrap_or_else(|error| panic!("{source}: {error}"));
                    assert_eq!(original, PluginValue::Bool(kept), "{source}");
                }
                None => for_python += 1,
            }
        }
    }
    println!("{files} filters: {without_python} answers without Python, {for_python} left to it");
    assert!(without_python > 0);
}

#[test]
#[ignore = "needs plugin files of other people's, in the folder that KILN_PLUGIN_FILES names"]
fn originals_give_the_same() {
    let folder = PathBuf::from(env::var("KILN_PLUGIN_FILES").unwrap());
    let mut comparison = Comparison {
        cases: 0,
        variants: BTreeSet::new(),
        different: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    let mut needing: BTreeMap<String, usize> = BTreeMap::new();
    let (mut without_python, mut plugins) = (0, 0);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
    {
        let source = fs::read_to_string(path).unwrap();
        if source.starts_with("main = ") {
            continue;
        }
        plugins += 1;
        let known = known_plugin(&source);
        if known.needs_python() {
            let parts: BTreeSet<String> =
                known.unknown.iter().map(|part| part.name.clone()).collect();
            for part in parts {
                *needing.entry(part).or_default() += 1;
            }
        } else {
            without_python += 1;
        }
        // Files that differ in what is not known alone need not be compared twice.
        if known.class.is_some()
            && seen.insert(format!(
                "{:?}{:?}{:?}",
                known.functions, known.filters, known.defaults
            ))
        {
            comparison.compare(path, &source, &known);
        }
    }
    println!(
        "{without_python} of {plugins} files need no Python; {} cases, {} variants",
        comparison.cases,
        comparison.variants.len()
    );
    for (part, files) in needing {
        println!("{files:4} {part}");
    }
    assert!(
        comparison.different.is_empty(),
        "{}",
        comparison.different.join("\n")
    );
    assert!(comparison.cases > 0);
}
