//! Random YAML, read by `PyYAML` and here.

use serde_json::Value;

use super::chance::Chance;
use super::served::Oracle;
use super::vectors::read_data;

const SCALARS: &[&str] = &[
    "yes",
    "No",
    "ON",
    "~",
    "",
    "null",
    "0",
    "00",
    "0755",
    "0o7",
    "08",
    "0x1F",
    "0b10",
    "-0b1",
    "1_000",
    "1:30",
    "-1:59:59",
    "1:60",
    "1.5",
    ".5",
    "5.",
    "1e3",
    "1.0e+3",
    "1.0e3",
    "-.inf",
    ".NaN",
    "1:30.5",
    "2001-01-01",
    "2001-1-1",
    "2001-12-14 21:59:43.10 -5",
    "2001-12-14t21:59:43Z",
    "=x",
    "a=",
    "text",
    "two words",
    "a: b",
    "a #b",
    "a#b",
    "http://x:80/y",
    "10.0.0.1/8",
    "- x",
    "x - y",
    "'quo''ted'",
    "\"quo\\\"ted\\n\"",
    "\"12\"",
    "'yes'",
    "!!str 12",
    "!!int \"7\"",
    "!!float 3",
    "!!bool \"on\"",
    "!!null x",
    "! 12",
    "! \"12\"",
    "!!binary aGk=",
    "!!timestamp 2001-01-01",
    "1__0",
    "_1",
    "+1",
    "-",
    "?",
    "?x",
    ":x",
    "x:",
    "%x",
    "@x",
    "`x",
    "&b x",
    "é",
    "1,2",
    "<<",
    "=",
    "{}",
    "[]",
    "[a, 1, yes]",
    "{a: 1, b: no}",
    "{a}",
    "[a: 1]",
    "{\"a\":1}",
    "{a:1}",
    "[a,b]",
    "\"\\/\"",
    "\"\\x41\\u00e9\"",
    "!!set {a, 2}",
    "!!omap [a: 1, b: 2]",
    "!!pairs [a: 1, a: 2]",
    "*k",
    "!x y",
    "1 2",
    "0.1e-5",
    "123456789012345678901234567890",
    "1.7976931348623157e+308",
    "4.9e-324",
    "0.30000000000000004",
    "!!seq [1]",
];

const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "yes",
    "no",
    "on",
    "null",
    "~",
    "1",
    "0x1",
    "01",
    "1.0",
    "true",
    "2001-01-01",
    "'1'",
    "\"yes\"",
    "? x\n",
    "<<",
    "=",
    "long key",
    "a:b",
    "!!str 1",
    "é",
    "-x",
];

/// Writes a block of YAML at an indentation.
fn block(chance: &mut Chance, indent: usize, depth: usize) -> String {
    let pad = " ".repeat(indent);
    let mut text = String::new();
    let count = 1 + chance.below(4);
    let is_list = chance.one_in(4);
    for _ in 0..count {
        let head = if is_list {
            "-".to_owned()
        } else {
            match chance.pick(KEYS) {
                "? x\n" => format!("? x\n{pad}:"),
                key => format!("{key}:"),
            }
        };
        text.push_str(&format!("{pad}{head}"));
        text.push_str(&value(chance, indent, depth));
        if chance.one_in(12) {
            text.push_str("  # comment\n");
        }
    }
    text
}

fn value(chance: &mut Chance, indent: usize, depth: usize) -> String {
    match chance.below(9) {
        0 | 1 if depth < 4 => {
            let anchor = chance.pick(&["", "", "", " &k", " &b"]);
            let deeper = indent + 1 + chance.below(3);
            format!("{anchor}\n{}", block(chance, deeper, depth + 1))
        }
        2 => {
            let header = chance.pick(&["|", "|-", "|+", ">", ">-", ">+"]);
            let pad = " ".repeat(indent + 2);
            let lines = chance.pick(&[
                "one\n{}two\n",
                "one\n\n{}  two\n{}three\n\n",
                "\n{}one\n",
                "one: x\n{}- y # z\n",
            ]);
            format!(" {header}\n{pad}{}", lines.replace("{}", &pad))
        }
        3 => {
            let pad = " ".repeat(indent + 1);
            let lines = chance.pick(&[
                "plain\n{}more",
                "\"quoted\n{}more\\\n{} end\"",
                "'single\n\n{}more'",
                "[a,\n{}b]",
            ]);
            format!(" {}\n", lines.replace("{}", &pad))
        }
        4 => format!(
            " {}\n",
            chance.pick(&["*k", "*b", "&k v", "&b {m: 1, n: 2}", "[*k, *b]"])
        ),
        _ => format!(" {}\n", chance.pick(SCALARS)),
    }
}

fn document(chance: &mut Chance) -> String {
    let mut text = chance
        .pick(&["", "", "", "---\n", "# comment\n", "%YAML 1.1\n---\n"])
        .to_owned();
    text.push_str("k: &k {p: 1, q: yes}\nl: &b {q: 2}\n");
    text.push_str(&block(chance, 0, 0));
    if chance.one_in(6) {
        text.push_str("---\n");
        text.push_str(&block(chance, 0, 2));
    }
    if chance.one_in(8) {
        text.truncate(text.trim_end().len());
    }
    if chance.one_in(10) {
        text.replace('\n', "\r\n")
    } else {
        text
    }
}

/// Compares what both read; what either refuses is counted, and Python may refuse what is taken here.
fn run_cases(first: u64, count: u64) {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let (mut same, mut stricter) = (0, 0);
    for case in first..first + count {
        let text = document(&mut Chance::new(case));
        let answer = oracle.ask_data(".yaml", &text);
        match read_data(".yaml", &text) {
            Ok(value) if answer["error"].is_null() => {
                let expected: &Value = &answer["value"];
                assert_eq!(value, *expected, "case {case}\n{text}");
                same += 1;
            }
            // Python can have a list that holds itself.
            Err(problems) if problems[0].message.contains("contain itself") => {}
            Err(problems) if answer["error"].is_null() => {
                stricter += 1;
                eprintln!("case {case} is refused: {problems:?}\n{text}");
            }
            Ok(_) | Err(_) => {}
        }
    }
    assert!(same * 4 > count, "only {same} of {count} are read by both");
    assert_eq!(stricter, 0, "refused what Python reads");
}

#[test]
fn random_yaml_is_read_as_pyyaml_reads_it() {
    run_cases(1, 300);
}

/// `KILN_MAKEJINJA_CASES=20000`, `KILN_MAKEJINJA_FROM` being the first.
#[test]
#[ignore = "takes a minute"]
fn much_random_yaml_is_read_as_pyyaml_reads_it() {
    let (first, count) = Chance::cases(1000, 10_000);
    run_cases(first, count);
}
