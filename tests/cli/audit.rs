//! `kiln audit`, and the record of hardening in `kiln render`.

use insta::assert_snapshot;

use super::small;
use crate::support::Sandbox;

const MANIFESTS: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: till
  namespace: shop
spec:
  selector:
    matchLabels: {app: till}
  template:
    metadata:
      labels: {app: till}
    spec:
      containers:
        - name: till
          image: shop.example/till:1.0.0
";

fn shop() -> Sandbox {
    let sandbox = small();
    sandbox.write(
        "templates/kubernetes/kustomization.yaml",
        "resources: [./shop.yaml]\n",
    );
    sandbox.write("templates/kubernetes/shop.yaml", MANIFESTS);
    sandbox
}

#[test]
fn prints_one_category_before_and_after_with_its_gaps() {
    assert_snapshot!(shop().kiln(&["audit", "--only", "probes"]), @r#"
    exit code 0
    --- stdout
    1 workload with 1 container, by Kubernetes v1.36

                              as rendered         after hardening    seen
    Probes                    ░░░░░░░░░░    0 %  ░░░░░░░░░░    0 %   100 %
    Total                     ░░░░░░░░░░    0 %  ░░░░░░░░░░    0 %   100 %

    2 gaps after hardening, in 2 checks

    probe-readiness: Every container that runs on has a readiness probe (1 of 1 missing)
      out/kubernetes/shop.yaml:30  Deployment/shop/till, container `till`: it has none: no endpoint of it is known

    probe-liveness: Every container that runs on has a liveness probe (1 of 1 missing)
      out/kubernetes/shop.yaml:30  Deployment/shop/till, container `till`: it has none: no endpoint of it is known
    "#);
}

#[test]
fn fails_below_the_wanted_score_only() {
    let sandbox = shop();
    assert_eq!(sandbox.kiln(&["audit", "--fail-under", "1"]).code, Some(0));
    let run = sandbox.kiln(&["audit", "--fail-under", "99"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(run.stderr, @"");
    assert_eq!(
        sandbox.kiln(&["audit", "--fail-under", "101"]).code,
        Some(2)
    );
    assert_eq!(sandbox.kiln(&["audit", "--only", "prbes"]).code, Some(2));
}

#[test]
fn a_project_with_errors_has_no_score() {
    let sandbox = shop();
    sandbox.write("templates/broken.txt.tera", "#{ nothing }#\n");
    let run = sandbox.kiln(&["audit"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stdout.is_empty(), "{run}");
}

#[test]
fn writes_nothing() {
    let sandbox = shop();
    let before = sandbox.files();
    for format in ["human", "json", "sarif", "junit", "github", "markdown"] {
        let text = sandbox.kiln(&["audit", "--format", format]).success();
        assert!(!text.is_empty());
    }
    assert_eq!(sandbox.files(), before);
}

#[test]
fn exemptions_are_listed_with_their_reasons() {
    let sandbox = shop();
    sandbox.write(
        "kiln.toml",
        "catalogue = false\noutput = \"out\"\n\
         [[exempt]]\nrule = \"replicas-min\"\nname = \"till\"\nreason = \"One till is enough\"\n\
         [[exempt]]\nrule = \"probes\"\nnamespace = \"shop\"\nreason = \"Tills are watched\"\n",
    );
    let text = sandbox.kiln(&["audit"]).success();
    insta::assert_snapshot!(text, @"");

    sandbox.write(
        "kiln.toml",
        "catalogue = false\n[[exempt]]\nrule = \"replicas-mn\"\nreason = \"x\"\n",
    );
    let run = sandbox.kiln(&["audit"]);
    insta::assert_snapshot!(run, @"");
}

#[test]
fn explains_the_codes_of_checks() {
    let sandbox = Sandbox::new();
    let text = sandbox.kiln(&["explain", "probe-readiness"]).success();
    insta::assert_snapshot!(text, @"");
    // A rule and its remedy share this name.
    let both = sandbox.kiln(&["explain", "priority-class"]).success();
    assert_eq!(both.matches("priority-class: ").count(), 2, "{both}");
    let undecidable = sandbox.kiln(&["explain", "image-cve"]).success();
    insta::assert_snapshot!(undecidable, @"");
}

#[test]
fn a_verbose_render_names_each_addition_with_its_reason() {
    let sandbox = shop();
    let run = sandbox.kiln(&["render", "-v"]);
    insta::assert_snapshot!(run, @"");
    assert!(!sandbox.kiln(&["render"]).stderr.contains("added to"));
    let json = sandbox
        .kiln(&["render", "--message-format", "json"])
        .success();
    let objects: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| {
        objects
            .iter()
            .filter(|object| object["type"] == kind)
            .count()
    };
    assert!(of("injection") >= 1 && of("gap") >= 2, "{json}");
    let summary = &objects.last().unwrap()["summary"];
    assert_eq!(summary["injections"], of("injection"));
    assert_eq!(summary["gaps"], of("gap"));
    let injection = objects
        .iter()
        .find(|object| object["type"] == "injection")
        .unwrap();
    assert!(injection["line"].as_u64().unwrap() >= 5, "{injection}");
}

const RELEASE: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: till
  namespace: shop
spec:
  url: oci://charts.example/till
  ref:
    tag: 1.2.0
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: till
  namespace: shop
spec:
  chartRef:
    kind: OCIRepository
    name: till
";

const PROFILE: &str = "\
chart: till
sources:
  - oci://charts.example/till
versions:
  from: 1.0.0
  below: 2.0.0
verified: 1.2.0
workloads:
  - kind: Deployment
    name: '{fullname}'
    selector:
      app: till
    replicas: 1
    pod:
      containers:
        - name: till
          image: charts.example/till:1.2.0
    containers:
      till:
        health:
          readinessProbe:
            probe:
              httpGet:
                path: /ready
                port: 8080
            source: the chart's readme
";

#[test]
fn a_line_of_a_post_renderer_says_which_rule_added_what_to_which_object_and_why() {
    let sandbox = small();
    sandbox.write(
        "templates/kubernetes/kustomization.yaml",
        "resources: [./till.yaml]\n",
    );
    sandbox.write("templates/kubernetes/till.yaml", RELEASE);
    sandbox.write("charts/till.yaml", PROFILE);
    sandbox.kiln(&["render"]).success();
    let text = sandbox.read("out/kubernetes/till.yaml");
    let line = text
        .lines()
        .position(|line| line.contains("path: /ready"))
        .unwrap()
        + 1;
    let target = format!("out/kubernetes/till.yaml:{line}");
    let told = sandbox.kiln(&["explain", &target]).success();
    insta::assert_snapshot!(told, @"");
}
