//! Markdown, as a `CommonMark` parser with all its extensions reads it.

use kiln::cli::report::audit::{self, markdown as scorecard};
use kiln::cli::report::diff::markdown;
use kiln::cli::report::shown::marks::marked;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::names::{NAMES, hostile};
use super::{log, poison};

/// What a text is to a parser.
#[derive(Debug, Default)]
struct Reading {
    /// Its blocks, without their texts.
    outline: Vec<String>,
    /// All code, spans and blocks.
    code: Vec<String>,
    /// All that is no code.
    words: String,
}

fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let mut in_code = false;
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Text(text) if in_code => reading.code.last_mut().unwrap().push_str(&text),
            Event::Text(text) => reading.words.push_str(&text),
            Event::Code(text) => {
                // What a forge looks for does not go on beyond code.
                reading.words.push(' ');
                reading.code.push(text.into_string());
            }
            Event::InlineHtml(tag) => {
                assert!(matches!(&*tag, "<code>" | "</code>"), "{tag}\n{text}");
                assert_eq!(&*tag == "</code>", in_code, "{text}");
                in_code = !in_code;
                if in_code {
                    reading.words.push(' ');
                    reading.code.push(String::new());
                }
            }
            Event::Html(html) => html_line(&html, &mut reading),
            Event::Start(Tag::CodeBlock(kind)) => {
                reading.outline.push(format!("{kind:?}"));
                reading.code.push(String::new());
                in_code = true;
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(tag) => reading.outline.push(format!("{tag:?}")),
            Event::SoftBreak | Event::End(TagEnd::Paragraph) => reading.words.push('\n'),
            Event::End(_) => {}
            other => panic!("{other:?}\n{text}"),
        }
    }
    assert!(!in_code, "{text}");
    reading
}

/// Takes a line of HTML apart, of which only ours may be there.
fn html_line(html: &str, reading: &mut Reading) {
    let html = html.trim_end_matches('\n');
    if matches!(html, "<!-- kiln-diff -->" | "</details>" | "") {
        reading.outline.push(html.to_owned());
        return;
    }
    let summary = html.strip_prefix("<details><summary>");
    let summary = summary.and_then(|html| html.strip_suffix("</summary>"));
    let summary = summary.unwrap_or_else(|| panic!("{html}"));
    reading.outline.push("summary".to_owned());
    let (before, rest) = summary.split_once("<code>").unwrap_or((summary, ""));
    let (code, after) = rest.split_once("</code>").unwrap_or(("", rest));
    for part in [before, code, after] {
        assert!(!part.contains(['<', '>', '"', '\'']), "{html}");
    }
    reading.words.extend([before, after, "\n"]);
    let code = code.replace("&lt;", "<").replace("&gt;", ">");
    let code = code.replace("&quot;", "\"").replace("&#39;", "'");
    reading.code.push(code.replace("&amp;", "&"));
}

/// Fails on words that a forge makes something of: mentions, references, links, HTML.
fn expect_nothing_of_a_forge(reading: &Reading) {
    for word in reading.words.split_whitespace() {
        let is_ours = matches!(word, "[!CAUTION]");
        let means_something = word.contains(['@', '#', '<', '>', '[', ']', '\\', '$', '_', '*'])
            || word.contains("//")
            || word.to_lowercase().contains("www.")
            // The name of a picture stands between two colons.
            || (word.starts_with(':') && word.ends_with(':') && !word.trim_matches(':').is_empty());
        assert!(is_ours || !means_something, "{word}: {}", reading.words);
    }
}

fn diff_of(name: &str) -> String {
    markdown::render(&poison::report(name), None).to_string()
}

fn scorecard_of(name: &str) -> String {
    let audited = poison::audited(name);
    let report = audit::AuditReport {
        audited: &audited,
        prefix: String::new(),
        verbose: true,
        color: false,
    };
    scorecard::render(&report).to_string()
}

/// Compares what names make of the texts with what a harmless one does.
fn expect_alike(name: &str, shown: &str) {
    for render in [diff_of, scorecard_of] {
        let (tame, wild) = (read(&render("tame")), read(&render(name)));
        assert_eq!(wild.outline, tame.outline, "{name:?}\n{}", render(name));
        assert_eq!(log::read(&render(name)), Ok(Vec::new()));
        expect_nothing_of_a_forge(&wild);
    }
    let reading = read(&diff_of(name));
    let spans = [shown.to_owned(), format!("{shown}:1")];
    for span in spans {
        // A parser takes away the spaces around code.
        let is_there = reading.code.iter().any(|code| code.trim() == span.trim());
        assert!(is_there, "{span:?}: {reading:#?}");
    }
    let title = format!("{shown}/{shown}0/{shown}");
    assert!(
        reading.code.iter().any(|code| code.starts_with(&title)),
        "{reading:#?}"
    );
}

#[test]
fn a_name_is_nothing_but_a_name() {
    for (name, shown) in NAMES {
        expect_alike(name, shown);
    }
}

#[test]
fn a_name_of_signs_is_nothing_but_a_name() {
    for name in ["::.", ":.", ".::", "::a::.", ":: ::!"] {
        expect_alike(name, &marked(name));
    }
}

#[test]
fn a_comment_that_is_cut_short_is_no_other() {
    for (name, _) in NAMES {
        for size in [1000, 2000, 4000, 8000] {
            let report = poison::report(name);
            let text = markdown::render(&report, Some(size)).to_string();
            expect_nothing_of_a_forge(&read(&text));
        }
    }
}

#[test]
fn the_parser_sees_what_gets_out() {
    for text in [
        "![x](y)",
        "# x",
        "<b>",
        "a\n\n---\n\nb",
        "*x*",
        "[^x]\n\n[^x]: y",
    ] {
        let seen = std::panic::catch_unwind(|| read(text).outline);
        let tame = read("x").outline;
        assert!(seen.map_or(true, |outline| outline != tame), "{text}");
    }
    assert!(std::panic::catch_unwind(|| expect_nothing_of_a_forge(&read("ask @admin"))).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_anything_but_text(name in hostile()) {
        expect_alike(&name, &marked(&name));
    }
}
