//! Templates and what they render to, one text file a case in `tests/render`.
//!
//! A case holds the config, then the files of the project, each under `--- path`, then what comes out:
//! each output under `=== path`, or `=== problems`. Names say what is expected: `err_` problems, `map_`
//! the template line before each output line.

mod explanations;
mod line_map;
mod reference;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kiln::config::cluster::versions::VersionTable;
use kiln::diagnostic::{Diagnostic, Label, Warned};
use kiln::render::{Context, FILTERS, FUNCTIONS, Layer, Layers, Rendering, render};
use kiln::secret::Secrets;
use kiln::source::MemoryFiles;
use kiln::tree::Origin;
use kiln::yaml::{self, Resolver};
use serde_json::{Value, json};

use crate::support::ExpectedFiles;

fn project(files: &[(&str, &str)]) -> MemoryFiles {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    MemoryFiles(files.collect())
}

fn rendered(
    values: &Value,
    secrets: &Secrets,
    files: &MemoryFiles,
) -> Result<Warned<Rendering>, Vec<Diagnostic>> {
    let layer = |label: &str, folder: &str| Layer {
        label: label.to_owned(),
        files,
        folder: folder.to_owned(),
    };
    let layers = Layers {
        layers: vec![
            layer("templates", "templates"),
            layer("catalogue:templates", "catalogue"),
        ],
        ..Layers::default()
    };
    let context = Context {
        values,
        versions: &VersionTable::default(),
        secrets,
        others: &|_| None,
    };
    render(context, &layers.read(), files)
}

/// Renders one template and returns its output.
fn one(text: &str, values: &Value) -> Result<String, Vec<Diagnostic>> {
    let files = project(&[("templates/out.txt.tera", text)]);
    let rendering = rendered(values, &Secrets::default(), &files)?.value;
    let file = rendering.tree.get("out.txt");
    Ok(file.map_or_else(String::new, |file| file.source.text.to_string()))
}

fn show_label(shown: &mut String, arrow: &str, label: &Label) {
    let source = &label.place.source;
    let (line, column) = source.line_column(label.place.span.start);
    let text = if source.sensitive {
        "…"
    } else {
        &source.text[label.place.span.start..label.place.span.end]
    };
    write!(
        shown,
        " {arrow} {}:{line}:{column} `{}`",
        source.path,
        text.escape_debug()
    )
    .unwrap();
    let separator = if label.text.is_empty() { "" } else { " " };
    writeln!(shown, "{separator}{}", label.text).unwrap();
}

fn show(problems: &[Diagnostic]) -> String {
    let mut shown = String::new();
    for problem in problems {
        writeln!(shown, "{}: {}", problem.code(), problem.message).unwrap();
        if let Some(label) = &problem.primary {
            show_label(&mut shown, "-->", label);
        }
        for label in &problem.related {
            show_label(&mut shown, ":::", label);
        }
        for hint in &problem.hints {
            writeln!(shown, " hint: {hint}").unwrap();
        }
    }
    shown
}

/// Splits a text at lines that start with `mark`, into what is before and the named parts.
fn parts<'t>(text: &'t str, mark: &str) -> (&'t str, Vec<(&'t str, &'t str)>) {
    let mut starts: Vec<usize> = text
        .match_indices(mark)
        .map(|(at, _)| at)
        .filter(|at| *at == 0 || text[..*at].ends_with('\n'))
        .collect();
    let head = &text[..starts.first().copied().unwrap_or(text.len())];
    starts.push(text.len());
    let parts = starts.windows(2).map(|pair| {
        text[pair[0] + mark.len()..pair[1]]
            .split_once('\n')
            .unwrap()
    });
    (head, parts.collect())
}

fn outcome(name: &str, head: &str) -> String {
    let (config, files) = parts(head, "--- ");
    let documents = yaml::load(config).unwrap();
    let values = documents
        .first()
        .map_or_else(|| json!({}), |config| config.root.to_value(Resolver::Core));
    let mut secrets = Secrets::default();
    if let Some(secret) = values.pointer("/dns/token").and_then(Value::as_str) {
        secrets.insert(secret, "dns.token");
    }
    let rendering = match rendered(&values, &secrets, &project(&files)) {
        Ok(rendering) => rendering.value,
        Err(problems) => return format!("=== problems\n{}", show(&problems)),
    };
    let mut shown = String::new();
    for file in rendering.tree.files() {
        let note = if file.source.sensitive {
            " (secret)"
        } else {
            ""
        };
        writeln!(shown, "=== {}{note}", file.path).unwrap();
        for (index, line) in file.source.text.lines().enumerate() {
            if name.starts_with("map_") {
                match file.origins.get(index) {
                    Some(Origin::Template { template, line }) => {
                        write!(
                            shown,
                            "{}:{line} | ",
                            template.path.trim_start_matches("templates/")
                        )
                        .unwrap();
                    }
                    _ => shown.push_str("? | "),
                }
            }
            writeln!(shown, "{line}").unwrap();
        }
    }
    for (_, origin) in rendering
        .secrets
        .iter()
        .filter(|(_, origin)| *origin != "dns.token")
    {
        writeln!(shown, "=== a secret from {origin}").unwrap();
    }
    shown
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render");
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_comes_out_as_written() {
    let mut expected = ExpectedFiles::new();
    for path in cases() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let end = text.find("\n=== ").map_or(text.len(), |at| at + 1);
        let head = &text[..end];
        let found = outcome(&name, head);
        let is_refused = found.starts_with("=== problems");
        assert_eq!(name.starts_with("err_"), is_refused, "{name}: {found}");
        expected.compare(&path, &format!("{head}{found}"));
    }
    expected.assert();
}

/// What Jinja2 3.1 gives for these with `trim_blocks` and `lstrip_blocks`.
///
/// One difference is wanted: Jinja2 keeps the line break behind `raw`, we take that line as any other.
#[test]
fn lone_tags_take_their_line_as_in_jinja() {
    let cases = [
        ("a\n  #% if x %#\nb\n  #% endif %#\nc\n", "a\nb\nc\n"),
        (
            "#% for i in [1, 2] %#\n- #{ i }#\n#% endfor %#\n",
            "- 1\n- 2\n",
        ),
        ("a\n  #| note |#\nb\n", "a\nb\n"),
        ("a\n  #| two\n  lines |#\nb\n", "a\nb\n"),
        (
            "a\n  #% set y = [\n    1,\n  ] %#\nb #{ y[0] }#\n",
            "a\nb 1\n",
        ),
        ("a\n  #% if x -%#\n  \n  b\n  #%- endif %#\nc\n", "a\nbc\n"),
        ("a\n  #% if x %#\nb\n  #% endif %#", "a\nb\n"),
        ("#% if x %#\n\n\nb\n\n#% endif %#\n\nc\n", "\n\nb\n\n\nc\n"),
        ("  #{ x }#\n", "  1\n"),
        ("a #% if x %#b#% endif %# c\n", "a b c\n"),
        (
            "#% if not x %#\na\n#% elif x %#\n  b\n#% else %#\nc\n#% endif %#\n",
            "  b\n",
        ),
        ("\t#% if x %#\n\tb\n\t#% endif %#\n", "\tb\n"),
        ("a\n#%- if x %#\nb\n#% endif -%#\n\n  c\n", "ab\nc\n"),
    ];
    for (template, expected) in cases {
        assert_eq!(
            one(template, &json!({"x": 1})).unwrap(),
            expected,
            "{template}"
        );
    }
}

#[test]
fn keeps_line_endings_and_the_missing_last_one() {
    let values = json!({"x": 1});
    assert_eq!(
        one("a\r\n  #% if x %#\r\nb\r\n#% endif %#\r\nc", &values).unwrap(),
        "a\r\nb\r\nc"
    );
    assert_eq!(one("#{ x }#", &values).unwrap(), "1");
    assert_eq!(
        one("x#% raw %##{ x }##% endraw %#", &values).unwrap(),
        "x#{ x }#"
    );
}

#[test]
fn escapes_nothing_and_keeps_the_order_of_keys() {
    let values = json!({"z": "<a & 'b'>", "m": {"y": 1, "x": null, "a": [true]}});
    let template = "#{ z }# #% for k, v in m %##{ k }#=#{ v }# #% endfor %#";
    assert_eq!(
        one(template, &values).unwrap(),
        "<a & 'b'> y=1 x= a=[true] "
    );
}

#[test]
fn derives_the_recipient_from_a_key_without_comment() {
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    let files = project(&[
        ("age.key", &secret),
        ("templates/out.txt.tera", "#{ age_recipient() }#"),
    ]);
    let rendering = rendered(&json!({}), &Secrets::default(), &files)
        .unwrap()
        .value;
    assert_eq!(
        rendering.tree.get("out.txt").unwrap().source.text,
        identity.to_public().to_string()
    );
    assert!(
        rendering
            .secrets
            .iter()
            .any(|(value, origin)| value.expose() == secret && origin == "age.key")
    );
}

#[test]
fn cannot_derive_the_recipient_of_a_broken_key() {
    let key = "AGE-SECRET-KEY-PQ-1NOTAKEYATALL";
    let files = project(&[
        ("age.key", key),
        ("templates/out.txt.tera", "#{ age_recipient() }#"),
    ]);
    let problems = rendered(&json!({}), &Secrets::default(), &files).unwrap_err();
    let expected = "broken-key: `age.key` names no public key that can be read\n --> templates/out.txt.tera:1:4 \
                    `age_recipient()`\n hint: add the line `# public key: age1…` that `age-keygen -y age.key` prints\n";
    assert_eq!(show(&problems), expected);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let mut files = project(&[
        ("deploy.key", "geheim-geheim"),
        ("templates/_p.tera", "p: #{ file(path='deploy.key') }#\n"),
    ]);
    for number in 0..60 {
        let text = format!(
            "n: {number}\n#% include \"_p.tera\" %#\ns: #{{ secret(path=\"deploy.key\") }}#\n"
        );
        files.0.insert(
            format!("templates/f{number}.sops.yaml.tera"),
            text.into_bytes(),
        );
    }
    let mut broken = files.clone();
    for number in 0..20 {
        let text = format!("#{{ x{number} }}# #{{ secret(path=\"deploy.key\") | int }}#");
        broken
            .0
            .insert(format!("templates/b{number}.yaml.tera"), text.into_bytes());
    }
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let tree = rendered(&json!({}), &Secrets::default(), &files)
                .unwrap()
                .value
                .tree;
            let texts: Vec<_> = tree
                .files()
                .map(|file| {
                    (
                        file.path.clone(),
                        file.source.text.to_string(),
                        file.origins.clone(),
                    )
                })
                .collect();
            (
                texts,
                show(&rendered(&json!({}), &Secrets::default(), &broken).unwrap_err()),
            )
        })
    };
    let alone = run(1);
    assert_eq!(alone.0.len(), 60);
    assert_eq!(alone, run(2));
    assert_eq!(alone, run(7));
}

#[test]
fn nests_includes_and_components_as_deep_as_allowed() {
    let mut files = project(&[
        (
            "templates/_c.tera",
            "#% component c(n) %##% include \"_j0.tera\" %##% endcomponent %#",
        ),
        (
            "templates/_j12.tera",
            "#% if n > 0 %#(#{ <c n={n - 1} /> }#)#% endif %#",
        ),
        ("templates/_i14.tera", "#{ <c n={18} /> }#"),
        ("templates/out.txt.tera", "#% include \"_i0.tera\" %#"),
    ]);
    for number in 0..14 {
        let text = format!("#% include \"_i{}.tera\" %#", number + 1);
        files
            .0
            .insert(format!("templates/_i{number}.tera"), text.into_bytes());
    }
    for number in 0..12 {
        let text = format!("#% include \"_j{}.tera\" %#", number + 1);
        files
            .0
            .insert(format!("templates/_j{number}.tera"), text.into_bytes());
    }
    let tree = rendered(&json!({}), &Secrets::default(), &files)
        .unwrap()
        .value
        .tree;
    let parentheses = format!("{}{}", "(".repeat(18), ")".repeat(18));
    assert_eq!(tree.get("out.txt").unwrap().source.text, parentheses);
}

#[test]
fn rejects_includes_and_components_that_nest_deeper() {
    let mut files = project(&[
        (
            "templates/_c.tera",
            "#% component c() %##{ <c /> }##% endcomponent %#",
        ),
        ("templates/out.txt.tera", "#{ <c /> }#"),
        ("templates/_i40.tera", ""),
    ]);
    for number in 0..40 {
        let text = format!("#% include \"_i{}.tera\" %#", number + 1);
        files
            .0
            .insert(format!("templates/_i{number}.tera"), text.into_bytes());
    }
    let problems = rendered(&json!({}), &Secrets::default(), &files).unwrap_err();
    let shown: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (problem.code(), problem.message.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("include-depth", "includes nest deeper than 16 levels"),
            (
                "template-failed",
                "maximum render recursion depth for components exceeded"
            ),
        ]
    );
}

#[test]
fn every_function_and_filter_is_in_a_case() {
    let cases: String = cases()
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for name in FUNCTIONS.iter().map(|function| function.name) {
        assert!(cases.contains(&format!("{name}(")), "{name}");
    }
    for name in FILTERS.iter().map(|filter| filter.name) {
        assert!(cases.contains(&format!("| {name}")), "{name}");
    }
}

#[test]
fn an_unreadable_file_is_reported_where_it_is_read() {
    struct Locked(MemoryFiles);
    impl kiln::source::Files for Locked {
        fn read(&self, path: &str) -> Result<Option<Vec<u8>>, kiln::source::ReadError> {
            if path == "locked" {
                let reason = "permission denied".to_owned();
                return Err(kiln::source::ReadError {
                    path: path.to_owned(),
                    reason,
                });
            }
            self.0.read(path)
        }
        fn list(&self, folder: &str) -> Result<Vec<String>, kiln::source::ReadError> {
            self.0.list(folder)
        }
    }
    let files = Locked(project(&[(
        "out.txt.tera",
        "a\n#{ file(path=\"locked\") }#",
    )]));
    let layer = Layer {
        label: "templates".to_owned(),
        files: &files,
        folder: ".".to_owned(),
    };
    let (values, secrets) = (json!({}), Secrets::default());
    let context = Context {
        values: &values,
        versions: &VersionTable::default(),
        secrets: &secrets,
        others: &|_| None,
    };
    let problems = render(
        context,
        &Layers {
            layers: vec![layer],
            ..Layers::default()
        }
        .read(),
        &files,
    )
    .unwrap_err();
    let expected = "unreadable-file: cannot read `locked`: permission denied\n \
                    --> templates/out.txt.tera:2:4 `file(path=\\\"locked\\\")`\n";
    assert_eq!(show(&problems), expected);
}
