//! Expressions as they were parsed when they were written: the parser of CEL takes longer than all that is
//! evaluated.
//!
//! `expressions.txt` has a line for each expression of the catalogue, sorted: the text, a tab, and its tree
//! as JSON. A node is a list of a letter, the node's number, and what it is made of. A test writes the file
//! and compares each tree with what the parser says; an expression that is not there is parsed.

use std::sync::LazyLock;

use kube_cel::cel::IdedExpr;
use kube_cel::cel::common::ast::{
    CallExpr, ComprehensionExpr, Expr, ListExpr, LiteralValue, SelectExpr,
};
use serde_json::{Value as Json, json};

static LINES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = include_str!("expressions.txt").lines();
    lines.filter_map(|line| line.split_once('\t')).collect()
});

/// Finds an expression of the catalogue.
pub(super) fn find(text: &str) -> Option<IdedExpr> {
    let found = LINES.binary_search_by_key(&text, |(text, _)| text).ok()?;
    unpack(&serde_json::from_str(LINES[found].1).ok()?)
}

/// Writes the line of an expression; `None` for one with a line break, or with what is not packed: bytes,
/// maps and messages.
pub fn line(text: &str, tree: &IdedExpr) -> Option<String> {
    let breaks = text.contains(['\t', '\n', '\r']);
    let packed = pack(tree).filter(|_| !breaks)?;
    Some(format!("{text}\t{packed}"))
}

fn pack(tree: &IdedExpr) -> Option<Json> {
    let all = |list: &[IdedExpr]| list.iter().map(pack).collect::<Option<Vec<Json>>>();
    let id = tree.id;
    Some(match &tree.expr {
        Expr::Ident(name) => json!(["i", id, name]),
        Expr::Literal(literal) => match literal {
            LiteralValue::Null => json!(["n", id]),
            LiteralValue::Boolean(flag) => json!(["b", id, *flag.inner()]),
            LiteralValue::Int(number) => json!(["d", id, *number.inner()]),
            LiteralValue::UInt(number) => json!(["u", id, *number.inner()]),
            LiteralValue::String(text) => json!(["t", id, text.inner()]),
            LiteralValue::Double(_) | LiteralValue::Bytes(_) => return None,
        },
        Expr::Call(call) => {
            let target = match &call.target {
                Some(target) => pack(target)?,
                None => Json::Null,
            };
            json!(["c", id, call.func_name, target, all(&call.args)?])
        }
        Expr::Select(select) => {
            json!(["s", id, pack(&select.operand)?, select.field, select.test])
        }
        Expr::List(list) => json!(["l", id, all(&list.elements)?, list.optional_indices]),
        Expr::Comprehension(it) => json!([
            "f",
            id,
            pack(&it.iter_range)?,
            it.iter_var,
            it.iter_var2,
            it.accu_var,
            pack(&it.accu_init)?,
            pack(&it.loop_cond)?,
            pack(&it.loop_step)?,
            pack(&it.result)?
        ]),
        Expr::Unspecified | Expr::Map(_) | Expr::Struct(_) => return None,
    })
}

fn unpack(json: &Json) -> Option<IdedExpr> {
    let text = |at: usize| json.get(at)?.as_str().map(str::to_owned);
    let node = |at: usize| unpack(json.get(at)?);
    let all = |at: usize| -> Option<Vec<IdedExpr>> {
        json.get(at)?.as_array()?.iter().map(unpack).collect()
    };
    let expr = match json.get(0)?.as_str()? {
        "i" => Expr::Ident(text(2)?),
        "n" => Expr::Literal(LiteralValue::Null),
        "b" => Expr::Literal(LiteralValue::Boolean(json.get(2)?.as_bool()?.into())),
        "d" => Expr::Literal(LiteralValue::Int(json.get(2)?.as_i64()?.into())),
        "u" => Expr::Literal(LiteralValue::UInt(json.get(2)?.as_u64()?.into())),
        "t" => Expr::Literal(LiteralValue::String(text(2)?.into())),
        "c" => Expr::Call(CallExpr {
            func_name: text(2)?,
            target: match json.get(3)? {
                Json::Null => None,
                target => Some(Box::new(unpack(target)?)),
            },
            args: all(4)?,
        }),
        "s" => Expr::Select(SelectExpr {
            operand: Box::new(node(2)?),
            field: text(3)?,
            test: json.get(4)?.as_bool()?,
        }),
        "l" => {
            let indices = json.get(3)?.as_array()?.iter();
            let indices = indices.map(|index| usize::try_from(index.as_u64()?).ok());
            Expr::List(ListExpr {
                elements: all(2)?,
                optional_indices: indices.collect::<Option<_>>()?,
            })
        }
        "f" => Expr::Comprehension(Box::new(ComprehensionExpr {
            iter_range: node(2)?,
            iter_var: text(3)?,
            iter_var2: text(4),
            accu_var: text(5)?,
            accu_init: node(6)?,
            loop_cond: node(7)?,
            loop_step: node(8)?,
            result: node(9)?,
        })),
        _ => return None,
    };
    Some(IdedExpr {
        id: json.get(1)?.as_u64()?,
        expr,
    })
}

#[cfg(test)]
mod tests {
    use kube_cel::cel::Program;

    use super::*;

    #[test]
    fn what_is_packed_comes_out_the_same() {
        for text in [
            "a.b[0] == 'x' && !has(c.d) || e in [1, 2u, null, true]",
            "a.all(x, x.b > -1) && a.exists_one(x, x == 'y') && size(a.map(x, x.z)) > 0",
            "a ? f(b, c).g() : h.filter(n, n.ok)",
        ] {
            let program = Program::compile(text).unwrap();
            let line = line(text, program.expression()).unwrap();
            let (head, packed) = line.split_once('\t').unwrap();
            assert_eq!(head, text);
            let unpacked = unpack(&serde_json::from_str(packed).unwrap());
            assert_eq!(unpacked.as_ref(), Some(program.expression()), "{text}");
        }
        for text in ["{'a': 1}", "b'x'", "1.5", "a +\nb"] {
            let program = Program::compile(text).unwrap();
            assert_eq!(line(text, program.expression()), None, "{text}");
        }
    }

    #[test]
    fn every_line_is_what_the_parser_says() {
        assert!(LINES.is_sorted_by_key(|(text, _)| text));
        for (text, _) in LINES.iter() {
            let program = Program::compile(text).unwrap();
            assert_eq!(find(text).as_ref(), Some(program.expression()), "{text}");
        }
    }
}
