//! A folder with plugins, and how they are started.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use makejinja_plugins::{Callee, HostSpec, Offered, PluginError, PluginHost, PluginValue};
use tempfile::TempDir;

/// A project of its own, which goes when it is dropped.
pub(crate) struct Project {
    folder: TempDir,
    pub(crate) spec: HostSpec,
}

impl Project {
    /// Makes a project with one plugin, `plugin:Plugin`.
    pub(crate) fn new(plugin: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let spec = HostSpec {
            command: vec!["python3".to_owned()],
            folder: path.clone(),
            import_paths: vec![path.clone()],
            plugins: vec!["plugin:Plugin".to_owned()],
            config: PluginValue::map([
                (
                    "inputs",
                    PluginValue::Tuple(vec![PluginValue::Path(path.join("templates"))]),
                ),
                ("output", PluginValue::Path(path.clone())),
                ("undefined", PluginValue::from("strict")),
                (
                    "delimiter",
                    PluginValue::map([("block_start", PluginValue::from("#%"))]),
                ),
                (
                    "data_vars",
                    PluginValue::map([("a", PluginValue::from("b"))]),
                ),
            ]),
            data: PluginValue::Map(Vec::new()),
            environment: None,
            call_timeout: Duration::from_mins(1),
            start_timeout: Duration::from_mins(1),
        };
        let project = Self { folder, spec };
        project.write("plugin.py", plugin);
        project
    }

    /// Makes a project whose plugin offers the functions that a text defines.
    pub(crate) fn with_functions(names: &str, functions: &str) -> Self {
        Self::new(&format!(
            "{functions}\n\nclass Plugin:\n    def functions(self):\n        return [{names}]\n"
        ))
    }

    /// Hides installed packages from Python, Jinja2 among them.
    pub(crate) fn hide_packages(&mut self) {
        self.spec.command.push("-S".to_owned());
        let others = std::env::vars().filter(|(name, _)| name != "PYTHONPATH");
        self.spec.environment = Some(others.collect());
    }

    pub(crate) fn path(&self) -> &Path {
        &self.spec.folder
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn start(&self) -> (PluginHost, Offered) {
        match PluginHost::start(&self.spec) {
            Ok(started) => started,
            Err(error) => panic!("{error}: {error:?}"),
        }
    }

    pub(crate) fn fail(&self) -> PluginError {
        PluginHost::start(&self.spec).unwrap_err()
    }

    /// All files of the project, by name.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        found
    }
}

/// Returns the function that was offered under a name.
pub(crate) fn function(offered: &Offered, name: &str) -> Callee {
    let found = offered.functions.iter().find(|offer| offer.name == name);
    found
        .unwrap_or_else(|| panic!("no `{name}`"))
        .callee
        .clone()
}

/// Calls the only function of a plugin.
pub(crate) fn call(functions: &str, arguments: &[PluginValue]) -> Result<PluginValue, PluginError> {
    let project = Project::with_functions("run", functions);
    let (mut host, offered) = project.start();
    host.call(&function(&offered, "run"), arguments, &[])
}

pub(crate) fn text(text: &str) -> PluginValue {
    PluginValue::from(text)
}

pub(crate) fn int(number: i64) -> PluginValue {
    PluginValue::from(number)
}
