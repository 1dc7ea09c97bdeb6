//! Objects that stay with the embedding program.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jinja::foreign::{self, ForeignKind, ForeignObject};
use jinja::{CallError, Engine, Syntax, TemplateError, UndefinedMode, Value, value};

use crate::case::loader_of;

/// An object with an attribute and an item of one name, which counts how often it is gone through.
#[derive(Debug, Default)]
struct Shelf {
    passes: AtomicUsize,
}

impl ForeignObject for Shelf {
    fn kind(&self) -> ForeignKind {
        ForeignKind::Iterable
    }

    fn text(&self) -> &'static str {
        "<Shelf>"
    }

    fn is_true(&self) -> bool {
        true
    }

    fn attribute(&self, name: &str) -> Result<Value, CallError> {
        match name {
            "keys" => Ok(Value::from("the attribute")),
            "broken" => Err(CallError::new("the attribute is broken")),
            _ => Ok(value::undefined()),
        }
    }

    fn item(&self, key: &Value) -> Result<Value, CallError> {
        Ok(match key.as_str() {
            Some("keys") => Value::from("the item"),
            Some(_) => value::undefined(),
            None => Value::from(format!("number {key}")),
        })
    }

    fn items(&self) -> Result<Vec<Value>, CallError> {
        self.passes.fetch_add(1, Ordering::Relaxed);
        Ok(vec![Value::from(1), Value::from(2)])
    }

    fn call(&self, args: &[Value], kwargs: &[(String, Value)]) -> Result<Value, CallError> {
        Ok(Value::from(format!("{} and {}", args.len(), kwargs.len())))
    }
}

fn render(template: &str, shelf: &Arc<Shelf>) -> Result<String, TemplateError> {
    let templates = BTreeMap::from([("main".to_owned(), template.to_owned())]);
    let mut engine = Engine::new(
        Syntax::default(),
        UndefinedMode::Strict,
        loader_of(templates),
    );
    engine.add_global("shelf", foreign::value(Arc::clone(shelf) as _));
    engine.add_global("other", foreign::value(Arc::new(Shelf::default())));
    let printed = engine.render("main", &value::dict(Vec::new()))?;
    Ok(printed.text)
}

#[test]
fn an_object_answers_what_a_template_asks() {
    let shelf = Arc::new(Shelf::default());
    for (template, expected) in [
        ("{{ shelf }}", "<Shelf>"),
        ("{{ shelf.keys }}", "the attribute"),
        ("{{ shelf['keys'] }}", "the item"),
        ("{{ shelf[3] }}", "number 3"),
        ("{% for item in shelf %}{{ item }},{% endfor %}", "1,2,"),
        ("{{ shelf(1, a=2) }}", "1 and 1"),
        ("{{ shelf.nope is defined }}", "False"),
        ("{{ shelf.broken is defined }}", "False"),
    ] {
        let printed = render(template, &shelf).expect(template);
        assert_eq!(printed, expected, "{template}");
    }
}

#[test]
fn what_an_object_does_not_have_is_undefined_in_the_mode_of_the_engine() {
    for template in ["{{ shelf.nope }}", "{{ shelf['nope'] }}"] {
        let error = render(template, &Arc::default()).expect_err(template);
        assert_eq!(error.exception, "UndefinedError");
        assert_eq!(error.variable.as_deref(), Some("nope"));
    }
}

#[test]
fn an_object_equals_itself_alone() {
    let template = "{{ shelf == shelf }} {{ shelf is sameas shelf }} {{ shelf in [other, shelf] }} \
                    {{ shelf == other }} {{ shelf in [other] }}";
    let printed = render(template, &Arc::default()).expect("a text");
    assert_eq!(printed, "True True True False False");
}

#[test]
fn an_object_is_not_gone_through_to_know_whether_it_can_be() {
    let shelf = Arc::new(Shelf::default());
    let printed = render("{{ shelf is iterable }}", &shelf).expect("a text");
    assert_eq!(printed, "True");
    assert_eq!(shelf.passes.load(Ordering::Relaxed), 0);
}
