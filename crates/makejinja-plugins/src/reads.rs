//! What plugins read, by which their answers can be kept.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::value::PluginValue;

/// What plugins read since the process was started, besides Python's own library and installed packages.
///
/// It is seen by an audit hook of Python (PEP 578) and by `os.environ`. Whether a file exists can be asked without a
/// trace; what a program reads is not seen, so answers of a plugin that starts one cannot be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginReads {
    /// Files that were opened to read them, there or not; plugins and what they import among them.
    pub files: BTreeSet<PathBuf>,
    /// Folders that were listed.
    pub folders: BTreeSet<PathBuf>,
    /// Names of variables of the environment; `*` where all were read.
    pub variables: BTreeSet<String>,
    /// Programs that were started.
    pub programs: BTreeSet<String>,
    /// Whether something was asked of the network.
    pub network: bool,
}

impl PluginReads {
    /// Adds what a reply names.
    pub(crate) fn add(&mut self, named: &PluginValue) {
        self.files.extend(names(named, "files").map(PathBuf::from));
        self.folders
            .extend(names(named, "folders").map(PathBuf::from));
        self.variables.extend(names(named, "variables"));
        self.programs.extend(names(named, "programs"));
        self.network |= names(named, "network").next().is_some();
    }
}

fn names<'a>(named: &'a PluginValue, what: &str) -> impl Iterator<Item = String> + use<'a> {
    let items = match named.get(what) {
        Some(PluginValue::List(items)) => items.as_slice(),
        _ => &[],
    };
    items.iter().filter_map(|item| match item {
        PluginValue::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    })
}
