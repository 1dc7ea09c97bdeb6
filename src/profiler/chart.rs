//! A chart as its author wrote it: values, templates and the charts inside of it.

use serde_json::{Map, Value};

use super::ProfilerError;
use super::archive;
use super::known::split;
use crate::source::{Files, MemoryFiles};
use crate::yaml;

/// A chart with its subcharts.
#[derive(Clone, Debug, Default)]
pub(super) struct LoadedChart {
    pub(super) name: String,
    pub(super) version: String,
    /// Its folder in the outermost chart: empty, or with a final slash.
    pub(super) folder: String,
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
    pub(super) chart: LoadedChart,
}

impl LoadedChart {
    /// Reads a chart, whose inner charts are unpacked.
    pub(super) fn load(files: &MemoryFiles) -> Result<Self, ProfilerError> {
        load(files, String::new(), Vec::new())
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

/// Takes the files of a chart into memory, with the archives in its `charts` folder unpacked.
pub(super) fn unpacked(files: &dyn Files) -> Result<MemoryFiles, ProfilerError> {
    let mut all = MemoryFiles::default();
    for path in files.list("")? {
        let Some(bytes) = files.read(&path)? else {
            continue;
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_chart = folder == "charts" || folder.ends_with("/charts");
        match path.strip_suffix(".tgz").filter(|_| is_chart) {
            Some(name) => {
                let inner = unpacked(&archive::unpack(&path, &bytes)?)?;
                let inner = inner.0.into_iter();
                all.0
                    .extend(inner.map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
            }
            None => {
                all.0.insert(path, bytes);
            }
        }
    }
    Ok(all)
}

fn load(
    files: &MemoryFiles,
    folder: String,
    prefix: Vec<String>,
) -> Result<LoadedChart, ProfilerError> {
    let about = yaml_file(files, &format!("{folder}Chart.yaml"))?.ok_or_else(|| {
        ProfilerError::NoChart {
            path: format!("{folder}Chart.yaml"),
        }
    })?;
    let text = |key: &str| {
        about
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let values = yaml_file(files, &format!("{folder}values.yaml"))?;
    let mut chart = LoadedChart {
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
        ..LoadedChart::default()
    };
    for (path, bytes) in &files.0 {
        if let Some(inner) = path.strip_prefix(&folder)
            && is_text(inner)
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            if inner.starts_with("templates/") {
                chart.templates.push((path.clone(), text.to_owned()));
            } else if text.contains("{{") && text.contains(".Values") {
                chart.texts.push((path.clone(), text.to_owned()));
            }
        }
    }
    chart.folder = folder;
    chart.subcharts = subcharts(&about, &chart, files)?;
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

/// Lists the charts right inside of another: name and folder.
fn inner_charts(files: &MemoryFiles, folder: &str) -> Result<Vec<(String, String)>, ProfilerError> {
    let charts = format!("{folder}charts/");
    let mut found = Vec::new();
    for path in files.0.keys() {
        let inner = path
            .strip_prefix(&charts)
            .and_then(|inner| inner.strip_suffix("/Chart.yaml"));
        let Some(inner) = inner.filter(|inner| !inner.contains('/')) else {
            continue;
        };
        let about = yaml_file(files, path)?.unwrap_or_default();
        let name = about.get("name").and_then(Value::as_str).unwrap_or(inner);
        found.push((name.to_owned(), format!("{charts}{inner}/")));
    }
    Ok(found)
}

fn subcharts(
    about: &Value,
    chart: &LoadedChart,
    files: &MemoryFiles,
) -> Result<Vec<Subchart>, ProfilerError> {
    let inner = inner_charts(files, &chart.folder)?;
    let listed = about.get("dependencies").and_then(Value::as_array);
    let mut found = Vec::new();
    let mut named = Vec::new();
    let load_inner = |folder: &str, key: &str| {
        let mut prefix = chart.prefix.clone();
        prefix.push(key.to_owned());
        load(files, folder.to_owned(), prefix)
    };
    for entry in listed.into_iter().flatten() {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        let Some((_, folder)) = inner.iter().find(|(known, _)| known == name) else {
            return Err(ProfilerError::MissingDependency {
                chart: chart.name.clone(),
                name: name.to_owned(),
            });
        };
        named.push(name.to_owned());
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
            chart: load_inner(folder, text("alias").unwrap_or(name))?,
        });
    }
    for (name, folder) in inner.iter().filter(|(name, _)| !named.contains(name)) {
        found.push(Subchart {
            conditions: Vec::new(),
            tagged: false,
            chart: load_inner(folder, name)?,
        });
    }
    Ok(found)
}

fn yaml_file(files: &MemoryFiles, path: &str) -> Result<Option<Value>, ProfilerError> {
    let Some(bytes) = files.0.get(path).cloned() else {
        return Ok(None);
    };
    let wrong = |reason: String| ProfilerError::BadFile {
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
