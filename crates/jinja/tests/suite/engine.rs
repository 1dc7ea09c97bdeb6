//! What the interface promises.

use std::collections::BTreeMap;
use std::sync::Arc;

use jinja::{
    CallError, Engine, ErrorKind, ExceededLimit, Limits, Syntax, TemplateError, UndefinedMode,
    Value, value,
};

use crate::case::loader_of;

fn engine(templates: &[(&str, &str)]) -> Engine {
    let templates: BTreeMap<String, String> = templates
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Engine::new(
        Syntax::default(),
        UndefinedMode::Strict,
        loader_of(templates),
    )
}

fn fail(engine: &Engine) -> TemplateError {
    engine
        .render("main", &value::dict(Vec::new()))
        .expect_err("an error")
}

#[test]
fn an_error_points_into_what_the_user_wrote() {
    let text = "a\r\nb\r\nkey: {{ known.secret.name }}\r\n";
    let mut engine = engine(&[("main", text)]);
    engine.add_global("known", value::dict(Vec::new()));
    let error = fail(&engine);
    assert_eq!(error.kind, ErrorKind::Undefined);
    assert_eq!(error.variable.as_deref(), Some("secret"));
    assert_eq!(&text[error.span], "known.secret.name");
    assert_eq!(
        error.message,
        "`secret` is undefined: the dict object has no such attribute or item"
    );
}

#[test]
fn an_error_in_an_included_template_names_that_template() {
    let included = "x\n{{ 'a' + 1 }}";
    let error = fail(&engine(&[
        ("main", "{% include 'other' %}"),
        ("other", included),
    ]));
    assert_eq!(
        (error.template.as_str(), error.exception),
        ("other", "TypeError")
    );
    assert_eq!(&included[error.span], "'a' + 1");
}

#[test]
fn a_template_that_does_not_parse_is_an_error_with_a_place() {
    let text = "a\r\n{% if x %}\r\n{{ 1 + }}\r\n{% endif %}";
    let error = engine(&[("main", text)])
        .load("main")
        .expect_err("an error");
    assert_eq!(error.kind, ErrorKind::Syntax);
    assert_eq!(&text[error.span], "}}");
    assert_eq!(
        error.message,
        "expected an expression, found the end of the expression"
    );
}

#[test]
fn loading_follows_names_that_are_written_as_texts() {
    let templates = [
        ("main", "{% include 'a' %}{% include nope %}"),
        ("a", "{% import 'b' as b %}"),
        ("bad", "{% if %}"),
    ];
    let error = engine(&templates).load("main").expect_err("an error");
    assert_eq!(error.kind, ErrorKind::MissingTemplate);
    assert_eq!(
        (error.template.as_str(), error.variable.as_deref()),
        ("a", Some("b"))
    );
    assert!(
        engine(&[("main", "{% include 'a' ignore missing %}")])
            .load("main")
            .is_ok()
    );
    for missing in [
        &[] as &[_],
        &[("main", "{% include 'a' ignore missing %}{% include 'a' %}")],
    ] {
        assert_eq!(
            engine(missing).load("main").expect_err("an error").kind,
            ErrorKind::MissingTemplate
        );
    }
    let circle = [
        ("main", "{% include 'a' %}"),
        ("a", "{% include 'main' %}{% include 'a' %}"),
    ];
    assert!(engine(&circle).load("main").is_ok());
}

#[test]
fn what_is_not_supported_is_named_at_load() {
    for (text, construct) in [
        ("{% trans %}a{% endtrans %}", "`trans`"),
        ("{% debug %}", "`debug`"),
        ("{{ ''.__class__ }}", "`__class__`"),
    ] {
        let error = engine(&[("main", text)])
            .load("main")
            .expect_err("an error");
        assert_eq!(error.kind, ErrorKind::Unsupported, "{text}");
        assert!(error.message.contains(construct), "{}", error.message);
    }
    assert_eq!(
        fail(&engine(&[("main", "{{ lipsum() }}")])).kind,
        ErrorKind::Unsupported
    );
    assert_eq!(
        fail(&engine(&[("main", "{{ [1]|random }}")])).kind,
        ErrorKind::Unsupported
    );
}

#[test]
fn functions_filters_and_tests_of_the_program_are_called() {
    let mut engine = engine(&[(
        "main",
        "{{ add(1, b=2) }} {{ 'x'|twice }} {{ 3 is big }} {{ ['a']|map('twice')|join }}",
    )]);
    engine.add_function(
        "add",
        Arc::new(|args: &[Value], kwargs: &[(String, Value)]| {
            let right = kwargs
                .iter()
                .find(|(name, _)| name == "b")
                .and_then(|(_, value)| value.as_i64());
            Ok(Value::from(
                args[0].as_i64().unwrap_or_default() + right.unwrap_or_default(),
            ))
        }),
    );
    engine.add_filter(
        "twice",
        Arc::new(|args: &[Value], _: &[(String, Value)]| {
            Ok(Value::from(value::str(&args[0]).repeat(2)))
        }),
    );
    engine.add_test(
        "big",
        Arc::new(|args: &[Value], _: &[(String, Value)]| {
            Ok(Value::from(args[0].as_i64() > Some(2)))
        }),
    );
    let printed = engine
        .render("main", &value::dict(Vec::new()))
        .expect("a text");
    assert_eq!(printed.text, "3 xx True aa");
}

#[test]
fn the_error_of_a_function_comes_back_as_the_cause() {
    let mut engine = engine(&[("main", "{{ f() }}")]);
    engine.add_function(
        "f",
        Arc::new(|_: &[Value], _: &[(String, Value)]| {
            Err(CallError {
                message: "no such key".to_owned(),
                cause: Some("behind".into()),
            })
        }),
    );
    let error = fail(&engine);
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Call, "no such key")
    );
    assert_eq!(error.variable.as_deref(), Some("f"));
    assert_eq!(
        error.cause.map(|cause| cause.to_string()).as_deref(),
        Some("behind")
    );
}

#[test]
fn limits_end_a_rendering() {
    let cases = [
        (
            "{% for a in range(10**9) %}{% endfor %}",
            ExceededLimit::Steps,
        ),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            ExceededLimit::Steps,
        ),
        ("{{ 'a' * 10**9 }}", ExceededLimit::Output),
        ("{{ [1] * 10**9 }}", ExceededLimit::Output),
        (
            "{% for a in range(999) %}{{ 'a' * 100000 }}{% endfor %}",
            ExceededLimit::Output,
        ),
        ("{{ 'a'.ljust(10**9) }}", ExceededLimit::Output),
        ("{{ '%*d' % (10**9, 1) }}", ExceededLimit::Output),
        ("{{ '{:999999999}'.format(1) }}", ExceededLimit::Output),
        ("{{ 9**(9**9) }}", ExceededLimit::Output),
        (
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            ExceededLimit::Depth,
        ),
        ("{% include 'main' %}", ExceededLimit::Depth),
        (
            "{% set a = [] %}{% do a.append([a]) %}{{ a == [[a]] }}{{ a < [[[a]]] }}",
            ExceededLimit::Depth,
        ),
    ];
    for (text, limit) in cases {
        let engine = engine(&[("main", text)]).with_limits(Limits {
            steps: 1_000_000,
            output_bytes: 1 << 20,
        });
        assert_eq!(fail(&engine).kind, ErrorKind::Limit(limit), "{text}");
    }
}

#[test]
fn values_that_share_their_parts_cost_what_they_take() {
    let double = "{% set ns = namespace(a=[1], b=[1], t=(1,)) %}{% for i in range(60) %}\
        {% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}";
    let uses = [
        "{{ ns.a == ns.b }}",
        "{{ ns.a < ns.b }}",
        "{{ ns.a }}",
        "{{ ns.a|tojson }}",
        "{{ ns.a|pprint|length }}",
        "{{ {ns.t: 1} }}",
        "{{ ns.a in [ns.b] }}",
        "{{ ns.a|string|length }}",
        "{{ '%s' % [ns.a] }}",
        "{% set l = range(100000)|list %}{% for i in range(100000) %}{{ -1 in l }}{% endfor %}",
        "{% set l = range(100000)|list %}{% for i in range(100000) %}{% do l|last %}{% endfor %}",
        "{% set l = range(100000)|list %}{% for i in range(100000) %}{% do l.index(99999) %}{% endfor %}",
        "{% for i in range(100000) %}{% macro m() %}{% endmacro %}{% endfor %}",
    ];
    for text in uses {
        let template = format!("{double}{text}");
        let engine = engine(&[("main", &template)]).with_limits(Limits {
            steps: 200_000,
            output_bytes: 1 << 20,
        });
        assert!(matches!(fail(&engine).kind, ErrorKind::Limit(_)), "{text}");
    }
}

#[test]
fn no_message_shows_a_value() {
    let templates = [
        "{{ s + 1 }}",
        "{{ s() }}",
        "{{ s.nope }}",
        "{{ d[s] }}",
        "{{ d.pop(s) }}",
        "{{ [].index(s) }}",
        "{{ [].remove(s) }}",
        "{{ s|int + [] }}",
        "{{ '%d' % s }}",
        "{{ '{:d}'.format(s) }}",
        "{{ '{:{}}'.format(1, s) }}",
        "{{ s|filesizeformat }}",
        "{{ [1]|map(s)|list }}",
        "{{ {s + ' ': 1}|xmlattr }}",
        "{{ 'a'|urlize(extra_schemes=[s]) }}",
        "{{ s is divisibleby 2 }}",
        "{{ 'a'.encode(s) }}",
        "{% for a, b in [s] %}{% endfor %}",
        "{{ [s]|sum }}",
        "{{ s|tojson|abs }}",
        "{{ '%(x)s' % s }}",
        "{{ '{x}'.format_map({s: 1}) }}",
        "{{ l[s] }}",
        "{{ {}|dictsort(by=s) }}",
        "{{ 1|round(method=s) }}",
        "{{ s.join(1) }}",
        "{{ -s }}",
        "{{ s < 1 }}",
        "{{ 1 in s }}",
        "{{ [s].pop(7) }}",
        "{{ s|batch(s) }}",
        "{{ dict([s]) }}",
        "{{ d[s].x }}",
    ];
    for text in templates {
        let mut engine = engine(&[("main", text)]);
        engine.add_global("s", Value::from("hunter2"));
        engine.add_global("d", value::dict(Vec::new()));
        engine.add_global("l", value::list(Vec::new()));
        let error = fail(&engine);
        let shown = format!("{error} {:?}", error.variable);
        assert!(!shown.contains("hunter2"), "{text}: {shown}");
    }
}

#[test]
fn an_engine_goes_through_threads() {
    fn assert_shared<T: Send + Sync>(_: &T) {}
    let engine = engine(&[("main", "{% set a = [1] %}{% do a.append(2) %}{{ a }}")]);
    assert_shared(&engine);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let printed = engine
                    .render("main", &value::dict(Vec::new()))
                    .expect("a text");
                assert_eq!(printed.text, "[1, 2]");
            });
        }
    });
}

#[test]
fn values_that_are_nested_without_end_are_dropped() {
    let text = "{% set ns = namespace(a=[]) %}{% for i in range(100000) %}{% set ns.a = [ns.a] %}{% endfor %}ok";
    let printed = engine(&[("main", text)])
        .render("main", &value::dict(Vec::new()))
        .expect("a text");
    assert_eq!(printed.text, "ok");
}

#[test]
fn values_print_as_pythons_do() {
    let nested = value::dict(vec![
        (
            Value::from("a"),
            value::list(vec![Value::from(1), Value::from(()), Value::from("it's")]),
        ),
        (Value::from(2), value::tuple(vec![Value::from(1e20)])),
    ]);
    assert_eq!(
        value::repr(&nested),
        "{'a': [1, None, \"it's\"], 2: (1e+20,)}"
    );
    assert_eq!(nested.to_string(), value::repr(&nested));
    let large = value::integer_from_decimal("-123456789012345678901234567890").expect("an integer");
    assert_eq!(value::str(&large), "-123456789012345678901234567890");
    assert_eq!(value::integer_from_decimal("1x"), None);
    assert_eq!(
        value::str(&value::date(2024, 2, 29).expect("a date")),
        "2024-02-29"
    );
    assert!(value::date(2023, 2, 29).is_none());
}
