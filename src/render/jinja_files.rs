//! The files that templates of Jinja2 make.

use std::borrow::Cow;
use std::sync::Arc;

use jinja::{Engine, Value};

use super::engine::TemplateEngine as _;
use super::engine::jinja::{FindSource, JinjaEngine, JinjaTemplates};
use super::outputs::{self, Output};
use super::stack;
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::tree::File;

/// A file that a project of Jinja2 makes.
pub struct JinjaOutput {
    /// The path below the output folder.
    pub path: String,
    /// The name of the template; `None` for a file that is copied.
    pub template: Option<String>,
    /// The text of the template, or of the file that is copied.
    pub source: Arc<Source>,
    /// Whether it may be run as a program.
    pub executable: bool,
    /// The bytes of a file that is no text.
    pub binary: Option<Arc<[u8]>>,
    /// What this template alone sees, besides the globals.
    pub variables: Value,
}

/// Templates of Jinja2 and what becomes of them.
pub struct JinjaProject<'p> {
    /// The engine, with all globals.
    pub engine: &'p Engine,
    /// Finds the text that a name of a template means.
    pub sources: &'p FindSource<'p>,
    /// The files, in the order in which they are made.
    pub outputs: &'p [JinjaOutput],
    /// Whether a file of white space only is made.
    pub keep_empty: bool,
}

impl JinjaProject<'_> {
    /// Renders one template after the other, as what one changes in a list or dict of the globals the next one sees.
    ///
    /// Files that are only `compared` are not parsed.
    pub fn render(&self, compared: bool) -> (Vec<File>, Vec<Diagnostic>) {
        stack::deep(|| self.render_all(compared))
    }

    fn render_all(&self, compared: bool) -> (Vec<File>, Vec<Diagnostic>) {
        let mut problems = Vec::new();
        let templates = self.outputs.iter().filter_map(|it| it.template.as_deref());
        let engine = JinjaEngine::load(
            JinjaTemplates {
                engine: self.engine,
                sources: self.sources,
                rendered: templates.collect(),
            },
            &mut problems,
        );
        let files = self.outputs.iter();
        let files = files.filter_map(|output| self.file(&engine, output, compared, &mut problems));
        (files.collect(), problems)
    }

    fn file(
        &self,
        engine: &JinjaEngine<'_>,
        output: &JinjaOutput,
        compared: bool,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<File> {
        let made = Output {
            path: &output.path,
            source: &output.source,
            executable: output.executable,
            binary: output.binary.as_ref(),
            strict: false,
        };
        let Some(template) = &output.template else {
            return Some(if compared {
                outputs::compared(made, output.source.text.clone())
            } else {
                outputs::copied(made, problems)
            });
        };
        let printed = match engine.render(template, &output.variables)? {
            Ok(printed) => printed,
            Err(problem) => {
                problems.push(*problem);
                return None;
            }
        };
        let is_empty = printed.text.trim().is_empty();
        (!is_empty || self.keep_empty).then(|| {
            if compared {
                outputs::compared(made, Cow::Owned(printed.text))
            } else {
                outputs::rendered(made, printed, problems)
            }
        })
    }
}
