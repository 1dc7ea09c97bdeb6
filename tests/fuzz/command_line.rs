//! Mutated command lines: the exit code is 0, 1 or 2, nothing panics, nothing hangs.

use std::ffi::OsString;
use std::io::{Read, Seek};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::{CommandFactory as _, Parser as _};
use kiln::cli::args::Args;
use kiln::cli::commands;

use super::mutator::Dice;
use crate::support::Sandbox;

/// How many command lines a run of the tests tries; `just fuzz-cli` tries 50,000.
const ROUNDS: u64 = 150;

/// The time in which one is done, on a machine that has other work as well.
const LIMIT: Duration = Duration::from_mins(1);

/// Values for options and places, none of which leads out of the folder.
const VALUES: &[&str] = &[
    "",
    " ",
    "-",
    "--",
    "0",
    "1",
    "-1",
    "257",
    "99999999999999999999",
    "auto",
    "always",
    "human",
    "json",
    "github",
    "html",
    "markdown",
    "HEAD",
    "main",
    "HEAD~1",
    "@{0}",
    "cluster.yaml",
    "kiln.toml",
    "templates",
    "templates/a.yaml.tera",
    "out",
    "nope",
    "echo",
    "secret-leak",
    "no-such-code",
    "apps.echo.enabled",
    "bash",
    "zsh",
    "ü",
    "a b",
    "a\nb",
    "\u{202e}x",
    "*",
    "'",
    "\"",
    "$(x)",
    "%s",
    "{}",
    "\u{1}",
];

/// The words that clap knows: commands, options, short options, possible values.
struct Words {
    commands: Vec<Vec<String>>,
    options: Vec<String>,
    values: Vec<String>,
}

impl Words {
    fn all() -> Self {
        let mut words = Self {
            commands: vec![Vec::new()],
            options: Vec::new(),
            values: VALUES.iter().map(|value| (*value).to_owned()).collect(),
        };
        words.collect(&Args::command(), &[]);
        words.options.sort();
        words.options.dedup();
        words
    }

    fn collect(&mut self, command: &clap::Command, path: &[String]) {
        for argument in command.get_arguments() {
            let long = argument.get_long().map(|long| format!("--{long}"));
            let short = argument.get_short().map(|short| format!("-{short}"));
            self.options.extend(long.into_iter().chain(short));
            let values = argument.get_possible_values();
            self.values
                .extend(values.iter().map(|value| value.get_name().to_owned()));
        }
        for below in command.get_subcommands() {
            let mut path = path.to_vec();
            path.push(below.get_name().to_owned());
            self.commands.push(path.clone());
            self.collect(below, &path);
        }
    }

    /// Puts together a command line and changes it.
    fn line(&self, dice: &mut Dice) -> Vec<String> {
        let mut line = dice.pick(&self.commands).clone();
        for _ in 0..dice.below(5) {
            let at = dice.below(line.len() + 1);
            let option = dice.pick(&self.options).clone();
            let value = dice.pick(&self.values).clone();
            match dice.below(5) {
                0 => line.insert(at, option),
                1 => line.push(format!("{option}={value}")),
                2 => line.extend([option, value]),
                3 => line.insert(at, value),
                _ => drop((!line.is_empty()).then(|| line.swap_remove(at % line.len().max(1)))),
            }
        }
        if dice.below(3) == 0 && !line.is_empty() {
            let at = dice.below(line.len());
            line[at] = changed(&line[at], dice);
        }
        line.iter().map(|word| stays_inside(word)).collect()
    }
}

/// Changes one letter of a word.
fn changed(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = dice.below(letters.len() + 1);
    match dice.below(3) {
        0 => letters.insert(at, *dice.pick(&['-', '=', 'x', 'ü', '\t', '0', ','])),
        1 if at < letters.len() => drop(letters.remove(at)),
        _ => letters.truncate(at),
    }
    letters.into_iter().collect()
}

/// Takes out what could lead out of the sandbox.
fn stays_inside(word: &str) -> String {
    let word = word.replace("..", "__");
    if word.starts_with("--") || word.contains("templates/") {
        word
    } else {
        word.replace('/', "_")
    }
}

/// Returns whether a command line would run without end.
fn watches(line: &[String]) -> bool {
    let words = std::iter::once(OsString::from("kiln")).chain(line.iter().map(OsString::from));
    let parsed = Args::try_parse_from(words);
    parsed.is_ok_and(|args| matches!(args.command, commands::CliCommand::Watch(_)))
}

fn project() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("kiln.toml", "catalogue = false\noutput = \"out\"\n"),
        (
            "cluster.yaml",
            include_str!("../../examples/homelab/cluster.yaml"),
        ),
        (
            "nodes.yaml",
            include_str!("../../examples/homelab/nodes.yaml"),
        ),
        ("templates/a.yaml.tera", "a: #{ domain.name }#\n"),
    ]);
    let git = Command::new("git")
        .args(["init", "--quiet", "--initial-branch=main"])
        .current_dir(sandbox.path(""))
        .status();
    drop(git);
    sandbox
}

/// Waits for a run and returns its exit code; `None` after a signal, and when it hangs.
fn wait(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
fn command_lines_end_in_0_1_or_2() {
    let words = Words::all();
    let mut sandbox = project();
    let mut codes = [0_u64; 3];
    for number in 0..super::rounds(ROUNDS) {
        if number % 500 == 499 {
            sandbox = project();
        }
        let line = words.line(&mut Dice(number));
        if watches(&line) {
            continue;
        }
        let complaint = tempfile::tempfile().unwrap();
        let mut child = sandbox
            .command()
            .args(&line)
            .stdout(Stdio::null())
            .stderr(complaint.try_clone().unwrap())
            .spawn()
            .unwrap();
        let code = wait(&mut child);
        let said = read(complaint);
        let known = matches!(code, Some(0..=2));
        assert!(
            known && !said.contains("this is a bug"),
            "number {number}: kiln {line:?} ends with {code:?}\n{said}"
        );
        if let Some(count) = code.and_then(|code| codes.get_mut(usize::try_from(code).ok()?)) {
            *count += 1;
        }
    }
    eprintln!("exit codes 0, 1 and 2: {codes:?}");
    // Few lines of those that clap takes find anything: a short run may have none.
    let found = codes[1] > 0 || super::rounds(ROUNDS) == ROUNDS;
    assert!(
        codes[0] > 0 && codes[2] > 0 && found,
        "lines that are all of one kind: {codes:?}"
    );
}

fn read(mut file: impl Read + Seek) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
