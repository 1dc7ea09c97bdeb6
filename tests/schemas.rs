//! The schemas of own apps: what their words do, at every place where an author may write them.

/// Every word behind every keyword.
mod matrix;
/// Schemas of all keywords at random, with secrets in them.
mod random;
/// What authors get wrong.
mod refused;
/// What counts as a secret, and what messages show of it.
mod secrets;

use std::fmt::Write as _;

use kiln::config::cluster::Cluster;
use kiln::config::{self, project};
use kiln::diagnostic::{Diagnostic, StageResult};
use kiln::source::{Files as _, MemoryFiles};
use kiln::validate::{self, Schema, SchemaText};
use serde_json::Value;

const HOME: &str = include_str!("../examples/homelab/cluster.yaml");
const NODES: &str = include_str!("../examples/homelab/nodes.yaml");

/// Composes the schema of an app, `duo`, into that of the core.
fn composed(app: &str) -> Result<Schema, Vec<Diagnostic>> {
    let catalogue = kiln::pipeline::catalogue();
    let path = "schemas/cluster.schema.json";
    let base = SchemaText {
        text: include_str!("../schemas/cluster.schema.json").into(),
        packed: catalogue.packed(path),
    };
    validate::compose(base, vec![("duo".to_owned(), app.to_owned().into())])
}

/// Validates a config, in a file of that name, whose only options are those of `duo`.
fn validated(schema: &Schema, file: &str, text: &str) -> StageResult<Cluster> {
    let files = [("cluster.yaml", HOME), ("nodes.yaml", NODES), (file, text)];
    let toml = format!("data = [\"cluster.yaml\", \"nodes.yaml\", \"{file}\"]");
    let files = [&files[..], &[("kiln.toml", toml.as_str())]].concat();
    let files = files
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    let files = MemoryFiles(files.collect());
    let project = project::load(&files)?.value;
    let env = |name: &str| (name == "FROM_ENV").then(|| "canary-from-env".to_owned());
    let outside = config::Outside {
        env: &env,
        decrypt: &|_| Ok(Some(String::new())),
        make_up: false,
    };
    let merged = config::load(&files, &project, &outside)?;
    validate::validate(merged.value, schema)
}

/// Validates options of `duo`, written as JSON.
fn with_options(schema: &Schema, options: &Value) -> StageResult<Cluster> {
    let text = serde_json::json!({"apps": {"duo": options}}).to_string();
    validated(schema, "more.json", &text)
}

/// Everything that a diagnostic can show, the sources that it points into included.
fn all_text(problems: &[Diagnostic]) -> String {
    let mut shown = String::new();
    for problem in problems {
        writeln!(shown, "{} {:?}", problem.message, problem.hints).unwrap();
        for label in problem.primary.iter().chain(&problem.related) {
            writeln!(shown, "{}\n{}", label.text, label.place.source.text).unwrap();
        }
    }
    shown
}

/// Returns whether one of the pointers is that of a place or of what it is in.
fn covered(cluster: &Cluster, pointer: &str) -> bool {
    let mut pointers = cluster.secret_pointers.iter();
    pointers.any(|secret| {
        let rest = pointer.strip_prefix(secret.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
