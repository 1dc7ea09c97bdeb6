use proptest::prelude::*;

use super::*;

const VALUES: &[(&str, &str)] = &[
    ("name", "kube-System-42"),
    ("lower", "web"),
    ("upper", "WEB"),
    ("host", "db.prod.example.org"),
    ("path", "/srv/data/media"),
    ("mixed", "abcXYZabcXYZabc"),
    ("two", "2"),
    ("four", "4"),
    ("empty", ""),
    ("umlaut", "ärger"),
    ("slash", "a/b/c"),
    ("back", "a\\b"),
    ("star", "a*c"),
];

fn known(name: &str) -> Lookup<'static> {
    match VALUES.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Lookup::Value(Cow::Borrowed(value)),
        None if name == "sealed" => Lookup::NotSeen,
        None => Lookup::Undefined,
    }
}

fn text_of(text: &str, strict: bool) -> Result<String, ExpandError> {
    expand(text, &known, strict).map(|expansion| expansion.text)
}

/// Texts and what Flux makes of them, with undefined variables empty.
const EXPANDED: &[(&str, &str)] = &[
    // Text.
    ("no variable at all", "no variable at all"),
    ("a } b", "a } b"),
    ("https://example.org", "https://example.org"),
    (r"\\server\share", r"\\server\share"),
    ("$name", "$name"),
    ("$", "$"),
    ("100$", "100$"),
    ("$$name", "$name"),
    ("$${name}", "${name}"),
    ("$$${lower}", "$web"),
    ("$$$${name}", "$${name}"),
    ("${lower}$${lower}$lower${upper}", "web${lower}$lowerWEB"),
    ("$${lower:=${upper}}", "${lower:=WEB}"),
    ("$${x$${lower}", "${x${lower}"),
    ("before ${lower} after", "before web after"),
    (r"\\ ${lower} \\", r"\\ web \\"),
    ("a\0${unfinished", "a"),
    // Values and lengths.
    ("${lower}", "web"),
    ("${undefined}", ""),
    ("${1st}${été}", ""),
    ("${#name}", "14"),
    ("${#umlaut}", "6"),
    ("${#undefined}", "0"),
    // Case.
    ("${lower^}", "Web"),
    ("${lower^^}", "WEB"),
    ("${upper,}", "wEB"),
    ("${upper,,}", "web"),
    ("${umlaut^}", "Ärger"),
    ("${empty^}${empty,}", ""),
    ("${name^,}", "kube-System-42"),
    // Parts.
    ("${path:5}", "data/media"),
    ("${path:5:4}", "data"),
    ("${path:0:4}", "/srv"),
    ("${path:5:400}", "data/media"),
    ("${path:400}", ""),
    ("${path:400:1}", ""),
    ("${path: -5}", "/srv/data/media"),
    ("${path:${minus:=-5}}", "media"),
    ("${path:${minus:=-5}:3}", "med"),
    ("${path:${minus:=-500}:4}", "/srv"),
    ("${path:1:-6}", "srv/data"),
    ("${path:10:-10}", ""),
    ("${path:x}", "/srv/data/media"),
    ("${path:1:x}", "/srv/data/media"),
    ("${path:1:::3}", "srv"),
    ("${path:1:99999999999999999999}", "/srv/data/media"),
    ("${path:1:9223372036854775807}", "srv/data/media"),
    ("${path:${two}:${four}}", "rv/d"),
    ("${path:${slash:9:1}}", "/srv/data/media"),
    // Defaults.
    ("${lower=other}", "web"),
    ("${lower:=other}", "web"),
    ("${lower:-other}", "web"),
    ("${lower:+other}", "web"),
    ("${undefined=other}", "other"),
    ("${undefined:=other}", "other"),
    ("${undefined:-other}", "other"),
    ("${undefined:?other}", "other"),
    ("${undefined:+other}", "other"),
    ("${empty:=other}", "other"),
    ("${empty=other}", "other"),
    ("${undefined:=}", ""),
    ("${undefined:=a b: \"c\"}", "a b: \"c\""),
    ("${undefined:=$${lower}}", "$web"),
    (r"${undefined:=a\/b}", r"a\/b"),
    ("${undefined=${lower}}", "web"),
    ("${undefined=${lower^^}}", "WEB"),
    ("${undefined=pre-${lower}}", "pre-web"),
    ("${undefined=${lower}-post}", "web-post"),
    ("${undefined=pre-${lower}-post}", "pre-web-post"),
    ("${undefined:=${none:=${lower}}}", "web"),
    // Patterns at the start and the end.
    ("${host#*.}", "prod.example.org"),
    ("${host##*.}", "org"),
    ("${host%.*}", "db.prod.example"),
    ("${host%%.*}", "db"),
    ("${path#*/}", "srv/data/media"),
    ("${path##*/}", "media"),
    ("${host#x}", "db.prod.example.org"),
    ("${host#??.}", "prod.example.org"),
    ("${host#[a-d]}", "b.prod.example.org"),
    ("${host#[^d]}", "db.prod.example.org"),
    ("${host#[}", "db.prod.example.org"),
    ("${host##*[.e]}", "org"),
    (r"${star#a\*}", "c"),
    ("${lower#*}", "eb"),
    ("${lower##*}", ""),
    ("${lower###}", "web"),
    ("${lower#$%:*{}", "web"),
    ("${host#${undefined:=*.}}", "prod.example.org"),
    ("${umlaut%??}", "ärg"),
    // Replacements.
    ("${mixed/abc/-}", "-XYZabcXYZabc"),
    ("${mixed//abc/-}", "-XYZ-XYZ-"),
    ("${mixed/#abc/-}", "-XYZabcXYZabc"),
    ("${mixed/#XYZ/-}", "abcXYZabcXYZabc"),
    ("${mixed/%abc/-}", "abcXYZabcXYZ-"),
    ("${mixed/%XYZ/-}", "abcXYZabcXYZabc"),
    ("${mixed/abc/}", "XYZabcXYZabc"),
    ("${mixed//abc/}", "XYZXYZ"),
    ("${mixed/#abc/}", "abcXYZabcXYZabc"),
    ("${mixed/%abc/}", "abcXYZabcXYZabc"),
    ("${mixed/*/-}", "abcXYZabcXYZabc"),
    ("${mixed/abc//-}", "-XYZabcXYZabc"),
    (r"${slash/\//-}", "a-b/c"),
    (r"${slash//\//-}", "a-b-c"),
    (r"${slash/b/\/}", "a///c"),
    (r"${back/\\/\/}", "a/b"),
    ("${lower/}/x}", "web"),
    ("${lower/e/$$}", "w$b"),
    ("${lower/${empty}/-}", "-web"),
    ("${lower//${empty}/-}", "-w-e-b-"),
    ("${mixed//${none:=abc}/${lower}}", "webXYZwebXYZweb"),
];

#[test]
fn expands_as_flux_does() {
    for (text, expected) in EXPANDED {
        assert_eq!(text_of(text, false).as_deref(), Ok(*expected), "{text}");
    }
}

#[test]
fn asks_for_definitions_in_strict_mode() {
    for text in [
        "${gone}",
        "${#gone}",
        "${gone^}",
        "${gone^^}",
        "${gone,}",
        "${gone,,}",
        "${gone^,}",
        "${gone:0}",
        "${gone:0:10}",
        "${gone/a/b}",
        "${gone//a/b}",
        "${gone/#a/b}",
        "${gone/%a/b}",
        "${gone#a}",
        "${gone##a}",
        "${gone%a}",
        "${gone%%a}",
        "${lower:=${gone}}",
        "${undefined:=${gone}}",
        "${sealed:=${gone}}",
    ] {
        let start = text.rfind("${").unwrap();
        let end = text.find('}').unwrap() + 1;
        assert_eq!(
            expand(text, &known, true),
            Err(ExpandError::Undefined(vec![UndefinedVariable {
                name: "gone".to_owned(),
                span: start..end,
            }])),
            "{text}"
        );
    }
    for (text, expected) in [
        ("text", "text"),
        ("${lower}", "web"),
        ("${empty}", ""),
        ("${gone:-other}", "other"),
        ("${gone:=other}", "other"),
        ("${gone=other}", "other"),
        ("${gone:?other}", "other"),
        ("${gone:+other}", "other"),
        ("${gone:=}", ""),
    ] {
        assert_eq!(text_of(text, true).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn names_all_undefined_variables_in_their_order() {
    let error = expand("${a:=${b}} ${c} ${lower}\n${d^}", &known, true).unwrap_err();
    assert_eq!(error.to_string(), "`b`, `c`, `d` not defined");
    assert_eq!(error.spans(), [5..9, 11..15, 25..30]);
}

#[test]
fn refuses_what_flux_refuses() {
    for (text, kind) in [
        ("${", MalformedKind::Name),
        ("${}", MalformedKind::Name),
        ("${-a}", MalformedKind::Name),
        ("${ a}", MalformedKind::Name),
        ("${${a}}", MalformedKind::Name),
        ("${a", MalformedKind::Function),
        ("${a b}", MalformedKind::Function),
        ("${a-b}", MalformedKind::Function),
        ("${a+b}", MalformedKind::Function),
        ("${a?b}", MalformedKind::Function),
        ("${a.b}", MalformedKind::Function),
        ("${a[@]}", MalformedKind::Function),
        ("${a@Q}", MalformedKind::Function),
        ("${!a}", MalformedKind::Name),
        ("${#}", MalformedKind::End),
        ("${##a}", MalformedKind::End),
        ("${#a:1}", MalformedKind::End),
        ("${a:=b", MalformedKind::Argument),
        ("${a:=${b}", MalformedKind::Argument),
        ("${a:}", MalformedKind::Argument),
        ("${a::2}", MalformedKind::Argument),
        ("${a:1:}", MalformedKind::Argument),
        ("${a:é}", MalformedKind::End),
        ("${a:", MalformedKind::End),
        ("${a^^^}", MalformedKind::End),
        ("${a^x}", MalformedKind::End),
        ("${a#}", MalformedKind::Argument),
        ("${a%%}", MalformedKind::Argument),
        ("${a#x${b}}", MalformedKind::End),
        ("${a/b}", MalformedKind::End),
        ("${a///b}", MalformedKind::Argument),
        ("${a/b/c${d}}", MalformedKind::End),
        ("${a/b/c", MalformedKind::End),
    ] {
        for text in [text.to_owned(), format!("x: 1\ny: {text}\n")] {
            let start = text.find("${").unwrap();
            match expand(&text, &known, false) {
                Err(ExpandError::Malformed { span, kind: found }) => {
                    assert_eq!(found, kind, "{text}");
                    assert!(span.start >= start && span.end <= text.len(), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}

#[test]
fn refuses_a_result_that_is_no_text() {
    assert_eq!(
        expand("${lower} ${umlaut:1} ${lower}", &known, true),
        Err(ExpandError::Malformed {
            span: 9..20,
            kind: MalformedKind::Character
        })
    );
    let whole = "${undefined:=${umlaut:0:1}${umlaut:1}}";
    assert_eq!(text_of(whole, false).as_deref(), Ok("ärger"));
}

#[test]
fn leaves_what_is_not_seen_as_it_is_written() {
    for text in [
        "${sealed}",
        "${sealed^^}",
        "${sealed:=default}",
        "${undefined:=a-${sealed}}",
        "${lower/${sealed}/x}",
        "${lower#${undefined:=${sealed}}}",
    ] {
        let whole = format!("${{lower}} {text} ${{lower}}");
        let expansion = expand(&whole, &known, false).unwrap();
        assert_eq!(expansion.text, format!("web {text} web"), "{text}");
        let unseen: Vec<&VariableUse> = expansion
            .variables
            .iter()
            .filter(|variable| variable.not_seen)
            .collect();
        assert!(!unseen.is_empty(), "{text}");
        let outer = unseen[0].output.clone().unwrap();
        assert_eq!(&expansion.text[outer], text);
    }
    let unused = expand("${lower:=${sealed}}", &known, true).unwrap();
    assert_eq!(unused.text, "web");
    assert!(!unused.variables[0].not_seen);
    assert_eq!(unused.variables[1].output, None);
}

#[test]
fn knows_where_variables_stand_before_and_after() {
    let text = "a: ${lower^^}\nb: ${undefined:=${two}-${host%%.*}}\nc: ${upper:=${two}}$${x}${path/srv/${two}}";
    let expansion = expand(text, &known, false).unwrap();
    assert_eq!(expansion.text, "a: WEB\nb: 2-db\nc: WEB${x}/2/data/media");
    let uses: Vec<(&str, &str, Option<&str>, bool)> = expansion
        .variables
        .iter()
        .map(|variable| {
            (
                variable.name.as_str(),
                &text[variable.input.clone()],
                variable
                    .output
                    .clone()
                    .map(|output| &expansion.text[output]),
                variable.default_used,
            )
        })
        .collect();
    assert_eq!(
        uses,
        [
            ("lower", "${lower^^}", Some("WEB"), false),
            (
                "undefined",
                "${undefined:=${two}-${host%%.*}}",
                Some("2-db"),
                true
            ),
            ("two", "${two}", Some("2"), false),
            ("host", "${host%%.*}", Some("db"), false),
            ("upper", "${upper:=${two}}", Some("WEB"), false),
            ("two", "${two}", None, false),
            ("path", "${path/srv/${two}}", Some("/2/data/media"), false),
            ("two", "${two}", Some("/2/data/media"), false),
        ]
    );
}

#[test]
fn changes_case_character_by_character() {
    for (text, lower, upper) in [
        ("ß", "ß", "ß"),
        ("İ", "i", "İ"),
        ("ᾀ", "ᾀ", "ᾈ"),
        ("ΑΣ", "ασ", "ΑΣ"),
        ("ﬁ", "ﬁ", "ﬁ"),
        ("ǆ", "ǆ", "Ǆ"),
    ] {
        let lookup = |_: &str| Lookup::Value(Cow::Owned(text.to_owned()));
        let expansion = expand("${a,,} ${a^^} ${a,} ${a^}", &lookup, true).unwrap();
        assert!(
            expansion.text.starts_with(&format!("{lower} {upper} ")),
            "{}",
            expansion.text
        );
    }
}

#[test]
fn bounds_what_a_hostile_text_costs() {
    let nested = format!("{}x{}", "${a:=".repeat(100_000), "}".repeat(100_000));
    let error = expand(&nested, &known, false).unwrap_err();
    assert!(matches!(
        error,
        ExpandError::Malformed {
            kind: MalformedKind::Depth,
            ..
        }
    ));
    let long = "a".repeat(1 << 20);
    let lookup = |_: &str| Lookup::Value(Cow::Borrowed(long.as_str()));
    let error = expand("${v#*b*}", &lookup, true)
        .map(|expansion| expansion.text.len())
        .unwrap_err();
    assert!(matches!(
        error,
        ExpandError::Malformed {
            kind: MalformedKind::Cost,
            ..
        }
    ));
    let uses = "${v} ".repeat(100_000);
    let empty = |_: &str| Lookup::Value(Cow::Borrowed("x"));
    assert_eq!(expand(&uses, &empty, true).unwrap().text.len(), 200_000);
}

#[test]
fn knows_the_names_that_flux_takes() {
    for name in ["a", "_", "A1_b"] {
        assert!(is_variable_name(name), "{name}");
    }
    for name in ["", "1a", "a-b", "a.b", "é", "a\n"] {
        assert!(!is_variable_name(name), "{name}");
    }
}

/// Pieces that expressions are made of, so that random texts get past the first character.
fn template() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "${", "}", "$", "$$", "lower", "host", "sealed", "umlaut", "none", ":=", ":-", "=", ":",
        "#", "##", "%", "%%", "/", "//", "/#", "\\", "*", "?", "[", "]", "-", "^", ",", "1", "2",
        " ", "\n", "é", "\0",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn takes_any_text_without_a_panic(text in template(), strict: bool) {
        match expand(&text, &known, strict) {
            Ok(expansion) => {
                for variable in &expansion.variables {
                    let written = &text[variable.input.clone()];
                    let braced = written.starts_with("${") && written.ends_with('}');
                    prop_assert!(braced, "{written}");
                    if let Some(output) = &variable.output {
                        prop_assert!(expansion.text.get(output.clone()).is_some());
                    }
                }
            }
            Err(error) => {
                prop_assert!(!error.spans().is_empty());
                for span in error.spans() {
                    prop_assert!(text.get(span).is_some());
                }
            }
        }
    }

    #[test]
    fn leaves_text_without_dollars_alone(text in "[^$\0]{0,200}") {
        prop_assert_eq!(text_of(&text, true), Ok(text));
    }

    #[test]
    fn gives_back_what_is_escaped(text in "[^\0]{0,200}") {
        let escaped = text.replace('$', "$$");
        prop_assert_eq!(text_of(&escaped, true), Ok(text));
    }
}
