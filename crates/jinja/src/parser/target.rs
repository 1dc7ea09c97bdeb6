//! Reads what is assigned to.

use crate::error::Outcome;
use crate::parser::Parser;
use crate::syntax_tree::{Name, Target};
use crate::token::TokenKind;

/// Names that are constants.
pub(super) const CONSTANTS: [&str; 6] = ["true", "false", "none", "True", "False", "None"];

impl Parser<'_> {
    /// A target: a name, with `namespaces` an attribute of a namespace, with `tuples` several of them.
    pub(super) fn parse_target(
        &mut self,
        tuples: bool,
        namespaces: bool,
        end: Option<&str>,
    ) -> Outcome<Target> {
        let start = self.span().start;
        let mut targets = Vec::new();
        let mut is_tuple = false;
        loop {
            if !targets.is_empty() && self.is_target_end(end) {
                break;
            }
            targets.push(self.parse_single_target(tuples, namespaces)?);
            if !tuples || !self.skip_operator(",") {
                break;
            }
            is_tuple = true;
        }
        match (is_tuple, targets.pop()) {
            (false, Some(target)) => Ok(target),
            (_, last) => {
                targets.extend(last);
                Ok(Target::Tuple(targets, self.span_from(start)))
            }
        }
    }

    fn is_target_end(&self, end: Option<&str>) -> bool {
        matches!(self.kind(), TokenKind::BlockEnd | TokenKind::VariableEnd)
            || self.is_operator(")")
            || end.is_some_and(|end| self.is_name(end))
    }

    fn parse_single_target(&mut self, tuples: bool, namespaces: bool) -> Outcome<Target> {
        let span = self.span();
        if tuples && self.skip_operator("(") {
            let target = self.nested(|parser| parser.parse_target(true, namespaces, None))?;
            self.expect_operator(")")?;
            return Ok(target);
        }
        let name: Name = self.expect_name()?;
        if CONSTANTS.contains(&name.as_ref()) {
            return Err(self.failure(format!("`{name}` cannot be assigned to"), &span));
        }
        if namespaces && self.skip_operator(".") {
            let attribute = self.expect_name()?;
            return Ok(Target::Attribute {
                namespace: name,
                attribute,
                span: self.span_from(span.start),
            });
        }
        self.mention(&name, true);
        Ok(Target::Name(name))
    }
}
