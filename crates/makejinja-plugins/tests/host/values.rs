//! Values that cross the border.

use makejinja_plugins::{Handle, HandleKind, Offered, PluginErrorKind, PluginHost, PluginValue};
use zeroize::Zeroizing;

use crate::project::{Project, call, function, int, text};

const SAME: &str = "def run(value):\n    return value\n";

fn handle(value: PluginValue) -> Handle {
    match value {
        PluginValue::Handle(handle) => handle,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_value_comes_back_as_it_went() {
    let values = PluginValue::List(vec![
        PluginValue::Null,
        PluginValue::Bool(true),
        PluginValue::Bool(false),
        int(-7),
        PluginValue::Integer("123456789012345678901234567890".to_owned()),
        PluginValue::Float(1e20),
        PluginValue::Float(0.1),
        PluginValue::Float(f64::NEG_INFINITY),
        text(""),
        text("Grüße, 世界 🦀\r\n\0\t\"'\\"),
        PluginValue::Bytes(Zeroizing::new(vec![0, 255, 10])),
        PluginValue::Date("2024-01-31".to_owned()),
        PluginValue::DateTime("2024-01-31 10:20:30.000400+02:00".to_owned()),
        PluginValue::DateTime("2024-01-31 00:00:00".to_owned()),
        PluginValue::Time("10:20:30".to_owned()),
        PluginValue::List(vec![]),
        PluginValue::Tuple(vec![int(1), PluginValue::Tuple(vec![])]),
        PluginValue::Map(vec![
            (int(1), text("a")),
            (PluginValue::Bool(false), PluginValue::Null),
        ]),
        PluginValue::Set(vec![text("a"), text("b")]),
        PluginValue::FrozenSet(vec![int(3)]),
        PluginValue::Undefined("gone".to_owned()),
    ]);
    assert!(call(SAME, std::slice::from_ref(&values)).unwrap() == values);
}

/// Template engines keep functions for all threads.
#[test]
fn hosts_and_values_can_go_to_another_thread() {
    fn goes<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    goes::<PluginHost>();
    is_shared::<PluginValue>();
    is_shared::<Offered>();
}

#[test]
fn python_sees_python_types() {
    let types = "def run(*values):\n    return [type(value).__name__ for value in values]\n";
    let values = [
        PluginValue::Path("/a".into()),
        PluginValue::Date("2024-01-31".to_owned()),
        PluginValue::Tuple(vec![]),
        PluginValue::FrozenSet(vec![]),
        PluginValue::Undefined(String::new()),
    ];
    let names = call(types, &values).unwrap();
    let expected = ["PosixPath", "date", "tuple", "frozenset", "StrictUndefined"].map(text);
    assert_eq!(names, PluginValue::List(expected.into()));
}

#[test]
fn not_a_number_comes_back() {
    let PluginValue::Float(number) = call(SAME, &[PluginValue::Float(f64::NAN)]).unwrap() else {
        panic!("no float");
    };
    assert!(number.is_nan());
}

#[test]
fn sets_have_one_order() {
    let made =
        "def run():\n    return [{'pear', 'apple', 'fig'}, {3, 1, 2}, frozenset(['b', 1])]\n";
    let fruits = PluginValue::Set(["apple", "fig", "pear"].map(text).into());
    let numbers = PluginValue::Set([1, 2, 3].map(int).into());
    let mixed = PluginValue::FrozenSet(vec![int(1), text("b")]);
    assert_eq!(
        call(made, &[]).unwrap(),
        PluginValue::List(vec![fruits, numbers, mixed])
    );
}

#[test]
fn subclasses_that_print_as_their_base_are_their_base() {
    let made = "import collections, enum\nclass Name(str):\n    pass\nclass Size(int):\n    pass\n\
                class Color(enum.Enum):\n    RED = 'red'\n\
                def run():\n    return [Name('n'), Size(2), collections.OrderedDict(a=1), Color.RED]\n";
    let PluginValue::List(mut made) = call(made, &[]).unwrap() else {
        panic!("no list");
    };
    let color = handle(made.pop().unwrap());
    assert_eq!(
        (color.type_name.as_str(), color.text.as_str()),
        ("Color", "Color.RED")
    );
    assert_eq!(made, [text("n"), int(2), PluginValue::map([("a", int(1))])]);
}

#[test]
fn objects_stay_in_python_and_answer_as_in_a_template() {
    let project = Project::with_functions(
        "run, same, Table",
        "import ipaddress\n\nNETWORK = ipaddress.ip_network('10.0.0.0/29')\n\ndef run():\n    return NETWORK\n\n\
         def same(value):\n    return value is NETWORK or str(value)\n\n\
         class Table(dict):\n    size = 9\n",
    );
    let (mut host, offered) = project.start();
    let network = handle(host.call(&function(&offered, "run"), &[], &[]).unwrap());
    assert_eq!(network.type_name, "IPv4Network");
    assert_eq!(network.text.as_str(), "10.0.0.0/29");
    assert_eq!(network.kind, HandleKind::Iterable);
    assert!(network.is_true && !network.callable);
    let count = host.attribute(&network, "num_addresses").unwrap();
    assert_eq!(count, int(8));
    let second = handle(host.item(&network, &int(2)).unwrap());
    assert_eq!(second.text.as_str(), "10.0.0.2");
    let hosts = handle(host.attribute(&network, "hosts").unwrap());
    assert!(hosts.callable);
    let hosts = handle(host.call_handle(&hosts, &[], &[]).unwrap());
    assert_eq!(hosts.kind, HandleKind::Iterable);
    assert_eq!(host.iterate(&hosts).unwrap().len(), 6);
    assert_eq!(
        host.iterate(&hosts).unwrap().len(),
        0,
        "a generator is used up"
    );
    let gone = PluginValue::Undefined("nothing".to_owned());
    assert_eq!(host.attribute(&network, "nothing").unwrap(), gone);
    assert_eq!(host.item(&network, &text("prefixlen")).unwrap(), int(29));
    let same = function(&offered, "same");
    let mut again = |handle| {
        host.call(&same, &[PluginValue::Handle(handle)], &[])
            .unwrap()
    };
    assert_eq!(again(network), PluginValue::Bool(true));
    assert_eq!(again(second), text("10.0.0.2"));

    let entries = [PluginValue::map([("key", int(1)), ("size", int(2))])];
    let table = handle(
        host.call(&function(&offered, "Table"), &entries, &[])
            .unwrap(),
    );
    assert_eq!(table.kind, HandleKind::Mapping);
    assert_eq!(host.attribute(&table, "size").unwrap(), int(9));
    assert_eq!(host.item(&table, &text("size")).unwrap(), int(2));
    assert_eq!(host.attribute(&table, "key").unwrap(), int(1));
    assert_eq!(host.iterate(&table).unwrap(), [text("key"), text("size")]);
}

#[test]
fn generators_are_iterated_and_endless_ones_refused() {
    let project = Project::with_functions(
        "count, forever",
        "import itertools\n\ndef count(to):\n    for number in range(to):\n        yield number\n\n\
         def forever():\n    return itertools.count()\n",
    );
    let (mut host, offered) = project.start();
    let generator = handle(
        host.call(&function(&offered, "count"), &[int(3)], &[])
            .unwrap(),
    );
    assert_eq!(generator.type_name, "generator");
    assert_eq!(host.iterate(&generator).unwrap(), [0, 1, 2].map(int));
    let endless = handle(host.call(&function(&offered, "forever"), &[], &[]).unwrap());
    let error = host.iterate(&endless).unwrap_err();
    assert_eq!(error.kind, PluginErrorKind::Protocol);
    assert_eq!(
        error.message,
        "the items of `count` gave more than 1000000 items"
    );
}

#[test]
fn large_values_go_both_ways() {
    let megabytes = "äbcdefg\n".repeat(500_000);
    assert_eq!(call(SAME, &[text(&megabytes)]).unwrap(), text(&megabytes));
    let many = PluginValue::List((0..100_000).map(int).collect());
    assert!(call(SAME, std::slice::from_ref(&many)).unwrap() == many);
}

#[test]
fn deep_and_endless_nesting_is_refused_in_both_directions() {
    let deep =
        |depth| (0..depth).fold(PluginValue::Null, |inner, _| PluginValue::List(vec![inner]));
    assert!(call(SAME, &[deep(200)]).unwrap() == deep(200));
    let error = call(SAME, &[deep(201)]).unwrap_err();
    assert_eq!(
        error.message,
        "an argument of `run` holds a value that is nested deeper than 200 levels"
    );
    let endless =
        "def run():\n    items = []\n    items.append({'items': items})\n    return items\n";
    let error = call(endless, &[]).unwrap_err();
    assert_eq!(error.kind, PluginErrorKind::Protocol);
    assert_eq!(
        error.message,
        "`run` gave a value that is nested deeper than 200 levels, or holds itself"
    );
    let deeper = "def run():\n    value = None\n    for _ in range(100_000):\n        value = [value]\n    return value\n";
    assert_eq!(call(deeper, &[]).unwrap_err().message, error.message);
}

#[test]
fn a_text_that_is_not_unicode_is_refused() {
    let error = call(
        "def run():\n    return b'\\xff'.decode(errors='surrogateescape')\n",
        &[],
    )
    .unwrap_err();
    assert_eq!(error.message, "`run` gave a text that is not Unicode");
}

#[test]
fn an_object_that_cannot_be_printed_is_still_an_object() {
    let odd = "class Odd:\n    def __str__(self):\n        raise ValueError\n    def __bool__(self):\n        \
               raise ValueError\n\ndef run():\n    return Odd()\n";
    let odd = handle(call(odd, &[]).unwrap());
    assert_eq!(odd.text.as_str(), "<unprintable Odd object>");
}

#[test]
fn objects_of_answers_are_forgotten_and_those_that_were_offered_stay() {
    let project = Project::new(
        "import ipaddress\n\
         class Plugin:\n    \
             def functions(self):\n        return [run]\n\
         def run():\n    return ipaddress.ip_network('10.0.0.0/30')\n",
    );
    let (mut host, offered) = project.start();
    let run = function(&offered, "run");
    let before = handle(host.call(&run, &[], &[]).unwrap());
    assert!(host.attribute(&before, "hosts").is_ok());
    host.forget_answers().unwrap();
    let error = host.attribute(&before, "hosts").unwrap_err();
    assert_ne!(error.kind, PluginErrorKind::Died);
    let after = handle(host.call(&run, &[], &[]).unwrap());
    assert!(host.attribute(&after, "hosts").is_ok());
    assert!(host.can_stay());
}

#[test]
fn what_starts_programs_cannot_stay() {
    let project = Project::new(
        "import subprocess, sys\n\
         class Plugin:\n    \
             def data(self):\n        return {'made': subprocess.check_output([sys.executable, '-c', 'print(1)'], text=True)}\n",
    );
    let (host, _) = project.start();
    assert!(!host.can_stay());
}
