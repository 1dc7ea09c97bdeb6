//! Which file becomes which output.

mod folders;
mod input_tree;

use std::collections::BTreeMap;

use crate::files::{PathKind, ProjectFiles};
use crate::name_pattern::{PathPattern, RightPattern};
use crate::path;
use crate::problem::{Loaded, Origin, Problem, ProblemKind};
use crate::settings::Settings;
use crate::template_search::{TemplateSearch, find_template};
use folders::OutputFolders;
use input_tree::TreeEntry;

/// All outputs of a project, and where its templates are looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// The folder that the paths of outputs count from.
    pub folder: String,
    /// Whether there is one template and one output, `output` being a file.
    pub single_file: bool,
    /// The outputs in the order in which they are written.
    pub outputs: Vec<Output>,
    /// The files that an earlier one hides, as both have the same output.
    pub hidden: Vec<HiddenInput>,
    /// Where templates are looked for.
    pub searched: TemplateSearch,
    /// The folders below the output folder, each with the folder of an input that it is made of: `copy_metadata` is for
    /// them as well.
    pub folders: Vec<(String, String)>,
}

/// One output.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The path from [`Selection::folder`].
    pub path: String,
    /// The path of the file that it is made of, which gives the mode and times.
    pub input: String,
    /// The name of the template for the loader.
    ///
    /// [`find_template`] gives the file with its text. That is another one than `input` where a single template, or an
    /// excluded file of an earlier input, has the name as well.
    pub name: String,
    /// Whether the file is a template; one that is none is copied byte for byte with its mode.
    pub is_template: bool,
    /// Why makejinja fails if this output is written: no folder is made for it, or its path is a folder as well.
    ///
    /// A template that renders to nothing is not written, unless `keep_empty` is set.
    pub unwritable: Option<Problem>,
}

/// A file that makes no output, as another file makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenInput {
    /// The path of the file.
    pub input: String,
    /// The path of the output.
    pub output: String,
    /// The path of the file that makes the output.
    pub by: String,
}

/// Selects the files of `inputs` and names their outputs.
///
/// Inputs come in order, in each the include patterns in order, and what each finds sorted. The first file that has
/// an output makes it, also if it renders to nothing. `keep` is asked with the absolute path of each file and folder
/// that no exclude pattern matches: a path that is a folder says nothing of what lies in it. Single templates of
/// `inputs` are always selected.
///
/// # Errors
/// All problems: inputs that are not there, patterns that Python refuses, folders that cannot be made; or the first
/// problem of `keep`.
pub fn select(
    settings: &Settings,
    files: &dyn ProjectFiles,
    keep: &mut dyn FnMut(&str) -> Result<bool, Problem>,
) -> Result<Loaded<Selection>, Vec<Problem>> {
    let mut problems = Vec::new();
    let inputs = input_kinds(settings, files, &mut problems);
    let include = include_patterns(settings, &mut problems);
    let exclude = exclude_patterns(settings, &mut problems);
    if settings.output == "/dev/stdout" {
        let message = "outputs are written into a tree of files, and `output` is none";
        let problem = Problem::new(ProblemKind::InvalidValue, message);
        let hint = "set `output` to a folder or file of the project";
        let at = settings.origin("output").cloned();
        problems.push(problem.with_hint(hint).at(at));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let unreadable = |why: String| {
        let message = format!("the output folder cannot be read: {why}");
        vec![Problem::new(ProblemKind::Unreadable, message)]
    };
    let single_file = is_single_file(settings, files, &inputs).map_err(unreadable)?;
    let mut selector = Selector {
        settings,
        files,
        exclude,
        folders: OutputFolders::new(settings, files, single_file),
        made_by: BTreeMap::new(),
        folder_of: BTreeMap::new(),
        selection: Selection {
            folder: if single_file {
                path::folder_of(&settings.output)
                    .unwrap_or_default()
                    .to_owned()
            } else {
                settings.output.clone()
            },
            single_file,
            searched: template_search(&inputs),
            ..Selection::default()
        },
        problems,
        notices: Vec::new(),
    };
    for (index, (input, kind)) in inputs.iter().enumerate() {
        match kind {
            PathKind::File => selector.select_file(input),
            PathKind::Folder => {
                let stopped = selector.select_folder(input, index, &include, keep);
                stopped.map_err(|problem| vec![problem])?;
            }
        }
    }
    Loaded::unless(selector.problems, selector.selection, selector.notices)
}

fn input_kinds(
    settings: &Settings,
    files: &dyn ProjectFiles,
    problems: &mut Vec<Problem>,
) -> Vec<(String, PathKind)> {
    let mut inputs = Vec::new();
    for (index, input) in settings.inputs.iter().enumerate() {
        match files.kind(input) {
            Ok(Some(kind)) => inputs.push((input.clone(), kind)),
            Ok(None) => {
                let message = format!("the input `{input}` does not exist, or has no file in it");
                let problem = Problem::new(ProblemKind::Missing, message);
                let at = settings.origin_of_item("inputs", index);
                problems.push(
                    problem
                        .with_hint("make it, or take it out of `inputs`")
                        .at(at),
                );
            }
            Err(why) => problems.push(settings.unreadable_input(index, &why)),
        }
    }
    inputs
}

fn include_patterns(settings: &Settings, problems: &mut Vec<Problem>) -> Vec<PathPattern> {
    let mut patterns = Vec::new();
    for (index, pattern) in settings.include_patterns.iter().enumerate() {
        match PathPattern::parse(pattern) {
            Ok(pattern) => patterns.push(pattern),
            Err(why) => {
                let message = format!("the include pattern `{pattern}` {why}");
                let problem = Problem::new(ProblemKind::InvalidPattern, message);
                let hint = "write a pattern that counts from each input, such as `**/*`";
                let at = settings.origin_of_item("include_patterns", index);
                problems.push(problem.with_hint(hint).at(at));
            }
        }
    }
    patterns
}

fn exclude_patterns(settings: &Settings, problems: &mut Vec<Problem>) -> Vec<RightPattern> {
    let mut patterns = Vec::new();
    for (index, pattern) in settings.exclude_patterns.iter().enumerate() {
        if let Some(pattern) = RightPattern::parse(pattern) {
            patterns.push(pattern);
        } else {
            let message = format!("the exclude pattern `{pattern}` names nothing");
            let problem = Problem::new(ProblemKind::InvalidPattern, message);
            let at = settings.origin_of_item("exclude_patterns", index);
            problems.push(problem.with_hint("remove it").at(at));
        }
    }
    patterns
}

/// Returns whether `output` is the output itself: there is no folder among at most one input, and `output` has a
/// suffix or is a file.
fn is_single_file(
    settings: &Settings,
    files: &dyn ProjectFiles,
    inputs: &[(String, PathKind)],
) -> Result<bool, String> {
    let has_folder = inputs.iter().any(|(_, kind)| *kind == PathKind::Folder);
    if inputs.len() > 1 || has_folder || settings.output.is_empty() {
        return Ok(false);
    }
    let kind = files.kind(&settings.output)?;
    let has_suffix = !path::suffix_of(&settings.output).is_empty();
    Ok(kind != Some(PathKind::Folder) && (has_suffix || kind == Some(PathKind::File)))
}

fn template_search(inputs: &[(String, PathKind)]) -> TemplateSearch {
    let mut search = TemplateSearch::default();
    for (input, kind) in inputs {
        match kind {
            PathKind::File => {
                let name = path::name_of(input).to_owned();
                search.files.push((name, input.clone()));
            }
            PathKind::Folder => search.folders.push(input.clone()),
        }
    }
    search
}

struct Selector<'s> {
    settings: &'s Settings,
    files: &'s dyn ProjectFiles,
    exclude: Vec<RightPattern>,
    folders: OutputFolders<'s>,
    /// The position of each output.
    made_by: BTreeMap<String, usize>,
    /// The input of each folder of the output.
    folder_of: BTreeMap<String, String>,
    selection: Selection,
    problems: Vec<Problem>,
    notices: Vec<Problem>,
}

impl Selector<'_> {
    /// Selects a single template, which goes right below the output folder.
    fn select_file(&mut self, input: &str) {
        let name = path::name_of(input).to_owned();
        if let Some(output) = self.output_path(&name, input) {
            self.add_output(output, input, name, true);
        }
    }

    fn select_folder(
        &mut self,
        input: &str,
        index: usize,
        include: &[PathPattern],
        keep: &mut dyn FnMut(&str) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let entries = TreeEntry::list(self.files, input)
            .map_err(|why| self.settings.unreadable_input(index, &why))?;
        for (position, pattern) in include.iter().enumerate() {
            let found = entries
                .iter()
                .filter(|entry| pattern.matches(&entry.relative, entry.is_folder));
            for entry in found {
                self.select_entry(input, entry, position, keep)?;
            }
        }
        Ok(())
    }

    fn select_entry(
        &mut self,
        input: &str,
        entry: &TreeEntry,
        pattern: usize,
        keep: &mut dyn FnMut(&str) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let path = path::join(input, &entry.relative);
        let absolute = self.settings.absolute(&path);
        let Some(output) = self.output_path(&entry.relative, &path) else {
            return Ok(());
        };
        let excluded = self
            .exclude
            .iter()
            .position(|pattern| pattern.matches(&absolute));
        if let Some(excluded) = excluded {
            if entry.is_folder {
                self.folders.exclude(&output, excluded);
            }
            return Ok(());
        }
        if !keep(&absolute)? {
            return Ok(());
        }
        if entry.is_folder {
            self.make_folder(output, &path, pattern);
        } else {
            let suffix = &self.settings.jinja_suffix;
            let is_template = suffix.is_empty() || path::suffix_of(&path) == suffix;
            self.add_output(output, &path, entry.relative.clone(), is_template);
        }
        Ok(())
    }

    /// Returns the path of an output or folder from the output folder; `None` where its name is nothing but a suffix.
    fn output_path(&mut self, relative: &str, input: &str) -> Option<String> {
        if self.selection.single_file {
            return Some(path::name_of(&self.settings.output).to_owned());
        }
        let suffix = path::suffix_of(relative);
        if suffix != self.settings.jinja_suffix || self.settings.keep_jinja_suffix {
            return Some(relative.to_owned());
        }
        let output = path::without_suffix(relative);
        if matches!(path::name_of(output), "." | "..") {
            let message = format!("`{input}` has no name left without its suffix `{suffix}`");
            let problem = Problem::new(ProblemKind::InvalidValue, message);
            let at = Some(Origin::new(input, 0..0));
            self.problems.push(problem.with_hint("rename it").at(at));
            return None;
        }
        Some(output.to_owned())
    }

    fn make_folder(&mut self, output: String, path: &str, pattern: usize) {
        if self.folder_of.contains_key(&output) {
            return;
        }
        if let Some(file) = self.made_by.get(&output) {
            let file = &mut self.selection.outputs[*file];
            let problem = file_and_folder(&output, &file.input, path);
            file.unwritable.get_or_insert(problem);
        }
        if let Err(why) = self.folders.make(&output) {
            let at = self.settings.origin_of_item("include_patterns", pattern);
            self.problems.push(why.problem(&output, path, at));
        }
        self.folder_of.insert(output.clone(), path.to_owned());
        self.selection.folders.push((output, path.to_owned()));
    }

    fn add_output(&mut self, output: String, input: &str, name: String, is_template: bool) {
        if let Some(by) = self.made_by.get(&output) {
            self.selection.hidden.push(HiddenInput {
                input: input.to_owned(),
                output,
                by: self.selection.outputs[*by].input.clone(),
            });
            return;
        }
        if is_template {
            self.notice_other_text(input, &name);
        }
        let unwritable = match self.folder_of.get(&output) {
            Some(folder) => Some(file_and_folder(&output, input, folder)),
            None => path::folder_of(&output)
                .and_then(|folder| self.folders.check(folder).err())
                .map(|why| why.problem(&output, input, None)),
        };
        let index = self.selection.outputs.len();
        self.made_by.insert(output.clone(), index);
        self.selection.outputs.push(Output {
            path: output,
            input: input.to_owned(),
            name,
            is_template,
            unwritable,
        });
    }

    /// Says where a template's name means another file than the one that is selected.
    fn notice_other_text(&mut self, input: &str, name: &str) {
        let found = find_template(&self.selection.searched, self.files, name);
        if let Ok(Some(found)) = found
            && found != input
        {
            let message =
                format!("`{input}` is rendered with the text of `{found}`, which has its name");
            let notice = Problem::new(ProblemKind::Skipped, message);
            let hint = "give one of the two another name";
            let at = Some(Origin::new(input, 0..0));
            self.notices.push(notice.with_hint(hint).at(at));
        }
    }
}

fn file_and_folder(output: &str, file: &str, folder: &str) -> Problem {
    let message = format!("the output `{output}` is a file by `{file}` and a folder by `{folder}`");
    let problem = Problem::new(ProblemKind::FileAndFolder, message);
    let problem = problem.with_hint("rename one of them, or exclude it");
    problem.at(Some(Origin::new(file, 0..0)))
}
