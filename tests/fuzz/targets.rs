//! What must hold of any input: the targets of fuzzing.
//!
//! `fuzz/` runs them under libFuzzer, and the tests over mutated seeds. A target panics if something is wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use kiln::cel::{self, Meter};
use kiln::config::cluster::versions::VersionTable;
use kiln::config::{self, Outside, project};
use kiln::fs::Disk;
use kiln::render::{self, Context, Layer, Layers};
use kiln::seal::{self, Keyring, Rules};
use kiln::secret::{Secret, Secrets};
use kiln::source::{MemoryFiles, Source};
use kiln::validate::{self, Schema};
use kiln::write;
use kiln::yaml::{self, Resolver};
use kube_cel::KubeCelExt as _;
use kube_cel::cel::Context as CelContext;
use kube_cel::cel::Value as CelValue;
use rand_core::{CryptoRng, RngCore};
use serde_json::{Value, json};
use sops_age::{DataKey, Draw, PlainFile, SealError, SealedFile, Store};

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
        name: "renewal",
        run: renewal,
        seeds: &[
            "a: &x {b: [1, ~, 'q'], c: |\n    text\n  }\nd_unencrypted: 1.0 # c\n---\ne: 2\n# end\n%%\na: {b: [1, 'q']}\nd_unencrypted: 2 # c\n---\ne: 2\n",
            "data:\n  # c\n  k: one\n  l:\n  - x # tail\n  - {}\nlast: \"a\\/b\u{2028}\"\n%%\ndata:\n  # d\n  k: two\n  l:\n  - x # tail\n  - []\nlast: b\n",
            "{\"data\": [1, \"a\\/b\", {\"c\": null}], \"e\": 1.50}\n%%\n{\"data\": [1, \"b\"]}\n",
        ],
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
            versions: &VersionTable::default(),
            secrets: &secrets,
            others: &|_| None,
        };
        match render::render(context, &library, &files) {
            Ok(rendered) => {
                let file = rendered.value.tree.get("out.txt");
                Ok(file.map(|file| file.source.text.to_string()))
            }
            Err(problems) => Err(problems
                .iter()
                .map(|problem| (problem.code(), problem.message.clone()))
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
    validate::compose(base, apps).expect("the schemas are sound")
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
    if let Ok(cluster) = validate::validate(merged.value, &SCHEMA) {
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

/// Fixed bytes in the place of randomness.
struct Fixed(u64);

impl RngCore for Fixed {
    fn next_u32(&mut self) -> u32 {
        u32::try_from(self.next_u64() >> 32).expect("half of it")
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        self.0
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.next_u32().to_le_bytes()[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Fixed {}

/// What stands between two plain texts.
const THEN: &str = "\n%%\n";

/// The ways to choose what is encrypted.
static SEAL_RULES: LazyLock<sops_age::RuleFile> = LazyLock::new(|| {
    let rules = "creation_rules:\n- {}\n- {mac_only_encrypted: true, encrypted_regex: 'a|data'}\n- {unencrypted_comment_regex: ' c'}\n";
    sops_age::RuleFile::read(rules).expect("the rules are sound")
});

/// A file that is sealed, and sealed again when it changed, opens to what it was each time.
fn renewal(text: &str) {
    let (before, after) = text.split_once(THEN).unwrap_or((text, text));
    for store in [Store::Yaml, Store::Json, Store::Binary] {
        let read = |text: &str| PlainFile::read(text.as_bytes(), store);
        let (Ok(before), Ok(after)) = (read(before), read(after)) else {
            continue;
        };
        for rule in &SEAL_RULES.rules {
            let target = rule.target();
            let fits = |plain: &PlainFile| plain.unsealable(target.scope).is_empty();
            if !fits(&before) || !fits(&after) {
                continue;
            }
            // The same numbers make the data key that opens the file.
            let mut key = [0; 32];
            Fixed(1).fill_bytes(&mut key);
            let open = |sealed: &str| {
                let sealed = SealedFile::read(sealed, store).expect("it was just sealed");
                sealed.open(DataKey::new(key)).expect("it was just sealed")
            };
            let draw = Draw::new(&before, target.scope, &mut Fixed(1));
            let sealed = match before.seal(&target, &draw, "2026-01-01T00:00:00Z") {
                Ok(sealed) => sealed,
                Err(problem) => {
                    assert!(matches!(problem, SealError::MisreadComment(_)), "{problem}");
                    continue;
                }
            };
            let opened = open(&sealed);
            assert!(opened.holds(&before), "{sealed}");
            let draw = Draw::new(&after, target.scope, &mut Fixed(2));
            match opened.renew(&after, &target, &draw, "2026-01-02T00:00:00Z") {
                Ok(renewed) => assert!(open(&renewed).holds(&after), "{renewed}"),
                Err(problem) => {
                    assert!(matches!(problem, SealError::MisreadComment(_)), "{problem}");
                }
            }
        }
    }
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
