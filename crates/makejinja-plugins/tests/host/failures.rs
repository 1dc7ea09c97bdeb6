//! What goes wrong, and what is said of it.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use makejinja_plugins::{PluginErrorKind, PluginHost};

use crate::project::{Project, call, function, text};

#[test]
fn no_interpreter() {
    let mut project = Project::new("");
    project.spec.command = vec!["python3-that-is-not-there".to_owned()];
    let error = project.fail();
    assert_eq!(error.kind, PluginErrorKind::MissingInterpreter);
    assert_eq!(
        error.message,
        "`python3-that-is-not-there`, which runs the plugins, is not installed"
    );
    assert!(error.hint.unwrap().contains("3.12"));
}

#[test]
fn a_command_that_is_no_python() {
    let mut project = Project::new("");
    let refuses = ["sh", "-c", "echo no such environment >&2; exit 3"];
    project.spec.command = refuses.map(str::to_owned).into();
    let error = project.fail();
    assert_eq!(error.kind, PluginErrorKind::Died);
    assert!(
        error
            .message
            .ends_with("ended (exit status: 3) before the plugins answered"),
        "{error}"
    );
    assert_eq!(error.printed, "no such environment\n");
}

#[test]
fn a_command_that_prints_before_it_runs_python() {
    let mut project = Project::new("class Plugin:\n    pass\n");
    let wrapper = [
        "sh",
        "-c",
        "echo entering the environment; exec python3 \"$@\"",
        "sh",
    ];
    project.spec.command = wrapper.map(str::to_owned).into();
    let (_host, offered) = project.start();
    assert_eq!(offered.printed, "entering the environment\n");
}

#[test]
fn a_module_that_is_missing() {
    let project = Project::new("import makejinja\n\nimport netaddr_that_is_not_there.ip\n");
    let error = project.fail();
    assert_eq!(error.kind, PluginErrorKind::MissingModule);
    assert_eq!(
        error.message,
        "ModuleNotFoundError: No module named 'netaddr_that_is_not_there'"
    );
    let place = error.frames.last().unwrap();
    assert_eq!(
        (place.file.as_path(), place.line),
        (project.path().join("plugin.py").as_path(), 3)
    );
    assert!(
        error
            .hint
            .unwrap()
            .starts_with("install what provides `netaddr_that_is_not_there` for `python3`")
    );
}

#[test]
fn what_a_stand_in_lacks() {
    let error = Project::new("from makejinja.app import makejinja\n").fail();
    assert_eq!(error.kind, PluginErrorKind::MissingModule);
    assert_eq!(
        error.message,
        "ModuleNotFoundError: No module named 'makejinja.app'"
    );
    assert!(
        error
            .hint
            .unwrap()
            .contains("`plugin`, `loader` and `config` alone")
    );
    let mut project = Project::new("from jinja2 import FileSystemLoader\n");
    project.hide_packages();
    let error = project.fail();
    assert_eq!(error.kind, PluginErrorKind::MissingModule);
    assert!(
        error
            .message
            .starts_with("ImportError: cannot import name 'FileSystemLoader' from 'jinja2'")
    );
    assert!(
        error
            .hint
            .unwrap()
            .starts_with("install what provides `jinja2`")
    );
}

#[test]
fn a_plugin_cannot_render() {
    let error = Project::new(
        "class Plugin:\n    def __init__(self, env):\n        env.from_string('{{ 1 }}')\n",
    )
    .fail();
    assert_eq!(
        error.message,
        "NotImplementedError: a plugin cannot render templates by itself in Kiln"
    );
}

#[test]
fn a_class_that_is_missing() {
    let error = Project::new("class Other:\n    pass\n").fail();
    assert_eq!(error.kind, PluginErrorKind::Exception);
    assert_eq!(
        error.message,
        "AttributeError: module 'plugin' has no attribute 'Plugin'"
    );
}

#[test]
fn an_exception_has_its_place() {
    let project = Project::with_functions(
        "run",
        "import json\n\ndef parse(text):\n    return json.loads(text)\n\ndef run(text):\n    return parse(text)\n",
    );
    let (mut host, offered) = project.start();
    let run = function(&offered, "run");
    let error = host.call(&run, &[text("{")], &[]).unwrap_err();
    assert_eq!(error.kind, PluginErrorKind::Exception);
    assert!(
        error
            .message
            .starts_with("json.decoder.JSONDecodeError: Expecting property name"),
        "{error}"
    );
    let plugin = project.path().join("plugin.py");
    let own: Vec<(usize, &str)> = error
        .frames
        .iter()
        .filter(|frame| frame.file == plugin)
        .map(|frame| (frame.line, frame.function.as_str()))
        .collect();
    assert_eq!(own, [(7, "run"), (4, "parse")]);
    assert_eq!(
        error.frames.last().unwrap().line,
        4,
        "the project's own frames are last"
    );
    assert!(error.frames.len() > 2, "those of libraries come before");
    let answer = host.call(&run, &[text("[]")], &[]);
    assert!(answer.is_ok(), "the process goes on after an exception");
}

#[test]
fn a_syntax_error_has_its_place() {
    let project = Project::new("def ok():\n    pass\n\ndef broken(:\n");
    let error = project.fail();
    assert_eq!(error.message, "SyntaxError: invalid syntax");
    let place = error.frames.last().unwrap();
    assert_eq!(
        (place.file.as_path(), place.line),
        (project.path().join("plugin.py").as_path(), 4)
    );
    let is_old = error
        .hint
        .is_some_and(|hint| hint.contains("makejinja needs 3.12 or later"));
    let version = Command::new("python3").arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let minor: u32 = version.split('.').nth(1).unwrap().parse().unwrap();
    assert_eq!(is_old, minor < 12, "{version}");
}

#[test]
fn wrong_arguments_are_an_exception() {
    let error = call("def run(a):\n    return a\n", &[]).unwrap_err();
    assert_eq!(
        error.message,
        "TypeError: run() missing 1 required positional argument: 'a'"
    );
}

#[test]
fn an_end_by_the_plugin_is_an_exception() {
    let exit = "import sys\n\ndef run():\n    sys.exit('the config is wrong')\n";
    assert_eq!(
        call(exit, &[]).unwrap_err().message,
        "SystemExit: the config is wrong"
    );
    let stop = "def run():\n    raise KeyboardInterrupt\n";
    assert_eq!(call(stop, &[]).unwrap_err().message, "KeyboardInterrupt");
    let endless = "def run():\n    return run()\n";
    assert!(
        call(endless, &[])
            .unwrap_err()
            .message
            .starts_with("RecursionError: ")
    );
    let project = Project::new(
        "import sys\n\nclass Plugin:\n    def __init__(self, data):\n        exit(1)\n",
    );
    let error = project.fail();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (PluginErrorKind::Exception, "SystemExit: 1")
    );
}

#[test]
fn what_is_printed_is_no_part_of_the_protocol() {
    let project = Project::with_functions(
        "run",
        "import os, subprocess, sys\n\nprint('loading', 'ü')\nos.write(1, b'straight\\n')\n\n\
         def run():\n    sys.stderr.write('warning\\n')\n    print('called')\n    \
         subprocess.run(['echo', 'from a program'])\n    return sys.stdin.read()\n",
    );
    let (mut host, offered) = project.start();
    assert_eq!(offered.printed, "loading ü\nstraight\n");
    let answer = host.call(&function(&offered, "run"), &[], &[]).unwrap();
    assert_eq!(answer, text(""), "the standard input is empty");
    assert_eq!(host.printed(), "warning\ncalled\nfrom a program\n");
    assert_eq!(host.printed(), "");
}

#[test]
fn what_is_printed_before_an_exception_is_told_with_it() {
    let project = Project::new("print('checking nodes')\nraise ValueError('no nodes')\n");
    let error = project.fail();
    assert_eq!(error.message, "ValueError: no nodes");
    assert_eq!(error.printed, "checking nodes\n");
}

#[test]
fn a_call_that_takes_too_long_is_ended_with_its_children_and_its_place_is_told() {
    let mut project = Project::with_functions(
        "run",
        "import subprocess, time\n\ndef run():\n    child = subprocess.Popen(['sleep', '600'])\n    \
         open('child', 'w').write(str(child.pid))\n    wait()\n\ndef wait():\n    time.sleep(600)\n",
    );
    project.spec.call_timeout = Duration::from_secs(3);
    let (mut host, offered) = project.start();
    let run = function(&offered, "run");
    let error = host.call(&run, &[], &[]).unwrap_err();
    assert_eq!(error.kind, PluginErrorKind::Timeout);
    assert_eq!(error.message, "`run` took longer than 3 s");
    let place = error.frames.last().unwrap();
    assert_eq!((place.line, place.function.as_str()), (9, "wait"));
    let child = fs::read_to_string(project.path().join("child")).unwrap();
    assert!(ends(child.trim()), "the child still runs");
    let error = host.call(&run, &[], &[]).unwrap_err();
    assert_eq!(error.kind, PluginErrorKind::Died);
    assert_eq!(
        error.message,
        "the process of the plugins has ended, and `run` was asked for"
    );
}

#[test]
fn a_command_that_never_answers_is_ended() {
    let mut project = Project::new("");
    project.spec.command = ["sh", "-c", "sleep 600"].map(str::to_owned).into();
    project.spec.start_timeout = Duration::from_millis(500);
    let error = project.fail();
    assert_eq!(error.kind, PluginErrorKind::Timeout);
    assert_eq!(error.message, "the plugins took longer than 500 ms");
}

#[test]
fn a_process_that_is_killed() {
    let error = call(
        "import os\n\ndef run():\n    os.kill(os.getpid(), 9)\n",
        &[],
    )
    .unwrap_err();
    assert_eq!(error.kind, PluginErrorKind::Died);
    assert_eq!(
        error.message,
        "`python3` ended (signal: 9 (SIGKILL)) before `run` answered"
    );
    let error = call("import os\n\ndef run():\n    os._exit(4)\n", &[]).unwrap_err();
    assert_eq!(
        error.message,
        "`python3` ended (exit status: 4) before `run` answered"
    );
}

#[test]
fn threads_do_not_keep_the_process() {
    let project = Project::with_functions(
        "run",
        "import os, threading, time\n\ndef run():\n    threading.Thread(target=time.sleep, args=[600]).start()\n    \
         return os.getpid()\n",
    );
    let (mut host, offered) = project.start();
    let pid = host.call(&function(&offered, "run"), &[], &[]).unwrap();
    let makejinja_plugins::PluginValue::Integer(pid) = pid else {
        panic!("no pid");
    };
    drop(host);
    assert!(ends(&pid));
}

#[test]
fn what_plugins_registered_for_the_end_is_run() {
    let project = Project::new(
        "import atexit, tempfile\n\nFOLDER = tempfile.TemporaryDirectory(dir='.')\n\
         atexit.register(lambda: open('ended', 'w').close())\n\nclass Plugin:\n    pass\n",
    );
    let (host, _) = project.start();
    assert_eq!(project.files().len(), 2);
    drop(host);
    assert_eq!(project.files(), ["ended", "plugin.py"]);
}

#[test]
fn a_process_without_a_parent_ends() {
    if let Ok(folder) = std::env::var("PLUGIN_HOST_ORPHAN") {
        let mut project = Project::with_functions(
            "run",
            "import os, time\n\ndef run(folder):\n    open(folder + '/pid', 'w').write(str(os.getpid()))\n    \
             open(folder + '/ready', 'w').close()\n    time.sleep(600)\n",
        );
        project.spec.call_timeout = Duration::from_secs(500);
        let (mut host, offered): (PluginHost, _) = project.start();
        drop(host.call(&function(&offered, "run"), &[text(&folder)], &[]));
        return;
    }
    let project = Project::new("");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["failures::a_process_without_a_parent_ends", "--exact"])
        .env("PLUGIN_HOST_ORPHAN", project.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let ready = project.path().join("ready");
    assert!(eventually(|| ready.exists()));
    parent.kill().unwrap();
    parent.wait().unwrap();
    let pid = fs::read_to_string(project.path().join("pid")).unwrap();
    assert!(ends(&pid), "the plugin still runs");
}

fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    for _ in 0..1500 {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Tells whether a process ends soon. One that nobody waits for any more counts as ended.
fn ends(pid: &str) -> bool {
    eventually(|| {
        let state = Command::new("ps")
            .args(["-o", "stat=", "-p", pid])
            .output()
            .unwrap();
        let state = String::from_utf8(state.stdout).unwrap();
        state.trim().is_empty() || state.trim().starts_with('Z')
    })
}
