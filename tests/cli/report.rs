use std::sync::Arc;

use insta::assert_snapshot;
use kiln::cli::report::{github, human, json};
use kiln::diagnostic::{Diagnostic, codes};
use kiln::source::{Place, Source, Span};

use crate::support::meaning;

/// The place of the first `needle` in a source.
fn place(source: &Arc<Source>, needle: &str) -> Place {
    let start = source.text.find(needle).unwrap();
    Place::new(source, Span::new(start, start + needle.len()))
}

fn plain(diagnostic: &Diagnostic) -> String {
    human::render(diagnostic, false).to_string()
}

fn config() -> Arc<Source> {
    Source::new(
        "cluster.yaml",
        "network:\n  node_cidr: 10.0.0.0/24\nkubernetes:\n  api:\n    addr: 10.1.0.1\n",
    )
}

fn outside() -> Diagnostic {
    let config = config();
    Diagnostic::error(
        meaning("address-outside"),
        "`kubernetes.api.addr` is not in the node network",
    )
    .at_place(place(&config, "10.1.0.1"), "not in `10.0.0.0/24`")
    .with_related(place(&config, "10.0.0.0/24"), "the node network")
    .with_hint("choose an address that no machine has")
}

#[test]
fn underlines_the_problem_and_what_it_relates_to() {
    assert_snapshot!(plain(&outside()), @r#"
    error[address-outside]: `kubernetes.api.addr` is not in the node network
     --> cluster.yaml:5:11
      |
    2 |   node_cidr: 10.0.0.0/24
      |              ----------- the node network
    ...
    5 |     addr: 10.1.0.1
      |           ^^^^^^^^ not in `10.0.0.0/24`
      |
      = help: choose an address that no machine has
    "#);
}

/// Only the lines around a problem are looked at.
#[test]
fn counts_the_lines_of_a_long_file() {
    let lines: Vec<String> = (1..=3000).map(|line| format!("k{line}: {line}")).collect();
    let text = lines.join("\n");
    let source = Source::new("long.yaml", text);
    let problem = Diagnostic::error(meaning("long"), "a long file")
        .at_place(place(&source, " 2998"), "")
        .with_related(place(&source, "k2999"), "the next line");
    assert_snapshot!(plain(&problem), @r#"
    error[long]: a long file
        --> long.yaml:2998:7
         |
    2998 | k2998: 2998
         |       ^^^^^
    2999 | k2999: 2999
         | ----- the next line
    "#);
}

#[test]
fn colours_on_demand() {
    let colored = human::render(&outside(), true).to_string();
    assert_ne!(colored, plain(&outside()));
    assert_eq!(
        anstream::adapter::strip_str(&colored).to_string(),
        plain(&outside())
    );
}

#[test]
fn shows_related_places_in_other_files() {
    let output = Source::new(
        "kubernetes/apps/default/echo/ks.yaml",
        "spec:\n  path: ./nowhere\n",
    );
    let template = Source::new(
        "templates/kubernetes/apps/default/echo/ks.yaml.tera",
        "spec:\n  path: #{ path }#\n",
    );
    let diagnostic = Diagnostic::error(
        meaning("missing-path"),
        "the path `./nowhere` does not exist",
    )
    .at_place(place(&output, "./nowhere"), "")
    .with_related(place(&template, "  path: #{ path }#"), "rendered from here");
    assert_snapshot!(plain(&diagnostic), @r#"
    error[missing-path]: the path `./nowhere` does not exist
     --> kubernetes/apps/default/echo/ks.yaml:2:9
      |
    2 |   path: ./nowhere
      |         ^^^^^^^^^
      |
     ::: templates/kubernetes/apps/default/echo/ks.yaml.tera:2:1
      |
    2 |   path: #{ path }#
      | ------------------ rendered from here
    "#);
}

#[test]
fn shows_no_text_of_a_sensitive_source() {
    let secret = Source::sensitive(
        "cluster.sops.yaml",
        "dns:\n  token: hunter2hunter2\n  extra: 1\n",
    );
    let open = config();
    let diagnostic = Diagnostic::error(&codes::UNKNOWN_KEY, "there is no key `dns.extra`")
        .at_place(place(&secret, "extra"), "unknown key")
        .with_related(place(&open, "network"), "known keys are here")
        .with_hint("remove it");
    assert_snapshot!(plain(&diagnostic), @r#"
    error[unknown-key]: there is no key `dns.extra`
     --> cluster.sops.yaml:3:3
      = note: unknown key
      |
     ::: cluster.yaml:1:1
      |
    1 | network:
      | ------- known keys are here
      |
      = help: remove it
    "#);
    for text in [
        plain(&diagnostic),
        json::render(&diagnostic).to_string(),
        github::render(&diagnostic, "").to_string(),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn shows_a_problem_without_a_place() {
    let diagnostic = Diagnostic::warning(meaning("no-identity"), "no age identity is at hand")
        .with_hint("restore `age.key`");
    assert_snapshot!(plain(&diagnostic), @r#"
    warning[no-identity]: no age identity is at hand
     |
     = help: restore `age.key`
    "#);
}

#[test]
fn lines_up_under_tabs_crlf_and_wide_characters() {
    let tabs = Source::new("justfile", "a:\n\tkubectl\tapply\n");
    let diagnostic =
        Diagnostic::error(meaning("x"), "tabs").at_place(place(&tabs, "apply"), "here");
    assert_snapshot!(plain(&diagnostic), @r#"
    error[x]: tabs
     --> justfile:2:10
      |
    2 |     kubectl    apply
      |                ^^^^^ here
    "#);

    let crlf = Source::new(
        "cluster.yaml",
        "network:\r\n  node_cidr: 10\r\n  more: 1\r\n",
    );
    let diagnostic =
        Diagnostic::error(meaning("x"), "line ends").at_place(place(&crlf, "10"), "here");
    assert_snapshot!(plain(&diagnostic), @r#"
    error[x]: line ends
     --> cluster.yaml:2:14
      |
    2 |   node_cidr: 10
      |              ^^ here
    "#);

    let wide = Source::new("cluster.yaml", "name: 集群 🧱 echo\n");
    let diagnostic = Diagnostic::error(meaning("x"), "wide").at_place(place(&wide, "echo"), "here");
    assert_snapshot!(plain(&diagnostic), @r#"
    error[x]: wide
     --> cluster.yaml:1:12
      |
    1 | name: 集群 🧱 echo
      |               ^^^^ here
    "#);
}

#[test]
fn points_into_an_empty_file() {
    let empty = Source::new("cluster.yaml", "");
    let diagnostic = Diagnostic::error(meaning("empty"), "the config is empty").at(
        &empty,
        Span::new(0, 0),
        "nothing here",
    );
    assert_snapshot!(plain(&diagnostic), @r#"
    error[empty]: the config is empty
     --> cluster.yaml:1:1
      |
    1 |
      | ^ nothing here
    "#);
}

#[test]
fn points_past_the_last_line() {
    let source = Source::new("cluster.yaml", "a: 1\n");
    let diagnostic = Diagnostic::error(meaning("eof"), "the file ends too early").at(
        &source,
        Span::new(5, 5),
        "here",
    );
    assert_snapshot!(plain(&diagnostic), @r#"
    error[eof]: the file ends too early
     --> cluster.yaml:1:6
      |
    1 | a: 1
      |     ^ here
    "#);
    let outside = Diagnostic::error(meaning("eof"), "the file ends too early").at(
        &source,
        Span::new(50, 60),
        "here",
    );
    assert_eq!(plain(&outside), plain(&diagnostic));
}

#[test]
fn marks_a_span_of_many_lines_without_the_line_after() {
    let source = Source::new("a.yaml", "a:\n  b: 1\n  c: 2\nd: 3\n");
    let diagnostic =
        Diagnostic::error(meaning("x"), "many lines").at(&source, Span::new(5, 17), "all this");
    assert_snapshot!(plain(&diagnostic), @r#"
    error[x]: many lines
     --> a.yaml:2:3
      |
    2 | /   b: 1
    3 | |   c: 2
      | |______^ all this
    "#);
}

#[test]
fn cuts_a_very_long_line_around_the_problem() {
    let source = Source::new(
        "a.yaml",
        format!("{}here{}\n", "x".repeat(500), "y".repeat(500)),
    );
    let diagnostic =
        Diagnostic::error(meaning("x"), "long line").at_place(place(&source, "here"), "this");
    assert_snapshot!(plain(&diagnostic), @r#"
    error[x]: long line
     --> a.yaml:1:501
      |
    1 | ...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxhereyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...
      |                                                                ^^^^ this
    "#);
}

#[test]
fn lets_no_text_steer_the_terminal() {
    let source = Source::new("a\u{1b}]0;x\u{7}.yaml", "a: \u{1b}[31mred\u{202e}\n");
    let diagnostic = Diagnostic::error(meaning("x"), "message \u{1b}[2J")
        .at_place(place(&source, "red"), "label \u{1b}[2J")
        .with_hint("hint \u{1b}[2J \u{9b}");
    let text = plain(&diagnostic);
    assert!(
        !text.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']),
        "{text:?}"
    );
}

#[test]
fn gives_programs_one_object_a_line() {
    assert_snapshot!(json::render(&outside()), @r#"{"schemaVersion":1,"type":"diagnostic","code":"address-outside","severity":"error","message":"`kubernetes.api.addr` is not in the node network","primary":{"path":"cluster.yaml","line":5,"column":11,"endLine":5,"endColumn":19,"text":"not in `10.0.0.0/24`"},"related":[{"path":"cluster.yaml","line":2,"column":14,"endLine":2,"endColumn":25,"text":"the node network"}],"list":[],"hints":["choose an address that no machine has"]}"#);
}

#[test]
fn gives_github_one_command_a_line() {
    assert_snapshot!(github::render(&outside(), "clusters/home/").as_str().trim_end(), @r#"::error file=clusters/home/cluster.yaml,line=5,col=11,endColumn=19,title=address-outside::`kubernetes.api.addr` is not in the node network%0Anot in `10.0.0.0/24`%0Acluster.yaml:2:14: the node network%0Ahelp: choose an address that no machine has"#);
    let odd = Source::new("a,b:c%.yaml", "a: 1\nb: 2\n");
    let odd = Diagnostic::warning(meaning("odd-name"), "50% of\r\nit").at(
        &odd,
        Span::new(0, 7),
        "a, b: c",
    );
    assert_snapshot!(github::render(&odd, "").as_str().trim_end(), @r#"::warning file=a%2Cb%3Ac%25.yaml,line=1,endLine=2,title=odd-name::50%25 of\r\nit%0Aa, b: c"#);
    let embedded = Source::new("catalogue:templates/a.yaml.tera", "a: #{ b }#\n");
    let embedded = Diagnostic::error(meaning("undefined"), "`b` is not set").at(
        &embedded,
        Span::new(6, 7),
        "",
    );
    assert_snapshot!(github::render(&embedded, "clusters/home/").as_str().trim_end(), @r#"::error title=undefined::`b` is not set%0Acatalogue:templates/a.yaml.tera:1:7"#);
}
