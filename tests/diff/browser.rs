//! The HTML in a real browser, light and dark.

use serde_json::Value;

use super::project::{change, diff, project};
use crate::support::{browser, looking};

#[test]
fn the_page_can_be_read_in_a_browser_light_and_dark_wide_and_narrow() {
    let Some(folder) = browser() else { return };
    let sandbox = project();
    change(&sandbox);
    let long = format!("{} <b>&amp;</b>\n", "a-very-long-word".repeat(30));
    sandbox.write("templates/notes.txt", long);
    let page = diff(&sandbox, &["--base", "first", "--format", "html"]).stdout;
    sandbox.write("../page.html", page);
    let output = looking(&folder, "browser.mjs")
        .arg(sandbox.path("../page.html"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        seen["problems"].as_array().map(Vec::len),
        Some(0),
        "{seen:#}"
    );
    let views = seen["views"].as_array().unwrap();
    assert_eq!(views.len(), 4);
    for view in views {
        let dark = view["scheme"] == "dark";
        let expected = if dark {
            "rgb(13, 17, 23)"
        } else {
            "rgb(255, 255, 255)"
        };
        assert_eq!(view["background"], expected, "{view:#}");
        assert_eq!(view["overflows"], false, "{view:#}");
        assert_eq!(view["objects"], 6, "{view:#}");
        // WCAG 2 asks for 4.5 of text of this size.
        assert!(view["contrast"].as_f64().unwrap() >= 4.5, "{view:#}");
    }
}
