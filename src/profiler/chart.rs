//! A chart as its author wrote it: values, templates and the charts inside of it.

use serde_json::{Map, Value};

use super::Error;
use super::archive;
use super::known::split;
use crate::source::{Files, MemoryFiles};
use crate::yaml;

/// A chart with its subcharts.
#[derive(Clone, Debug, Default)]
pub(super) struct Chart {
    pub(super) name: String,
    pub(super) version: String,
    /// Where its values stand in those of the outermost chart.
    pub(super) prefix: Vec<String>,
    /// Whether it has named templates only.
    pub(super) library: bool,
    /// Its own `values.yaml`.
    pub(super) values: Value,
    /// Its `values.schema.json`.
    pub(super) schema: Option<Value>,
    /// The files of `templates/`, by path.
    pub(super) templates: Vec<(String, String)>,
    /// Other files with actions in them, which templates may pass to `tpl`.
    pub(super) texts: Vec<(String, String)>,
    pub(super) subcharts: Vec<Subchart>,
}

/// A chart inside of a chart.
#[derive(Clone, Debug)]
pub(super) struct Subchart {
    /// The paths of the outermost values that switch it.
    pub(super) conditions: Vec<Vec<String>>,
    /// Whether tags switch it.
    pub(super) tagged: bool,
    pub(super) chart: Chart,
}

impl Chart {
    /// Reads an unpacked chart.
    pub(super) fn load(files: &dyn Files) -> Result<Self, Error> {
        load(files, "", Vec::new())
    }

    /// Returns the chart and all charts inside of it, itself first.
    pub(super) fn all(&self) -> Vec<&Self> {
        let mut found = vec![self];
        for sub in &self.subcharts {
            found.extend(sub.chart.all());
        }
        found
    }

    /// Returns the values that hold by default, those of subcharts included.
    pub(super) fn defaults(&self) -> Value {
        let mut values = Map::new();
        for sub in &self.subcharts {
            if let Some(key) = sub.chart.prefix.last() {
                values.insert(key.clone(), sub.chart.defaults());
            }
        }
        let mut values = Value::Object(values);
        merge(&mut values, &self.values);
        values
    }
}

/// Puts values over others as Helm does: mappings merge, `null` removes.
pub(super) fn merge(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                match below.get_mut(key) {
                    _ if value.is_null() => {
                        below.shift_remove(key);
                    }
                    Some(old) => merge(old, value),
                    None => {
                        below.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (below, above) => *below = above.clone(),
    }
}

/// Returns the value at a path.
pub(super) fn at<'v>(values: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(values, |value, key| value.get(key))
}

/// Sets the value at a path, making the mappings above it.
pub(super) fn set(values: &mut Value, path: &[String], new: Value) {
    let mut place = values;
    for key in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = match place {
            Value::Object(map) => map.entry(key.clone()).or_insert(Value::Null),
            _ => return,
        };
    }
    *place = new;
}

fn load(files: &dyn Files, folder: &str, prefix: Vec<String>) -> Result<Chart, Error> {
    let about =
        yaml_file(files, &format!("{folder}Chart.yaml"))?.ok_or_else(|| Error::NoChart {
            path: format!("{folder}Chart.yaml"),
        })?;
    let text = |key: &str| {
        about
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let values = yaml_file(files, &format!("{folder}values.yaml"))?;
    let mut chart = Chart {
        name: text("name"),
        version: text("version"),
        library: text("type") == "library",
        values: values
            .filter(Value::is_object)
            .unwrap_or_else(|| Value::Object(Map::new())),
        schema: yaml_file(files, &format!("{folder}values.schema.json"))
            .ok()
            .flatten(),
        prefix,
        ..Chart::default()
    };
    for path in files.list(folder.trim_end_matches('/'))? {
        let inner = path.strip_prefix(folder).unwrap_or(&path);
        if is_text(inner)
            && let Some(bytes) = files.read(&path)?
            && let Ok(text) = String::from_utf8(bytes)
        {
            if inner.starts_with("templates/") {
                chart.templates.push((path, text));
            } else if text.contains("{{") && text.contains(".Values") {
                chart.texts.push((path, text));
            }
        }
    }
    let inner = inner_charts(files, folder)?;
    chart.subcharts = subcharts(&about, &chart, &inner)?;
    Ok(chart)
}

/// Returns whether a file below a chart may hold actions that reach its manifests.
fn is_text(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = path.split('/').next().unwrap_or_default();
    !["charts", "crds", "ci", "docs", "tests"].contains(&folder)
        && name != "NOTES.txt"
        && !name.ends_with(".md")
        && !name.ends_with(".gotmpl")
        && !(folder == name && (name.ends_with(".yaml") || name.ends_with(".schema.json")))
}

/// A chart inside of another, unpacked.
struct Inner {
    name: String,
    files: MemoryFiles,
}

fn inner_charts(files: &dyn Files, folder: &str) -> Result<Vec<Inner>, Error> {
    let mut found = Vec::new();
    let charts = format!("{folder}charts/");
    let paths = files.list(charts.trim_end_matches('/'))?;
    for path in &paths {
        let Some(inner) = path.strip_prefix(&charts) else {
            continue;
        };
        let unpacked = if inner.ends_with("/Chart.yaml") && inner.matches('/').count() == 1 {
            let below = path.trim_end_matches("Chart.yaml");
            let mut copy = MemoryFiles::default();
            for path in paths.iter().filter(|path| path.starts_with(below)) {
                let bytes = files.read(path)?.unwrap_or_default();
                copy.0.insert(path[below.len()..].to_owned(), bytes);
            }
            copy
        } else if !inner.contains('/') && inner.ends_with(".tgz") {
            archive::unpack(path, &files.read(path)?.unwrap_or_default())?
        } else {
            continue;
        };
        let about = yaml_file(&unpacked, "Chart.yaml")?.unwrap_or_default();
        let name = about.get("name").and_then(Value::as_str).unwrap_or(inner);
        found.push(Inner {
            name: name.to_owned(),
            files: unpacked,
        });
    }
    Ok(found)
}

fn subcharts(about: &Value, chart: &Chart, inner: &[Inner]) -> Result<Vec<Subchart>, Error> {
    let listed = about.get("dependencies").and_then(Value::as_array);
    let mut found = Vec::new();
    let mut named = Vec::new();
    for entry in listed.into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        let Some(inner) = inner.iter().find(|inner| inner.name == name) else {
            return Err(Error::MissingDependency {
                chart: chart.name.clone(),
                name: name.to_owned(),
            });
        };
        named.push(name.to_owned());
        let key = text("alias").unwrap_or(name);
        let conditions = text("condition").unwrap_or_default();
        let conditions = conditions
            .split(',')
            .map(str::trim)
            .filter(|path| !path.is_empty())
            .map(|path| chart.prefix.iter().cloned().chain(split(path)).collect())
            .collect();
        found.push(Subchart {
            conditions,
            tagged: entry.get("tags").is_some(),
            chart: load_inner(inner, chart, key)?,
        });
    }
    for inner in inner.iter().filter(|inner| !named.contains(&inner.name)) {
        found.push(Subchart {
            conditions: Vec::new(),
            tagged: false,
            chart: load_inner(inner, chart, &inner.name)?,
        });
    }
    Ok(found)
}

fn load_inner(inner: &Inner, outer: &Chart, key: &str) -> Result<Chart, Error> {
    let mut prefix = outer.prefix.clone();
    prefix.push(key.to_owned());
    load(&inner.files, "", prefix)
}

fn yaml_file(files: &dyn Files, path: &str) -> Result<Option<Value>, Error> {
    let Some(bytes) = files.read(path)? else {
        return Ok(None);
    };
    let wrong = |reason: String| Error::BadFile {
        path: path.to_owned(),
        reason,
    };
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    let documents =
        yaml::load(text.trim_start_matches('\u{feff}')).map_err(|error| wrong(error.message))?;
    Ok(documents
        .first()
        .map(|document| document.root.to_kubernetes()))
}
