//! What must hold of any input: the targets of fuzzing.
//!
//! `fuzz/` runs them under libFuzzer, and the tests over mutated seeds. A target panics if something is wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use kiln::cel::{self, Meter};
use kiln::config::{self, Outside, project};
use kiln::fs::Disk;
use kiln::render::{self, Context, Layer, Layers};
use kiln::schema::{self, Schema};
use kiln::seal::{self, Keyring, Rules};
use kiln::secret::{Secret, Secrets};
use kiln::source::{MemoryFiles, Source};
use kiln::write;
use kiln::yaml::{self, Resolver};
use kube_cel::KubeCelExt as _;
use kube_cel::cel::Context as CelContext;
use kube_cel::cel::Value as CelValue;
use serde_json::{Value, json};

/// A target: what it is called, what it does with an input, and inputs to start from.
pub(crate) struct Target {
    /// Its name, that of the file in `fuzz/fuzz_targets` as well.
    pub(crate) name: &'static str,
    /// What must not panic.
    pub(crate) run: fn(&str),
    /// Sound inputs.
    pub(crate) seeds: &'static [&'static str],
}

/// All targets.
pub(crate) static TARGETS: &[Target] = &[
    Target {
        name: "yaml",
        run: yaml,
        seeds: &[
            include_str!("../../examples/homelab/cluster.yaml"),
            "a: &x {b: [1, ~, 'q'], c: |\n    text\n  }\n---\n- <<: *x\n  d: 0o17\n- ? k\n  : v\n# end\n",
            "list:\n- a\n-   b: c\n    d: \"\\u00e9\\n\"\n- !!str 1\n- >-\n  folded\n  text\n",
        ],
    },
    Target {
        name: "template",
        run: template,
        seeds: &[
            "#% for node in nodes %#\n- #{ node.name | upper | quote }#\n#% endfor %#\n",
            "#% set x = text ~ text %##{ x | replace(from=\"a\", to=text) | to_json | indent(width=2) }#",
            "#% if a and text is containing(pat=\"b\") %#y#% elif nodes[0].name == text %#z#% else %#n#% endif %#",
            "#% include \"_p.tera\" %#\n#{ [n.name for n in nodes if n.port > 1] | join(sep=\",\") }#",
            "#% component c(n: integer = 1) %##{ n }##% endcomponent c %##{<c n={2} />}#\n#% filter upper %#q#% endfilter %#",
            "#% set a %#x#% endset %##{ {\"k\": a, ...map} | to_yaml }##{ cidr_host(cidr=\"10.0.0.0/8\", host=3) }#",
        ],
    },
    Target {
        name: "config",
        run: config,
        seeds: &[
            include_str!("../../examples/homelab/cluster.yaml"),
            include_str!("../../examples/homelab/nodes.yaml"),
            "domain: {name: a.example.com}\ndns: {token: {fromEnv: X}}\napps: {echo: {enabled: true}}\n",
        ],
    },
    Target {
        name: "expression",
        run: expression,
        seeds: &[
            "self.nodes.all(a, self.nodes.exists_one(b, a.name == b.name))",
            "self.nodes.map(n, n.port + 1).filter(p, p > 2).size() < 9 && has(self.map.k)",
            "'a-b'.split('-').join('+').replace('a', self.text).matches('^[a-z+]+$')",
            "self.nodes[0].name in ['x', self.text] || quantity('1Gi').isGreaterThan(quantity('1M'))",
            "sets.contains([1, 2, 3], lists.range(2)) ? {'a': self.map}['a'].k : self.nodes.size()",
            "'%s is %d'.format([self.text, 3]) == 'x' || [3, 1].sort().distinct() == [1, 3]",
        ],
    },
    Target {
        name: "sealed",
        run: sealed,
        seeds: &[SEALED],
    },
    Target {
        name: "rules",
        run: rules,
        seeds: &[
            "creation_rules:\n  - path_regex: talos/.*\\.sops\\.yaml$\n    mac_only_encrypted: true\n    age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n  - path_regex: .*\\.sops\\.ya?ml$\n    encrypted_regex: ^(data|stringData)$\n    key_groups:\n      - age: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]\n",
        ],
    },
    Target {
        name: "lock",
        run: lock,
        seeds: &[
            "# Kiln owns these files\nversion = 1\nkiln = \"0.1.0\"\n\n[sha256]\n\"a b/q.yaml\" = \"6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b\"\n\"z\" = \"d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35\"\n",
        ],
    },
];

/// A file as SOPS seals it, for a key that nobody has.
const SEALED: &str = "data:\n    token: ENC[AES256_GCM,data:O4hJqeuU,iv:FpQ1N4bJwdvLpsdVO4Uhj4H4bNqXxtX4ZsyDM2U1LZA=,tag:LT7zrUGhyW1kO9nqR1bQhQ==,type:str]\n    #ENC[AES256_GCM,data:1y2A,iv:N4cQpWcDLRCwzIzrG4XcmNFr1PTHTtTCEsUhCe3UYxA=,tag:eV0s5p9r0YvM8cQbQz8kHQ==,type:comment]\nsops:\n    age:\n        - recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n          enc: |\n            -----BEGIN AGE ENCRYPTED FILE-----\n            YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBx\n            -----END AGE ENCRYPTED FILE-----\n    lastmodified: \"2026-03-04T05:06:07Z\"\n    mac: ENC[AES256_GCM,data:O4hJqeuU,iv:FpQ1N4bJwdvLpsdVO4Uhj4H4bNqXxtX4ZsyDM2U1LZA=,tag:LT7zrUGhyW1kO9nqR1bQhQ==,type:str]\n    encrypted_regex: ^(data|stringData)$\n    version: 3.11.0\n";

/// Finds a target.
pub(crate) fn target(name: &str) -> &'static Target {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.expect("there is a target of that name")
}

/// What is read can be written and read again as the same, and every span lies in the text.
fn yaml(text: &str) {
    let Ok(documents) = yaml::load(text) else {
        return;
    };
    for document in &documents {
        assert!(text.get(document.span.start..document.span.end).is_some());
        let mut all_inside = true;
        document
            .root
            .each_scalar(&mut |_, _| all_inside &= document.root.span.end <= text.len());
        assert!(all_inside);
        let value = document.root.to_kubernetes();
        let again = yaml::load(&yaml::emit(&value)).expect("what is emitted can be read");
        let again = again
            .first()
            .map_or(Value::Null, |it| it.root.to_value(Resolver::Core));
        assert_eq!(again, value, "emitted as something else");
    }
}

fn values() -> Value {
    json!({
        "text": "some text: with #, quotes \" and\nlines",
        "a": true,
        "map": {"k": "v"},
        "nodes": [{"name": "one", "port": 1}, {"name": "two", "port": 2}, {"name": "three", "port": 3}],
    })
}

/// A template gives the same twice, or the same problems.
fn template(text: &str) {
    let values = values();
    let files = MemoryFiles(BTreeMap::from([
        (
            "templates/out.txt.tera".to_owned(),
            text.as_bytes().to_vec(),
        ),
        (
            "templates/_p.tera".to_owned(),
            b"#{ text }# and #{ nodes | length }#\n".to_vec(),
        ),
    ]));
    let layers = Layers {
        layers: vec![Layer {
            label: "templates".to_owned(),
            files: &files,
            folder: "templates".to_owned(),
        }],
        ..Layers::default()
    };
    let library = layers.read();
    let secrets = Secrets::default();
    let once = || {
        let context = Context {
            values: &values,
            secrets: &secrets,
            others: &[],
        };
        match render::render(context, &library, &files) {
            Ok(rendered) => {
                let file = rendered.value.tree.get("out.txt");
                Ok(file.map(|file| file.source.text.to_string()))
            }
            Err(problems) => Err(problems
                .iter()
                .map(|problem| (problem.code, problem.message.clone()))
                .collect::<Vec<_>>()),
        }
    };
    assert_eq!(
        once(),
        once(),
        "a template that gives something else each time"
    );
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let base = include_str!("../../schemas/cluster.schema.json").to_owned();
    let app = include_str!("../../schemas/apps/echo.schema.json");
    let apps = vec![("echo".to_owned(), app.to_owned().into())];
    schema::compose(base, apps).expect("the schemas are sound")
});

/// A config that is accepted is accepted again as it was completed.
fn config(text: &str) {
    let files = MemoryFiles(BTreeMap::from([
        ("kiln.toml".to_owned(), Vec::new()),
        ("cluster.yaml".to_owned(), text.as_bytes().to_vec()),
    ]));
    let project = project::load(&files)
        .expect("an empty project file is one")
        .value;
    let outside = Outside {
        env: &|_| Some("from-the-environment".to_owned()),
        decrypt: &|_| Ok(None),
        make_up: false,
    };
    let Ok(merged) = config::load(&files, &project, &outside) else {
        return;
    };
    if let Ok(cluster) = schema::validate(merged.value, &SCHEMA) {
        let model = serde_json::to_value(&cluster.value.values);
        assert!(model.is_ok());
    }
}

/// An expression gives the same with and without the meter.
fn expression(text: &str) {
    let Ok(expression) = cel::expression(text) else {
        return;
    };
    let mut context = CelContext::default().with_all();
    cel::add_functions(&mut context);
    let mut context = context.new_inner_scope();
    context.add_variable_from_value("self", cel::value(&values()));
    let Ok(metered) = expression.evaluate(&context, &Meter::default()) else {
        return;
    };
    // What the meter let through is cheap.
    let plain = CelValue::resolve(&expression.tree, &context).expect("the meter adds no value");
    assert_eq!(
        cel::json(&metered),
        cel::json(&plain),
        "the meter changes a value"
    );
}

/// What looks sealed is refused or opened, and never taken for something else.
fn sealed(text: &str) {
    let identity = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQS8SCYYR";
    let (keyring, _) = Keyring::parse(&[("age.key".to_owned(), Secret::new(identity.to_owned()))]);
    let source = Source::new("x.sops.yaml", text);
    let looks_sealed = seal::is_sealed(text);
    let opened = seal::decrypt(&source, &keyring);
    assert!(
        looks_sealed || opened.is_err() || !text.contains("ENC["),
        "opened what is not sealed"
    );
    drop(seal::sealed_terms(&source));
}

/// Rules answer the same twice.
fn rules(text: &str) {
    let source = Source::new(".sops.yaml", text);
    let Ok(parsed) = Rules::parse(&source) else {
        return;
    };
    let again = Rules::parse(&source).expect("read before").value;
    for path in [
        "a.sops.yaml",
        "talos/b.sops.yml",
        "kubernetes/apps/x/secret.yaml",
        "ü",
    ] {
        assert_eq!(parsed.value.covers(path), again.covers(path));
        assert_eq!(parsed.value.terms(path).is_some(), again.covers(path));
    }
}

/// Both readers of a list, that for what Kiln wrote and that for any TOML, say the same.
fn lock(text: &str) {
    let disk = Disk::open(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the folder is there");
    let target = write::Target::new(&disk, "");
    let Ok(list) = write::list_of(&target, text.as_bytes()) else {
        return;
    };
    let commented = format!("{text}\n# a comment\n");
    let slow = write::list_of(&target, commented.as_bytes()).expect("a comment changes nothing");
    assert_eq!(list.outputs, slow.outputs);
    assert_eq!(list.kiln, slow.kiln);
}
