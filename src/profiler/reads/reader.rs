//! What is known while templates are walked.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::chart::LoadedChart;
use super::super::known::{LearnedValue, Use};
use super::super::rendering::KINDS;
use super::super::template::{ChartTemplate, Node};
use super::Reads;
use super::shape::{Atom, ExpressionShape};

/// Where the walk stands.
pub(super) struct ReaderScope {
    pub(super) dot: ExpressionShape,
    pub(super) variables: Vec<(String, ExpressionShape)>,
}

impl ReaderScope {
    /// Returns the innermost variable of a name.
    pub(super) fn variable(&mut self, name: &str) -> Option<&mut ExpressionShape> {
        let mut inner = self.variables.iter_mut().rev();
        inner
            .find(|(known, _)| known == name)
            .map(|(_, shape)| shape)
    }
}

/// A text that Helm renders.
pub(super) struct ChartFile {
    /// Its path; none for a text in values.
    pub(super) path: String,
    pub(super) template: ChartTemplate,
    pub(super) prints_workloads: bool,
}

/// A named template.
#[derive(Clone)]
pub(super) struct Definition {
    pub(super) body: Vec<Node>,
    pub(super) prints_workloads: bool,
}

/// A walk through all templates of a chart.
pub(super) struct ChartReader {
    pub(super) prefixes: Vec<Vec<String>>,
    pub(super) subcharts: Vec<BTreeMap<String, usize>>,
    pub(super) files: Vec<Vec<ChartFile>>,
    pub(super) defined: BTreeMap<String, Vec<Definition>>,
    /// What templates put into the root objects.
    pub(super) extras: BTreeMap<(usize, String), ExpressionShape>,
    /// The named templates that were walked for the present file, with what they were given.
    pub(super) done: BTreeMap<(String, ExpressionShape), ExpressionShape>,
    /// What the present named template prints, as far as it is a value or a literal.
    pub(super) printed: ExpressionShape,
    /// What the present file reads, and whether it prints workloads.
    pub(super) present: (LearnedValue, bool),
    pub(super) depth: usize,
    /// Whether some template cannot be read, so that named templates may be missing.
    pub(super) unread: bool,
    /// Whether what is read now goes into a hash.
    pub(super) hashing: bool,
    pub(super) reads: Reads,
}

impl ChartReader {
    pub(super) fn new(charts: &[&LoadedChart]) -> Self {
        let mut reader = Self {
            prefixes: charts.iter().map(|chart| chart.prefix.clone()).collect(),
            subcharts: Vec::new(),
            files: Vec::new(),
            defined: BTreeMap::new(),
            extras: BTreeMap::new(),
            done: BTreeMap::new(),
            printed: ExpressionShape::default(),
            present: (LearnedValue::default(), false),
            depth: 0,
            unread: false,
            hashing: false,
            reads: Reads::default(),
        };
        for chart in charts {
            let inner = chart.subcharts.iter().filter_map(|sub| {
                let key = sub.chart.prefix.last()?.clone();
                let number = reader
                    .prefixes
                    .iter()
                    .position(|prefix| *prefix == sub.chart.prefix)?;
                Some((key, number))
            });
            let inner = inner.collect();
            reader.subcharts.push(inner);
            reader.parse(chart);
        }
        reader
    }

    /// Parses the templates of a chart; of what does not parse, all mentioned values count as used.
    pub(super) fn parse(&mut self, chart: &LoadedChart) {
        let mut bodies = Vec::new();
        let mut strings = Vec::new();
        strings_with_actions(&chart.values, &mut strings);
        let files = chart.templates.iter().chain(&chart.texts);
        let files = files.map(|(path, text)| (path.as_str(), text.as_str()));
        for (path, text) in files.chain(strings.into_iter().map(|text| ("", text))) {
            let Ok(template) = ChartTemplate::parse(text) else {
                self.unread = true;
                self.mentioned(&chart.prefix, text);
                self.leave(path);
                continue;
            };
            let prints_workloads = prints_workloads(text);
            for (name, body) in &template.defined {
                let body = body.clone();
                let definition = Definition {
                    body,
                    prints_workloads,
                };
                self.defined
                    .entry(name.clone())
                    .or_default()
                    .push(definition);
            }
            let path = path.to_owned();
            bodies.push(ChartFile {
                path,
                template,
                prints_workloads,
            });
        }
        self.files.push(bodies);
    }

    pub(super) fn mentioned(&mut self, prefix: &[String], text: &str) {
        for piece in text.split(".Values.").skip(1) {
            let end = piece
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
                .unwrap_or(piece.len());
            let path = piece[..end]
                .trim_end_matches('.')
                .split('.')
                .map(str::to_owned);
            let path: Vec<String> = prefix.iter().cloned().chain(path).collect();
            self.mark(&path, Use::Whole);
        }
        self.present.1 = true;
    }

    pub(super) fn chart(&mut self, number: usize, chart: &LoadedChart) {
        if chart.library {
            return;
        }
        let root = ExpressionShape::of(Atom::Context(number));
        for file in std::mem::take(&mut self.files[number]) {
            self.done.clear();
            self.present.1 = file.prints_workloads;
            self.body(&file.template.body, &root);
            self.leave(&file.path);
            self.files[number].push(file);
        }
    }

    /// Adds what a file reads to the rest.
    pub(super) fn leave(&mut self, path: &str) {
        let (known, prints_workloads) = std::mem::take(&mut self.present);
        self.reads.known.join(&known);
        if prints_workloads {
            self.reads.shaping.join(&known);
            self.reads.printers.insert(path.to_owned());
            if known != LearnedValue::default() {
                self.reads.files.push(known);
            }
        }
    }
}

/// Gathers the strings in values that have actions which read values.
fn strings_with_actions<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) if text.contains("{{") && text.contains(".Values") => found.push(text),
        Value::Array(items) => items
            .iter()
            .for_each(|item| strings_with_actions(item, found)),
        Value::Object(map) => map
            .values()
            .for_each(|item| strings_with_actions(item, found)),
        _ => {}
    }
}

/// Returns whether a template's text has the kind of a workload or budget in it, or one that it makes
/// up.
fn prints_workloads(text: &str) -> bool {
    text.split("kind:").skip(1).any(|rest| {
        let rest = rest.trim_start_matches([' ', '"', '\'']);
        rest.starts_with("{{") || KINDS.iter().any(|kind| rest.starts_with(kind))
    })
}
