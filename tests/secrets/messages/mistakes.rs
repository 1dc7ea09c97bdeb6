//! The mistakes that the diagnostics know, each made beside a secret.
#![expect(
    clippy::semicolon_if_nothing_returned,
    reason = "each mistake is one expression"
)]

use super::{CANARY, NUMBER};
use crate::secrets::project::{IDENTITY, Project};

/// A mistake: the code that it must give, and how it is made.
pub(super) type Mistake = (&'static str, fn(&mut Project));

/// The identity of somebody else.
pub(super) const STRANGER: &str =
    "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ8H00W3";

fn with(project: &mut Project, path: &str, text: &str) {
    project.put(
        path,
        &text.replace("CANARY", CANARY).replace("NUMBER", NUMBER),
    );
}

fn edit(project: &mut Project, path: &str, from: &str, to: &str) {
    let filled = |text: &str| text.replace("CANARY", CANARY).replace("NUMBER", NUMBER);
    project.edit(path, &filled(from), &filled(to));
}

fn settings(project: &mut Project, text: &str) {
    with(project, "kiln.toml", &format!("catalogue = false\n{text}"));
}

/// A template whose output is sealed, with a literal secret in every line.
fn sealed(project: &mut Project, text: &str) {
    let text = text.replace('\n', " # CANARY\n");
    with(
        project,
        "templates/x.sops.yaml.tera",
        &format!("word: CANARY {text} # CANARY\n"),
    );
}

/// Leaves a sealed file with nothing from the config in it.
fn literal_only(project: &mut Project) {
    project.files.0.remove("templates/keep.sops.yaml.tera");
    with(
        project,
        "templates/x.sops.yaml",
        "word: CANARY\npin: NUMBER\n",
    );
}

fn rules(project: &mut Project, text: &str) {
    project.files.0.remove("templates/.sops.yaml.tera");
    with(project, ".sops.yaml", text);
}

fn rule(project: &mut Project, text: &str) {
    rules(project, &format!("creation_rules:\n  - {text}\n"));
}

fn schema(project: &mut Project, property: &str) {
    let path = "schemas/apps/demo.schema.json";
    edit(project, path, "\"pin\":", &format!("{property}, \"pin\":"));
}

fn app(project: &mut Project, name: &str, text: &str) {
    let folder = format!("templates/kubernetes/apps/default/{name}");
    with(project, &format!("{folder}/app.toml"), text);
    with(project, &format!("{folder}/x.txt"), "x\n");
}

fn profile(project: &mut Project, text: &str) {
    with(project, "charts/x.yaml", text);
}

/// A sealed data file that an earlier run made.
fn data(project: &mut Project, change: impl Fn(String) -> String) {
    let mut maker = project.clone();
    maker.put(
        "templates/data.sops.yaml",
        &format!("apps:\n  demo:\n    prefixed: ghp_abcdefgh\n    extra: {CANARY}\n"),
    );
    let compiled = maker.compile().unwrap_or_else(|_| panic!("it seals"));
    let (_, file) = compiled
        .tree
        .outputs()
        .find(|(path, _)| *path == "data.sops.yaml")
        .unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    project.put("cluster.sops.yaml", &change(text));
}

pub(super) const LOAD: &[Mistake] = &[
    ("missing-config", |it| {
        settings(it, "data = [\"no.yaml\"]\n")
    }),
    ("unreadable-config", |it| {
        settings(it, "data = [\"age.key\"]\n")
    }),
    ("not-utf8", |it| {
        let bytes = [CANARY.as_bytes(), b"\xff\n"].concat();
        it.files.0.insert("cluster.yaml".to_owned(), bytes);
    }),
    ("config-syntax", |it| {
        edit(
            it,
            "cluster.yaml",
            "    pin:",
            "  } CANARY: CANARY\n    pin:",
        )
    }),
    ("config-shape", |it| {
        with(it, "nodes.yaml", "- CANARY\n- a: NUMBER\n")
    }),
    ("set-twice", |it| {
        edit(
            it,
            "nodes.yaml",
            "nodes:",
            "apps: {demo: {word: CANARY, pin: NUMBER}}\nnodes:",
        )
    }),
    ("missing-reference", |it| {
        edit(
            it,
            "cluster.yaml",
            "word: CANARY",
            "word: {fromEnv: NOT_SET}",
        )
    }),
    ("missing-reference", |it| {
        edit(
            it,
            "cluster.yaml",
            "{fromEnv: TOKEN}",
            "{fromEnv: \"CANARY\"}",
        )
    }),
    ("missing-reference", |it| {
        edit(
            it,
            "cluster.yaml",
            "{fromFile: some.txt}",
            "{fromFile: age.key, public: true}",
        )
    }),
    ("yaml-1.1-scalar", |it| {
        edit(it, "cluster.yaml", "pin: 7391846205", "pin: 7_391_846_205")
    }),
    ("kiln-toml", |it| {
        settings(it, "output = 1\n[seal]\ntoken = \"CANARY\"\n")
    }),
    ("versions-shape", |it| {
        with(it, "versions.yaml", "token: CANARY\ntalos: NUMBER\n")
    }),
    ("versions-shape", |it| {
        with(
            it,
            "versions.yaml",
            "images:\n  x:\n    token: CANARY\n    version: NUMBER!\n",
        )
    }),
    ("version-invalid", |it| {
        with(
            it,
            "versions.yaml",
            "# CANARY\ntalos:\n  version: \"1.13\" # CANARY\n",
        )
    }),
    ("version-unknown", |it| {
        with(it, "kiln.toml", "");
        with(
            it,
            "versions.yaml",
            "charts:\n  demo:\n    version: 1.0.0 # CANARY\n",
        )
    }),
    ("version-too-old", |it| {
        with(it, "kiln.toml", "");
        with(it, "versions.yaml", "talos:\n  version: v1.0.0 # CANARY\n")
    }),
];

pub(super) const VALIDATE: &[Mistake] = &[
    ("unknown-key", |it| {
        edit(it, "cluster.yaml", "    pin:", "    wrod: CANARY\n    pin:")
    }),
    ("unknown-key", |it| {
        edit(
            it,
            "cluster.yaml",
            "    pin:",
            "    wrod: {a: [CANARY], b: NUMBER}\n    pin:",
        )
    }),
    ("missing-key", |it| {
        schema(
            it,
            "\"needed\": {\"type\": \"object\", \"required\": [\"a\"], \"writeOnly\": true}",
        );
        edit(
            it,
            "cluster.yaml",
            "    pin:",
            "    needed: {b: CANARY}\n    pin:",
        );
    }),
    ("wrong-type", |it| {
        edit(it, "cluster.yaml", "list: [", "list: CANARY\n    choice: [")
    }),
    ("wrong-type", |it| {
        edit(it, "cluster.yaml", "pin: NUMBER", "pin: CANARY")
    }),
    ("wrong-type", |it| {
        edit(it, "cluster.yaml", "    pin:", "    flag: NUMBER\n    pin:")
    }),
    ("wrong-value", |it| {
        edit(
            it,
            "cluster.yaml",
            "    pin:",
            "    prefixed: CANARY\n    choice: CANARY\n    pin:",
        )
    }),
    ("used-twice", |it| {
        it.env
            .insert("ADDRESS".to_owned(), "192.168.1.21".to_owned());
        edit(
            it,
            "cluster.yaml",
            "internal: 192.168.1.20",
            "internal: {fromEnv: ADDRESS}",
        );
    }),
    ("broken-rule", |it| {
        edit(
            it,
            "schemas/apps/demo.schema.json",
            "\"properties\": {",
            "\"x-kubernetes-validations\": [{\"rule\": \"self.word == ''\", \"messageExpression\": \"self.word + string(self.pin)\"}], \"properties\": {",
        );
    }),
    ("bad-schema", |it| schema(it, "\"x-secret\": \"CANARY\"")),
    ("schema-rule", |it| {
        edit(
            it,
            "schemas/apps/demo.schema.json",
            "\"properties\": {",
            "\"x-kubernetes-validations\": [{\"rule\": \"{'a': true}[self.pin]\"}], \"properties\": {",
        );
    }),
    ("more-problems", |it| {
        let nodes = "  - {name: n, disk: [CANARY]}\n".repeat(600);
        with(it, "nodes.yaml", &format!("nodes:\n{nodes}"));
    }),
    ("endless-expression", |it| {
        let inner = (0..8).fold("self.pin == ''".to_owned(), |inner, level| {
            format!("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].exists(v{level}, {inner})")
        });
        edit(
            it,
            "schemas/apps/demo.schema.json",
            "\"properties\": {",
            &format!(
                "\"x-kubernetes-validations\": [{{\"rule\": \"{inner}\"}}], \"properties\": {{"
            ),
        );
    }),
    ("schema-default", |it| {
        schema(
            it,
            "\"other\": {\"type\": \"string\", \"x-kiln-default\": \"int(self.word) == 1 ? 'a' : 'b'\"}",
        )
    }),
];

pub(super) const RENDER: &[Mistake] = &[
    ("template-syntax", |it| sealed(it, "#{ apps.demo.word | }#")),
    ("template-syntax", |it| sealed(it, "#% if apps.demo.pin %#")),
    ("template-syntax", |it| sealed(it, "#{ \"CANARY")),
    ("template-syntax", |it| sealed(it, "#% nope \"CANARY\" %#")),
    ("undefined-variable", |it| sealed(it, "#{ nope }#")),
    ("undefined-variable", |it| {
        sealed(it, "#{ apps[\"CANARY\"].x }#")
    }),
    ("unknown-filter", |it| {
        sealed(it, "#{ apps.demo.word | nope }#")
    }),
    ("unknown-function", |it| {
        sealed(it, "#{ nope(a=\"CANARY\") }#")
    }),
    ("unknown-test", |it| {
        sealed(it, "#{ apps.demo.word is nope }#")
    }),
    ("unknown-component", |it| {
        sealed(it, "#{<nope a=\"CANARY\" />}#")
    }),
    ("wrong-argument", |it| {
        sealed(it, "#{ apps.demo.word | indent(width=\"CANARY\") }#")
    }),
    ("template-failed", |it| {
        sealed(it, "#{ apps.demo.word * \"CANARY\" }#")
    }),
    ("template-failed", |it| {
        with(it, "templates/open.txt.tera", "#{ apps.demo.word * 2 }#")
    }),
    ("endless-loop", |it| {
        sealed(
            it,
            "#% for a in range(end=90000) %##% for b in range(end=90000) %#b#% endfor %##% endfor %#",
        )
    }),
    ("endless-value", |it| {
        sealed(
            it,
            "#% set a = apps.demo.word %##% for i in range(end=40) %##% set_global a = a ~ a %##% endfor %#",
        )
    }),
    ("endless-work", |it| {
        sealed(
            it,
            "#% set a = apps.demo.word %##% for i in range(end=16) %##% set_global a = a ~ a %##% endfor %##% for i in range(end=900) %##{ a | upper | length }##% endfor %#",
        )
    }),
    ("output-too-long", |it| {
        let line = format!("{}{CANARY}", "x".repeat(1000));
        sealed(
            it,
            &format!("#% for i in range(end=9000) %#{line}#% endfor %#"),
        );
    }),
    ("include-cycle", |it| {
        with(it, "templates/_a.tera", "CANARY #% include \"_a.tera\" %#");
        sealed(it, "#% include \"_a.tera\" %#");
    }),
    ("include-depth", |it| {
        for number in 0..20 {
            with(
                it,
                &format!("templates/_{number}.tera"),
                &format!("CANARY #% include \"_{}.tera\" %#", number + 1),
            );
        }
        with(it, "templates/_20.tera", "CANARY");
        sealed(it, "#% include \"_0.tera\" %#");
    }),
    ("unknown-include", |it| sealed(it, "#% include \"nope\" %#")),
    ("missing-file", |it| {
        sealed(it, "#{ file(path=\"no.txt\") }#")
    }),
    ("missing-secret", |it| {
        sealed(it, "#{ secret(path=\"no.txt\") }#")
    }),
    ("empty-secret", |it| {
        it.put("empty.txt", "\n");
        sealed(it, "#{ secret(path=\"empty.txt\") }#");
    }),
    ("broken-key", |it| with(it, "age.key", "CANARY\n")),
    ("unreadable-file", |it| {
        sealed(it, "#{ file(path=\"age.key\") }#")
    }),
    ("output-path", |it| {
        with(it, "templates/keep.sops.yaml/x.sops.yaml.tera", "CANARY\n")
    }),
    ("output-twice", |it| {
        with(it, "templates/keep.sops.yaml", "CANARY\n")
    }),
    ("output-not-yaml", |it| sealed(it, "\nword: x")),
    ("output-not-yaml", |it| {
        with(
            it,
            "templates/x.yaml.tera",
            "#{ apps.demo.word }#: 1\n#{ apps.demo.word }#: 2\n",
        )
    }),
    ("app-manifest", |it| {
        app(it, "own", "summary = \"x\"\ntoken = \"CANARY\"\n")
    }),
    ("app-manifest", |it| {
        app(it, "own", "token = { a = \"CANARY\" b }\n")
    }),
    ("app-without-manifest", |it| {
        with(
            it,
            "templates/kubernetes/apps/default/own/x.sops.yaml",
            "a: CANARY\n",
        )
    }),
    ("app-twice", |it| {
        with(
            it,
            "templates/kubernetes/apps/other/demo/app.toml",
            "token = \"CANARY\"\nsummary = \"x\"\n",
        )
    }),
    ("app-needs", |it| {
        app(it, "own", "summary = \"x\"\nneeds = [\"nope\"]\n")
    }),
    ("app-asks", |it| {
        app(
            it,
            "own",
            "summary = \"x\"\n[bootstrap]\nsecrets = [\"app/none.sops.yaml\"]\n",
        )
    }),
    ("app-asks", |it| {
        app(it, "own", "summary = \"x\"\n[asks.nope]\nword = \"x\"\n")
    }),
    ("app-asks-contradict", |it| {
        let ask = "summary = \"x\"\n[asks.demo]\nword = { cel = 'apps.demo.word + \"x\"' }\n";
        app(it, "own", ask)
    }),
    ("app-asks-contradict", |it| {
        let machine = "[[machine]]\nsysctls = { a = { cel = 'apps.demo.word' } }\n";
        let other = "[[machine]]\nsysctls = { a = \"x\" }\n";
        app(it, "own", &format!("summary = \"x\"\n{machine}{other}"))
    }),
    ("app-asks-unmet", |it| {
        with(
            it,
            "templates/kubernetes/apps/default/namespace.yaml",
            "kind: Namespace\nmetadata:\n  name: default\n",
        );
        let labels = "labels = { a = { cel = 'apps.demo.word' } }";
        app(
            it,
            "own",
            &format!("summary = \"x\"\n[[namespace]]\n{labels}\n"),
        )
    }),
    ("endless-condition", |it| {
        let inner = (0..8).fold("apps.demo.word == \"\"".to_owned(), |inner, level| {
            format!("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].exists(v{level}, {inner})")
        });
        app(it, "own", &format!("summary = \"x\"\nwhen = '{inner}'\n"));
    }),
    ("app-condition", |it| {
        app(it, "own", "summary = \"x\"\nwhen = 'apps.demo.word'\n")
    }),
    ("app-condition", |it| {
        app(
            it,
            "own",
            "summary = \"x\"\nwhen = '{\"a\": true}[apps.demo.word]'\n",
        )
    }),
];

pub(super) const HARDEN: &[Mistake] = &[
    ("chart-profile-invalid", |it| {
        profile(
            it,
            "chart: x\ntokn: CANARY\nversions: {from: x, below: 2.0.0, also: [CANARY]}\n",
        )
    }),
    ("chart-profile-invalid", |it| {
        profile(it, "chart: {a: CANARY\n")
    }),
    ("chart-profile-invalid", |it| profile(it, "- CANARY\n")),
    ("exemption-unknown-rule", |it| {
        settings(it, "[[exempt]]\nrule = \"nope\"\nreason = \"x\"\n")
    }),
    ("exemption-unused", |it| {
        settings(
            it,
            "[[exempt]]\nrule = \"probes\"\nname = \"nope\"\nreason = \"x\"\n",
        )
    }),
    ("pod-security-no-namespace", |it| {
        settings(it, "");
        with(it, "templates/x.txt", "CANARY\n");
        edit(
            it,
            "cluster.yaml",
            "\napps:",
            "\nsecurity: {pod_security: {nope: restricted}}\napps:",
        );
    }),
    ("network-policy-no-namespace", |it| {
        settings(it, "[harden]\nnetwork-policies = [\"nope\"]\n");
    }),
    ("resources-invalid", |it| {
        settings(it, "[harden.resources]\nlimits = { memory = \"nope\" }\n")
    }),
];

/// A Flux Kustomization with a variable, and what stands in the folder that it builds.
fn applied(project: &mut Project, path: &str, text: &str) {
    with(
        project,
        "templates/flux/ks.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x, namespace: flux-system}\n\
         spec:\n  path: ./app\n  prune: true\n  sourceRef: {kind: GitRepository, name: flux-system}\n  \
         postBuild: {substitute: {A: CANARY}}\n",
    );
    with(
        project,
        "templates/app/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {word: CANARY}\n",
    );
    with(project, &format!("templates/app/{path}"), text);
}

pub(super) const CHECK: &[Mistake] = &[
    ("baseline-invalid", |it| {
        settings(it, "[check]\nbaseline = \"known.yaml\"\n");
        with(it, "known.yaml", "CANARY: [\n");
    }),
    ("not-seen", |it| {
        settings(it, "[check]\nfail-on = [\"not-seen\"]\n");
        applied(
            it,
            "kustomization.yaml",
            "namespace: x\nresources: [a.yaml, 'https://example.com/x.yaml']\n",
        );
    }),
    ("kustomization-empty", |it| {
        applied(it, "kustomization.yaml", "resources: []\n");
    }),
    ("kustomization-unknown-key", |it| {
        applied(
            it,
            "kustomization.yaml",
            "resources: [a.yaml]\nresource: [b.yaml]\n",
        );
    }),
    ("variable-undefined", |it| {
        applied(
            it,
            "b.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: y}\nstringData: {word: 'CANARY ${MISSING}'}\n",
        );
    }),
    ("variable-malformed", |it| {
        applied(
            it,
            "b.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: y}\nstringData: {word: '${A:CANARY'}\n",
        );
    }),
    ("secret-leak", |it| {
        with(it, "templates/x.txt.tera", "#{ apps.demo.word }# CANARY\n");
    }),
    ("secret-unsealed", |it| {
        with(
            it,
            "templates/x.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {word: CANARY}\n",
        );
    }),
    ("sealed-empty", |it| {
        with(
            it,
            "templates/x.sops.yaml.tera",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: x, note: CANARY}\nstringData: {word: \"\"}\n",
        );
    }),
];

pub(super) const SEAL: &[Mistake] = &[
    ("missing-identity", |it| {
        settings(it, "[seal]\nidentities = [\"no.key\"]\n");
    }),
    ("wrong-identity", |it| {
        data(it, |text| text);
        it.identities = vec![("age.key".to_owned(), kiln::secret::Secret::new(STRANGER))];
    }),
    ("bad-identity", |it| {
        let text = format!("{IDENTITY}\n{CANARY}\n");
        it.identities = vec![("age.key".to_owned(), kiln::secret::Secret::new(text))];
    }),
    ("unsupported-identity", |it| {
        let text = format!("{IDENTITY}\nAGE-PLUGIN-{}\n", CANARY.to_uppercase());
        it.identities = vec![("age.key".to_owned(), kiln::secret::Secret::new(text))];
    }),
    ("unsupported-identity", |it| {
        let text = format!("{IDENTITY}\n-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n");
        it.identities = vec![("age.key".to_owned(), kiln::secret::Secret::new(text))];
    }),
    ("not-sealed", |it| {
        with(it, "cluster.sops.yaml", "apps: {demo: {word: CANARY}}\n")
    }),
    ("malformed-sops-metadata", |it| {
        with(
            it,
            "cluster.sops.yaml",
            "word: CANARY\nsops: {age: CANARY, mac: CANARY}\n",
        )
    }),
    ("malformed-ciphertext", |it| {
        data(it, |text| {
            text.replacen("ENC[AES256_GCM,data:", "ENC[AES256_GCM,data:!CANARY", 1)
                .replace("CANARY", CANARY)
        })
    }),
    ("mac-mismatch", |it| {
        data(it, |text| {
            let kept = text.lines().filter(|line| !line.contains("extra:"));
            kept.flat_map(|line| [line, "\n"]).collect()
        });
    }),
    ("unsupported-key-type", |it| {
        data(it, |text| {
            let start = text.find("    age:").unwrap();
            let end = text.find("    lastmodified:").unwrap();
            format!(
                "{}    pgp:\n        - fp: {CANARY}\n{}",
                &text[..start],
                &text[end..]
            )
        })
    }),
    ("unsupported-secret-format", |it| {
        with(it, "templates/x.sops.ini", "word = CANARY\n")
    }),
    ("unsealable-yaml", |it| {
        with(it, "templates/x.sops.yaml", "a: &p CANARY\nb: *p\n")
    }),
    ("unsealable-json", |it| {
        rule(
            it,
            "age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
        );
        with(it, "templates/x.sops.json", "{\"a\": \"CANARY\"} x\n")
    }),
    ("no-creation-rule", |it| {
        literal_only(it);
        rules(it, "creation_rules: []\n");
    }),
    ("no-recipient", |it| rule(it, "path_regex: .*")),
    ("bad-recipient", |it| rule(it, "age: \"CANARY\"")),
    ("bad-recipient", |it| {
        rules(it, &format!("creation_rules:\n  - age: {IDENTITY}\n"))
    }),
    ("unsupported-recipient", |it| {
        rule(it, "age: ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB")
    }),
    ("unsupported-key-groups", |it| {
        rule(it, "key_groups: [{age: [a]}, {age: [\"CANARY\"]}]")
    }),
    ("unsupported-key-type", |it| {
        rule(it, "{pgp: x, tokn: CANARY}")
    }),
    ("shamir-threshold", |it| {
        let more = "    tokn: CANARY\n    shamir_threshold: 2\n    age:";
        edit(it, "templates/.sops.yaml.tera", "    age:", more);
    }),
    ("sops-rules-syntax", |it| {
        rules(it, "creation_rules: [{age: CANARY}\n")
    }),
    ("sops-rules-shape", |it| rules(it, "- CANARY\n")),
    ("sops-rules-regex", |it| {
        rule(it, "{path_regex: \"(\", tokn: CANARY}")
    }),
    ("sops-rules-selectors", |it| {
        rule(
            it,
            "{encrypted_regex: a, encrypted_suffix: b, tokn: CANARY}",
        )
    }),
    ("sops-rules-unknown-key", |it| rule(it, "{tokn: CANARY}")),
    ("unreadable-rules", |it| {
        it.files.0.remove("templates/.sops.yaml.tera");
        it.files.0.insert(
            ".sops.yaml".to_owned(),
            [CANARY.as_bytes(), b"\xff\n"].concat(),
        );
    }),
    ("sops-rules-comment-regex", |it| {
        edit(
            it,
            "templates/.sops.yaml.tera",
            "    age:",
            "    unencrypted_comment_regex: ENC\n    age:",
        );
        edit(
            it,
            "templates/keep.sops.yaml.tera",
            "pin:",
            "# CANARY\npin:",
        );
    }),
    ("sops-comment-astray", |it| {
        edit(
            it,
            "templates/.sops.yaml.tera",
            "    age:",
            "    unencrypted_comment_regex: plain\n    age:",
        );
        with(
            it,
            "templates/x.sops.yaml",
            "a:\n  b: CANARY\n # plain CANARY\n  c: CANARY\n",
        );
    }),
    ("seal-covers-nothing", |it| {
        literal_only(it);
        let rule = "    encrypted_regex: ^nope$\n    age:";
        edit(it, "templates/.sops.yaml.tera", "    age:", rule);
    }),
    ("secret-unproved", |it| {
        edit(
            it,
            "schemas/apps/demo.schema.json",
            "\"word\": {\"type\": \"string\", \"writeOnly\": true}",
            &format!(
                "\"word\": {{\"type\": \"string\", \"writeOnly\": true, \"const\": \"{CANARY}\"}}"
            ),
        );
    }),
    ("seal-leaves-plain", |it| {
        let rule = "    encrypted_regex: ^data$\n    age:";
        edit(it, "templates/.sops.yaml.tera", "    age:", rule);
        with(
            it,
            "templates/x.sops.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\ndata:\n  a: Q0FOQVJZ\nstringData:\n  word: CANARY\n",
        );
        it.files.0.remove("templates/keep.sops.yaml.tera");
    }),
    ("seal-damaged", |it| {
        data(it, |text| {
            text.replacen("data:", "data:!CANARY", 1)
                .replace("CANARY", CANARY)
        });
        let broken = it.files.0.remove("cluster.sops.yaml").unwrap();
        it.files.0.insert("keep.sops.yaml".to_owned(), broken);
    }),
];
