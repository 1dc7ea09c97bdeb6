//! Where lines come from.

use std::collections::BTreeMap;

use jinja::{Engine, Printed, Syntax, UndefinedMode, Value, value};

use crate::case::loader_of;

fn print(templates: &[(&str, &str)]) -> Printed {
    let templates: BTreeMap<String, String> = templates
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let syntax = Syntax {
        trim_blocks: true,
        lstrip_blocks: true,
        keep_trailing_newline: true,
        ..Syntax::default()
    };
    let context = value::dict(vec![
        (
            Value::from("items"),
            value::list(vec![Value::from("a"), Value::from("b")]),
        ),
        (Value::from("key"), Value::from("one\ntwo\nthree")),
    ]);
    let engine = Engine::new(syntax, UndefinedMode::Strict, loader_of(templates));
    engine.render("main", &context).expect("a text")
}

/// Each line with the template and line that it comes from.
fn lines(templates: &[(&str, &str)]) -> Vec<String> {
    let printed = print(templates);
    assert_eq!(printed.text.lines().count(), printed.lines.len());
    let origins = printed
        .lines
        .iter()
        .map(|origin| format!("{}:{}", origin.template, origin.line));
    printed
        .text
        .lines()
        .zip(origins)
        .map(|(line, origin)| format!("{origin} {line}"))
        .collect()
}

#[test]
fn text_loops_and_conditions_keep_their_lines() {
    let template = "first\n{% for item in items %}\n- {{ item }}\n{% if item == 'b' %}\n  last\n{% endif %}\n{% endfor %}\nend\n";
    assert_eq!(
        lines(&[("main", template)]),
        [
            "main:1 first",
            "main:3 - a",
            "main:3 - b",
            "main:5   last",
            "main:8 end"
        ]
    );
}

#[test]
fn a_value_of_several_lines_comes_from_the_line_that_prints_it() {
    assert_eq!(
        lines(&[("main", "a\nkey: {{ key }}\nz\n")]),
        [
            "main:1 a",
            "main:2 key: one",
            "main:2 two",
            "main:2 three",
            "main:3 z"
        ]
    );
}

#[test]
fn lines_of_a_filter_block_are_their_own_while_the_filter_keeps_their_number() {
    let template = "a\n{% filter indent(2, true) %}\nb\nc\n{% endfilter %}\nd\n";
    assert_eq!(
        lines(&[("main", template)]),
        ["main:1 a", "main:3   b", "main:4   c", "main:6 d"]
    );
    let template = "a\n{% filter replace('b\\n', 'x\\ny\\n') %}\nb\nc\n{% endfilter %}\nd\n";
    assert_eq!(
        lines(&[("main", template)]),
        ["main:1 a", "main:2 x", "main:2 y", "main:2 c", "main:6 d"]
    );
}

#[test]
fn macros_includes_blocks_and_set_blocks_keep_their_lines() {
    let templates = [
        (
            "main",
            "{% extends 'base' %}\n{% from 'lib' import m %}\n{% block b %}\n{{ m() }}{% include 'inc' %}\n{% endblock %}\n",
        ),
        ("base", "top\n{% block b %}{% endblock %}\nend\n"),
        ("lib", "\n{% macro m() %}\nx\ny\n{% endmacro %}\n"),
        ("inc", "{% set s %}\np\nq\n{% endset %}\n{{ s | indent }}"),
    ];
    assert_eq!(
        lines(&templates),
        [
            "base:1 top",
            "lib:3 x",
            "lib:4 y",
            "inc:2 p",
            "inc:3     q",
            "base:3 end"
        ]
    );
}

#[test]
fn line_breaks_of_windows_count_once() {
    assert_eq!(
        lines(&[("main", "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc")]),
        ["main:1 a", "main:3 b", "main:5 c"]
    );
}
