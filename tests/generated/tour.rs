//! The pictures of the README: what the real binary prints, as it looks on a terminal.
//!
//! Times and names of commits differ from run to run; a picture is drawn anew only when something else differs.
//! `KILN_RELEASE` names the binary whose times are shown: that of the tests is not optimised.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::diff::project::{commit, git};
use crate::examples::example;
use crate::support::{Sandbox, expect_file};

/// Runs a command with colours, and returns all that it says.
fn said(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = sandbox
        .command()
        .args(["--color", "always"])
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8([output.stderr, output.stdout].concat()).unwrap()
}

/// Takes an example with its tree, all committed.
fn started(name: &str) -> Sandbox {
    let sandbox = example(name);
    sandbox.kiln(&["init"]).success();
    sandbox.kiln(&["render"]).success();
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox, "first");
    sandbox
}

/// A program that is ended with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[track_caller]
fn edit(sandbox: &Sandbox, path: &str, from: &str, to: &str) {
    let text = sandbox.read(path);
    assert!(text.contains(from), "{path} has no {from}");
    sandbox.write(path, text.replace(from, to));
}

#[test]
fn generated_docs_tour_of_watch_is_current() {
    let sandbox = started("homelab");
    let log = sandbox.path("../log");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .unwrap();
    let mut command = sandbox.command();
    if let Some(release) = std::env::var_os("KILN_RELEASE") {
        let home = sandbox.path("../home");
        command = Command::new(release);
        command
            .env_clear()
            .env("HOME", home)
            .current_dir(sandbox.path(""));
    }
    let child = command
        .args(["--color", "always", "watch"])
        .stdout(Stdio::from(file.try_clone().unwrap()))
        .stderr(Stdio::from(file))
        .spawn()
        .unwrap();
    let _running = Running(child);
    let wait_for = |mark: &str| {
        let start = Instant::now();
        while !fs::read_to_string(&log).unwrap_or_default().contains(mark) {
            assert!(start.elapsed() < Duration::from_mins(1), "no `{mark}`");
            std::thread::sleep(Duration::from_millis(20));
        }
        // The rest of the message.
        std::thread::sleep(Duration::from_millis(200));
        fs::read_to_string(&log).unwrap()
    };
    let saved = sandbox.read("cluster.yaml");
    let mut picture = Picture::new("kiln watch, while someone edits cluster.yaml");
    let mut shown = wait_for("watching");
    picture.prompt("kiln watch");
    picture.print(&shown);
    let edits = [
        ("  replicas: 2", "1 added, 1 changed"),
        ("  replicsa: 3", "last good tree stays"),
        ("  replicas: 2", "mended"),
    ];
    for (option, mark) in edits {
        sandbox.write(
            "cluster.yaml",
            format!("{saved}\napps:\n  echo:\n  {option}\n"),
        );
        let now = wait_for(mark);
        picture.note(&format!(
            "cluster.yaml is saved with apps.echo.{}",
            option.trim()
        ));
        picture.print(&now[shown.len()..]);
        shown = now;
    }
    compare("docs/tour-watch.svg", &picture.draw());
}

#[test]
fn generated_docs_tour_of_diff_is_current() {
    let sandbox = changed();
    let mut picture = Picture::new("kiln diff, before a commit");
    picture.prompt("kiln diff");
    picture.print(&said(&sandbox, &["diff"]));
    compare("docs/tour-diff.svg", &picture.draw());
}

/// An example with changes that a reviewer would want to see.
fn changed() -> Sandbox {
    let sandbox = started("production");
    sandbox.write(
        "versions.yaml",
        "charts:\n  gateway-helm:\n    version: v2.0.0\nimages:\n  http-https-echo:\n    version: \"38\"\n",
    );
    edit(
        &sandbox,
        "cluster.toml",
        "example-token-that",
        "another-token-that",
    );
    let (large, small) = ("mtu = 9000\nencrypt", "mtu = 1500\nencrypt");
    edit(&sandbox, "cluster.toml", large, small);
    sandbox
}

/// What `just picture` calls: the page of a diff in the real browser, as a PNG for the README.
#[test]
#[ignore = "writes docs/diff.png"]
fn picture_of_the_page() {
    let Some(folder) = crate::support::browser() else {
        return;
    };
    let sandbox = changed();
    sandbox.kiln(&["apps", "enable", "trust-manager"]).success();
    let page = sandbox.kiln(&["diff", "--format", "html"]).stdout;
    sandbox.write("../page.html", page);
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diff.png");
    let status = crate::support::looking(&folder, "picture.mjs")
        .arg(sandbox.path("../page.html"))
        .arg(target)
        .args(["900", "1000", "light"])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Looks at the drawings, light and dark.
#[test]
fn drawings_fit_their_frame_in_a_browser() {
    let Some(folder) = crate::support::browser() else {
        return;
    };
    for name in ["tour-watch.svg", "tour-diff.svg"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("docs")
            .join(name);
        let output: std::process::Output =
            Command::output(crate::support::looking(&folder, "drawing.mjs").arg(path)).unwrap();
        assert!(output.status.success(), "{output:?}");
        let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            seen["outside"].as_array().map(Vec::len),
            Some(0),
            "{name}: {seen:#}"
        );
        assert!(
            seen["contrast"].as_f64().unwrap() >= 4.5,
            "{name}: {seen:#}"
        );
        assert!(seen["lines"].as_u64().unwrap() > 30, "{name}: {seen:#}");
    }
}

/// Compares a drawing with the one that is there, but for what differs from run to run.
fn compare(document: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let there = fs::read_to_string(&path).unwrap_or_default();
    if steady(&there) != steady(text) {
        expect_file(&path, text);
    }
}

/// Takes times and names of commits out of a text.
fn steady(text: &str) -> String {
    let words = text.split_inclusive([' ', '(', ')', '\n']);
    words
        .map(|word| {
            let bare = word.trim_end_matches([' ', '(', ')', '\n']);
            let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            let number = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit());
            // Widths go with the text.
            let width = bare.starts_with("textLength");
            if number || width || (bare.len() == 7 && bare.chars().all(hex)) {
                "…"
            } else {
                word
            }
        })
        .collect()
}

/// A terminal, drawn as SVG.
struct Picture {
    title: String,
    lines: Vec<Vec<(String, String)>>,
}

const COLUMNS: usize = 104;
/// In tenths of a pixel.
const CHARACTER: usize = 78;
const LINE: usize = 18;
const TOP: usize = 52;

impl Picture {
    fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            lines: Vec::new(),
        }
    }

    fn prompt(&mut self, command: &str) {
        self.lines.push(vec![
            ("dim".to_owned(), "$ ".to_owned()),
            ("bold".to_owned(), command.to_owned()),
        ]);
    }

    fn note(&mut self, text: &str) {
        self.lines.push(Vec::new());
        self.lines
            .push(vec![("note".to_owned(), format!("# {text}"))]);
    }

    /// Reads colours as terminals do, and breaks lines at the edge.
    fn print(&mut self, text: &str) {
        for line in text.lines() {
            let mut column = 0;
            let mut spans = Vec::new();
            let mut classes: Vec<&str> = Vec::new();
            let mut parts = line.split("\x1b[");
            let mut put = |classes: &[&str], text: &str, spans: &mut Vec<(String, String)>| {
                for c in text.chars() {
                    if column == COLUMNS {
                        self.lines.push(std::mem::take(spans));
                        column = 0;
                    }
                    column += 1;
                    let class = classes.join(" ");
                    match spans.last_mut() {
                        Some((last, text)) if *last == class => text.push(c),
                        _ => spans.push((class, c.to_string())),
                    }
                }
            };
            put(&classes, parts.next().unwrap_or_default(), &mut spans);
            for part in parts {
                let (code, text) = part.split_once('m').unwrap();
                match code {
                    "0" => classes.clear(),
                    "1" => classes.push("bold"),
                    "2" => classes.push("dim"),
                    "31" | "91" => classes.push("red"),
                    "32" => classes.push("green"),
                    "33" | "93" => classes.push("yellow"),
                    "34" | "94" | "36" | "96" => classes.push("cyan"),
                    code => panic!("no colour {code}"),
                }
                put(&classes, text, &mut spans);
            }
            self.lines.push(spans);
        }
    }

    fn draw(&self) -> String {
        let width = 2 * 20 + COLUMNS * CHARACTER / 10;
        let height = TOP + self.lines.len() * LINE + 12;
        let mut text = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{title}">
<title>{title}</title>
<style>
svg {{ --paper: #ffffff; --ink: #1c2128; --dim: #57606a; --edge: #d0d7de; --red: #b3142b; --green: #116329; --yellow: #7d4e00; --cyan: #0550ae }}
@media (prefers-color-scheme: dark) {{ svg {{ --paper: #0d1117; --ink: #e6edf3; --dim: #9ba5b0; --edge: #30363d; --red: #ff8f85; --green: #7ee787; --yellow: #e3b341; --cyan: #79c0ff }} }}
text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--ink); white-space: pre }}
.paper {{ fill: var(--paper); stroke: var(--edge) }}
.dim, .note {{ fill: var(--dim) }}
.note {{ font-style: italic }}
.bold {{ font-weight: 600 }}
.red {{ fill: var(--red) }}
.green {{ fill: var(--green) }}
.yellow {{ fill: var(--yellow) }}
.cyan {{ fill: var(--cyan) }}
</style>
<rect class="paper" x="0.5" y="0.5" width="{w}" height="{h}" rx="8" />
<circle cx="20" cy="18" r="5" fill="#ff5f56" /><circle cx="38" cy="18" r="5" fill="#ffbd2e" /><circle cx="56" cy="18" r="5" fill="#27c93f" />
"##,
            title = escaped(&self.title),
            w = width - 1,
            h = height - 1,
        );
        for (at, spans) in self.lines.iter().enumerate() {
            let count: usize = spans.iter().map(|(_, text)| text.chars().count()).sum();
            if count == 0 {
                continue;
            }
            let y = TOP + at * LINE;
            let (pixels, tenths) = (count * CHARACTER / 10, count * CHARACTER % 10);
            write!(
                text,
                r#"<text x="20" y="{y}" xml:space="preserve" textLength="{pixels}.{tenths}">"#
            )
            .unwrap();
            for (class, part) in spans {
                let part = escaped(part);
                if class.is_empty() {
                    text.push_str(&part);
                } else {
                    write!(text, r#"<tspan class="{class}">{part}</tspan>"#).unwrap();
                }
            }
            text.push_str("</text>\n");
        }
        text.push_str("</svg>\n");
        text
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
