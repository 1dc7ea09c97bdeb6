//! What is said, and where.

use std::ops::Range;

use makejinja::{
    MemoryFiles, Problem, Settings, SettingsSource, load_data, select, settings_files,
};
use zeroize::Zeroizing;

const HEAD: &str = "[makejinja]\noutput = \"out\"\n";

fn source(path: &str, text: &str) -> SettingsSource {
    SettingsSource {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn arguments(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Writes a problem with what its place covers.
fn shown(problem: &Problem, text: &str) -> String {
    let place = problem.at.as_ref().map_or_else(String::new, |at| {
        let Range { start, end } = at.span.clone();
        format!(" ({}: {})", at.source, text.get(start..end).unwrap())
    });
    let hint = problem.hint.as_deref().unwrap_or_default();
    format!("{problem}{place} => {hint}")
}

/// Returns what is said of settings: problems, else notices.
fn said(text: &str) -> Vec<String> {
    let read = Settings::read(&[source("makejinja.toml", text)], &[], &[]);
    let problems = match read {
        Ok(loaded) => loaded.notices,
        Err(problems) => problems,
    };
    problems
        .iter()
        .map(|problem| shown(problem, text))
        .collect()
}

#[test]
fn a_mistake_in_the_settings_file_is_shown_where_it_is_made() {
    for (added, expected) in [
        (
            "jinja_sufix = \".j2\"",
            "unknown-option: makejinja has no option `jinja_sufix` (makejinja.toml: jinja_sufix) => \
             did you mean `jinja_suffix`?",
        ),
        (
            "input = [\"a\"]",
            "unknown-option: makejinja has no option `input` (makejinja.toml: input) => did you mean `inputs`?",
        ),
        (
            "loader = [\"a\"]",
            "unknown-option: makejinja has no option `loader` (makejinja.toml: loader) => did you mean `loaders`?",
        ),
        (
            "trim_blocks = true",
            "unknown-option: makejinja has no option `trim_blocks` (makejinja.toml: trim_blocks) => \
             did you mean `whitespace.trim_blocks`?",
        ),
        (
            "something_else = true",
            "unknown-option: makejinja has no option `something_else` (makejinja.toml: something_else) => \
             remove it, or move it out of `[makejinja]`",
        ),
        (
            "delimiter = \"x\"",
            "unknown-option: makejinja has no option `delimiter` (makejinja.toml: delimiter) => \
             `delimiter` is a table: write `[makejinja.delimiter]`",
        ),
        (
            "[makejinja.delimiter]\nblok_start = \"x\"",
            "unknown-option: makejinja has no option `delimiter.blok_start` (makejinja.toml: blok_start) => \
             did you mean `delimiter.block_start`?",
        ),
        (
            "force = \"maybe\"",
            "invalid-value: `force` takes `true` or `false`, and this is something else \
             (makejinja.toml: \"maybe\") => ",
        ),
        (
            "undefined = \"loud\"",
            "invalid-value: `undefined` takes `default`, `chainable`, `debug`, `strict`, and this is something else \
             (makejinja.toml: \"loud\") => ",
        ),
        (
            "whitespace.newline_sequence = \"x\"",
            "invalid-value: `whitespace.newline_sequence` takes `\\n`, `\\r\\n`, `\\r`, and this is something else \
             (makejinja.toml: \"x\") => ",
        ),
        (
            "inputs = [\"a\", 5]",
            "invalid-value: `inputs` takes a list of paths, and this is something else (makejinja.toml: 5) => ",
        ),
        (
            "exclude_patterns = [\"a\", [\"b\"]]",
            "invalid-value: `exclude_patterns` takes a list of texts, and this is something else \
             (makejinja.toml: [\"b\"]) => ",
        ),
        (
            "data_vars = {a.b = \"c\"}",
            "invalid-value: `data_vars` takes a table of texts, and this is something else (makejinja.toml: a) => \
             write the key in quotes: `\"a.b\" = …`",
        ),
        (
            "file_data = [\"a\"]",
            "invalid-value: `file_data` takes a table of lists of paths, and this is something else \
             (makejinja.toml: [\"a\"]) => ",
        ),
        (
            "internal.cache_size = \"many\"",
            "invalid-value: `internal.cache_size` takes a whole number, and this is something else \
             (makejinja.toml: \"many\") => ",
        ),
        (
            "internal.auto_reload = true",
            "without-effect: `internal.auto_reload` has no effect here, because each run reads the templates again \
             (makejinja.toml: true) => it may stay for makejinja",
        ),
        (
            "exclude_patterns = [\"a\", \"b/**\"]",
            "without-effect: `**` in the exclude pattern `b/**` is not more than `*` (makejinja.toml: \"b/**\") => \
             write one pattern for each depth, or a pattern of the name alone",
        ),
        (
            "jinja_suffix = \".yaml.j2\"",
            "without-effect: no file has the suffix `.yaml.j2`, because only the last `.` and what follows counts \
             (makejinja.toml: \".yaml.j2\") => write one suffix with its dot, such as `.j2`",
        ),
    ] {
        assert_eq!(said(&format!("{HEAD}{added}\n")), [expected]);
    }
    assert_eq!(
        said("[makejinja]\n"),
        [
            "missing-option: `output` is not set, so outputs have nowhere to go (makejinja.toml: ) => \
          add `output = \"./\"` below `[makejinja]` to write into the project's folder"
        ]
    );
    assert_eq!(
        said("makejinja = 1\n")[0],
        "invalid-value: `makejinja` is no table, so it holds no settings (makejinja.toml: makejinja) => \
         write the settings below a line `[makejinja]`"
    );
    assert!(said("[makejinja\n")[0].starts_with("syntax: this is not TOML: "));
    let both = said(&format!("{HEAD}foce = 1\nclaen = 2\nquiet = \"x\"\n"));
    assert_eq!(both.len(), 3, "{both:?}");
}

#[test]
fn a_mistake_on_the_command_line_is_shown_where_it_is_made() {
    for (words, expected) in [
        (
            &["-o", "out", "--frce"][..],
            "unknown-option: makejinja has no option `--frce` (command line: --frce) => did you mean `--force`?",
        ),
        (
            &["-o", "out", "extra"],
            "invalid-value: makejinja takes options only, and this argument is none (command line: extra) => \
             give inputs by `-i` and the output by `-o`",
        ),
        (
            &["-o", "out", "--force=yes"],
            "invalid-value: `--force` is a flag and takes no value (command line: --force=yes) => \
             write `--force` alone",
        ),
        (
            &["-o", "out", "-cfx"],
            "unknown-option: makejinja has no option `-x` (command line: -cfx) => did you mean `-D`?",
        ),
        (
            &["-o", "out", "-d"],
            "invalid-value: `-d` needs a value behind it (command line: -d) => it takes a list of paths",
        ),
        (
            &["-o", "out", "--undefined=loud"],
            "invalid-value: `undefined` takes `default`, `chainable`, `debug`, `strict`, and this is something else \
             (command line: loud) => ",
        ),
        (
            &["-o", "out", "--help"],
            "invalid-value: `--help` is no setting of a project (command line: --help) => remove it",
        ),
        (
            &["-o", "out", "--", "-f"],
            "invalid-value: makejinja takes options only, and this argument is none (command line: -f) => \
             give inputs by `-i` and the output by `-o`",
        ),
    ] {
        let problems = Settings::read(&[], &[], &arguments(words)).unwrap_err();
        assert_eq!(shown(&problems[0], &words.join(" ")), expected);
        assert_eq!(problems.len(), 1);
    }
}

#[test]
fn a_mistake_in_the_environment_is_shown_by_its_variable() {
    let read = |name: &str, value: &str| {
        let environment = [(name.to_owned(), value.to_owned())];
        let read = Settings::read(&[], &environment, &arguments(&["-o", "out"]));
        let said = read.map_or_else(|problems| problems, |loaded| loaded.notices);
        said.iter()
            .map(|problem| shown(problem, value))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        read("MAKEJINJA_FORCE", "maybe"),
        [
            "invalid-value: `force` takes `true` or `false`, and this is something else \
          (MAKEJINJA_FORCE: maybe) => "
        ]
    );
    assert_eq!(
        read("MAKEJINJA_DATA_VARS", "a=1"),
        [
            "invalid-value: `data_vars` cannot be set by an environment variable (MAKEJINJA_DATA_VARS: a=1) => \
          use `--data-var` on the command line"
        ]
    );
    assert_eq!(
        read("MAKEJINJA_FORSE", "1"),
        [
            "without-effect: `MAKEJINJA_FORSE` has no effect, because no option has this variable \
          (MAKEJINJA_FORSE: 1) => did you mean `MAKEJINJA_FORCE`?"
        ]
    );
    assert!(read("MAKEJINJA_SETTINGS", "a.toml").is_empty() && read("OTHER", "x").is_empty());
}

#[test]
fn settings_files_are_named_by_the_environment() {
    let environment = [(
        "MAKEJINJA_SETTINGS".to_owned(),
        "conf/a.toml::!b.toml".to_owned(),
    )];
    let files = settings_files(&environment);
    let shown: Vec<_> = files
        .iter()
        .map(|file| (file.path.as_str(), file.required, file.from_environment))
        .collect();
    assert_eq!(
        shown,
        [
            ("makejinja.toml", false, false),
            ("conf/a.toml", false, true),
            ("b.toml", true, true)
        ]
    );
    let problems = Settings::read(&[source("conf/a.conf", "")], &[], &arguments(&["-o", "x"]));
    assert_eq!(
        shown_first(&problems.unwrap_err()),
        "invalid-value: `conf/a.conf` is no TOML file, so it cannot hold settings (conf/a.conf: ) => \
         give the file a name that ends with `.toml`"
    );
}

fn shown_first(problems: &[Problem]) -> String {
    shown(&problems[0], "")
}

#[test]
fn a_secret_of_the_settings_is_not_shown() {
    let own = source("makejinja.toml", "data_vars = {a = \"hidden\"}");
    let read = Settings::read(
        std::slice::from_ref(&own),
        &[],
        &arguments(&["-o", "x", "-D", "a=hidden"]),
    );
    let shown = format!("{own:?} {:?}", read.unwrap());
    assert!(
        shown.contains("makejinja.toml") && !shown.contains("hidden"),
        "{shown}"
    );
}

#[test]
fn an_option_says_where_it_is_set() {
    let text = format!("{HEAD}data-vars = {{a = \"1\"}}\n");
    let environment = [("MAKEJINJA_FORCE".to_owned(), "on".to_owned())];
    let words = arguments(&["--jinja-suffix=.j2", "-i", "one", "-i", "two"]);
    let sources = [source("makejinja.toml", &text)];
    let settings = Settings::read(&sources, &environment, &words)
        .unwrap()
        .value;
    let place = |option| {
        settings
            .origin(option)
            .map(|at| (at.source.as_str(), at.span.clone()))
    };
    assert_eq!(place("output"), Some(("makejinja.toml", 21..26)));
    assert_eq!(place("force"), Some(("MAKEJINJA_FORCE", 0..2)));
    assert_eq!(place("jinja_suffix"), Some(("command line", 15..18)));
    assert_eq!(place("inputs"), Some(("command line", 22..25)));
    assert_eq!(place("clean"), None);
    assert!(settings.force && settings.data_vars == [("a".to_owned(), "1".to_owned())]);
}

#[test]
fn paths_below_the_project_count_from_it() {
    let words = arguments(&[
        "-i",
        "/home/me/project/in",
        "-i",
        "../else",
        "-o",
        "/elsewhere",
    ]);
    let mut settings = Settings::read(&[], &[], &words).unwrap().value;
    settings.set_project_folder("/home/me/project/");
    assert_eq!(settings.inputs, ["in", "../else"]);
    assert_eq!(settings.output, "/elsewhere");
    assert_eq!(settings.absolute("../else/a"), "/home/me/else/a");
    assert_eq!(settings.absolute("in"), "/home/me/project/in");
}

/// Returns what is said of data: problems, else notices.
fn said_of_data(words: &[&str], content: &[(&str, &str)]) -> Vec<String> {
    let mut words = arguments(words);
    words.extend(arguments(&["-o", "out"]));
    let settings = Settings::read(&[], &[], &words).unwrap().value;
    let mut files = MemoryFiles::default();
    for (path, text) in content {
        files.add(path, *text);
    }
    let text_of = |path: &str| content.iter().find(|(known, _)| *known == path);
    let read = |path: &str| {
        let text = text_of(path).map(|(_, text)| text.as_bytes().to_vec());
        Ok(text.map(Zeroizing::new))
    };
    let said = match load_data(&settings, &files, &read) {
        Ok(loaded) => loaded.notices,
        Err(problems) => problems,
    };
    let line = words.join(" ");
    let shown = said.iter().map(|problem| {
        let source = problem.at.as_ref().map_or("", |at| &at.source);
        shown(
            problem,
            text_of(source).map_or(line.as_str(), |(_, text)| text),
        )
    });
    shown.collect()
}

#[test]
fn a_mistake_in_data_is_shown_without_its_value() {
    for (path, text, expected) in [
        (
            "d.yaml",
            "a: 1\n---\n# hidden\n---\nb: 2\n",
            "not-mapping: this document is empty, where a data file holds keys with values (d.yaml: ) => \
             remove the `---` of the empty document, or give it a key",
        ),
        (
            "d.yaml",
            "- hidden\n",
            "not-mapping: this is a Python `list`, where a data file holds keys with values (d.yaml: - hidden\n) => \
             put the value below a key",
        ),
        (
            "d.json",
            "\"hidden\"",
            "not-mapping: this is a Python `str`, where a data file holds keys with values (d.json: \"hidden\") => \
             put the value below a key",
        ),
        (
            "d.yaml",
            "a: 2001-02-30\n",
            "unsupported-value: Python has no such date or time (d.yaml: 2001-02-30) => \
             put the value in quotes if it is a text",
        ),
        (
            "d.yaml",
            "a: =\n",
            "unsupported-value: PyYAML takes `=` as a key only (d.yaml: =) => put the value in quotes if it is a text",
        ),
        (
            "d.yaml",
            "a: !own hidden\n",
            "unsupported-value: makejinja reads no value of the tag `!own` (d.yaml: hidden) => \
             remove the tag, or use one of YAML 1.1 such as `!!str`",
        ),
        (
            "d.yaml",
            "? [a]\n: hidden\n",
            "unsupported-value: a list or mapping cannot be a key (d.yaml: [a]) => use a text as the key",
        ),
        (
            "d.yaml",
            "a: &a [*a]\n",
            "unsupported-value: this value would contain itself (d.yaml: *a) => \
             write the value out, or put the alias elsewhere",
        ),
        (
            "d.toml",
            "a = 2001-01-01T00:00:60Z\n",
            "unsupported-value: Python has no such date or time (d.toml: 2001-01-01T00:00:60Z) => ",
        ),
    ] {
        assert_eq!(said_of_data(&["-d", path], &[(path, text)]), [expected]);
    }
    for (path, text) in [
        ("d.yaml", "a: hidden\nb: [hidden\n"),
        ("d.yaml", "a: \"hidden\n"),
        ("d.yaml", "a: *hidden\n"),
        ("d.toml", "a = hidden\n"),
        ("d.toml", "a = \"hidden\n"),
        ("d.toml", "hidden = 1\na = 0hidden\n"),
        ("d.json", "{\"a\": hidden}"),
        ("d.json", "{\"a\": \"hidden\n\"}"),
        ("d.json", "{\"a\": \"hidden \\ud800\"}"),
    ] {
        let said = said_of_data(&["-d", path], &[(path, text)]);
        let message = said[0].split(" (d.").next().unwrap();
        assert!(message.starts_with("syntax: this is not "), "{said:?}");
        assert!(!message.contains("hidden"), "{message}");
    }
}

#[test]
fn data_that_is_not_there_or_in_the_way_is_said() {
    assert_eq!(
        said_of_data(&["-d", "gone.yaml"], &[]),
        [
            "missing: the data file or folder `gone.yaml` does not exist (command line: gone.yaml) => \
          make it, or take it out of `data`"
        ]
    );
    assert_eq!(
        said_of_data(&["-d", "d.ini"], &[("d.ini", "x")]),
        [
            "skipped: the data file `d.ini` is left out, because its suffix is none of `.yaml`, `.yml`, `.toml` and \
          `.json` (command line: d.ini) => "
        ]
    );
    assert_eq!(
        said_of_data(
            &["-d", "d.yaml", "-D", "a.b=secret"],
            &[("d.yaml", "a: text")]
        ),
        [
            "namespace-taken: `a.b` cannot be set, because something before its last dot is no table \
          (command line: a.b=secret) => change the data file that sets it, or use another key"
        ]
    );
    assert_eq!(
        said_of_data(
            &["-d", "d/a.yaml", "-d", "d", "--data-namespace", "path"],
            &[("d/a.yaml", "b: text"), ("d/a/b.yaml", "c: 1")]
        ),
        [
            "namespace-taken: the content of `d/a/b.yaml` goes below `a.b`, which is a value already (d/a/b.yaml: ) => \
          rename one of the data files, or set `data_namespace = \"flat\"`"
        ]
    );
}

/// Returns what is said of a selection: its problems, else what is unwritable and the notices.
fn said_of_selection(settings: &str, paths: &[&str]) -> Vec<String> {
    let sources = [source("makejinja.toml", settings)];
    let settings_read = Settings::read(&sources, &[], &[]).unwrap().value;
    let mut files = MemoryFiles::default();
    for path in paths {
        files.add(path, "");
    }
    let said = match select(&settings_read, &files, &mut |_| Ok(true)) {
        Ok(loaded) => {
            let outputs = loaded.value.outputs.into_iter();
            let unwritable = outputs.filter_map(|output| output.unwritable);
            unwritable.chain(loaded.notices).collect()
        }
        Err(problems) => problems,
    };
    let shown = said.iter().map(|problem| {
        let of_settings = problem
            .at
            .as_ref()
            .is_some_and(|at| at.source == "makejinja.toml");
        shown(problem, if of_settings { settings } else { "" })
    });
    shown.collect()
}

#[test]
fn what_makejinja_fails_at_is_said_with_what_to_change() {
    let head = "[makejinja]\ninputs = [\"in\", \"in2\"]\noutput = \"out\"\n";
    let paths = ["in/a/b/c.txt", "in/x.jinja", "in2/x.txt"];
    for (added, expected) in [
        (
            "exclude_patterns = [\"*.md\", \"a\"]",
            "missing-folder: `in/a/b` has no folder to go to: the exclude pattern `a` leaves out `a`, \
             and not what lies in it (makejinja.toml: \"a\") => exclude what lies in it as well, such as by `a/*`",
        ),
        (
            "include_patterns = [\"a/b/*\"]",
            "missing-folder: `in/a/b/c.txt` has no folder to go to: nothing makes `a/b` (in/a/b/c.txt: ) => \
             include the folder as well, as `**/*` does",
        ),
        (
            "include_patterns = [\"*\", \"/x\"]",
            "invalid-pattern: the include pattern `/x` starts at the root (makejinja.toml: \"/x\") => \
             write a pattern that counts from each input, such as `**/*`",
        ),
        (
            "exclude_patterns = [\"./\"]",
            "invalid-pattern: the exclude pattern `./` names nothing (makejinja.toml: \"./\") => remove it",
        ),
    ] {
        assert_eq!(
            said_of_selection(&format!("{head}{added}\n"), &paths),
            [expected]
        );
    }
    assert_eq!(
        said_of_selection(head, &["in/a"]),
        [
            "missing: the input `in2` does not exist, or has no file in it (makejinja.toml: \"in2\") => \
          make it, or take it out of `inputs`"
        ]
    );
    assert_eq!(
        said_of_selection(head, &["in/x", "in2/x/y"]),
        [
            "file-and-folder: the output `x` is a file by `in/x` and a folder by `in2/x` (in/x: ) => \
          rename one of them, or exclude it"
        ]
    );
    assert_eq!(
        said_of_selection(
            "[makejinja]\ninputs = [\"in/a\"]\noutput = \"/dev/stdout\"\n",
            &["in/a"]
        ),
        [
            "invalid-value: outputs are written into a tree of files, and `output` is none \
          (makejinja.toml: \"/dev/stdout\") => set `output` to a folder or file of the project"
        ]
    );
    assert_eq!(
        said_of_selection(head, &["in/..jinja", "in2/a/...jinja"]),
        [
            "invalid-value: `in/..jinja` has no name left without its suffix `.jinja` (in/..jinja: ) => rename it",
            "invalid-value: `in2/a/...jinja` has no name left without its suffix `.jinja` (in2/a/...jinja: ) => rename it"
        ]
    );
    assert_eq!(
        said_of_selection(
            "[makejinja]\ninputs = [\"in\", \"b/x.jinja\"]\noutput = \"out\"\n",
            &["in/x.jinja", "b/x.jinja"]
        ),
        [
            "skipped: `in/x.jinja` is rendered with the text of `b/x.jinja`, which has its name (in/x.jinja: ) => \
          give one of the two another name"
        ]
    );
}

#[test]
fn what_hides_and_what_is_kept_is_told() {
    let words = arguments(&["-i", "one", "-i", "two", "-o", "out"]);
    let mut settings = Settings::read(&[], &[], &words).unwrap().value;
    settings.set_project_folder("/home/me");
    let mut files = MemoryFiles::default();
    for path in ["one/a.txt", "two/a.txt.jinja", "two/b/c.txt", "two/b/d.txt"] {
        files.add(path, "");
    }
    let mut asked = Vec::new();
    let selection = select(&settings, &files, &mut |path| {
        asked.push(path.to_owned());
        Ok(!path.ends_with("d.txt"))
    });
    let selection = selection.unwrap().value;
    assert_eq!(
        asked,
        [
            "/home/me/one/a.txt",
            "/home/me/two/a.txt.jinja",
            "/home/me/two/b",
            "/home/me/two/b/c.txt",
            "/home/me/two/b/d.txt"
        ]
    );
    let paths: Vec<&str> = selection
        .outputs
        .iter()
        .map(|output| output.path.as_str())
        .collect();
    assert_eq!(paths, ["a.txt", "b/c.txt"]);
    assert_eq!(selection.hidden.len(), 1);
    assert_eq!(selection.hidden[0].input, "two/a.txt.jinja");
    assert_eq!(selection.hidden[0].by, "one/a.txt");
    assert_eq!(selection.folders, [("b".to_owned(), "two/b".to_owned())]);
    assert_eq!(selection.searched.folders, ["one", "two"]);
    let stopped = select(&settings, &files, &mut |_| {
        Err(Problem::new(
            makejinja::ProblemKind::Unreadable,
            "the filter failed",
        ))
    });
    assert_eq!(stopped.unwrap_err().len(), 1);
}
