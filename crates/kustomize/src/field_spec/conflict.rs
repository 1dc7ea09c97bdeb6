//! Lists of field specs made one.

use super::FieldSpec;
use crate::place::Place;
use crate::problem::{Findings, Problem, ProblemKind};

impl FieldSpec {
    /// Adds field specs to a list; those that the list has already are left out.
    ///
    /// Two for the same field of which one makes it and the other does not are a problem at `place`, if the added one
    /// has no place of its own.
    pub(crate) fn merge(
        list: &mut Vec<Self>,
        added: &[Self],
        place: &Place,
        findings: &mut Findings,
    ) {
        for spec in added {
            match list.iter().find(|known| known.covers(spec)) {
                None => list.push(spec.clone()),
                Some(known) if known.create == spec.create => {}
                Some(known) => {
                    let at = spec
                        .place
                        .as_ref()
                        .or(known.place.as_ref())
                        .unwrap_or(place);
                    let message = format!(
                        "two field specs for `{}` do not agree whether the field is created",
                        spec.path
                    );
                    findings.refuse(
                        Problem::new(ProblemKind::Refused, message, at)
                            .with_help("give both the same value of `create`"),
                    );
                }
            }
        }
    }

    /// Returns whether the kinds of the other choose this one, for the same path.
    fn covers(&self, other: &Self) -> bool {
        let own = &self.selector;
        self.path == other.path && other.selector.selects(&own.group, &own.version, &own.kind)
    }
}
