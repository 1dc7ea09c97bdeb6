//! What hostile input costs: each ends with a message that names the place, and the document of limits is right.

use std::fmt::Write as _;

use kiln::cli::{args, deadline, printer};
use kiln::{cel, render, validate, yaml};

use crate::support::{Run, Sandbox};

const CLUSTER: &str = include_str!("../examples/homelab/cluster.yaml");
const NODES: &str = include_str!("../examples/homelab/nodes.yaml");

fn project(files: &[(&str, String)]) -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("kiln.toml", "catalogue = false\n"),
        ("cluster.yaml", CLUSTER),
        ("nodes.yaml", NODES),
    ]);
    for (path, text) in files {
        sandbox.write(path, text);
    }
    sandbox
}

/// Expects that a project is refused, with this code at this place first.
#[track_caller]
fn refused(code: &str, place: &str, files: &[(&str, String)]) -> Run {
    let run = project(files).kiln(&["check"]);
    assert_eq!(run.code, Some(1), "{run}");
    let start = format!("error[{code}]: ");
    assert!(run.stderr.starts_with(&start), "no `{start}` in {run}");
    let first = run.stderr.lines().find(|line| line.contains("--> "));
    let first = first.map_or("", |line| line.trim_start_matches([' ', '-', '>']));
    assert!(
        first.starts_with(place),
        "`{first}` is not `{place}` in {run}"
    );
    run
}

#[track_caller]
fn refused_template(code: &str, at: &str, text: &str) {
    let files = [("templates/a.yaml.tera", text.to_owned())];
    drop(refused(
        code,
        &format!("templates/a.yaml.tera:{at}"),
        &files,
    ));
}

/// Sets `a` to 2^`power` letters.
fn long(power: usize) -> String {
    format!(
        "#% set_global a = \"x\" %#\n{}",
        "#% set_global a = a ~ a %#\n".repeat(power)
    )
}

#[test]
fn values_that_grow_from_filter_to_filter() {
    let start = "a".repeat(32);
    let growing = [
        format!("| replace(from=\"a\", to=\"{start}\")").repeat(8),
        "| to_json".repeat(40),
        "| b64encode".repeat(90),
        "| split(pat=\"\") | join(sep=\"--------\")".repeat(20),
        "| indent(width=100, first=true) | replace(from=\" \", to=\"\\nx\")".repeat(9),
    ];
    for filters in growing {
        let text = format!("a: #{{ \"{start}\\\"\\n\" {filters} | length }}#\n");
        refused_template("endless-value", "1:", &text);
    }
    let text = format!(
        "{}a: #{{ a | replace(from=\"\", to=a) | length }}#\n",
        long(20)
    );
    refused_template("endless-value", "22:", &text);
}

#[test]
fn operators_that_copy_in_one_expression() {
    let many = |separator: &str| vec!["a"; 200].join(separator);
    let long = long(22);
    for expression in [
        format!("{} | length", many(" ~ ")),
        format!("[{}] | str | length", many(", ")),
        format!("[{}] ~ \"\" == \"\"", many(", ")),
    ] {
        refused_template(
            "endless-work",
            "24:",
            &format!("{long}a: #{{ {expression} }}#\n"),
        );
    }
}

#[test]
fn work_on_a_long_value_in_each_round() {
    let long = long(22);
    for tag in [
        "#{ a | upper | length }#",
        "#{ a | b64encode | length }#",
        "#% if a == b %#x#% endif %#",
        "#% if i < 0 %#x#% elif a | trim | length == 3 %#y#% endif %#",
        "#% if \"y\" in a %#x#% endif %#",
        "#% if a is containing(pat=\"y\") %#x#% endif %#",
        "#{ a[1:] | length }#",
        "#% set c = a ~ \"\" %#",
        "#% set c %##{ a }##% endset %#",
    ] {
        let text = format!(
            "{long}#% set_global b = a | replace(from=\"x\", to=\"x\") %#\n#% for i in range(end=90000) %#\n{tag}\n#% endfor %#\n"
        );
        refused_template("endless-work", "26:", &text);
    }
}

#[test]
fn texts_that_are_collected_and_not_printed() {
    let line = "z".repeat(200_000);
    let loops = format!("#% for i in range(end=9000) %#\n{line}\n#% endfor %#");
    refused_template(
        "endless-work",
        "2:",
        &format!("#% set b %#\n{loops}\n#% endset %#\na: 1\n"),
    );
    refused_template(
        "endless-work",
        "2:",
        &format!("#% filter upper %#\n{loops}\n#% endfilter %#\n"),
    );
}

#[test]
fn includes_and_components_that_fan_out() {
    let mut files = vec![(
        "templates/a.yaml.tera".to_owned(),
        "a: 1\n#% include \"_0.tera\" %#\n".to_owned(),
    )];
    for level in 0..12 {
        let next = format!("#% include \"_{}.tera\" %#", level + 1).repeat(20);
        files.push((
            format!("templates/_{level}.tera"),
            if level < 11 { next } else { String::new() },
        ));
    }
    let files: Vec<(&str, String)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.clone()))
        .collect();
    drop(refused("endless-loop", "templates/_", &files));
    let calls = "#{<c n={n - 1} />}#".repeat(10);
    let text = format!(
        "#% component c(n: integer) %##% if n > 0 %#{calls}#% endif %##% endcomponent c %#\na: 1 #{{<c n={{18}} />}}#\n"
    );
    refused_template("endless-loop", "1:", &text);
}

/// What disturbs the markers of lines is rendered without them, and counted all the same.
#[test]
fn loops_where_no_line_is_mapped() {
    let loops =
        "#% for i in range(end=90000) %##% for j in range(end=90000) %##% endfor %##% endfor %#";
    let text = format!("a: #% filter b64decode %#YWFh#% endfilter %#\n{loops}\n");
    refused_template("endless-loop", "2:", &text);
    let nested = "#% set r = range(end=5000) %#\na: #{ [[1 for x in r] for y in r] | length }#\n";
    refused_template("endless-loop", "2:", nested);
}

fn schema(rule: &str) -> String {
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Demo",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "enabled": {"title": "Enabled", "description": "Whether.", "type": "boolean", "default": false},
            "xs": {"title": "Numbers", "description": "Some.", "type": "array", "items": {"type": "integer"}},
        },
        "x-kubernetes-validations": [{"rule": rule, "message": "no"}],
    })
    .to_string()
}

fn with_rule(rule: &str) -> [(&'static str, String); 2] {
    let config = format!("{CLUSTER}\napps:\n  demo: {{xs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}}\n");
    [
        ("schemas/apps/demo.schema.json", schema(rule)),
        ("cluster.yaml", config),
    ]
}

/// Nests a macro in itself.
fn nested(list: &str, levels: usize) -> String {
    (0..levels).fold("true".to_owned(), |inner, level| {
        format!("{list}.all(v{level}, {inner})")
    })
}

#[test]
fn rules_of_schemas_that_multiply() {
    let at = format!("cluster.yaml:{}:", CLUSTER.lines().count() + 3);
    let doubled = ".map(x, x + x)".repeat(40);
    let replaced = ".map(x, x.replace('a', x))".repeat(12);
    for rule in [
        nested("self.xs", 8),
        format!("true || {0} || {0}", nested("self.xs", 8)).replace("true || ", "false || "),
        format!("['aaaaaaaa']{doubled}.size() > 0"),
        format!("['aaaaaaaa']{replaced}.size() > 0"),
        "lists.range(2000000000).size() > 0".to_owned(),
        "lists.range(30000).map(x, x).size() > 0".to_owned(),
        "lists.range(50000).distinct().size() > 0".to_owned(),
        "lists.range(9999).all(x, 'aaaa'.matches('(a{1,500}){1,10}$'))".to_owned(),
        "'%500000000d'.format([1]).size() > 0".to_owned(),
    ] {
        drop(refused("endless-expression", &at, &with_rule(&rule)));
    }
    // What a cluster may ask for is far from the limit.
    let files = with_rule(&nested("self.xs", 4));
    let run = project(&files).kiln(&["check"]);
    assert_eq!(run.code, Some(0), "{run}");
}

#[test]
fn computed_defaults_and_conditions_that_multiply() {
    let slow = nested("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", 8);
    let default = schema("true").replace(
        "\"default\":false",
        &format!("\"x-kiln-default\":\"{slow}\""),
    );
    let [_, config] = with_rule("true");
    let run = project(&[("schemas/apps/demo.schema.json", default), config]).kiln(&["check"]);
    assert!(run.stderr.starts_with("error[endless-expression]"), "{run}");
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[endless-expression]: the default of `apps.demo.enabled` costs too much
     |
     = help: all expressions of the schemas may look at 2000000 values together; a macro in a macro multiplies

    error[endless-expression]: the rule `!overlaps(config.network.node_cidr, config.kubernetes.pod_cidr)` costs too much here
      --> cluster.yaml:2:1
       |
     2 | / network:
     3 | |   node_cidr: 192.168.1.0/24
     4 | |
     5 | | kubernetes:
    ...  |
    27 | | apps:
    28 | |   demo: {xs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
       | |____________________________________________^
       |
       = help: all expressions of the schemas may look at 2000000 values together; a macro in a macro multiplies

    2 errors, nothing written
    ");
    let manifest = format!("summary = \"x\"\nwhen = '{slow}'\n");
    let app = "templates/kubernetes/apps/default/own/app.toml";
    drop(refused(
        "endless-condition",
        &format!("{app}:2:"),
        &[(app, manifest)],
    ));
}

#[test]
fn quantities_beyond_numbers_are_no_bug_of_ours() {
    let rule = "quantity('1e1000000').isGreaterThan(quantity('1'))";
    let run = project(&with_rule(rule)).kiln(&["check"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(!run.stderr.contains("this is a bug"), "{run}");
}

/// A config of `count` lines behind the sound one.
fn with_lines(
    above: &str,
    count: usize,
    line: impl Fn(usize) -> String,
) -> [(&'static str, String); 1] {
    let mut config = format!("{CLUSTER}\n{above}");
    for number in 0..count {
        writeln!(config, "{}", line(number)).unwrap();
    }
    [("cluster.yaml", config)]
}

#[test]
fn configs_with_ten_thousands_of_keys() {
    let top = with_lines("", 20_000, |number| format!("key{number}: 1"));
    let run = refused("unknown-key", "cluster.yaml:", &top);
    assert!(
        run.stderr
            .contains("the config does not have 19980 more keys"),
        "{run}"
    );
    let secret = with_lines("", 20_000, |number| format!("token{number}: abc{number}x"));
    let run = refused("unknown-key", "cluster.yaml:", &secret);
    assert!(!run.stderr.contains("abc1"), "{run}");
    let apps = with_lines("apps:\n", 20_000, |number| format!("  app{number}: {{}}"));
    let run = refused("unknown-key", "cluster.yaml:", &apps);
    assert!(run.stderr.len() < 40_000, "{} bytes", run.stderr.len());
}

#[test]
fn messages_are_counted_beyond_the_first() {
    let nodes = |count: usize| {
        let mut text = "nodes:\n".to_owned();
        (0..count).for_each(|number| writeln!(text, "  - {{name: n{number}}}").unwrap());
        [("nodes.yaml", text)]
    };
    let sandbox = project(&nodes(700));
    let human = sandbox.kiln(&["check"]);
    let shown = human.stderr.matches("error[").count();
    assert_eq!(shown, printer::MAX_PROBLEMS, "{human}");
    let github = sandbox.kiln(&["--message-format", "github", "check"]);
    assert_eq!(
        github.stdout.matches("::error ").count(),
        printer::MAX_PROBLEMS
    );
    assert!(github.stdout.contains("::notice title=kiln::"), "{github}");
    let json = sandbox.kiln(&["--message-format", "json", "check"]);
    let objects: Vec<serde_json::Value> = json
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| objects.iter().find(|it| it["type"] == kind).unwrap();
    let all = of("summary")["summary"]["errors"].as_u64().unwrap();
    let omitted = of("omitted")["errors"].as_u64().unwrap();
    assert_eq!(all, omitted + printer::MAX_PROBLEMS as u64);
    assert!(
        human
            .stderr
            .contains(&format!("{omitted} errors more, not shown")),
        "{human}"
    );
    assert!(human.stderr.contains("more places, from here on") || omitted > 0);
}

/// The answer is the same whatever number of threads works on it.
#[test]
fn threads_do_not_change_the_answer() {
    let line =
        "#% for i in range(end=90000) %##% for j in range(end=90000) %##% endfor %##% endfor %#\n";
    let files: Vec<(String, String)> = (0..6)
        .map(|number| {
            (
                format!("templates/{number}.yaml.tera"),
                format!("{}{line}", "a\n".repeat(number)),
            )
        })
        .collect();
    let files: Vec<(&str, String)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.clone()))
        .collect();
    let sandbox = project(&files);
    let one = sandbox.kiln(&["--threads", "1", "check"]);
    let many = sandbox.kiln(&["--threads", "16", "check"]);
    assert_eq!(one, many);
    assert_eq!(
        one.stderr.matches("error[endless-loop]").count(),
        6,
        "{one}"
    );
}

#[cfg(unix)]
#[test]
fn the_outer_clock_ends_a_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = project(&[("bin/git", "#!/bin/sh\nexec /bin/sleep 30\n".to_owned())]);
    let git = sandbox.path("bin/git");
    std::fs::set_permissions(&git, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(sandbox.path(".git")).unwrap();
    let bin = sandbox.path("bin");
    let start = std::time::Instant::now();
    let variables = [("PATH", bin.to_str().unwrap()), ("KILN_TIME_LIMIT", "1")];
    let run = sandbox.kiln_with(&variables, &["diff"]);
    assert_eq!(run.code, Some(2), "{run}");
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: gave up after 1 s
    help: nothing was written; what takes so long is most likely a file, git, or the machine
    help: the variable `KILN_TIME_LIMIT` takes another number of seconds
    ");
    assert!(start.elapsed().as_secs() < 25, "{:?}", start.elapsed());
    let run = sandbox.kiln_with(&[("KILN_TIME_LIMIT", "soon")], &["check"]);
    assert_eq!(run.code, Some(2), "{run}");
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: the variable `KILN_TIME_LIMIT` has no meaning as `soon`
    help: it is a whole number of seconds
    ");
}

#[test]
fn too_many_threads_are_refused() {
    let sandbox = project(&[]);
    for (threads, code) in [("256", 0), ("257", 2), ("0", 2), ("-1", 2)] {
        let run = sandbox.kiln(&[&format!("--threads={threads}"), "check"]);
        assert_eq!(run.code, Some(code), "{run}");
    }
}

/// Writes a number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    groups.join(",")
}

fn limits() -> String {
    let mib = |bytes: usize| format!("{} MiB", bytes >> 20);
    let rows = [
        (
            "Aliases of a YAML file, expanded",
            format!("{} values", grouped(yaml::ALIAS_BUDGET as u64)),
            "`config-syntax`, `output-not-yaml`, …",
        ),
        (
            "Loops, includes and components of a template",
            format!(
                "{} rounds; an include or a component is {}",
                grouped(render::MAX_STEPS),
                render::CALL_STEPS
            ),
            "`endless-loop`",
        ),
        (
            "Includes within includes",
            format!("{} levels", render::MAX_DEPTH),
            "`include-depth`",
        ),
        (
            "A value of a template: a variable, what a filter gives",
            mib(render::MAX_WEIGHT),
            "`endless-value`",
        ),
        (
            "What a template reads, copies, compares and collects",
            mib(render::MAX_WORK),
            "`endless-work`",
        ),
        (
            "What a template prints",
            mib(render::MAX_OUTPUT),
            "`output-too-long`",
        ),
        (
            "The expressions of all schemas together",
            format!("{} values looked at", grouped(cel::MAX_COST)),
            "`endless-expression`",
        ),
        (
            "The conditions of all apps together",
            format!("{} values looked at", grouped(cel::MAX_COST)),
            "`endless-condition`",
        ),
        (
            "Places of a config that are worded",
            validate::MAX_VIOLATIONS.to_string(),
            "`more-problems`",
        ),
        (
            "Messages that are shown; the rest is counted",
            printer::MAX_PROBLEMS.to_string(),
            "—",
        ),
        ("Threads", args::MAX_THREADS.to_string(), "exit code 2"),
        (
            "The time of a run, or of a compile of `kiln watch`",
            format!(
                "{} s; `KILN_TIME_LIMIT` takes another number",
                deadline::TIME_LIMIT.as_secs()
            ),
            "exit code 2",
        ),
    ];
    let mut table = "| What is counted | Limit | Message |\n| --- | --- | --- |\n".to_owned();
    for (what, limit, message) in rows {
        writeln!(table, "| {what} | {limit} | {message} |").unwrap();
    }
    table
}

#[test]
fn the_document_has_every_limit() {
    let document = include_str!("../docs/security.md");
    let table = limits();
    assert!(
        document.contains(&table),
        "docs/security.md wants this table:\n{table}"
    );
}
