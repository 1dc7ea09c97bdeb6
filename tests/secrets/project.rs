//! A small project in memory, with secrets of every origin.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kiln::diagnostic::Diagnostic;
use kiln::pipeline::{self, CompileFailure, Compiled, KeyHandling, World};
use kiln::secret::Secret;
use kiln::source::MemoryFiles;
use rand_core::OsRng;

pub(crate) const IDENTITY: &str =
    "AGE-SECRET-KEY-1V3JKVEMGD94XKMRDDEHHQUTJWD682ANH0PUH57MU04L8LQYPS2PSGQPNYW";

/// The schema of an app whose options are secret in every way that a schema can say so.
const SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "enabled": {"type": "boolean", "default": true},
    "plain": {"type": ["string", "integer"], "default": ""},
    "word": {"type": "string", "writeOnly": true},
    "pin": {"type": "integer", "writeOnly": true},
    "prefixed": {"type": "string", "writeOnly": true, "pattern": "^ghp_[a-z]{8}$"},
    "choice": {"type": "string", "writeOnly": true, "enum": ["one", "two"]},
    "flag": {"type": "boolean", "writeOnly": true},
    "map": {"type": "object", "additionalProperties": {"type": "string", "writeOnly": true}},
    "whole": {"type": "object", "writeOnly": true},
    "list": {"type": "array", "items": {"type": "string", "writeOnly": true}},
    "referred": {"$ref": "#/$defs/secret"},
    "either": {"anyOf": [{"type": "string", "writeOnly": true}, {"type": "null"}]},
    "computed": {"type": "string", "x-kiln-default": "has(self.word) ? self.word + '!' : ''"}
  },
  "$defs": {"secret": {"type": "string", "writeOnly": true}}
}"##;

/// A project without the catalogue's templates.
#[derive(Clone)]
pub(crate) struct Project {
    pub(crate) files: MemoryFiles,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) identities: Vec<(String, Secret)>,
}

impl Project {
    /// Makes a project whose app has some options, as YAML below `demo:`, each line indented by four.
    pub(crate) fn with(options: &str) -> Self {
        let cluster = include_str!("../../examples/homelab/cluster.yaml");
        let mut project = Self {
            files: MemoryFiles::default(),
            env: BTreeMap::new(),
            identities: vec![("age.key".to_owned(), Secret::new(IDENTITY))],
        };
        project.put(
            "kiln.toml",
            "catalogue = false\n[harden]\nenabled = false\n",
        );
        project.put(
            "cluster.yaml",
            &format!("{cluster}\napps:\n  demo:\n    enabled: true\n{options}"),
        );
        project.put(
            "nodes.yaml",
            include_str!("../../examples/homelab/nodes.yaml"),
        );
        project.put("schemas/apps/demo.schema.json", SCHEMA);
        project.put(
            "templates/kubernetes/apps/default/demo/app.toml",
            "summary = \"A demo\"\n",
        );
        project.put("age.key", &format!("{IDENTITY}\n"));
        project
    }

    /// Puts a file into the project.
    pub(crate) fn put(&mut self, path: &str, text: &str) {
        self.files
            .0
            .insert(path.to_owned(), text.as_bytes().to_vec());
    }

    /// Returns the text of a file.
    pub(crate) fn text(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.files.0[path]).into_owned()
    }

    /// Replaces what stands in a file.
    #[track_caller]
    pub(crate) fn edit(&mut self, path: &str, from: &str, to: &str) {
        let text = self.text(path);
        assert!(text.contains(from), "no `{from}` in `{path}`: {text}");
        self.put(path, &text.replacen(from, to, 1));
    }

    pub(crate) fn world<R>(&self, keys: KeyHandling, ask: impl FnOnce(&World<'_>) -> R) -> R {
        let catalogue = pipeline::catalogue();
        let env = |name: &str| self.env.get(name).cloned();
        let world = World::new(
            &self.files,
            &catalogue,
            &env,
            self.identities.clone(),
            "2026-01-01T00:00:00Z".to_owned(),
        );
        ask(&world.with_keys(keys))
    }

    pub(crate) fn compile(&self) -> Result<Compiled, Vec<Diagnostic>> {
        self.compile_with(KeyHandling::Needed)
    }

    pub(crate) fn compile_with(&self, keys: KeyHandling) -> Result<Compiled, Vec<Diagnostic>> {
        let compiled = self.world(keys, |world| pipeline::compile(world, &mut OsRng));
        compiled.map_err(|failure| match failure {
            CompileFailure::Problems(problems) => problems,
            CompileFailure::Read(error) => panic!("{error}"),
        })
    }
}

/// What a problem says, with all that would be shown of it.
pub(crate) fn told(problem: &Diagnostic) -> String {
    let mut text = format!("{}: {}\n", problem.code(), problem.message);
    for label in problem.primary.iter().chain(&problem.related) {
        let source = &label.place.source;
        let (line, column) = source.line_column(label.place.span.start);
        let path = &source.path;
        writeln!(text, "  {path}:{line}:{column} {}", label.text).unwrap();
        text.push_str(source.visible().unwrap_or_default());
    }
    for hint in &problem.hints {
        writeln!(text, "  {hint}").unwrap();
    }
    text
}
