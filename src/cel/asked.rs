//! What an expression asks of a variable: of `config.network.node_cidr` only that much is handed to CEL, since a
//! value that is handed over is copied.

use std::collections::BTreeMap;

use kube_cel::cel::IdedExpr;
use kube_cel::cel::common::ast::{EntryExpr, Expr, IdedEntryExpr};

/// The parts of a value that an expression asks for.
#[derive(Debug, Default)]
pub(super) struct AskedParts<'e> {
    /// Whether it asks for all of it.
    pub(super) whole: bool,
    /// What it asks for behind each key.
    pub(super) below: BTreeMap<&'e str, Self>,
}

impl<'e> AskedParts<'e> {
    /// Finds what an expression asks of a variable; `None` when it does not name it.
    ///
    /// A variable of a macro that has the same name counts as well: more is handed over than is needed.
    pub(super) fn of(variable: &str, expression: &'e IdedExpr) -> Option<Self> {
        let mut asked = Self::default();
        asked.visit(variable, expression, &mut Vec::new());
        (asked.whole || !asked.below.is_empty()).then_some(asked)
    }

    /// Looks through an expression of which the fields in `behind` are selected, the outermost first.
    fn visit(&mut self, variable: &str, expression: &'e IdedExpr, behind: &mut Vec<&'e str>) {
        match &expression.expr {
            Expr::Ident(name) if name == variable => self.note(behind),
            Expr::Select(select) => {
                behind.push(&select.field);
                self.visit(variable, &select.operand, behind);
                behind.pop();
            }
            other => {
                for inner in inside(other) {
                    self.visit(variable, inner, &mut Vec::new());
                }
            }
        }
    }

    /// Notes that the fields in `behind` are selected, the innermost last.
    fn note(&mut self, behind: &[&'e str]) {
        let mut asked = self;
        for field in behind.iter().rev() {
            asked = asked.below.entry(field).or_default();
        }
        asked.whole = true;
    }
}

/// Lists the expressions that another one is made of, but for what a field is selected of.
fn inside(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(of_entry).collect(),
        Expr::Struct(made) => made.entries.iter().flat_map(of_entry).collect(),
        Expr::Comprehension(macros) => vec![
            &macros.iter_range,
            &macros.accu_init,
            &macros.loop_cond,
            &macros.loop_step,
            &macros.result,
        ],
        Expr::Select(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn of_entry(entry: &IdedEntryExpr) -> Vec<&IdedExpr> {
    match &entry.expr {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

#[cfg(test)]
mod tests {
    use kube_cel::cel::Value;
    use serde_json::json;

    use crate::cel::{expression, part, value};

    /// Returns what an expression is handed of a config.
    fn handed(text: &str) -> Option<Value> {
        let config = json!({"a": {"b": 1, "c": [2]}, "d": null, "e": {"f": {"g": 3}}});
        part(&config, "config", &expression(text).unwrap())
    }

    #[test]
    fn hands_over_what_is_selected() {
        let cases = [
            ("config.a.b > 1", json!({"a": {"b": 1}})),
            ("size(config.a.c)", json!({"a": {"c": [2]}})),
            ("has(config.e.f)", json!({"e": {"f": {"g": 3}}})),
            ("[config.d].all(x, x == null)", json!({"d": null})),
            (
                "config.a.b + config.a.c[0]",
                json!({"a": {"b": 1, "c": [2]}}),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(handed(text), Some(value(&expected)), "{text}");
        }
        assert_eq!(handed("self.a + other.config.b"), None);
    }

    #[test]
    fn keeps_the_mapping_in_which_a_key_is_missing() {
        let cases = [
            ("config.a.missing", json!({"a": {}})),
            ("config.d.missing", json!({"d": null})),
            ("config.missing.b", json!({})),
        ];
        for (text, expected) in cases {
            assert_eq!(handed(text), Some(value(&expected)), "{text}");
        }
    }

    #[test]
    fn hands_over_everything_where_nobody_knows_what_is_asked_for() {
        let cases = [
            "config['a']",
            "config.exists(key, key == 'a')",
            "config == self",
            "[config]",
            "{'x': config}",
            "config.a.map(key, config)",
        ];
        let whole = handed("config");
        for text in cases {
            assert_eq!(handed(text), whole, "{text}");
        }
    }
}
