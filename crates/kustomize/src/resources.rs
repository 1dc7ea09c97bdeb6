//! All objects of a build, in order.

use std::collections::BTreeMap;

use super::place::Place;
use super::problem::{Findings, Problem, ProblemKind};
use super::resource::{Resource, ResourceId};

/// The objects of a build, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources {
    pub(crate) list: Vec<Resource>,
}

impl Resources {
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
