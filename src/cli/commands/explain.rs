//! `kiln explain`: where an output line comes from, or what a code means.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::cli::codes;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::report::counted::counted;
use crate::cli::report::record::named;
use crate::cli::report::shown::terminal::{self, TerminalPage};
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::diagnostic::closest;
use crate::pipeline::{self, KeyHandling, ReadVersions, VERSIONS_FILE};
use crate::source::Source;
use crate::tree::{File, Injection, Origin, Sealed, Tree};

const MORE: &str = "\
For a file it names the templates and the rules that made it, for one line the exact place. Lines
of a sealed file are counted in its plain text, which is not shown.

Examples:
  kiln explain kubernetes/apps/default/echo/ks.yaml
  kiln explain kubernetes/apps/default/namespace.yaml:8
  kiln explain unknown-key
  kiln explain pod-security
  kiln explain                       All codes";

/// Tell where an output line comes from, or what a code means
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct ExplainArgs {
    /// A rendered file, one of its lines, or the code of a message, rule or check; without it, all codes
    /// are listed
    #[arg(value_name = "FILE[:LINE]|CODE")]
    target: Option<String>,
}

/// Explains a code if there is one of that name, or else a file.
pub fn run(
    args: &ExplainArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let codes = codes::all();
    let Some(target) = &args.target else {
        let lines: BTreeSet<String> = codes
            .iter()
            .map(|known| format!("{:26} {}", known.code, known.summary.trim_end_matches('.')))
            .collect();
        let mut page = TerminalPage::default();
        lines.iter().for_each(|line| page.line(line));
        printer.data(&page.finish())?;
        return Ok(CommandOutcome::Clean);
    };
    // A check of the tree and one of the audit may have the same name: both are told.
    let found: Vec<String> = codes
        .iter()
        .filter(|known| known.code == target)
        .map(|found| format!("{}: {}\n\n{}", found.code, found.summary, found.text))
        .map(|text| format!("{}\n", text.trim_end()))
        .collect();
    if !found.is_empty() {
        printer.data(&terminal::drawn(&found.join("\n")))?;
        return Ok(CommandOutcome::Clean);
    }
    if !target.contains(['/', '.', ':']) && !settings.directory.join(target).exists() {
        let known: Vec<&str> = codes.iter().map(|known| known.code).collect();
        return Err(unknown_code(target, &known));
    }
    let (path, line) = split(target);
    let session = ProjectSession::open(settings, KeyUse::AtHand, printer)?;
    let output = session.layout()?.output;
    let tree = session
        .compile(KeyHandling::AtHand, settings, printer)?
        .tree;
    let Some(file) = find(&tree, path, &session.root.join(output), &settings.directory) else {
        return Err(unknown_file(path, &tree));
    };
    let page = match line {
        Some(line) => {
            let mut page = explain_line(&tree, file, line)?;
            if let Some(read) = read_versions(&session, file) {
                show_versions(&read, file, line, &mut page);
            }
            page
        }
        None => explain_file(&tree, file),
    };
    printer.data(&page.finish())?;
    Ok(CommandOutcome::Clean)
}

/// Splits `FILE:LINE`; what stands after the last colon is a line only if it is a number.
fn split(target: &str) -> (&str, Option<usize>) {
    match target.rsplit_once(':') {
        Some((path, line)) => match line.parse() {
            Ok(line) => (path, Some(line)),
            Err(_) => (target, None),
        },
        None => (target, None),
    }
}

/// Finds an output by a path relative to the current folder, or else to the output folder.
fn find<'t>(tree: &'t Tree<Sealed>, path: &str, output: &Path, current: &Path) -> Option<&'t File> {
    let here = tidy(&current.join(path));
    let below = here.strip_prefix(tidy(output)).ok().and_then(Path::to_str);
    below
        .and_then(|path| tree.get(path))
        .or_else(|| tree.get(path))
}

/// Takes `.` and `..` out of a path by its text alone.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

fn explain_line(
    tree: &Tree<Sealed>,
    file: &File,
    line: usize,
) -> Result<TerminalPage, CommandError> {
    let count = file.source.text.lines().count();
    if line == 0 || line > count {
        let message = format!(
            "`{}` has no line {line}: its last line is {count}",
            file.path
        );
        return Err(CommandError::failed(message));
    }
    let mut page = TerminalPage::default();
    page.line(format_args!("{}:{line}", file.path));
    if !file.is_secret() {
        show_line(&file.source, line, &mut page);
    }
    match file.origins.get(line - 1) {
        Some(Origin::Template { template, line }) => {
            page.line(format_args!("from template {}:{line}", template.path));
            show_line(template, *line, &mut page);
        }
        Some(Origin::Rule(code)) => {
            let rules = by_rules(tree, file, code, line);
            rules.iter().for_each(|line| page.line(line));
        }
        None => page.line("of unknown origin"),
    }
    Ok(page)
}

/// Finds the versions behind a file; none where the project's config cannot tell.
fn read_versions(session: &ProjectSession, file: &File) -> Option<ReadVersions> {
    let read = pipeline::versions_behind(&session.world(), &file.path);
    read.ok().flatten()
}

/// Names the template that includes the one that a line is from, and the versions that stand in the line.
fn show_versions(read: &ReadVersions, file: &File, line: usize, page: &mut TerminalPage) {
    let template = match file.origins.get(line - 1) {
        Some(Origin::Template { template, .. }) => template,
        Some(Origin::Rule(_)) | None => return,
    };
    if template.path != read.template {
        page.line(format_args!("included by {}", read.template));
    }
    let span = file.source.line_span(line);
    let Some(shown) = file.source.visible() else {
        return;
    };
    let text = &shown[span.start..span.end];
    for (key, entry) in &read.versions {
        if !text.contains(entry.version.as_str()) {
            continue;
        }
        let route = key.route();
        match &entry.place {
            Some(place) => {
                let (line, _) = place.source.line_column(place.span.start);
                let path = &place.source.path;
                page.line(format_args!("version {route} from {path}:{line}"));
                show_line(&place.source, line, page);
            }
            None => page.line(format_args!(
                "version {route} of this Kiln; {VERSIONS_FILE} can set another"
            )),
        }
    }
}

/// Names the rules that added a line, with each object and why; a patch holds what several have added.
fn by_rules(tree: &Tree<Sealed>, file: &File, code: &'static str, line: usize) -> Vec<String> {
    let here: Vec<&Injection> = injections(tree, file)
        .filter(|injection| {
            let (first, last) = lines_of(file, injection);
            (first..=last).contains(&line)
        })
        .collect();
    let mut codes: Vec<&str> = here.iter().map(|injection| injection.rule).collect();
    codes.push(code);
    codes.sort_unstable();
    codes.dedup();
    let mut lines = Vec::new();
    for code in codes {
        lines.push(format!("from rule {code} (kiln explain {code})"));
        for injection in here.iter().filter(|injection| injection.rule == code) {
            let what = named(&injection.object, &injection.route);
            lines.push(format!("  {what}: {}", injection.reason));
        }
    }
    lines
}

/// Shows the text of a line, indented, unless it may not be shown.
fn show_line(source: &Source, line: usize, page: &mut TerminalPage) {
    let span = source.line_span(line);
    if let Some(shown) = source.visible() {
        page.file_line("", "  ", &shown[span.start..span.end]);
    }
}

fn explain_file(tree: &Tree<Sealed>, file: &File) -> TerminalPage {
    let mut templates: BTreeMap<&str, usize> = BTreeMap::new();
    for origin in &file.origins {
        if let Origin::Template { template, .. } = origin {
            *templates.entry(&template.path).or_default() += 1;
        }
    }
    let mut page = TerminalPage::default();
    page.line(&file.path);
    for (template, count) in &templates {
        let lines = counted(*count, "line");
        page.line(format_args!("  {lines} from template {template}"));
    }
    for injection in injections(tree, file) {
        let place = match lines_of(file, injection) {
            (first, last) if first == last => format!("line {first}"),
            (first, last) => format!("lines {first}-{last}"),
        };
        page.line(format_args!(
            "  {place} from rule {}: {}: {}",
            injection.rule,
            named(&injection.object, &injection.route),
            injection.reason
        ));
    }
    page
}

fn injections<'t>(tree: &'t Tree<Sealed>, file: &'t File) -> impl Iterator<Item = &'t Injection> {
    tree.injections()
        .iter()
        .filter(|injection| injection.path == file.path)
}

/// Returns the first and the last line that an injection added.
fn lines_of(file: &File, injection: &Injection) -> (usize, usize) {
    let last_byte = injection
        .span
        .end
        .saturating_sub(1)
        .max(injection.span.start);
    let (first, _) = file.source.line_column(injection.span.start);
    let (last, _) = file.source.line_column(last_byte);
    (first, last)
}

fn unknown_code(code: &str, known: &[&str]) -> CommandError {
    let error = CommandError::failed(format!("there is no file and no code `{code}`"));
    match closest(code, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`kiln explain` lists all codes"),
    }
}

fn unknown_file(path: &str, tree: &Tree<Sealed>) -> CommandError {
    let error = CommandError::failed(format!("`{path}` is not a file that this project renders"));
    match closest(path, tree.files().map(|file| file.path.as_str())) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}
