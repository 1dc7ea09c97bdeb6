//! HTML, as a real browser reads it.

use std::fs;

use kiln::cli::report::diff::html;
use serde_json::{Value, json};

use super::names::NAMES;
use super::{log, poison};
use crate::support::{Sandbox, browser, looking};

#[test]
fn a_browser_sees_the_names_and_nothing_else() {
    let Some(folder) = browser() else { return };
    let sandbox = Sandbox::new();
    let names = std::iter::once(&("tame", "tame")).chain(NAMES);
    let mut pages = Vec::new();
    for (at, (name, _)) in names.clone().enumerate() {
        let path = sandbox.path(&format!("{at}.html"));
        let page = html::render(&poison::report(name));
        assert_eq!(log::read(page.as_str()), Ok(Vec::new()), "{name:?}");
        fs::write(&path, page.as_str()).unwrap();
        pages.push(path);
    }
    let output = looking(&folder, "outline.mjs")
        .args(&pages)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let seen: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen.len(), pages.len());
    assert!(
        seen[0]["elements"].as_array().unwrap().len() > 50,
        "{}",
        seen[0]
    );
    for ((name, shown), page) in names.zip(&seen) {
        assert_eq!(page["problems"], json!([]), "{name:?}");
        assert_eq!(page["elements"], seen[0]["elements"], "{name:?}");
        let title = format!("Kiln diff: {shown} → {shown}");
        // A browser takes white space in a title together.
        let title: Vec<&str> = title.split_ascii_whitespace().collect();
        assert_eq!(page["title"], title.join(" "), "{name:?}");
        let codes = page["codes"].as_array().unwrap();
        assert!(codes.contains(&json!(shown)), "{name:?}: {codes:#?}");
        let object = format!(
            "{shown}/{shown}0/{shown} in {shown} and 2 more objects (was {shown}/{shown}100/{shown} in {shown})"
        );
        assert!(codes.contains(&json!(object)), "{name:?}: {codes:#?}");
    }
}
