use super::watcher::Watcher;
use crate::makejinja::process::SETTINGS;
use crate::support::Sandbox;

const PLUGIN: &str = "\
import makejinja
from words.greeting import WORD

class Plugin(makejinja.plugin.Plugin):
    def data(self):
        with open('names.txt') as file:
            return {'word': WORD, 'name': file.read().strip()}
";

/// Waits until the output is a text.
#[track_caller]
fn wait_for_output(watcher: &mut Watcher, sandbox: &Sandbox, text: &str) {
    while sandbox.read("greeting.txt") != text {
        watcher.ready();
    }
}

#[test]
fn what_the_python_of_a_plugin_reads_is_watched() {
    let sandbox = Sandbox::with(&[
        ("makejinja.toml", SETTINGS),
        ("cluster.yaml", "domain: example.com\n"),
        ("scripts/plugin.py", PLUGIN),
        ("scripts/words/greeting.py", "WORD = 'hello'\n"),
        ("names.txt", "one\n"),
        ("templates/greeting.txt.j2", "{{ word }} {{ name }}\n"),
    ]);
    let mut watcher = Watcher::start_with_python(&sandbox);
    wait_for_output(&mut watcher, &sandbox, "hello one\n");
    sandbox.write("scripts/words/greeting.py", "WORD = 'good morning'\n");
    wait_for_output(&mut watcher, &sandbox, "good morning one\n");
    sandbox.write("names.txt", "two\n");
    wait_for_output(&mut watcher, &sandbox, "good morning two\n");
}

/// A plugin that notes each start outside of the project. Since it reads a key, Python starts a second time, with a
/// stand-in for it.
const COUNTED: &str = "\
import makejinja

class Plugin(makejinja.plugin.Plugin):
    def data(self):
        with open('COUNTER', 'a') as file:
            file.write('started\\n')
        with open('deploy.key') as file:
            length = len(file.read())
        with open('names.txt') as file:
            return {'name': file.read().strip(), 'length': length}

    def filters(self):
        return [shout]

def shout(text):
    return text.upper()
";

#[test]
fn python_stays_until_something_changes_that_it_read() {
    let outside = tempfile::tempdir().unwrap();
    let counter = outside.path().join("starts");
    let starts = || std::fs::read_to_string(&counter).unwrap().lines().count();
    let sandbox = Sandbox::with(&[
        ("makejinja.toml", SETTINGS),
        ("cluster.yaml", "domain: example.com\n"),
        (
            "scripts/plugin.py",
            &COUNTED.replace("COUNTER", counter.to_str().unwrap()),
        ),
        ("names.txt", "one\n"),
        ("deploy.key", "a key that only Python reads\n"),
        ("templates/greeting.txt.j2", "{{ name | shout }}\n"),
    ]);
    let mut watcher = Watcher::start_with_python(&sandbox);
    wait_for_output(&mut watcher, &sandbox, "ONE\n");
    // The outputs are new to the project, so that the next compile starts Python once more.
    let change = |text: &str| sandbox.write("templates/greeting.txt.j2", text);
    change("{{ name | shout }}!\n");
    wait_for_output(&mut watcher, &sandbox, "ONE!\n");
    let before = starts();
    change("{{ name | shout }}?\n");
    wait_for_output(&mut watcher, &sandbox, "ONE?\n");
    assert_eq!(starts(), before);
    sandbox.write("names.txt", "two\n");
    wait_for_output(&mut watcher, &sandbox, "TWO?\n");
    assert_eq!(starts(), before + 2);
    sandbox.write("cluster.yaml", "domain: example.net\n");
    change("{{ domain }} {{ name | shout }}\n");
    wait_for_output(&mut watcher, &sandbox, "example.net TWO\n");
}
