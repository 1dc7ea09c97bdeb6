//! Tera, set up for our dialect, and the templates as it has them parsed: with markers, metered, and as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use tera::{Delimiters, ErrorKind, Tera};

use super::environment::Environment;
use super::report;
use super::scan::{BLOCK, COMMENT, VARIABLE};
use super::sourcemap::{Copy, Interleaved};
use super::template::{ByName, Template};
use super::{filters, functions};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// The texts of all templates with what Tera needs to count and to map.
pub(super) struct Copies {
    /// With markers and calls that pay.
    pub(super) marked: Vec<Interleaved>,
    /// With calls that pay.
    pub(super) metered: Vec<Interleaved>,
}

impl Copies {
    /// Copies templates, side by side.
    pub(super) fn new(templates: &[Template]) -> Self {
        let copies = |copy: Copy| {
            let numbered = templates.par_iter().enumerate();
            numbered
                .map(|(id, template)| template.copied(id, copy))
                .collect()
        };
        Self {
            marked: copies(Copy::Marked),
            metered: copies(Copy::Metered),
        }
    }

    fn of<'t>(&'t self, templates: &'t [Template]) -> impl Iterator<Item = Copied<'t>> {
        let both = self.marked.iter().zip(&self.metered);
        let all = templates.iter().zip(both);
        all.map(|(template, (marked, metered))| (template, marked, metered))
    }
}

/// The templates of a run.
pub(super) struct Parsed {
    base: Tera,
    /// Those that stand alone, with markers, on shelves that were filled side by side.
    shelves: Vec<Tera>,
    /// Which shelf each of those lies on.
    places: BTreeMap<String, usize>,
    /// The others, with what they include: with markers, and metered.
    together: Option<(Tera, Tera)>,
    /// All of them metered; parsed when one of those that stand alone fails.
    metered: OnceLock<Tera>,
    /// All of them as they are; parsed when one fails.
    plain: OnceLock<Tera>,
}

impl Parsed {
    /// Parses templates; those that have problems are reported, all of them, and go to `broken`.
    pub(super) fn of(
        templates: &[Template],
        copies: &Copies,
        environment: &Arc<Environment>,
        broken: &mut BTreeSet<String>,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let base = base(environment);
        let sound = broken
            .is_empty()
            .then(|| Self::sound(&base, templates, copies));
        sound.flatten().unwrap_or_else(|| {
            let by_name = templates
                .iter()
                .map(|template| (template.name.as_str(), template))
                .collect();
            let plain = parse_all(&base, &by_name, broken, problems);
            let metered = parse_metered(&base, templates, copies, broken, problems);
            let marked = parse_marked(&base, templates, copies, broken);
            Self {
                base,
                shelves: Vec::new(),
                places: BTreeMap::new(),
                together: Some((marked.unwrap_or_else(|| metered.clone()), metered)),
                metered: OnceLock::new(),
                plain: OnceLock::from(plain),
            }
        })
    }

    /// Parses templates that have no problems; `None` if one has, or cannot be parsed with its markers.
    fn sound(base: &Tera, templates: &[Template], copies: &Copies) -> Option<Self> {
        let (alone, others): (Vec<_>, Vec<_>) = templates
            .iter()
            .zip(&copies.marked)
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
        let others = with_targets(templates, copies, &others);
        let together = if others.is_empty() {
            None
        } else {
            let texts = others
                .iter()
                .map(|(template, marked, _)| (&template.name, &marked.text));
            let metered = others
                .iter()
                .map(|(template, _, metered)| (&template.name, &metered.text));
            Some((parse(base, texts)?, parse(base, metered)?))
        };
        Some(Self {
            base: base.clone(),
            shelves,
            places,
            together,
            metered: OnceLock::new(),
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

    /// Returns the templates that pay and have no markers, those that stand alone as well if asked.
    pub(super) fn metered(&self, all: &[Template], copies: &Copies, alone: bool) -> &Tera {
        match &self.together {
            Some((_, metered)) if !alone => metered,
            _ => self.metered.get_or_init(|| {
                let texts = all.iter().zip(&copies.metered);
                let texts = texts.map(|(template, copy)| (&template.name, &copy.text));
                parse(&self.base, texts).unwrap_or_else(|| self.base.clone())
            }),
        }
    }

    /// Returns the templates as they are, for the report of what a metered one has shown to fail.
    pub(super) fn plain(&self, all: &[Template]) -> &Tera {
        self.plain.get_or_init(|| {
            let texts = all.iter();
            let texts = texts.map(|template| (&template.name, template.text()));
            parse(&self.base, texts).unwrap_or_else(|| self.base.clone())
        })
    }
}

/// Returns the name of a template and its text with markers.
fn marked<'t>((template, mark): &(&'t Template, &'t Interleaved)) -> (&'t str, &'t str) {
    (&template.name, &mark.text)
}

/// A template and its copies: with markers, and metered.
type Copied<'t> = (&'t Template, &'t Interleaved, &'t Interleaved);

/// Adds what templates include or extend, near or far.
fn with_targets<'t>(
    templates: &'t [Template],
    copies: &'t Copies,
    some: &[(&'t Template, &'t Interleaved)],
) -> Vec<Copied<'t>> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut todo: Vec<&Template> = some.iter().map(|(template, _)| *template).collect();
    while let Some(template) = todo.pop() {
        if wanted.insert(&template.name) {
            let targets: BTreeSet<&str> = template.targets().map(|(target, _)| target).collect();
            let found = templates.iter();
            todo.extend(found.filter(|other| targets.contains(other.name.as_str())));
        }
    }
    copies
        .of(templates)
        .filter(|(template, ..)| wanted.contains(template.name.as_str()))
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

/// Parses the metered templates, and reports those that cannot be parsed for what meters them.
fn parse_metered(
    base: &Tera,
    templates: &[Template],
    copies: &Copies,
    broken: &mut BTreeSet<String>,
    problems: &mut Vec<Diagnostic>,
) -> Tera {
    let mut tera = base.clone();
    if tera
        .add_raw_templates(sound_texts(templates, &copies.metered, broken))
        .is_ok()
    {
        return tera;
    }
    for (template, copy) in templates.iter().zip(&copies.metered) {
        if !broken.contains(&template.name) && !parses(base, &template.name, &copy.text) {
            let message = "it cannot be told how much work this template makes";
            let problem = Diagnostic::error("template-failed", message);
            problems.push(problem.at(&template.source, Span::default(), ""));
            broken.insert(template.name.clone());
        }
    }
    parse(base, sound_texts(templates, &copies.metered, broken)).unwrap_or_else(|| base.clone())
}

/// Parses the marked templates; a template that only parses without markers goes without.
fn parse_marked(
    base: &Tera,
    templates: &[Template],
    copies: &Copies,
    broken: &BTreeSet<String>,
) -> Option<Tera> {
    let mut tera = base.clone();
    if tera
        .add_raw_templates(sound_texts(templates, &copies.marked, broken))
        .is_ok()
    {
        return Some(tera);
    }
    let texts = copies.of(templates).map(|(template, marked, metered)| {
        let text = if broken.contains(&template.name) {
            ""
        } else if parses(base, &template.name, &marked.text) {
            &marked.text
        } else {
            &metered.text
        };
        (&template.name, text)
    });
    tera.add_raw_templates(texts).is_ok().then_some(tera)
}

fn parses(base: &Tera, name: &str, text: &str) -> bool {
    let alone = base.clone().add_raw_template(name, text);
    !alone.is_err_and(|error| matches!(error.kind(), ErrorKind::SyntaxError(_)))
}

/// Lists templates with the texts of their copies; a broken one is empty.
fn sound_texts<'t>(
    templates: &'t [Template],
    copies: &'t [Interleaved],
    broken: &'t BTreeSet<String>,
) -> impl Iterator<Item = (&'t str, &'t str)> {
    templates.iter().zip(copies).map(|(template, copy)| {
        let sound = !broken.contains(&template.name);
        (
            template.name.as_str(),
            if sound { copy.text.as_str() } else { "" },
        )
    })
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
