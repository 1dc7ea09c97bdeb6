//! Tera, set up for our dialect, and the templates as it has them parsed, with markers and without.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use tera::{Delimiters, ErrorKind, Tera};

use super::environment::Environment;
use super::report;
use super::scan::{BLOCK, COMMENT, VARIABLE};
use super::sourcemap::Interleaved;
use super::template::{ByName, Template};
use super::{filters, functions};
use crate::diagnostic::Diagnostic;

/// The templates of a run.
pub(super) struct Parsed {
    base: Tera,
    /// Those that stand alone, with markers, on shelves that were filled side by side.
    shelves: Vec<Tera>,
    /// Which shelf each of those lies on.
    places: BTreeMap<String, usize>,
    /// The others, with what they include: with markers and without.
    together: Option<(Tera, Tera)>,
    /// All of them without markers; parsed when one of those that stand alone fails.
    plain: OnceLock<Tera>,
}

impl Parsed {
    /// Parses templates; those that have problems are reported, all of them, and go to `broken`.
    pub(super) fn of(
        templates: &[Template],
        marks: &[Interleaved],
        environment: &Arc<Environment>,
        broken: &mut BTreeSet<String>,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let base = base(environment);
        let sound = broken
            .is_empty()
            .then(|| Self::sound(&base, templates, marks));
        sound.flatten().unwrap_or_else(|| {
            let by_name = templates
                .iter()
                .map(|template| (template.name.as_str(), template))
                .collect();
            let plain = parse_all(&base, &by_name, broken, problems);
            let marked = parse_marked(&base, templates, marks);
            Self {
                base,
                shelves: Vec::new(),
                places: BTreeMap::new(),
                together: marked.map(|marked| (marked, plain.clone())),
                plain: OnceLock::from(plain),
            }
        })
    }

    /// Parses templates that have no problems; `None` if one has, or cannot be parsed with its markers.
    fn sound(base: &Tera, templates: &[Template], marks: &[Interleaved]) -> Option<Self> {
        let (alone, others): (Vec<_>, Vec<_>) = templates
            .iter()
            .zip(marks)
            .partition(|(template, _)| template.stands_alone());
        let shelves = rayon::current_num_threads() * 2;
        let size = alone.len().div_ceil(shelves).max(1);
        let shelves = alone
            .par_chunks(size)
            .map(|chunk| parse(base, chunk.iter().map(marked)))
            .collect::<Option<Vec<Tera>>>()?;
        let places = alone.chunks(size).enumerate().flat_map(|(shelf, chunk)| {
            let names = chunk.iter().map(|(template, _)| template.name.clone());
            names.map(move |name| (name, shelf))
        });
        let places = places.collect();
        let others = with_targets(templates, marks, &others);
        let together = if others.is_empty() {
            None
        } else {
            let marked = parse(base, others.iter().map(marked))?;
            Some((marked, parse(base, others.iter().map(prepared))?))
        };
        Some(Self {
            base: base.clone(),
            shelves,
            places,
            together,
            plain: OnceLock::new(),
        })
    }

    /// Returns where a template lies that stands alone, with its markers.
    pub(super) fn alone(&self, name: &str) -> Option<&Tera> {
        self.places.get(name).map(|shelf| &self.shelves[*shelf])
    }

    /// Returns the other templates with their markers, if they can be parsed with them.
    pub(super) fn marked(&self) -> Option<&Tera> {
        self.together.as_ref().map(|(marked, _)| marked)
    }

    /// Returns the templates without markers, those that stand alone as well if asked.
    pub(super) fn plain(&self, all: &[Template], alone: bool) -> &Tera {
        match &self.together {
            Some((_, plain)) if !alone => plain,
            _ => self.plain.get_or_init(|| {
                let texts = all.iter();
                let texts = texts.map(|template| (&template.name, template.text()));
                parse(&self.base, texts).unwrap_or_else(|| self.base.clone())
            }),
        }
    }
}

/// Returns the name of a template and its text with markers.
fn marked<'t>((template, mark): &(&'t Template, &'t Interleaved)) -> (&'t str, &'t str) {
    (&template.name, &mark.text)
}

/// Returns the name of a template and its text without markers.
fn prepared<'t>((template, _): &(&'t Template, &'t Interleaved)) -> (&'t str, &'t str) {
    (&template.name, template.text())
}

/// Adds what templates include or extend, near or far.
fn with_targets<'t>(
    templates: &'t [Template],
    marks: &'t [Interleaved],
    some: &[(&'t Template, &'t Interleaved)],
) -> Vec<(&'t Template, &'t Interleaved)> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut todo: Vec<&Template> = some.iter().map(|(template, _)| *template).collect();
    while let Some(template) = todo.pop() {
        if wanted.insert(&template.name) {
            let targets: BTreeSet<&str> = template.targets().map(|(target, _)| target).collect();
            let found = templates.iter();
            todo.extend(found.filter(|other| targets.contains(other.name.as_str())));
        }
    }
    let all = templates.iter().zip(marks);
    all.filter(|(template, _)| wanted.contains(template.name.as_str()))
        .collect()
}

fn parse(
    base: &Tera,
    texts: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
) -> Option<Tera> {
    let mut tera = base.clone();
    tera.add_raw_templates(texts).is_ok().then_some(tera)
}

fn base(environment: &Arc<Environment>) -> Tera {
    let mut tera = Tera::default();
    tera.set_delimiters(Delimiters {
        block_start: BLOCK.0.into(),
        block_end: BLOCK.1.into(),
        variable_start: VARIABLE.0.into(),
        variable_end: VARIABLE.1.into(),
        comment_start: COMMENT.0.into(),
        comment_end: COMMENT.1.into(),
    })
    .expect("our delimiters are two bytes long and differ");
    tera.autoescape_on(Vec::<&str>::new());
    functions::register(&mut tera, environment);
    filters::register(&mut tera);
    tera
}

/// Parses the marked templates; a template that only parses without markers goes without.
///
/// `None` when there are problems, which [`parse_all`] finds and reports.
fn parse_marked(base: &Tera, templates: &[Template], marks: &[Interleaved]) -> Option<Tera> {
    let mut tera = base.clone();
    let texts = || {
        templates
            .iter()
            .zip(marks)
            .map(|(template, mark)| (&template.name, &mark.text))
    };
    if tera.add_raw_templates(texts()).is_ok() {
        return Some(tera);
    }
    let parses = |name: &str, text: &str| {
        let alone = base.clone().add_raw_template(name, text);
        !alone.is_err_and(|error| matches!(error.kind(), ErrorKind::SyntaxError(_)))
    };
    let texts = texts().zip(templates).map(|((name, text), template)| {
        (
            name,
            if parses(name, text) {
                text
            } else {
                template.text()
            },
        )
    });
    tera.add_raw_templates(texts).is_ok().then_some(tera)
}

/// Parses the templates, those in `broken` as empty ones, until none is left that has a problem.
///
/// Tera stops at the first syntax error of a batch, so a batch that fails is parsed one by one.
fn parse_all(
    base: &Tera,
    templates: &ByName<'_>,
    broken: &mut BTreeSet<String>,
    problems: &mut Vec<Diagnostic>,
) -> Tera {
    let mut tera = base.clone();
    if tera.add_raw_templates(texts(templates, broken)).is_ok() {
        return tera;
    }
    for template in templates
        .values()
        .filter(|template| !broken.contains(&template.name))
        .collect::<Vec<_>>()
    {
        let alone = base
            .clone()
            .add_raw_template(&template.name, template.text());
        if let Err(error) = alone
            && let ErrorKind::SyntaxError(report) = error.kind()
        {
            problems.push(report::syntax(report, template));
            broken.insert(template.name.clone());
        }
    }
    loop {
        let Err(error) = tera.add_raw_templates(texts(templates, broken)) else {
            return tera;
        };
        let found = report::references(&error, templates, broken);
        let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        let before = broken.len();
        problems.extend(found.into_iter().filter_map(|(_, problem)| problem));
        broken.extend(names);
        if broken.len() == before {
            broken.extend(templates.keys().map(|name| (*name).to_owned()));
            problems.push(report::unexplained(&error));
            return base.clone();
        }
    }
}

fn texts<'a>(
    templates: &'a ByName<'_>,
    broken: &'a BTreeSet<String>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    templates.values().map(|template| {
        let text = if broken.contains(&template.name) {
            ""
        } else {
            template.text()
        };
        (template.name.as_str(), text)
    })
}
