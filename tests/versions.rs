//! `versions.yaml`: the versions of a project over those of the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use kiln::config::cluster::versions::VersionTable;
use kiln::config::versions;
use kiln::diagnostic::Diagnostic;
use kiln::source::MemoryFiles;
use kiln::yaml;
use regex::Regex;

use crate::diff::project::{commit, git};
use crate::support::Sandbox;

const CATALOGUE: &str = "\
talos:
  version: v1.13.7
  minimum: v1.13.0
charts:
  cert-manager:
    source: oci://quay.io/jetstack/charts/cert-manager
    version: v1.19.2
    digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
    verify: {issuer: ^https://example.com$, subject: ^me$}
images:
  echo:
    source: ghcr.io/mendhak/http-https-echo
    version: \"40\"
";

fn load(own: &str) -> Result<VersionTable, Vec<Diagnostic>> {
    let catalogue = yaml::load(CATALOGUE).unwrap().remove(0).root;
    let text = own.as_bytes().to_vec();
    let files = MemoryFiles(BTreeMap::from([(versions::FILE.to_owned(), text)]));
    versions::load(&files, Some(&catalogue)).map(|warned| warned.value)
}

/// Writes each problem with its place, what is shown of its line, and its hints.
fn told(own: &str) -> String {
    let mut told = String::new();
    for problem in load(own).unwrap_err() {
        let place = &problem.primary.as_ref().unwrap().place;
        let source = &place.source;
        let (line, column) = source.line_column(place.span.start);
        let span = source.line_span(line);
        let shown = &source.visible().unwrap()[span.start..span.end];
        let code = problem.code();
        writeln!(
            told,
            "{line}:{column} {code}: {}\n  {}",
            problem.message,
            shown.trim()
        )
        .unwrap();
        for hint in &problem.hints {
            writeln!(told, "  = {hint}").unwrap();
        }
    }
    told
}

#[test]
fn the_version_of_a_project_counts_without_the_digest_of_another_one() {
    let table = load("charts:\n  cert-manager:\n    version: v1.20.0\n").unwrap();
    let chart = &table.variable()["charts"]["cert-manager"];
    assert_eq!(chart["version"], "v1.20.0");
    assert_eq!(chart["tag"], "v1.20.0");
    assert_eq!(chart["digest"], serde_json::Value::Null);
    assert_eq!(chart["minor"], 20);
    assert_eq!(
        chart["source"],
        "oci://quay.io/jetstack/charts/cert-manager"
    );
    assert_eq!(chart["verify"]["subject"], "^me$");
}

#[test]
fn another_source_comes_without_the_signer() {
    let own = "charts:\n  cert-manager:\n    source: oci://example.com/cert-manager\n";
    let variable = load(own).unwrap().variable();
    let chart = &variable["charts"]["cert-manager"];
    assert_eq!(chart["version"], "v1.19.2");
    assert_eq!(chart["verify"], serde_json::Value::Null);
    assert_eq!(chart["digest"], serde_json::Value::Null);
}

#[test]
fn an_entry_of_its_own_says_where_it_comes_from() {
    let own = "images:\n  whoami:\n    source: ghcr.io/traefik/whoami\n    version: v1.11.0\n";
    let variable = load(own).unwrap().variable();
    assert_eq!(variable["images"]["whoami"]["tag"], "v1.11.0");
    assert_eq!(variable["images"]["echo"]["tag"], "40");
}

#[test]
fn without_a_catalogue_all_entries_are_its_own() {
    let own = "charts:\n  mine:\n    version: 1.2.3\n".as_bytes().to_vec();
    let files = MemoryFiles(BTreeMap::from([(versions::FILE.to_owned(), own)]));
    let table = versions::load(&files, None).unwrap().value;
    assert_eq!(table.variable()["charts"]["mine"]["version"], "1.2.3");
}

#[test]
fn a_version_is_what_is_written_and_no_number() {
    let variable = load("images:\n  echo:\n    version: 1.10\n")
        .unwrap()
        .variable();
    assert_eq!(variable["images"]["echo"]["version"], "1.10");
}

#[test]
fn tells_what_is_no_version() {
    let own = "\
talos:
  version: '1.13' # not a release
charts:
  cert-manager:
    version: ^1.19
images:
  echo:
    version: latest
    digest: sha256:12
";
    insta::assert_snapshot!(told(own), @r"
    2:12 version-invalid: this is no version of `talos`
      version: '1.13' # *** * *******
      = write it in full, with the `v`: `v1.13.7`
    5:14 version-invalid: this is no version of `charts.cert-manager`
      version: ^1.19
      = write it in full, as the chart's registry has it: `1.20.1`; ranges are none
    8:14 version-invalid: this is no version of `images.echo`
      version: latest
      = write the tag of a release: `v1.2.3`; one that moves, such as `latest`, is none
    9:13 version-invalid: this is no digest of `images.echo`
      digest: sha256:12
      = write `sha256:` and 64 digits, or leave it out: Renovate fills it in
    ");
}

#[test]
fn tells_what_has_another_shape() {
    insta::assert_snapshot!(told("chart: {}\n"), @r"
    1:1 versions-shape: a file of versions has no key `chart`
      chart: **
      = did you mean `charts`?
      = the keys are `actions`, `charts`, `images`, `kubernetes`, `talos`, `tools`
    ");
    insta::assert_snapshot!(told("charts:\n  cert-manager: v1.2.3\n"), @r"
    2:17 versions-shape: `charts.cert-manager` holds `version` and what belongs to it
      cert-manager: ******
      = write `version: …` below it, indented
    ");
    insta::assert_snapshot!(told("talos:\n  verson: v1.13.9\n"), @r"
    2:3 versions-shape: a version has no key `verson`
      verson: *******
      = did you mean `version`?
      = the keys are `digest`, `minimum`, `source`, `verify`, `version`
    ");
    insta::assert_snapshot!(told("images:\n  echo:\n    source: docker://a:1\n    version:\n"), @r"
    3:13 versions-shape: this is no source of `images.echo`
      source: ************
      = write the image without a tag: `docker.io/cloudflare/cloudflared`
    4:12 version-invalid: this is no version of `images.echo`
      version:
      = write the tag of a release: `v1.2.3`; one that moves, such as `latest`, is none
    ");
}

#[test]
fn tells_what_nothing_has_and_what_is_too_old() {
    insta::assert_snapshot!(told("charts:\n  cert-manger:\n    version: v1.20.0\n"), @r"
    2:3 version-unknown: Kiln has no version `charts.cert-manger` that this could replace
      cert-manger:
      = did you mean `cert-manager`?
      = an entry for an app of your own needs a `source: oci://…`
    ");
    insta::assert_snapshot!(told("tools:\n  helm:\n    version: 4.0.0\n"), @r"
    2:3 version-unknown: Kiln has no version `tools.helm` that this could replace
      helm:
      = remove it; entries of your own stand in `charts` and `images`
    ");
    insta::assert_snapshot!(told("talos:\n  version: v1.12.9\n"), @r"
    2:12 version-too-old: `talos` v1.12.9 is too old for the files of this Kiln, which need v1.13.0 or newer
      version: v1.12.9
      = raise it; this Kiln has v1.13.7, which also counts where the entry is removed
    ");
}

/// The built-in file, as it is in this repository.
const BUILT_IN: &str = include_str!("../templates/versions.yaml");

fn built_in() -> VersionTable {
    let root = yaml::load(BUILT_IN).unwrap().remove(0).root;
    let loaded = versions::load(&MemoryFiles(BTreeMap::new()), Some(&root));
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems:#?}"));
    loaded.value
}

/// Lists the templates with their texts.
fn templates() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("versions.yaml") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                found.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// Finds versions of charts, images, Talos and Kubernetes that are spelt out.
struct Literals {
    release: Regex,
    key: Regex,
}

impl Literals {
    fn new() -> Self {
        Self {
            // Three numbers and not the four of an address.
            release: Regex::new(r"(?:^|[^.\d/])v?\d+\.\d+\.\d+(?:$|[^.\d])").unwrap(),
            // A number where a version belongs.
            key: Regex::new(
                r#"^\s*-?\s*(?:tag|version|image|talosVersion|kubernetesVersion):\s*["']?[^\s#"']*\d"#,
            )
            .unwrap(),
        }
    }

    fn find<'l>(&self, line: &'l str) -> Option<&'l str> {
        let found = self.release.find(line).or_else(|| self.key.find(line));
        found.map(|found| found.as_str())
    }
}

#[test]
fn no_template_spells_out_a_version() {
    let literals = Literals::new();
    for (line, is_version) in [
        ("    tag: v1.19.2", true),
        ("              tag: \"40\"", true),
        (
            "        image: docker.io/velero/velero-plugin-for-aws:v1.14.0",
            true,
        ),
        ("talosVersion: v1.13", true),
        ("helm = \"4.2.4\"", true),
        ("        uses: actions/checkout@3d3c42e5 # v7.0.1", true),
        ("    tag: #{ chart.version }#", false),
        ("apiVersion: v1", false),
        ("  - 192.168.1.0/24", false),
        ("  required_version = \">= 1.10\"", false),
    ] {
        assert_eq!(literals.find(line).is_some(), is_version, "{line}");
    }
    let mut found = Vec::new();
    for (path, text) in templates() {
        // What an operator starts by default follows from its version: `tests/asks.rs` holds the one against the other.
        let mut parts = text.split("[[operator_pods]]");
        let judged = parts.next().filter(|_| path.ends_with("app.toml"));
        for (number, line) in judged.unwrap_or(&text).lines().enumerate() {
            if let Some(version) = literals.find(line) {
                found.push(format!("{path}:{}: {version}", number + 1));
            }
        }
    }
    assert_eq!(found, [""; 0], "write them into templates/versions.yaml");
}

#[test]
fn every_built_in_version_is_read_and_says_where_it_comes_from() {
    let all = templates();
    let mut wrong = Vec::new();
    for (key, entry) in built_in().entries {
        let route = key.route();
        let group = key.group.key();
        let names = [
            format!("versions.{group}[\"{}\"]", key.name),
            format!("versions.{group}.{}.", key.name),
            format!("versions.{group}.version"),
        ];
        let reads = |text: &str| names.iter().any(|name| text.contains(name));
        if !all.iter().any(|(_, text)| reads(text)) {
            wrong.push(format!("{route}: no template reads it"));
        }
        let Some(source) = &entry.source else {
            continue;
        };
        let from = match source.strip_prefix("oci://") {
            Some(artifact) if artifact.ends_with(&format!("/{}", key.name)) => {
                format!("datasource=docker depName={artifact}")
            }
            Some(artifact) => format!("its name, which is not that of {artifact}"),
            None if group == "charts" => {
                format!("datasource=helm depName={} registryUrl={source}", key.name)
            }
            None => format!("datasource=docker depName={source}"),
        };
        let block = format!("source: {source}\n    # renovate: {from}\n    version: ");
        if !BUILT_IN.contains(&block) {
            wrong.push(format!("{route}: not below {from}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// One thing that Renovate finds.
#[derive(Debug)]
struct Dependency {
    manager: usize,
    name: String,
    version: String,
    /// The bytes of all that it replaces.
    span: Range<usize>,
    indentation: String,
}

/// Renovate's own reading of a rendered config, as far as it concerns custom managers and what is ignored.
struct Renovate {
    managers: Vec<serde_json::Value>,
    ignored: GlobSet,
}

impl Renovate {
    fn of(config: &str) -> Self {
        // JSON5 without its comments is YAML.
        let lines = config
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let text = lines.collect::<Vec<_>>().join("\n");
        let config = yaml::load(&text).unwrap().remove(0).root.to_kubernetes();
        let mut ignored = GlobSetBuilder::new();
        for path in config["ignorePaths"].as_array().unwrap() {
            // One name of several, as bash and Renovate write it.
            let glob = path
                .as_str()
                .unwrap()
                .replace("@(", "{")
                .replace(')', "}")
                .replace('|', ",");
            let glob = GlobBuilder::new(&glob).literal_separator(true).build();
            ignored.add(glob.unwrap());
        }
        Self {
            managers: config["customManagers"].as_array().unwrap().clone(),
            ignored: ignored.build().unwrap(),
        }
    }

    fn looks_into(&self, manager: usize, path: &str) -> bool {
        let patterns = self.managers[manager]["managerFilePatterns"]
            .as_array()
            .unwrap();
        !self.ignored.is_match(path)
            && patterns.iter().any(|pattern| {
                let pattern = pattern.as_str().unwrap().trim_matches('/');
                Regex::new(pattern).unwrap().is_match(path)
            })
    }

    /// Lists what it finds in a file; backtracking is not asked for, so that Rust's expressions find the same.
    fn dependencies(&self, path: &str, text: &str) -> Vec<Dependency> {
        let mut found = Vec::new();
        for (manager, settings) in self.managers.iter().enumerate() {
            if !self.looks_into(manager, path) {
                continue;
            }
            for expression in settings["matchStrings"].as_array().unwrap() {
                let expression = Regex::new(expression.as_str().unwrap()).unwrap();
                for captures in expression.captures_iter(text) {
                    let group = |name| captures.name(name).map(|it| it.as_str().to_owned());
                    found.push(Dependency {
                        manager,
                        name: group("depName").unwrap(),
                        version: group("currentValue").unwrap(),
                        span: captures.get(0).unwrap().range(),
                        indentation: group("indentation").unwrap_or_default(),
                    });
                }
            }
        }
        found
    }

    /// Replaces one, as Renovate does it: by the template of the manager, or else in what was found.
    fn bump(&self, text: &str, one: &Dependency, to: &str, digest: Option<&str>) -> String {
        let old = &text[one.span.clone()];
        let new = match self.managers[one.manager]["autoReplaceStringTemplate"].as_str() {
            Some(template) => {
                let (whole, part) = template.split_once("{{#if newDigest}}").unwrap();
                let (part, rest) = part.split_once("{{/if}}").unwrap();
                let filled = match digest {
                    Some(digest) => {
                        format!("{whole}{part}{rest}").replace("{{{newDigest}}}", digest)
                    }
                    None => format!("{whole}{rest}"),
                };
                filled
                    .replace("{{{depName}}}", &one.name)
                    .replace("{{{indentation}}}", &one.indentation)
                    .replace("{{{newValue}}}", to)
            }
            None => old.replace(&one.version, to),
        };
        [&text[..one.span.start], &new, &text[one.span.end..]].concat()
    }
}

/// A project as `kiln init` makes it, rendered and committed.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    sandbox.kiln(&["render"]).success();
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox, "first");
    sandbox
}

fn renovate(sandbox: &Sandbox) -> Renovate {
    Renovate::of(&sandbox.read(".renovaterc.json5"))
}

#[test]
fn a_bump_as_renovate_makes_it_goes_through_diff_render_and_check() {
    let sandbox = project();
    let renovate = renovate(&sandbox);
    let text = sandbox.read(versions::FILE);
    let found = renovate.dependencies(versions::FILE, &text);
    let chart = "quay.io/jetstack/charts/cert-manager";
    let one = found.iter().find(|one| one.name == chart).unwrap();
    assert_eq!(one.version, built_in_version("charts", "cert-manager"));
    let digest = format!("sha256:{}", "ab".repeat(32));
    let bumped = renovate.bump(&text, one, "v1.99.1", Some(&digest));
    let helm = renovate.dependencies(versions::FILE, &bumped);
    let helm = helm.iter().find(|one| one.name == "helm/helm").unwrap();
    let bumped = renovate.bump(&bumped, helm, "4.99.0", None);
    sandbox.write(versions::FILE, &bumped);

    let diff = sandbox.kiln(&["diff"]);
    assert_eq!(diff.code, Some(1), "{diff}");
    for told in ["cert-manager", "v1.99.1", "versions.charts.cert-manager"] {
        assert!(diff.stdout.contains(told), "{told}\n{diff}");
    }
    let check = sandbox.kiln(&["render", "--check"]);
    assert_eq!(check.code, Some(1), "{check}");
    sandbox.kiln(&["render"]).success();
    sandbox.kiln(&["render", "--check"]).success();
    let path = "kubernetes/apps/cert-manager/cert-manager/app/ocirepository.yaml";
    let rendered = sandbox.read(path);
    let pinned = format!("  ref:\n    tag: v1.99.1\n    digest: {digest}\n");
    assert!(rendered.contains(&pinned), "{rendered}");
    assert!(
        sandbox
            .read(".mise/config.toml")
            .contains("helm = \"4.99.0\"")
    );
    // The next bump takes version and digest along.
    let found = renovate.dependencies(versions::FILE, &bumped);
    let one = found.iter().find(|one| one.name == chart).unwrap();
    let again = renovate.bump(&bumped, one, "v1.99.2", None);
    assert!(!again.contains(&digest), "{again}");

    let line = rendered
        .lines()
        .position(|line| line.contains("tag:"))
        .unwrap()
        + 1;
    let told = sandbox
        .kiln(&["explain", &format!("{path}:{line}")])
        .success();
    assert!(
        told.contains("version charts.cert-manager from versions.yaml:"),
        "{told}"
    );
    assert!(
        told.contains("included by catalogue:templates/kubernetes/"),
        "{told}"
    );
}

fn built_in_version(group: &str, name: &str) -> String {
    let entries = built_in().entries;
    let mut found = entries
        .iter()
        .filter(|(key, _)| key.group.key() == group && key.name == name);
    found.next().unwrap().1.version.clone()
}

#[test]
fn renovate_finds_each_version_once_and_nothing_that_is_rendered() {
    let sandbox = project();
    let renovate = renovate(&sandbox);
    let text = sandbox.read(versions::FILE);
    let found = renovate.dependencies(versions::FILE, &text);
    assert_eq!(found.len(), text.matches("version: ").count(), "{found:#?}");
    let starts: BTreeSet<usize> = found.iter().map(|one| one.span.start).collect();
    assert_eq!(starts.len(), found.len(), "{found:#?}");
    // So does the config of this repository with the whole file.
    let own = include_str!("../.renovaterc.json5");
    let lines = own
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let own = yaml::load(&lines.collect::<Vec<_>>().join("\n"))
        .unwrap()
        .remove(0)
        .root;
    let own = own.to_kubernetes();
    let expression = own["customManagers"][0]["matchStrings"][0]
        .as_str()
        .unwrap();
    let all = Regex::new(expression).unwrap().find_iter(BUILT_IN).count();
    assert_eq!(all, built_in().entries.len());

    let lock = sandbox.read("kiln.lock");
    let outputs = lock
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.split('"').next());
    let outputs: Vec<&str> = outputs.collect();
    assert!(outputs.len() > 100, "{lock}");
    let seen = outputs
        .iter()
        .filter(|path| !renovate.ignored.is_match(path));
    assert_eq!(seen.collect::<Vec<_>>(), [&""; 0]);
    for own in [
        "versions.yaml",
        ".github/workflows/mine.yaml",
        "kubernetes/apps/default/mine/app/deployment.yaml",
        "talos/all/90-mine.yaml",
        "templates/kubernetes/apps/default/echo/app/helmrelease.yaml.tera",
    ] {
        assert!(!renovate.ignored.is_match(own), "{own}");
    }
}

#[test]
fn outdated_lists_what_is_held_back_and_takes_it_over_in_place() {
    let sandbox = project();
    let own = "\
# Ours.
images:
  http-https-echo:
    # renovate: datasource=docker depName=ghcr.io/mendhak/http-https-echo
    version: \"39\" # since May
    digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
charts:
  spegel:
    version: 9.9.9
talos: {version: v1.13.1}
";
    sandbox.write(versions::FILE, own);
    let run = sandbox.kiln(&["apps", "outdated"]);
    let [table, names] = [&run.stdout, &run.stderr];
    let yours: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let echo = built_in_version("images", "http-https-echo");
    let talos = built_in_version("talos", "");
    assert_eq!(
        yours,
        [
            vec!["NAME", "YOURS", "BUILT", "IN"],
            vec!["talos", "v1.13.1", &talos],
            vec!["images.http-https-echo", "39", &echo],
        ],
        "{run}"
    );
    assert!(names.contains("charts.cert-manager"), "{run}");
    let json = sandbox
        .kiln(&["apps", "outdated", "--format", "json"])
        .success();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["outdated"][1]["name"], "images.http-https-echo");
    assert_eq!(json["outdated"][1]["yours"], "39");
    assert_eq!(json["outdated"][1]["builtIn"], echo.as_str());

    sandbox.kiln(&["apps", "outdated", "--write"]).success();
    let raised = sandbox.read(versions::FILE);
    let start = own
        .replace("\"39\"", &format!("\"{echo}\""))
        .replace("v1.13.1", &talos)
        .replace(
            "    digest: sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
            "",
        );
    for line in start.lines() {
        assert!(raised.contains(line), "{line}\n{raised}");
    }
    let chart = "  cert-manager:\n    # renovate: datasource=docker depName=quay.io/jetstack/charts/cert-manager\n    version: ";
    assert!(raised.contains(chart), "{raised}");
    let again = sandbox.kiln(&["apps", "outdated", "--write"]).to_string();
    insta::assert_snapshot!(again, @"
    exit code 0
    --- stderr
    nothing to do: nothing is older than what this Kiln has
    ");
    sandbox.kiln(&["render"]).success();
    let deps = renovate(&sandbox).dependencies(versions::FILE, &raised);
    assert!(
        deps.iter().any(|one| one.name == "actions/checkout"),
        "{deps:#?}"
    );
}

#[test]
fn an_app_that_is_switched_on_brings_its_versions() {
    let sandbox = project();
    assert!(!sandbox.read(versions::FILE).contains("trust-manager:"));
    sandbox.kiln(&["apps", "enable", "trust-manager"]).success();
    let text = sandbox.read(versions::FILE);
    let version = built_in_version("charts", "trust-manager");
    let entry = format!(
        "  trust-manager:\n    # renovate: datasource=docker depName=quay.io/jetstack/charts/trust-manager\n    version: {version}\n"
    );
    assert!(text.contains(&entry), "{text}");
    sandbox.kiln(&["render"]).success();
}

#[test]
fn templates_of_a_project_read_its_own_versions_and_are_told_of_typing_errors() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    let text = sandbox.read(versions::FILE);
    let own = "images:\n  whoami:\n    source: ghcr.io/traefik/whoami\n    version: v1.11.0\n";
    sandbox.write(versions::FILE, text.replace("images:\n", own));
    let template = "templates/notes.txt.tera";
    sandbox.write(
        template,
        "#{ versions.images.whoami.source }#:#{ versions.images.whoami.tag }# #{ versions.talos.minor }#\n",
    );
    sandbox.kiln(&["render"]).success();
    let talos = built_in_version("talos", "");
    let minor = talos.split('.').nth(1).unwrap();
    assert_eq!(
        sandbox.read("notes.txt"),
        format!("ghcr.io/traefik/whoami:v1.11.0 {minor}\n")
    );

    sandbox.write(template, "#{ versions.charts[\"cert-manger\"].version }#\n");
    let told = sandbox.kiln(&["render"]).to_string();
    insta::assert_snapshot!(told, @r#"
    exit code 1
    --- stderr
    error[undefined-variable]: `versions.charts` has no key `cert-manger`
     --> templates/notes.txt.tera:1:21
      |
    1 | #{ versions.charts["cert-manger"].version }#
      |                     ^^^^^^^^^^^
      |
      = help: did you mean `cert-manager`?

    1 error, nothing written
    "#);
    fs::remove_file(sandbox.path(template)).unwrap();

    sandbox.write(versions::FILE, "talos:\n  version: 1.13.7\n");
    let told = sandbox.kiln(&["render"]);
    assert_eq!(told.code, Some(1), "{told}");
    for part in [
        "version-invalid",
        "versions.yaml:2:12",
        "version: 1.13.7",
        "with the `v`",
    ] {
        assert!(told.to_string().contains(part), "{part}\n{told}");
    }
}
