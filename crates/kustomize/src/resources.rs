//! All objects of a build, in order.

use std::collections::{BTreeMap, BTreeSet};

use super::generate::absorb;
use super::place::Place;
use super::problem::{Findings, Problem, ProblemKind};
use super::resource::{GeneratorBehavior, Resource, ResourceId};

/// The objects of a build, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources {
    pub(crate) list: Vec<Resource>,
}

impl Resources {
    /// Lists the indices of the objects that have an id now, or had it.
    pub(crate) fn matching_any_id(&self, id: &ResourceId) -> Vec<usize> {
        let id = id.clone().effective();
        let matches = |(_, resource): &(usize, &Resource)| resource.any_ids().contains(&id);
        let found = self.list.iter().enumerate().filter(matches);
        found.map(|(index, _)| index).collect()
    }

    /// Drops the objects that a transformer left nothing of.
    pub(crate) fn drop_empty(&mut self) {
        self.list.retain(|resource| !is_nothing(&resource.root));
    }

    /// Says which objects have the same id as one before.
    pub(crate) fn refuse_duplicates(&self, cause: &Place, findings: &mut Findings) {
        let mut seen: BTreeMap<ResourceId, usize> = BTreeMap::new();
        for (index, resource) in self.list.iter().enumerate() {
            let id = resource.id().effective();
            match seen.get(&id) {
                Some(first) => refuse_duplicate(&self.list[*first], resource, cause, findings),
                None => {
                    seen.insert(id, index);
                }
            }
        }
    }
}

fn is_nothing(root: &super::field::Field) -> bool {
    root.is_null()
        || root.entries().is_some_and(<[_]>::is_empty)
        || root.items().is_some_and(<[_]>::is_empty)
}

/// Adds objects, with their ids at hand: while it lives, nothing else changes the objects.
pub(crate) struct ResourceAppender<'r> {
    resources: &'r mut Resources,
    current: BTreeMap<ResourceId, usize>,
    /// Each id that an object has or had, with the objects.
    any: BTreeMap<ResourceId, BTreeSet<usize>>,
}

impl<'r> ResourceAppender<'r> {
    /// Starts to add to objects.
    pub(crate) fn new(resources: &'r mut Resources) -> Self {
        let mut appender = Self {
            resources,
            current: BTreeMap::new(),
            any: BTreeMap::new(),
        };
        for index in 0..appender.resources.list.len() {
            appender.learn(index);
        }
        appender
    }

    /// Adds an object at the end; one of the same id that is there already is a problem.
    ///
    /// `cause` is the place that brings the object.
    pub(crate) fn append(&mut self, resource: Resource, cause: &Place, findings: &mut Findings) {
        let id = resource.id().effective();
        if let Some(first) = self.current.get(&id) {
            refuse_duplicate(&self.resources.list[*first], &resource, cause, findings);
            return;
        }
        self.resources.list.push(resource);
        self.learn(self.resources.list.len() - 1);
    }

    /// Adds what a generator made: as a new object, in the place of another, or merged with it.
    pub(crate) fn absorb(&mut self, made: Resource, findings: &mut Findings) {
        let id = made.id();
        let matches: Vec<usize> = self
            .any
            .get(&id.clone().effective())
            .map(|found| found.iter().copied().collect())
            .unwrap_or_default();
        let place = made.name_place().clone();
        let replaces = matches!(
            made.behavior,
            GeneratorBehavior::Replace | GeneratorBehavior::Merge
        );
        match (matches.as_slice(), replaces) {
            ([], false) => self.append(made, &place, findings),
            ([], true) => {
                let message = format!("there is no {} that the generator can change", id.shown());
                findings.refuse(
                    Problem::new(ProblemKind::NoTarget, message, &place)
                        .with_help("Leave `behavior` out to make a new object"),
                );
            }
            ([index], true) => self.replace(*index, made, findings),
            ([index], false) => {
                let message = format!("{} is there already", id.shown());
                findings.refuse(
                    Problem::new(ProblemKind::Duplicate, message, &place)
                        .with_related(self.resources.list[*index].name_place())
                        .with_help("Set `behavior` to `merge` or `replace`, or change the name"),
                );
            }
            ([first, ..], _) => {
                let message = format!("more than one object is or was {}", id.shown());
                findings.refuse(
                    Problem::new(ProblemKind::Ambiguous, message, &place)
                        .with_related(self.resources.list[*first].name_place()),
                );
            }
        }
    }

    fn replace(&mut self, index: usize, mut made: Resource, findings: &mut Findings) {
        self.forget(index);
        absorb(&mut made, &self.resources.list[index], findings);
        self.resources.list[index] = made;
        self.learn(index);
    }

    fn learn(&mut self, index: usize) {
        let resource = &self.resources.list[index];
        self.current
            .entry(resource.id().effective())
            .or_insert(index);
        for id in resource.any_ids() {
            self.any.entry(id).or_default().insert(index);
        }
    }

    fn forget(&mut self, index: usize) {
        let resource = &self.resources.list[index];
        let id = resource.id().effective();
        if self.current.get(&id) == Some(&index) {
            self.current.remove(&id);
        }
        for id in resource.any_ids() {
            if let Some(indices) = self.any.get_mut(&id) {
                indices.remove(&index);
            }
        }
    }
}

fn refuse_duplicate(first: &Resource, second: &Resource, cause: &Place, findings: &mut Findings) {
    let shown = second.id().shown();
    let same = first.place() == second.place();
    let (message, place, help) = if same {
        let message = format!("{shown} comes in a second time");
        let help = "Name the file or folder once, or give one of the two another name or namespace";
        (message, cause, help)
    } else {
        let message = format!("{shown} is defined twice");
        let help = "Take one of the two out, or give it another name or namespace";
        (message, second.name_place(), help)
    };
    findings.refuse(
        Problem::new(ProblemKind::Duplicate, message, place)
            .with_related(first.name_place())
            .with_help(help),
    );
}
