use super::watcher::Watcher;
use crate::support::Sandbox;

const SETTINGS: &str = "\
[makejinja]
inputs = [\"templates\"]
output = \"./\"
data = [\"cluster.yaml\"]
import_paths = [\"scripts\"]
plugins = [\"plugin:Plugin\"]
jinja_suffix = \".j2\"
force = true
";

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
