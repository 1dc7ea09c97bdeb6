//! Times `kiln watch`: from a save to the tree on disk, over the time that it waits for more.
//!
//! The production example, with a template of its own. In turn: a template is saved, of which one file
//! is made, and a value of the config, which many files show.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark runs programs, keeps time and prints"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use kiln::watch::QUIET;
use serde_json::Value;

const ROUNDS: usize = 21;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/production");
    for name in ["kiln.toml", "cluster.toml", "cloudflare-tunnel.json"] {
        fs::copy(from.join(name), project.join(name)).unwrap();
    }
    let template = project.join("templates/notes.txt.tera");
    fs::create_dir_all(template.parent().unwrap()).unwrap();
    fs::write(&template, "start\n").unwrap();
    let render = kiln(project, &["render", "--keygen", "-q"])
        .status()
        .unwrap();
    assert!(render.success());
    let config = fs::read_to_string(project.join("cluster.toml")).unwrap();

    let mut child = kiln(project, &["watch", "--message-format", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut events = Events(BufReader::new(child.stdout.take().unwrap()).lines());
    events.wait_for("ready");
    let (mut one, mut many, mut files) = (Times::default(), Times::default(), 0);
    for round in 0..ROUNDS {
        let text = format!("round {round}\n");
        one.measure(&mut events, || fs::write(&template, &text).unwrap());
        let text = config.replace(
            "dns_servers = [\"10.20.0.1\"",
            &format!("dns_servers = [\"10.20.0.{}\"", 200 + round),
        );
        assert_ne!(text, config);
        files = many.measure(&mut events, || {
            fs::write(project.join("cluster.toml"), &text).unwrap();
        });
    }
    child.kill().unwrap();
    child.wait().unwrap();
    println!(
        "medians of {ROUNDS} rounds, in turn, from the save until the tree is on disk and shown,"
    );
    println!("over the {} ms that it waits for more", QUIET.as_millis());
    one.print("a template, 1 file");
    many.print(&format!("the config, {files} files"));
}

fn kiln(project: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiln"));
    command
        .current_dir(project)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

struct Events(Lines<BufReader<ChildStdout>>);

impl Events {
    fn wait_for(&mut self, name: &str) -> Value {
        loop {
            let event: Value = serde_json::from_str(&self.0.next().unwrap().unwrap()).unwrap();
            assert_ne!(event["event"], "failed");
            if event["event"] == name {
                return event;
            }
        }
    }
}

/// What was measured from outside, and by the program itself up to the end of the write.
#[derive(Default)]
struct Times {
    whole: Vec<Duration>,
    write: Vec<Duration>,
}

impl Times {
    /// Saves, and returns how many files were written.
    fn measure(&mut self, events: &mut Events, save: impl FnOnce()) -> usize {
        let start = Instant::now();
        save();
        let event = events.wait_for("written");
        self.whole.push(start.elapsed().saturating_sub(QUIET));
        let own = event["milliseconds"].as_u64().unwrap();
        self.write.push(Duration::from_millis(own));
        events.wait_for("ready");
        event["changed"].as_array().unwrap().len() + event["created"].as_array().unwrap().len()
    }

    fn print(self, name: &str) {
        let (whole, write) = (median(self.whole), median(self.write));
        println!("  {name:<26} {whole:>6.1} ms, of which compile and write {write:>4.0} ms");
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}
