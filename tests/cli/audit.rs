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
    insta::assert_snapshot!(run.stderr, @"the total is 62 %, and 99 % are wanted");
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
    assert!(
        text.contains("replicas-min  Deployment/shop/till: One till is enough"),
        "{text}"
    );
    assert!(
        text.contains("container `till`: Tills are watched"),
        "{text}"
    );
    sandbox.write(
        "kiln.toml",
        "catalogue = false\n[[exempt]]\nrule = \"replicas-mn\"\nreason = \"x\"\n",
    );
    let run = sandbox.kiln(&["audit"]);
    insta::assert_snapshot!(run, @r#"
    exit code 2
    --- stderr
    error[exemption-unknown-rule]: there is no rule `replicas-mn`
     --> kiln.toml:3:1
      |
    3 | rule = "replicas-mn"
      | ^^^^
      |
      = help: did you mean `replicas-min`?

    1 error, nothing written
    "#);
}

#[test]
fn explains_the_codes_of_checks() {
    let sandbox = Sandbox::new();
    let text = sandbox.kiln(&["explain", "probe-readiness"]).success();
    insta::assert_snapshot!(text, @"
    probe-readiness: Every container that runs on has a readiness probe

    Without one, a pod gets traffic before it can answer, and a rollout goes on over pods that do not work. Jobs and
    init containers need none; a helper that a chart profile names with a reason is exempt.
    ");
    // A rule and its remedy share this name.
    let both = sandbox.kiln(&["explain", "priority-class"]).success();
    assert_eq!(both.matches("priority-class: ").count(), 2, "{both}");
    let undecidable = sandbox.kiln(&["explain", "image-cve"]).success();
    insta::assert_snapshot!(undecidable, @"
    image-cve: Images have no known vulnerabilities

    it takes the images and a database: run trivy or grype
    ");
}

#[test]
fn a_verbose_render_names_each_addition_with_its_reason() {
    let sandbox = shop();
    let run = sandbox.kiln(&["render", "-v"]);
    insta::assert_snapshot!(run.steady(), @"
    exit code 0
    --- stderr
    created out/cluster.txt
    created out/kubernetes/kustomization.yaml
    created out/kubernetes/shop.yaml
    created out/notes.txt
    added to kubernetes/shop.yaml: Namespace/shop: metadata.labels by pod-security: Deployment/shop/till is `baseline`: container `till` does not set `allowPrivilegeEscalation`
    added to kubernetes/shop.yaml: Deployment/shop/till: spec.template.spec.securityContext by security-context: none of its containers is privileged
    added to kubernetes/shop.yaml: Deployment/shop/till: spec.template.spec.automountServiceAccountToken by service-account-token: nothing in the tree grants the `default` account of `shop` anything
    missing in kubernetes/shop.yaml: Deployment/shop/till: containers[till].livenessProbe by probes: no endpoint of it is known
    missing in kubernetes/shop.yaml: Deployment/shop/till: containers[till].readinessProbe by probes: no endpoint of it is known
    missing in kubernetes/shop.yaml: Deployment/shop/till: containers[till].resources by resources: nobody knows what to set for `limits.memory`, `requests.cpu`, `requests.memory`
    missing in kubernetes/shop.yaml: Deployment/shop/till: containers[till].securityContext.allowPrivilegeEscalation by security-context: nobody knows whether its image gains privileges
    missing in kubernetes/shop.yaml: Deployment/shop/till: containers[till].securityContext.capabilities.drop by security-context: nobody knows which capabilities its image needs
    missing in kubernetes/shop.yaml: Deployment/shop/till: containers[till].securityContext.runAsNonRoot by security-context: nobody knows whether its image runs as another user than root
    rendered 4 templates: 4 created, 0 changed, 0 unchanged, 0 removed; 0 sealed (0 kept); 3 injections (6 gaps) in [N] ms
    ");
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
    insta::assert_snapshot!(told, @"
    kubernetes/till.yaml:50
                                  path: /ready
    from rule probes (kiln explain probes)
      Deployment/till of HelmRelease/shop/till: spec.postRenderers: containers[till].readinessProbe: `till` answers, by the chart's readme
    from rule security-context (kiln explain security-context)
      Deployment/till of HelmRelease/shop/till: spec.postRenderers: securityContext: none of its containers is privileged
    ");
}
