//! Templates of an attacker end, with a text or an error, and never with a panic.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::case::{Answer, render};

/// Pieces of templates, of which a hostile one is put together.
pub(crate) const PIECES: [&str; 96] = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "-",
    "+",
    "{%-",
    "-%}",
    "x",
    "l",
    "d",
    "nope",
    "'a'",
    "\"b\\x41\"",
    "'\\u12'",
    "1",
    "99999999999999999999",
    "1.5",
    "1e9",
    "0x",
    "1_",
    ".",
    ",",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    "|",
    "~",
    "*",
    "**",
    "//",
    "%",
    "==",
    "<",
    ">=",
    "=",
    " if ",
    " else ",
    " for ",
    " in ",
    " is ",
    " not ",
    " and ",
    " or ",
    " set ",
    " endset ",
    " endfor ",
    " endif ",
    " macro ",
    " endmacro ",
    " call ",
    " endcall ",
    " filter ",
    " endfilter ",
    " block ",
    " endblock ",
    " raw ",
    " endraw ",
    " include ",
    " import ",
    " from ",
    " extends ",
    " with ",
    " as ",
    " context ",
    " recursive ",
    " scoped ",
    " required ",
    "upper",
    "join",
    "map",
    "sort",
    "format",
    "indent",
    "loop",
    "self",
    "super",
    "caller",
    "varargs",
    "kwargs",
    "range",
    "namespace",
    "append",
    "\n",
    "\r\n",
    "\t",
    "é",
    "\u{2028}",
    "# ",
    "'%s'",
];

fn template() -> impl Strategy<Value = String> {
    proptest::collection::vec(0..PIECES.len(), 0..40).prop_map(|chosen| {
        chosen
            .into_iter()
            .filter_map(|at| PIECES.get(at))
            .copied()
            .collect()
    })
}

fn check(template: &str, line_rules: bool) -> Answer {
    let mut syntax = json!({"trim_blocks": true, "lstrip_blocks": true});
    if line_rules {
        syntax["line_statement"] = json!("#");
        syntax["line_comment"] = json!("##");
    }
    let context = json!({"x": 5, "l": [3, "a", null], "d": {"a": {"b": 1}}});
    render(&json!({"template": template, "context": context, "syntax": syntax}))
}

#[test]
fn no_template_panics() {
    let mut runner = TestRunner::new(Config {
        cases: 4000,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&(template(), any::<bool>()), |(template, line_rules)| {
            check(&template, line_rules);
            check(&format!("{{{{ {template} }}}}"), line_rules);
            check(&format!("{{% {template} %}}a{{% endfor %}}"), line_rules);
            Ok(())
        })
        .expect("no panic");
}

#[test]
fn no_text_panics() {
    let mut runner = TestRunner::new(Config {
        cases: 1000,
        failure_persistence: None,
        ..Config::default()
    });
    let text = proptest::collection::vec(any::<char>(), 0..60)
        .prop_map(|text| text.into_iter().collect::<String>());
    runner
        .run(&text, |text| {
            check(&text, true);
            check(
                &format!("{{{{ {text:?}|title|wordwrap(3)|indent|urlize|truncate(9) }}}}"),
                false,
            );
            check(
                &format!("{{{{ {text:?} % l }}}}{{{{ {text:?}.format(1, a=l) }}}}"),
                false,
            );
            Ok(())
        })
        .expect("no panic");
}

#[test]
fn deep_nesting_is_an_error() {
    let too_deep = Answer::Error("RecursionError".to_owned());
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{1:", "}"),
        ("-", ""),
        ("not ", ""),
        ("x|map(", ")"),
        ("x if ", ""),
    ] {
        let nested =
            |depth: usize| format!("{{{{ {}1{} }}}}", open.repeat(depth), close.repeat(depth));
        assert_eq!(check(&nested(5000), false), too_deep, "{open}");
        assert_ne!(check(&nested(30), false), too_deep, "{open}");
    }
    for (open, close) in [
        ("{% if x %}", "{% endif %}"),
        ("{% for a in l %}", "{% endfor %}"),
        ("{% filter upper %}", "{% endfilter %}"),
    ] {
        let nested = |depth: usize| format!("{}a{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(check(&nested(3000), false), too_deep, "{open}");
        // A loop that goes through a list of three runs its body 3^4 times.
        assert_ne!(check(&nested(4), false), too_deep, "{open}");
    }
    let mut chain = String::from("{{ 1");
    for _ in 0..3000 {
        write!(chain, " + 1").expect("a text");
    }
    assert_eq!(check(&(chain + " }}"), false), too_deep);
}
