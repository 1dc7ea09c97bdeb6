//! Tera, set up for our dialect, and the templates as it has them parsed: with markers, metered, and as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use tera::{Delimiters, ErrorKind, Tera};

use super::environment::TemplateEnvironment;
use super::report;
use super::scan::{BLOCK, COMMENT, VARIABLE};
use super::sourcemap::{Copy, Interleaved};
use super::template::{ByName, PreparedTemplate, passes_markers};
use super::{filters, functions};
use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::source::Span;

/// The texts of all templates with what Tera needs to count and to map.
pub(super) struct Copies<'t> {
    templates: &'t [PreparedTemplate],
    /// With markers and calls that pay.
    marked: Vec<Interleaved>,
    /// With calls that pay: made for those that are rendered so, which are few.
    metered: Vec<OnceLock<Interleaved>>,
}

impl<'t> Copies<'t> {
    /// Copies templates, side by side.
    pub(super) fn new(templates: &'t [PreparedTemplate]) -> Self {
        let numbered = templates.par_iter().enumerate();
        let marked = numbered.map(|(id, template)| template.copied(id, Copy::Marked));
        Self {
            templates,
            marked: marked.collect(),
            metered: templates.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// Returns a copy of the template of number `id`.
    pub(super) fn get(&self, id: usize, copy: Copy) -> &Interleaved {
        match copy {
            Copy::Marked => &self.marked[id],
            Copy::Metered => {
                self.metered[id].get_or_init(|| self.templates[id].copied(id, Copy::Metered))
            }
        }
    }

    /// Lists the names of templates with the texts of their copies.
    fn texts(
        &self,
        ids: impl IntoIterator<Item = usize>,
        copy: Copy,
    ) -> impl Iterator<Item = (&str, &str)> {
        let ids = ids.into_iter();
        ids.map(move |id| {
            let name = self.templates[id].name.as_str();
            (name, self.get(id, copy).text.as_str())
        })
    }

    /// Lists all templates with the texts of their copies; a broken one is empty.
    fn sound_texts(
        &self,
        copy: Copy,
        broken: &BTreeSet<String>,
    ) -> impl Iterator<Item = (&str, &str)> {
        let all = self.texts(0..self.templates.len(), copy);
        all.map(|(name, text)| (name, if broken.contains(name) { "" } else { text }))
    }
}

/// The templates of a run.
pub(super) struct ParsedTemplates {
    base: Tera,
    /// Those that stand alone, with markers, on shelves that were filled side by side.
    shelves: Vec<Tera>,
    /// Which shelf each of those lies on.
    places: BTreeMap<String, usize>,
    /// The others, with what they include: with markers.
    marked: Option<Tera>,
    /// The names of those that markers could disturb.
    disturbed: BTreeSet<String>,
    /// Those with what they include, metered; parsed when one is rendered.
    metered_disturbed: OnceLock<Tera>,
    /// All of them metered; parsed when one that markers cannot disturb fails.
    metered: OnceLock<Tera>,
    /// All of them as they are; parsed when one fails.
    plain: OnceLock<Tera>,
}

impl ParsedTemplates {
    /// Parses templates; those that have problems are reported, all of them, and go to `broken`.
    pub(super) fn of(
        templates: &[PreparedTemplate],
        by_name: &ByName<'_>,
        copies: &Copies<'_>,
        environment: &Arc<TemplateEnvironment>,
        broken: &mut BTreeSet<String>,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let base = base(environment);
        let sound = broken
            .is_empty()
            .then(|| Self::sound(&base, templates, by_name, copies));
        sound.flatten().unwrap_or_else(|| {
            let plain = parse_all(&base, by_name, broken, problems);
            let metered = parse_metered(&base, templates, copies, broken, problems);
            let marked = parse_marked(&base, templates, copies, broken);
            Self {
                base,
                shelves: Vec::new(),
                places: BTreeMap::new(),
                marked: Some(marked.unwrap_or_else(|| metered.clone())),
                disturbed: templates.iter().map(|it| it.name.clone()).collect(),
                metered_disturbed: OnceLock::from(metered),
                metered: OnceLock::new(),
                plain: OnceLock::from(plain),
            }
        })
    }

    /// Parses templates that have no problems; `None` if one has, or cannot be parsed with its markers.
    fn sound(
        base: &Tera,
        templates: &[PreparedTemplate],
        by_name: &ByName<'_>,
        copies: &Copies<'_>,
    ) -> Option<Self> {
        let (alone, others): (Vec<usize>, Vec<usize>) =
            (0..templates.len()).partition(|id| templates[*id].stands_alone());
        let shelves = rayon::current_num_threads() * 2;
        let size = alone.len().div_ceil(shelves).max(1);
        let shelves = alone
            .par_chunks(size)
            .map(|chunk| parse(base, copies.texts(chunk.iter().copied(), Copy::Marked)))
            .collect::<Option<Vec<Tera>>>()?;
        let places = alone.chunks(size).enumerate().flat_map(|(shelf, chunk)| {
            let names = chunk.iter().map(|id| templates[*id].name.clone());
            names.map(move |name| (name, shelf))
        });
        let places = places.collect();
        let disturbed = others.iter().map(|id| templates[*id].name.as_str());
        let disturbed = disturbed.filter(|name| !passes_markers(name, by_name));
        let disturbed = disturbed.map(str::to_owned).collect();
        let others = with_targets(templates, &others);
        let marked = if others.is_empty() {
            None
        } else {
            Some(parse(base, copies.texts(others, Copy::Marked))?)
        };
        Some(Self {
            base: base.clone(),
            shelves,
            places,
            marked,
            disturbed,
            metered_disturbed: OnceLock::new(),
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
        self.marked.as_ref()
    }

    /// Returns whether markers could disturb what a template prints, or what it includes.
    pub(super) fn is_disturbed(&self, name: &str) -> bool {
        self.disturbed.contains(name)
    }

    /// Returns the templates that pay and have no markers: those that markers could disturb, or all.
    pub(super) fn metered(
        &self,
        all: &[PreparedTemplate],
        copies: &Copies<'_>,
        disturbed: bool,
    ) -> &Tera {
        let parsed = |ids: Vec<usize>| {
            let texts = copies.texts(ids, Copy::Metered);
            parse(&self.base, texts).unwrap_or_else(|| self.base.clone())
        };
        let numbers = 0..all.len();
        if disturbed {
            self.metered_disturbed.get_or_init(|| {
                let some = numbers.filter(|id| self.is_disturbed(&all[*id].name));
                parsed(with_targets(all, &some.collect::<Vec<_>>()))
            })
        } else {
            self.metered.get_or_init(|| parsed(numbers.collect()))
        }
    }

    /// Returns the templates as they are, for the report of what a metered one has shown to fail.
    pub(super) fn plain(&self, all: &[PreparedTemplate]) -> &Tera {
        self.plain.get_or_init(|| {
            let texts = all.iter();
            let texts = texts.map(|template| (&template.name, template.text()));
            parse(&self.base, texts).unwrap_or_else(|| self.base.clone())
        })
    }
}

/// Adds what templates include or extend, near or far; by their numbers.
fn with_targets(templates: &[PreparedTemplate], some: &[usize]) -> Vec<usize> {
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    let mut todo: Vec<&PreparedTemplate> = some.iter().map(|id| &templates[*id]).collect();
    while let Some(template) = todo.pop() {
        if wanted.insert(&template.name) {
            let targets: BTreeSet<&str> = template.targets().map(|(target, _)| target).collect();
            let found = templates.iter();
            todo.extend(found.filter(|other| targets.contains(other.name.as_str())));
        }
    }
    let is_wanted = |id: &usize| wanted.contains(templates[*id].name.as_str());
    (0..templates.len()).filter(is_wanted).collect()
}

fn parse(
    base: &Tera,
    texts: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
) -> Option<Tera> {
    let mut tera = base.clone();
    tera.add_raw_templates(texts).is_ok().then_some(tera)
}

fn base(environment: &Arc<TemplateEnvironment>) -> Tera {
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
    templates: &[PreparedTemplate],
    copies: &Copies<'_>,
    broken: &mut BTreeSet<String>,
    problems: &mut Vec<Diagnostic>,
) -> Tera {
    let mut tera = base.clone();
    if tera
        .add_raw_templates(copies.sound_texts(Copy::Metered, broken))
        .is_ok()
    {
        return tera;
    }
    for (id, template) in templates.iter().enumerate() {
        let text = &copies.get(id, Copy::Metered).text;
        if !broken.contains(&template.name) && !parses(base, &template.name, text) {
            let message = "it cannot be told how much work this template makes";
            let problem = Diagnostic::error(&codes::TEMPLATE_FAILED, message);
            problems.push(problem.at(&template.source, Span::default(), ""));
            broken.insert(template.name.clone());
        }
    }
    parse(base, copies.sound_texts(Copy::Metered, broken)).unwrap_or_else(|| base.clone())
}

/// Parses the marked templates; a template that only parses without markers goes without.
fn parse_marked(
    base: &Tera,
    templates: &[PreparedTemplate],
    copies: &Copies<'_>,
    broken: &BTreeSet<String>,
) -> Option<Tera> {
    let mut tera = base.clone();
    if tera
        .add_raw_templates(copies.sound_texts(Copy::Marked, broken))
        .is_ok()
    {
        return Some(tera);
    }
    let texts = templates.iter().enumerate().map(|(id, template)| {
        let marked = &copies.get(id, Copy::Marked).text;
        let text = if broken.contains(&template.name) {
            ""
        } else if parses(base, &template.name, marked) {
            marked
        } else {
            &copies.get(id, Copy::Metered).text
        };
        (&template.name, text)
    });
    tera.add_raw_templates(texts).is_ok().then_some(tera)
}

fn parses(base: &Tera, name: &str, text: &str) -> bool {
    let alone = base.clone().add_raw_template(name, text);
    !alone.is_err_and(|error| matches!(error.kind(), ErrorKind::SyntaxError(_)))
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
