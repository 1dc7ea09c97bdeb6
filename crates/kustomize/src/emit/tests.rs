use proptest::prelude::*;
use serde_json::{Value, json};
use spanned_yaml::{Resolver, Span, load};

use super::*;
use crate::field::ScalarKind;
use crate::place::{Origin, Place, SourceFile};

fn origin() -> Origin {
    let file = SourceFile::new("made.yaml", b"made: up\n".to_vec());
    Origin::new(Place::new(&file, 0, Span::new(0, 4)))
}

fn field_of(value: &Value, origin: &Origin) -> Field {
    match value {
        Value::Null => Field::scalar("null", ScalarKind::Null, origin.clone()),
        Value::Bool(truth) => Field::scalar(truth.to_string(), ScalarKind::Boolean, origin.clone()),
        Value::Number(number) => {
            Field::scalar(number.to_string(), ScalarKind::Float, origin.clone())
        }
        Value::String(text) => Field::text(text, origin.clone()),
        Value::Array(items) => Field {
            value: FieldValue::Sequence(items.iter().map(|item| field_of(item, origin)).collect()),
            origin: origin.clone(),
        },
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| FieldEntry {
                key: key.clone(),
                value: field_of(value, origin),
            };
            Field {
                value: FieldValue::Mapping(entries.iter().map(entry).collect()),
                origin: origin.clone(),
            }
        }
    }
}

fn yaml_of(value: &Value) -> String {
    to_yaml(&field_of(value, &origin()))
}

/// Values and what go-yaml v2 prints behind `k: `.
const SCALARS: &[(&str, &str)] = &[
    ("", "\"\""),
    ("web", "web"),
    ("a b", "a b"),
    // What YAML 1.1 takes for something else stands in double quotes.
    ("yes", "\"yes\""),
    ("y", "\"y\""),
    ("Off", "\"Off\""),
    ("true", "\"true\""),
    ("tRue", "tRue"),
    ("null", "\"null\""),
    ("~", "\"~\""),
    ("1", "\"1\""),
    ("0644", "\"0644\""),
    ("0x1F", "\"0x1F\""),
    ("0b-1", "\"0b-1\""),
    ("0o-7", "0o-7"),
    ("1_000", "\"1_000\""),
    ("08", "\"08\""),
    ("1e3", "\"1e3\""),
    ("1e999", "1e999"),
    ("+.5", "\"+.5\""),
    ("._5", "._5"),
    (".5_5", "\".5_5\""),
    (".inf", "\".inf\""),
    ("-.INF", "\"-.INF\""),
    ("+.nan", "+.nan"),
    ("12:30", "\"12:30\""),
    ("1:59:59.5", "\"1:59:59.5\""),
    ("12:61", "12:61"),
    ("10.0.0.1:80", "10.0.0.1:80"),
    ("2001-01-01", "\"2001-01-01\""),
    ("2001-01-01T00:00:00Z", "\"2001-01-01T00:00:00Z\""),
    ("2001-13-01", "2001-13-01"),
    ("<<", "<<"),
    ("=", "="),
    // What is an indicator stands in single quotes.
    ("- a", "'- a'"),
    ("-a", "-a"),
    ("-", "'-'"),
    ("? a", "'? a'"),
    ("?a", "?a"),
    (":a", ":a"),
    ("a: b", "'a: b'"),
    ("a:", "'a:'"),
    ("a:b", "a:b"),
    ("# a", "'# a'"),
    ("a # b", "'a # b'"),
    ("a#b", "a#b"),
    ("*a", "'*a'"),
    ("&a", "'&a'"),
    ("!a", "'!a'"),
    ("%a", "'%a'"),
    ("@a", "'@a'"),
    ("`a`", "'`a`'"),
    ("{a}", "'{a}'"),
    ("[a]", "'[a]'"),
    (", a", "', a'"),
    ("a, [b]", "a, [b]"),
    ("'a'", "'''a'''"),
    ("\"a\"", "'\"a\"'"),
    ("it's", "it's"),
    (" a", "' a'"),
    ("a ", "'a '"),
    (" ", "' '"),
    ("---", "'---'"),
    ("--- a", "'--- a'"),
    ("...", "'...'"),
    ("${VAR}", "${VAR}"),
    ("${VAR:=a}", "${VAR:=a}"),
    ("${VAR: -1}", "'${VAR: -1}'"),
    ("{{ .a }}", "'{{ .a }}'"),
    // What needs an escape stands in double quotes.
    ("a\tb", "\"a\\tb\""),
    ("a\rb", "\"a\\rb\""),
    ("\u{7}\u{1b}\0", "\"\\a\\e\\0\""),
    ("\u{2}", "\"\\x02\""),
    ("a\u{feff}", "\"a\\uFEFF\""),
    ("\u{feff}a\u{a0}é", "\"\\uFEFF\\x61\\_\\xE9\""),
    ("é €", "é €"),
    ("😀", "\"\\U0001F600\""),
    ("a\u{2028}b", "'a\u{2028}  b'"),
    (" a\u{85} b", "' a b'"),
    // What has lines is a block, unless a space would be lost.
    ("a\n", "|\n  a"),
    ("a\nb", "|-\n  a\n  b"),
    ("a\n\n", "|+\n  a\n"),
    ("\na", "|2-\n\n  a"),
    ("\n", "|2+\n"),
    (" a\nb\n", "|2\n   a\n  b"),
    ("a\n\n  b\n", "|\n  a\n\n    b"),
    ("# a\n", "|\n  # a"),
    ("a \nb", "\"a \\nb\""),
    ("a\nb ", "\"a\\nb \""),
    ("a\n\tb", "\"a\\n\\tb\""),
    ("a\r\nb", "\"a\\r\\nb\""),
];

#[test]
fn writes_strings_as_kustomize_does() {
    for (text, expected) in SCALARS {
        assert_eq!(
            yaml_of(&json!({ "k": text })),
            format!("k: {expected}\n"),
            "{text:?}"
        );
    }
}

#[test]
fn writes_numbers_and_words_as_go_does() {
    for (text, kind, expected) in [
        ("null", ScalarKind::Null, "null"),
        ("~", ScalarKind::Null, "null"),
        ("", ScalarKind::Null, "null"),
        ("TRUE", ScalarKind::Boolean, "true"),
        ("False", ScalarKind::Boolean, "false"),
        ("0x1F", ScalarKind::Integer, "31"),
        ("017", ScalarKind::Integer, "15"),
        ("0o17", ScalarKind::Integer, "15"),
        ("-0b11", ScalarKind::Integer, "-3"),
        ("1_000", ScalarKind::Integer, "1000"),
        ("+5", ScalarKind::Integer, "5"),
        (
            "18446744073709551615",
            ScalarKind::Integer,
            "18446744073709551615",
        ),
        (
            "18446744073709551616",
            ScalarKind::Float,
            "1.8446744073709552e+19",
        ),
        (
            "-9223372036854775809",
            ScalarKind::Float,
            "-9.223372036854776e+18",
        ),
        ("1.0", ScalarKind::Float, "1"),
        ("-0.0", ScalarKind::Float, "0"),
        ("1.50", ScalarKind::Float, "1.5"),
        ("08", ScalarKind::Float, "8"),
        ("1e3", ScalarKind::Float, "1000"),
        ("100000.5", ScalarKind::Float, "100000.5"),
        ("1234567.5", ScalarKind::Float, "1.2345675e+06"),
        ("0.0001", ScalarKind::Float, "0.0001"),
        ("0.00001", ScalarKind::Float, "1e-05"),
        ("-1.5e-300", ScalarKind::Float, "-1.5e-300"),
        ("1e20", ScalarKind::Float, "1e+20"),
        ("1e19", ScalarKind::Float, "10000000000000000000"),
        (
            "914506705245188.2",
            ScalarKind::Float,
            "9.145067052451882e+14",
        ),
    ] {
        let mut root = Field::mapping(origin());
        root.set("k", Field::scalar(text, kind, origin()));
        assert_eq!(to_yaml(&root), format!("k: {expected}\n"), "{text}");
    }
}

#[test]
fn lays_collections_out_as_kustomize_does() {
    let value = json!({
        "list": ["a", ["b", ["c"]], {"x": 1, "y": [2, {"z": []}]}, {}, []],
        "map": {"inner": {"empty": {}}, "none": []},
        "block": ["a\nb\n", {"c": "d\n"}],
    });
    let expected = "\
block:
- |
  a
  b
- c: |
    d
list:
- a
- - b
  - - c
- x: 1
  \"y\":
  - 2
  - z: []
- {}
- []
map:
  inner:
    empty: {}
  none: []
";
    assert_eq!(yaml_of(&value), expected);
}

#[test]
fn gives_long_and_many_lined_keys_a_line_of_their_own() {
    let long = "x".repeat(129);
    let short = "x".repeat(128);
    let value = json!({
        long.clone(): ["a", "b"],
        short.clone(): ["a"],
        "a\nb": {"c": 1, "d": {"e": 2}},
        "": "empty",
        "true": "word",
        "b: c": "quoted",
    });
    let expected = format!(
        "\"\": empty\n? |-\n  a\n  b\n: c: 1\n  d:\n    e: 2\n'b: c': quoted\n\"true\": word\n{short}:\n- a\n? {long}\n: - a\n  - b\n"
    );
    assert_eq!(yaml_of(&value), expected);
}

#[test]
fn sorts_keys_naturally() {
    let keys = [
        "", "_", "-a", "0", "00", "1", "01", "2", "10", "A", "Z", "a", "a-1", "a.b", "a_b", "a0",
        "a00", "a1", "a01", "a2", "a9", "a10", "a11", "aB", "ab", "b", "é", "中",
    ];
    let mut value = serde_json::Map::new();
    for key in keys.iter().rev() {
        value.insert((*key).to_owned(), json!("v"));
    }
    let text = yaml_of(&Value::Object(value));
    let written: Vec<&str> = text
        .lines()
        .map(|line| line.trim_end_matches(": v").trim_matches('"'))
        .collect();
    // Measured with the library.
    let expected = [
        "", "-a", "_", "0", "00", "1", "01", "2", "10", "A", "Z", "a", "a-1", "a.b", "a_b", "a0",
        "a00", "a1", "a01", "a2", "a9", "a10", "a11", "aB", "ab", "b", "é", "中",
    ];
    assert_eq!(written, expected);
}

#[test]
fn breaks_lines_behind_the_eightieth_column() {
    let words = "word ".repeat(30);
    for (text, expected) in [
        (
            words.trim_end().to_owned(),
            format!(
                "k: {}\n  {}\n",
                "word ".repeat(16).trim_end(),
                "word ".repeat(14).trim_end()
            ),
        ),
        (
            format!("# {}", words.trim_end()),
            format!(
                "k: '# {}\n  {}'\n",
                "word ".repeat(16).trim_end(),
                "word ".repeat(14).trim_end()
            ),
        ),
        (
            format!("{}  end\t", "x".repeat(90)),
            format!("k: \"{}\n  \\ end\\t\"\n", "x".repeat(90)),
        ),
        (
            format!("{}  end", "x".repeat(90)),
            format!("k: {}  end\n", "x".repeat(90)),
        ),
    ] {
        assert_eq!(yaml_of(&json!({ "k": text })), expected);
    }
    let long_key = format!("{} x", "word ".repeat(20).trim_end());
    assert_eq!(
        yaml_of(&json!({ long_key.clone(): 1 })),
        format!("{long_key}: 1\n")
    );
}

#[test]
fn stays_linear_on_many_keys_and_long_texts() {
    let mut entries = serde_json::Map::new();
    for index in 0..50_000 {
        entries.insert(format!("k{}", (index * 7919) % 50_000), json!(index));
    }
    let text = yaml_of(&json!({ "map": entries, "text": "a b\n".repeat(200_000) }));
    assert_eq!(text.lines().count(), 250_002);
}

/// Texts of the characters that matter; U+0085, U+2028 and U+2029 end a line for YAML 1.1 alone.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "word",
        "0",
        "1",
        ".",
        "-",
        "+",
        "_",
        "e",
        "x",
        "y",
        "no",
        "null",
        ":",
        "#",
        "?",
        ",",
        "[",
        "]",
        "{",
        "}",
        "&",
        "*",
        "!",
        "|",
        ">",
        "'",
        "\"",
        "%",
        "@",
        "`",
        "\\",
        "~",
        "=",
        "<<",
        "---",
        "...",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "\r",
        "é",
        "\u{a0}",
        "\u{feff}",
        "😀",
        "\u{7f}",
        "\0",
        "long text that goes on and on until the line is full ",
    ]);
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => any_text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            // No reader takes `<<` for a key, and go-yaml writes it without quotes.
            prop::collection::btree_map(
                any_text().prop_map(|key| key.replace("<<", "<")),
                inner,
                0..5
            )
            .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_loader_reads_back_what_was_written(value in any_value()) {
        let text = yaml_of(&json!({ "k": value }));
        let documents = load(&text).map_err(|error| TestCaseError::fail(format!("{error:?}\n{text}")))?;
        prop_assert_eq!(documents.len(), 1);
        for resolver in [Resolver::Kubernetes, Resolver::Kustomize] {
            prop_assert_eq!(&documents[0].root.to_value(resolver)["k"], &value, "{}", text);
        }
    }

    #[test]
    fn writes_what_it_reads_unchanged(value in any_value()) {
        let text = yaml_of(&json!({ "k": value }));
        let documents = load(&text).map_err(|error| TestCaseError::fail(format!("{error:?}\n{text}")))?;
        prop_assert_eq!(yaml_of(&documents[0].root.to_value(Resolver::Kubernetes)), text);
    }
}
