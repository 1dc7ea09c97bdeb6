//! Diagnostics in the form that the reader wants: people, programs, GitHub.

pub mod audit;
pub mod build;
pub mod check;
pub mod counted;
pub mod diff;
pub mod github;
pub mod human;
pub mod json;
pub mod occupied;
pub mod place_names;
pub mod record;
pub mod sarif;
pub mod shown;
pub mod table;
pub mod unified;
pub mod unseen;
pub mod watch;

use std::path::{Path, PathBuf};

use self::shown::Shown;
use super::args::MessageFormat;
use super::settings::Settings;
use crate::diagnostic::Diagnostic;

/// The version of the JSON that Kiln prints; raised when a field goes or changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// Turns diagnostics into text.
#[derive(Clone, Debug)]
pub struct Reporter {
    format: MessageFormat,
    color: bool,
    workspace: PathBuf,
    prefix: String,
}

impl Reporter {
    /// Makes a reporter for the chosen form.
    pub fn new(settings: &Settings) -> Self {
        let workspace = settings.environment.filled("GITHUB_WORKSPACE");
        Self {
            format: settings.format,
            color: settings.stderr_color,
            workspace: workspace.map_or_else(|| settings.directory.clone(), PathBuf::from),
            prefix: String::new(),
        }
    }

    /// Notes where the project is, as GitHub wants paths relative to the checkout.
    pub fn in_project(&mut self, root: &Path) {
        let below = root.strip_prefix(&self.workspace).ok();
        let below = below.and_then(Path::to_str).filter(|path| !path.is_empty());
        self.prefix = below.map_or_else(String::new, |path| format!("{path}/"));
    }

    /// Renders warnings of one code in a line each, for people.
    pub fn render_briefly(&self, code: &str, warnings: &[&Diagnostic]) -> Shown {
        human::render_briefly(code, warnings, self.color)
    }

    /// Returns what stands before the paths of the project where they count from the checkout of a job.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Renders one diagnostic, with its final line break.
    pub fn render(&self, diagnostic: &Diagnostic) -> Shown {
        match self.format {
            MessageFormat::Human => human::render(diagnostic, self.color),
            MessageFormat::Json => shown::json::line(&json::render(diagnostic)),
            MessageFormat::Github => github::render(diagnostic, &self.prefix),
        }
    }
}
