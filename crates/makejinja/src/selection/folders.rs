//! Which folders of the output exist by the time that an output needs them.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::{PathKind, ProjectFiles};
use crate::path;
use crate::problem::{Origin, Problem, ProblemKind};
use crate::settings::Settings;

/// The folders below the output folder: those that makejinja has made so far, and those on disk.
pub(super) struct OutputFolders<'s> {
    settings: &'s Settings,
    files: &'s dyn ProjectFiles,
    single_file: bool,
    made: BTreeSet<String>,
    /// The folders that are excluded, each with its pattern.
    excluded: BTreeMap<String, usize>,
}

/// Why a folder is not there.
pub(super) struct NoFolder {
    folder: String,
    /// The exclude pattern that leaves it out.
    excluded: Option<(String, Option<Origin>)>,
    single_file: bool,
}

impl<'s> OutputFolders<'s> {
    pub(super) fn new(
        settings: &'s Settings,
        files: &'s dyn ProjectFiles,
        single_file: bool,
    ) -> Self {
        let mut made = BTreeSet::new();
        if !single_file {
            made.insert(String::new());
        }
        Self {
            settings,
            files,
            single_file,
            made,
            excluded: BTreeMap::new(),
        }
    }

    /// Notes that no folder is made, as an exclude pattern matches it.
    pub(super) fn exclude(&mut self, folder: &str, pattern: usize) {
        self.excluded.entry(folder.to_owned()).or_insert(pattern);
    }

    /// Makes a folder, whose own folder has to be there.
    pub(super) fn make(&mut self, folder: &str) -> Result<(), NoFolder> {
        if self.check(folder).is_ok() {
            return Ok(());
        }
        self.check(path::folder_of(folder).unwrap_or_default())?;
        self.made.insert(folder.to_owned());
        Ok(())
    }

    /// Returns whether a folder is made or on disk.
    pub(super) fn check(&self, folder: &str) -> Result<(), NoFolder> {
        if self.made.contains(folder) || self.is_on_disk(folder) {
            return Ok(());
        }
        let mut above = Some(folder);
        let mut excluded = None;
        while let Some(name) = above {
            if let Some(pattern) = self.excluded.get(name) {
                let text = self.settings.exclude_patterns[*pattern].clone();
                let at = self.settings.origin_of_item("exclude_patterns", *pattern);
                excluded = Some((text, at));
                break;
            }
            above = path::folder_of(name);
        }
        Err(NoFolder {
            folder: folder.to_owned(),
            excluded,
            single_file: self.single_file,
        })
    }

    fn is_on_disk(&self, folder: &str) -> bool {
        let output = &self.settings.output;
        let path = if self.single_file {
            path::folder_of(output).unwrap_or_default().to_owned()
        } else if self.settings.clean {
            return false;
        } else {
            path::join(output, folder)
        };
        path.is_empty() || matches!(self.files.kind(&path), Ok(Some(PathKind::Folder)))
    }
}

impl NoFolder {
    /// Says that an output or folder has nowhere to go; `pattern` is where the include pattern that finds it stands.
    pub(super) fn problem(self, output: &str, input: &str, pattern: Option<Origin>) -> Problem {
        let Self {
            folder,
            excluded,
            single_file,
        } = self;
        let (message, hint, at) = match excluded {
            _ if single_file => (
                format!("the folder of the output `{output}` does not exist"),
                "make the folder, or write into one that is there".to_owned(),
                None,
            ),
            Some((excluded, at)) => (
                format!(
                    "`{input}` has no folder to go to: the exclude pattern `{excluded}` leaves out `{folder}`, \
                     and not what lies in it"
                ),
                format!("exclude what lies in it as well, such as by `{excluded}/*`"),
                at,
            ),
            None => (
                format!("`{input}` has no folder to go to: nothing makes `{folder}`"),
                "include the folder as well, as `**/*` does".to_owned(),
                pattern,
            ),
        };
        let at = at.or_else(|| Some(Origin::new(input, 0..0)));
        Problem::new(ProblemKind::MissingFolder, message)
            .with_hint(hint)
            .at(at)
    }
}
