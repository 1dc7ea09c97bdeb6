//! Every output line knows the template line it came from.

use super::{Origin, Secrets, one, project, rendered};
use proptest::prelude::*;
use serde_json::json;

/// Pieces of templates in which each text names its own line: `@` is replaced by the number.
fn piece() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "L@\n",
        "L@ #{ x }# more\n",
        "#{ x }# L@\n",
        "  #{ x }# L@\n",
        "\n",
        "L@ #% if x %#yes#% endif %#\n",
        "#| note |#\n",
        "  #| two\n lines |#\n",
        "#% set y = 1 %#\n",
        "#% raw %#\nL@ #{ raw }#\n#% endraw %#\n",
        "#% include \"_part.tera\" %#\n",
        "    #% include \"_part.tera\" %#\n",
        "  #% if x %##% include \"_outer.tera\" %##% endif %#\n",
        "L@\n#%- set z = 1 %#\n\n",
        "#% set z = 1 -%#\n\n  L@\n",
        "#% if x %#L@#% else %#no#% endif %#\n",
        "#% set b %#\nhidden\n#% endset %#\n",
        "L@ #{ lines }#\n",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(3, 24, 4, |inner| {
            let body = prop::collection::vec(inner, 0..4).prop_map(|pieces| pieces.concat());
            prop_oneof![
                body.clone()
                    .prop_map(|body| format!("  #% if x %#\n{body}  #% endif %#\n")),
                body.clone().prop_map(|body| format!(
                    "#% if not x %#\n{body}#% else %#\n{body}#% endif %#\n"
                )),
                body.prop_map(|body| format!("  #% for i in xs %#\n{body}  #% endfor %#\n")),
            ]
        })
}

proptest! {
    #[test]
    fn names_the_line_of_every_text(pieces in prop::collection::vec(piece(), 1..12)) {
        let template: String = pieces.concat().split_inclusive('\n').enumerate()
            .map(|(index, line)| line.replace('@', &format!("{}.", index + 1))).collect();
        let files = project(&[
            ("templates/_part.tera", "#% if x %#\nP2.\n#% endif %#\nP4.\n"),
            ("templates/_outer.tera", "O1.\n\n  #% include \"_part.tera\" %#\nO4. #{ lines }#\n"),
            ("templates/out.txt.tera", &template),
        ]);
        let values = json!({"x": 1, "xs": [1, 2], "lines": "one\ntwo\nthree"});
        let tree = rendered(&values, &Secrets::default(), &files).unwrap().value.tree;
        let Some(file) = tree.get("out.txt") else { return Ok(()) };
        let lines: Vec<&str> = file.source.text.split_inclusive('\n').collect();
        prop_assert_eq!(lines.len(), file.origins.len());
        for (text, origin) in lines.iter().zip(&file.origins) {
            let Origin::Template { template, line } = origin else { panic!("no rule ran") };
            for (mark, path) in [("L", "templates/out.txt.tera"), ("P", "templates/_part.tera"), ("O", "templates/_outer.tera")] {
                if let Some(at) = text.find(mark) {
                    let number = text[at + 1..].split('.').next().unwrap();
                    let found = format!("{}:{line}", template.path);
                    prop_assert_eq!(found, format!("{path}:{number}"));
                }
            }
        }
    }

    /// A template that is rendered once, with markers, prints what one prints that is rendered without them
    /// too, as one with an include is.
    #[test]
    fn markers_disturb_nothing(pieces in prop::collection::vec(piece(), 1..12)) {
        let template = pieces.concat().replace("_part.tera", "_empty.tera").replace("_outer.tera", "_empty.tera");
        let files = |text: &str| project(&[
            ("templates/_empty.tera", ""),
            ("templates/out.txt.tera", text),
        ]);
        let values = json!({"x": 1, "xs": [1, 2], "lines": "one\ntwo\nthree"});
        let text = |template: &str| {
            let found = rendered(&values, &Secrets::default(), &files(template)).unwrap();
            let file = found.value.tree.get("out.txt").cloned();
            file.map_or_else(String::new, |file| file.source.text.to_string())
        };
        let both = format!("{template}#% include \"_empty.tera\" %#\n");
        prop_assert_eq!(text(&template), text(&both));
    }
}

#[test]
fn what_looks_like_a_marker_is_printed() {
    let marker = "\u{FDD0}0:1\u{FDD1}";
    let cases = [
        ("a #{ x }# b\n".to_owned(), json!({"x": marker})),
        (format!("a {marker} b\n"), json!({})),
        (
            "a #{ x | b64decode }# b\n".to_owned(),
            json!({"x": "77eQMDox77eR"}),
        ),
        (
            "a #{ x | from_json }# b\n".to_owned(),
            json!({"x": "\"\\ufdd00:1\\ufdd1\""}),
        ),
    ];
    for (template, values) in cases {
        let printed = one(&template, &values).unwrap();
        assert_eq!(printed, format!("a {marker} b\n"), "{template}");
    }
}
