//! Nothing that is read makes the crate panic, and places lie in the text.
#![expect(clippy::unwrap_used, reason = "tests panic to fail")]

use makejinja::{MemoryFiles, Problem, Settings, SettingsSource, find_template, load_data, select};
use proptest::prelude::*;
use zeroize::Zeroizing;

/// Texts that are near to those of the formats.
fn near_texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        ":",
        " ",
        "\n",
        "- ",
        "? ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "&a ",
        "*a",
        "!!int ",
        "!!set ",
        "!!omap ",
        "!!binary ",
        "!x ",
        "<<",
        "=",
        "|",
        ">",
        "#",
        "%",
        "---\n",
        "...\n",
        "0x",
        "1",
        "_",
        ".",
        "e+",
        "2001-01-01",
        "T",
        "\\",
        "\\u",
        "\t",
        "\r\n",
        "é",
        "\u{feff}",
        "\u{2028}",
        "\0",
        "[makejinja]\n",
        "output",
        "inputs",
        "=",
        ",",
        "\"\"\"",
        "true",
        "null",
        "~",
        "  ",
        "1:30",
        "@",
    ]);
    prop_oneof![
        prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ]
}

fn check_places(problems: &[Problem], text: &str) {
    for problem in problems {
        if let Some(at) = &problem.at
            && at.source.contains('.')
        {
            assert!(text.get(at.span.clone()).is_some(), "{at:?} in {text:?}");
        }
    }
}

fn check_data(text: &str) {
    for suffix in ["yaml", "json", "toml"] {
        let path = format!("d.{suffix}");
        let arguments = ["-o", "out", "-d", &path].map(str::to_owned);
        let settings = Settings::read(&[], &[], &arguments).unwrap().value;
        let mut files = MemoryFiles::default();
        files.add(&path, text);
        let read = |_: &str| Ok(Some(Zeroizing::new(text.as_bytes().to_vec())));
        if let Err(problems) = load_data(&settings, &files, &read) {
            check_places(&problems, text);
        }
    }
}

/// A place that counts from behind the mark lies in the middle of it.
#[test]
fn places_count_a_byte_order_mark() {
    for text in ["\u{feff} a", "\u{feff}é: [", "\u{feff}\u{feff}", "\u{feff}"] {
        check_data(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_data_file_is_read_or_refused(text in near_texts()) {
        check_data(&text);
    }

    #[test]
    fn any_settings_file_is_read_or_refused(text in near_texts(), arguments: Vec<String>) {
        let source = SettingsSource { path: "makejinja.toml".to_owned(), text: text.clone() };
        if let Err(problems) = Settings::read(&[source], &[], &arguments) {
            check_places(&problems, &text);
        }
    }

    #[test]
    fn any_pattern_and_path_is_matched(
        include in near_texts(),
        exclude in near_texts(),
        paths in prop::collection::vec("[a./*é-]{1,12}", 0..12),
        suffix in near_texts(),
        single: bool,
    ) {
        let mut files = MemoryFiles::default();
        for path in &paths {
            files.add(&format!("in/{path}"), "");
        }
        files.add("in/b", "");
        let input = if single { "in/b" } else { "in" };
        let arguments =
            ["-i", input, "-o", "out.d", "-I", &include, "-E", &exclude, "--jinja-suffix", &suffix].map(str::to_owned);
        if let Ok(settings) = Settings::read(&[], &[], &arguments)
            && let Ok(selection) = select(&settings.value, &files, &mut |_| Ok(true))
        {
            for output in selection.value.outputs {
                let searched = &selection.value.searched;
                prop_assert!(find_template(searched, &files, &output.name).unwrap().is_some());
            }
        }
    }
}
