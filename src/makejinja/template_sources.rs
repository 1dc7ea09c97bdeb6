//! The texts that templates are made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use makejinja::{TemplateSearch, list_templates};

use super::settings::NamedFiles;
use crate::diagnostic::Diagnostic;
use crate::makejinja::codes;
use crate::source::{Files, Source};
use crate::tree::is_secret_path;

/// The texts of all templates of a project, found by any name that means one of them.
pub(super) struct TemplateSources {
    search: TemplateSearch,
    listed: BTreeMap<String, Arc<Source>>,
}

impl TemplateSources {
    /// Reads all that is text.
    ///
    /// # Errors
    /// Which file cannot be read.
    pub(super) fn read(
        files: &dyn Files,
        search: &TemplateSearch,
    ) -> Result<Self, Vec<Diagnostic>> {
        let paths = list_templates(search, &NamedFiles(files));
        let paths = paths.map_err(|reason| vec![missing(reason)])?;
        let mut listed = BTreeMap::new();
        for (name, path) in paths {
            let bytes = files.read(&path);
            let bytes = bytes.map_err(|error| vec![unreadable(&path, &error.reason)])?;
            if let Some(Ok(text)) = bytes.map(String::from_utf8) {
                // What is sealed may stand in plain text in its template.
                let is_secret = is_secret_path(&path);
                listed.insert(name, Source::of(&path, text.into(), is_secret));
            }
        }
        Ok(Self {
            search: search.clone(),
            listed,
        })
    }

    /// Returns the text that a name means; `None` where there is none.
    pub(super) fn find(&self, name: &str) -> Option<&Arc<Source>> {
        self.listed.get(&self.search.listed_name(name)?)
    }
}

/// Says that a file of the project cannot be read.
pub(super) fn unreadable(path: &str, reason: &str) -> Diagnostic {
    missing(format!("`{path}` cannot be read: {reason}"))
}

fn missing(message: String) -> Diagnostic {
    Diagnostic::error(&codes::MAKEJINJA_MISSING, message)
}
