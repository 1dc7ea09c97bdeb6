//! How plugins are loaded, and what they offer.

use std::path::PathBuf;

use makejinja_plugins::{PassedArgument, PluginValue};

use crate::project::{Project, function, int, text};

const ALL_HOOKS: &str = r#"
import makejinja
from makejinja.plugin import Data, Filters, Functions, Globals, MutableData, PathFilter, Plugin as Base
from pathlib import Path


def double(value: int) -> int:
    return value * 2

def shout(value: str) -> str:
    return value.upper()

def is_even(value: int) -> bool:
    return value % 2 == 0

def old(value):
    return "old " + value


class Plugin(Base):
    def __init__(self, *, environment, data: MutableData, config: makejinja.config.Config):
        data["nodes"].append("third")
        data["unseen"] = 1
        environment.globals["set_directly"] = "here"
        environment.filters["lower_all"] = lambda value: [item.lower() for item in value]
        environment.trim_blocks = False
        self.data_ = data
        self.config = config

    def globals(self) -> Globals:
        return [old]

    def functions(self) -> Functions:
        return [double]

    def data(self) -> Data:
        return {"count": len(self.data_["nodes"]), "inputs": [str(path) for path in self.config.inputs],
                "start": self.config.delimiter.block_start, "mode": self.config.undefined.name,
                "vars": self.config.data_vars, "name": self.config.inputs[0].name}

    def filters(self) -> Filters:
        return [shout]

    def tests(self):
        return [is_even]

    def policies(self):
        return {"json.dumps_kwargs": {"sort_keys": False}}

    def extensions(self):
        return ["jinja2.ext.do"]

    def path_filters(self) -> "list[PathFilter]":
        return [self.keep]

    def keep(self, path: Path) -> bool:
        return "secret" not in path.stem
"#;

fn names(offers: &[makejinja_plugins::Offer]) -> Vec<&str> {
    offers.iter().map(|offer| offer.name.as_str()).collect()
}

#[test]
fn every_hook_is_asked_and_the_environment_is_taken_over() {
    let mut project = Project::new(ALL_HOOKS);
    let nodes = PluginValue::List(vec![text("first"), text("second")]);
    project.spec.data = PluginValue::map([("nodes", nodes), ("count", int(0))]);
    let (mut host, offered) = project.start();

    assert_eq!(names(&offered.functions), ["old", "double"]);
    assert_eq!(names(&offered.filters), ["lower_all", "shout"]);
    assert_eq!(names(&offered.tests), ["is_even"]);
    assert_eq!(offered.globals, [("set_directly".to_owned(), text("here"))]);
    assert_eq!(offered.extensions, ["jinja2.ext.do"]);
    assert_eq!(offered.environment_changes, ["trim_blocks"]);
    let policy = PluginValue::map([("sort_keys", PluginValue::Bool(false))]);
    let policies = [("json.dumps_kwargs".to_owned(), policy)];
    assert_eq!(offered.policies, policies);
    assert!(offered.python_version.starts_with("3."));

    let data = &offered.data;
    assert_eq!(data.get("count"), Some(&int(3)));
    assert_eq!(
        data.get("unseen"),
        None,
        "makejinja copies the data before the constructor"
    );
    assert_eq!(data.get("start"), Some(&text("#%")));
    assert_eq!(data.get("mode"), Some(&text("strict")));
    assert_eq!(data.get("name"), Some(&text("templates")));
    assert_eq!(
        data.get("vars").and_then(|vars| vars.get("a")),
        Some(&text("b"))
    );
    let input = project.path().join("templates");
    let inputs = PluginValue::List(vec![text(input.to_str().unwrap())]);
    assert_eq!(data.get("inputs"), Some(&inputs));

    let double = function(&offered, "double");
    assert_eq!(host.call(&double, &[int(21)], &[]).unwrap(), int(42));
    let named = [("value".to_owned(), int(4))];
    assert_eq!(host.call(&double, &[], &named).unwrap(), int(8));

    assert!(offered.has_path_filters);
    let paths = ["a/secret.yaml", "a/open.yaml", "secret/open.yaml"].map(|path| input.join(path));
    assert_eq!(host.keep_paths(&paths).unwrap(), [false, true, true]);
    assert!(!host.keep_path(&paths[0]).unwrap());
    assert_eq!(project.files(), ["plugin.py"], "no caches are written");
}

#[test]
fn old_loaders_and_plugins_without_a_base_are_loaded() {
    let mut project = Project::new(
        "import makejinja\n\nclass Loader(makejinja.loader.AbstractLoader):\n    def __init__(self, data):\n        \
         self.given = data['name']\n\n    def globals(self):\n        return [self.given_name]\n\n    \
         def given_name(self):\n        return self.given\n\nclass Plugin:\n    pass\n",
    );
    project.spec.plugins = vec!["plugin.Loader".to_owned(), "plugin:Plugin".to_owned()];
    project.spec.data = PluginValue::map([("name", text("home"))]);
    let (mut host, offered) = project.start();
    let callee = function(&offered, "given_name");
    assert_eq!(host.call(&callee, &[], &[]).unwrap(), text("home"));
    assert!(!offered.has_path_filters);
}

#[test]
fn a_later_plugin_wins_and_wraps() {
    let mut project = Project::new(
        "class Plugin:\n    def functions(self):\n        return [name]\n\ndef name():\n    return 'first'\n",
    );
    project.write(
        "second.py",
        "class Plugin:\n    def __init__(self, env):\n        before = env.globals['name']\n        \
         env.globals['name'] = lambda: before() + ' and second'\n",
    );
    project.spec.plugins.push("second:Plugin".to_owned());
    let (mut host, offered) = project.start();
    let callee = function(&offered, "name");
    assert_eq!(
        host.call(&callee, &[], &[]).unwrap(),
        text("first and second")
    );
}

#[test]
fn the_real_makejinja_and_modules_of_the_current_folder_are_not_taken() {
    let project = Project::new(
        "import json\nimport makejinja\n\nclass Plugin(makejinja.plugin.Plugin):\n    def data(self):\n        \
         return {'json': json.__name__ + json.loads('\"x\"'), 'file': hasattr(makejinja, '__file__')}\n",
    );
    project.write("json.py", "raise RuntimeError('taken')\n");
    project.write("makejinja.py", "raise RuntimeError('taken')\n");
    let (_host, offered) = project.start();
    assert_eq!(offered.data.get("json"), Some(&text("jsonx")));
    assert_eq!(offered.data.get("file"), Some(&PluginValue::Bool(false)));
}

#[test]
fn a_stand_in_of_jinja2_is_there_where_jinja2_is_not() {
    let mut project = Project::new(
        "import jinja2\nfrom jinja2 import Environment, StrictUndefined, Undefined, pass_context, pass_environment\n\
         from jinja2.ext import Extension\nfrom markupsafe import Markup, escape\n\n\
         @pass_context\ndef look(context, name):\n    return [context.get(name), context['data_name']]\n\n\
         @pass_environment\ndef known(environment):\n    return 'look' in environment.globals\n\n\
         def kind(value):\n    return isinstance(value, Undefined), isinstance(value, StrictUndefined)\n\n\
         def marked():\n    return Markup('<b>') + escape('<')\n\n\
         class Own(Extension):\n    tags = {'own'}\n\n\
         class Plugin:\n    def functions(self):\n        return [look, known, kind, marked]\n\n    \
         def extensions(self):\n        return [Own]\n",
    );
    project.hide_packages();
    project.spec.data = PluginValue::map([("data_name", text("home"))]);
    let (mut host, offered) = project.start();
    assert_eq!(offered.extensions, ["plugin.Own"]);
    let look = function(&offered, "look");
    assert_eq!(look.passed, PassedArgument::Context);
    let seen = PluginValue::map([("inner", text("seen"))]);
    let found = host
        .call_in_context(&look, &seen, &[text("inner")], &[])
        .unwrap();
    assert_eq!(found, PluginValue::List(vec![text("seen"), text("home")]));
    let found = host.call(&look, &[text("inner")], &[]).unwrap();
    assert_eq!(
        found,
        PluginValue::List(vec![PluginValue::Null, text("home")])
    );
    let known = function(&offered, "known");
    assert_eq!(known.passed, PassedArgument::Environment);
    assert_eq!(
        host.call(&known, &[], &[]).unwrap(),
        PluginValue::Bool(true)
    );
    let undefined = PluginValue::Undefined("gone".to_owned());
    let kind = host
        .call(&function(&offered, "kind"), &[undefined], &[])
        .unwrap();
    assert_eq!(kind, PluginValue::Tuple(vec![PluginValue::Bool(true); 2]));
    let marked = host.call(&function(&offered, "marked"), &[], &[]).unwrap();
    assert_eq!(marked, text("<b>&lt;"));
}

#[test]
fn what_is_read_is_told() {
    let mut project = Project::new(
        "import os\nfrom pathlib import Path\nimport helper\n\ndef late():\n    try:\n        open('absent.key')\n    \
         except OSError:\n        pass\n    return os.environ.get('LATE')\n\nclass Plugin:\n    def data(self):\n        \
         list(Path('patches').glob('*.yaml'))\n        return {'key': Path('age.key').read_text(), 'home': os.getenv('EARLY')}\n\n    \
         def functions(self):\n        return [late]\n",
    );
    project.write("helper.py", "");
    project.write("age.key", "key");
    project.write("patches/a.yaml", "");
    let environment = std::env::vars().chain([("EARLY".to_owned(), "bird".to_owned())]);
    project.spec.environment = Some(environment.collect());
    let (mut host, offered) = project.start();
    assert_eq!(offered.data.get("home"), Some(&text("bird")));
    let at = |names: &[&str]| -> Vec<PathBuf> {
        names.iter().map(|name| project.path().join(name)).collect()
    };
    assert_eq!(
        host.read_files(),
        at(&["age.key", "helper.py", "plugin.py"])
    );
    assert!(host.reads().folders.contains(&at(&["patches"])[0]));
    assert!(host.reads().variables.contains("EARLY"));
    assert!(!host.reads().variables.contains("LATE"));
    host.call(&function(&offered, "late"), &[], &[]).unwrap();
    assert_eq!(
        host.read_files(),
        at(&["absent.key", "age.key", "helper.py", "plugin.py"])
    );
    assert!(host.reads().variables.contains("LATE"));
    assert!(!host.reads().variables.contains("*"));
    assert!(host.reads().programs.is_empty() && !host.reads().network);
}

#[test]
fn programs_and_the_network_are_told() {
    let project = Project::with_functions(
        "run",
        "import socket, subprocess\n\ndef run():\n    subprocess.run(['true'], check=True)\n    try:\n        \
         socket.create_connection(('127.0.0.1', 1), 0.1)\n    except OSError:\n        pass\n",
    );
    let (mut host, offered) = project.start();
    host.call(&function(&offered, "run"), &[], &[]).unwrap();
    assert!(host.reads().programs.contains("true"));
    assert!(host.reads().network);
}
