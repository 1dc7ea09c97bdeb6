//! Holds what the crate makes of a project against what makejinja did.

use std::fs;
use std::path::Path;

use makejinja::{
    Loaded, Problem, Selection, Settings, SettingsSource, load_data, select, settings_files,
};
use serde_json::Value;
use zeroize::Zeroizing;

use super::disk_files::DiskFiles;
use super::shown::{shown_data, shown_outputs, shown_settings};

/// What the environment and the command line give.
pub(crate) struct Run {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) arguments: Vec<String>,
}

pub(crate) fn read_settings(folder: &Path, run: &Run) -> Result<Loaded<Settings>, Vec<Problem>> {
    let mut sources = Vec::new();
    for file in settings_files(&run.environment) {
        if let Ok(text) = fs::read_to_string(folder.join(&file.path)) {
            let path = file.path;
            sources.push(SettingsSource { path, text });
        }
    }
    let mut settings = Settings::read(&sources, &run.environment, &run.arguments)?;
    settings
        .value
        .set_project_folder("/anywhere/makejinja-project");
    Ok(settings)
}

pub(crate) fn select_all(
    settings: &Settings,
    files: &DiskFiles,
) -> Result<Loaded<Selection>, Vec<Problem>> {
    select(settings, files, &mut |_| Ok(true))
}

/// Returns how the crate differs from a record of `oracle.py`.
pub(crate) fn difference(folder: &Path, run: &Run, record: &Value) -> Option<String> {
    let files = DiskFiles(folder.to_owned());
    let stage = record["stage"].as_str();
    let settings = match read_settings(folder, run) {
        Ok(settings) => settings.value,
        Err(problems) => return (stage != Some("settings")).then(|| format!("{problems:?}")),
    };
    let expected = settings_of(record);
    if expected != Value::Null && shown_settings(&settings) != expected {
        return Some(format!(
            "{:#} is not {expected:#}",
            shown_settings(&settings)
        ));
    }
    let read = |path: &str| {
        let bytes = fs::read(folder.join(path)).map_err(|error| error.to_string())?;
        Ok(Some(Zeroizing::new(bytes)))
    };
    let data = match load_data(&settings, &files, &read) {
        Ok(data) => data.value,
        // Click looks for the files before data are loaded.
        Err(problems) => {
            let as_expected = matches!(stage, Some("data" | "settings"));
            return (!as_expected).then(|| format!("{problems:?}"));
        }
    };
    if stage == Some("data") {
        return Some("the data should be refused".to_owned());
    }
    let expected = &record["data"];
    if *expected != Value::Null && shown_data(&data) != *expected {
        return Some(format!("{} is not {expected}", shown_data(&data)));
    }
    let selection = match select_all(&settings, &files) {
        Ok(selection) => selection.value,
        Err(problems) => return stage.is_none().then(|| format!("{problems:?}")),
    };
    if stage == Some("settings") {
        return Some("the settings should be refused".to_owned());
    }
    different_outputs(&selection, record)
}

/// Returns the options of a record as the crate has them: plugins and their older name in one list.
pub(crate) fn settings_of(record: &Value) -> Value {
    let mut config = record["config"].clone();
    if let Some(options) = config.as_object_mut() {
        let loaders = options.shift_remove("loaders").unwrap();
        let plugins = options["plugins"].as_array_mut().unwrap();
        plugins.extend(loaders.as_array().unwrap().iter().cloned());
    }
    config
}

fn different_outputs(selection: &Selection, record: &Value) -> Option<String> {
    let mut expected = record["outputs"].as_array().unwrap().clone();
    for output in &mut expected {
        output.as_object_mut().unwrap().shift_remove("mode");
    }
    let mut shown = shown_outputs(selection);
    if record["stage"].is_null() {
        let written = record["outputs"].as_array().unwrap();
        for (output, written) in selection.outputs.iter().zip(written) {
            if let Some(problem) = &output.unwritable
                && written["mode"].is_string()
            {
                return Some(format!("{problem:?}"));
            }
        }
    } else {
        // makejinja stops where an output is written that cannot be, or where its folder is made.
        shown.truncate(expected.len());
        let mut before = selection.outputs.iter().take(expected.len());
        if before.all(|output| output.unwritable.is_none()) {
            return Some("an output should be unwritable".to_owned());
        }
    }
    (shown != expected).then(|| format!("{shown:?} is not {expected:?}"))
}
