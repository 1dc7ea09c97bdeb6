//! `versions.yaml`: the versions of a project over those of the catalogue.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kiln::config::model::versions::VersionTable;
use kiln::config::versions;
use kiln::diagnostic::Diagnostic;
use kiln::source::MemoryFiles;
use kiln::yaml;

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
        let code = problem.code;
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
    1:1 versions-shape: there is no group `chart` of versions
      chart: **
      = did you mean `charts`?
      = the groups are `talos`, `kubernetes`, `charts`, `images`, `tools`, `actions`
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
      = the keys are `source`, `version`, `digest`, `minimum`, `verify`
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
