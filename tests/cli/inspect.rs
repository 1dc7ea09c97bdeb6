use insta::assert_snapshot;

use super::small;

#[test]
fn prints_a_schema_that_editors_can_use() {
    let sandbox = small();
    let schema: serde_json::Value =
        serde_json::from_str(&sandbox.kiln(&["schema"]).success()).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(schema["properties"]["apps"]["properties"]["echo"].is_object());
    assert_eq!(
        sandbox.read("cluster.schema.json"),
        sandbox.kiln(&["schema"]).success()
    );
}

#[test]
fn lists_apps_and_whether_they_are_on() {
    let sandbox = small();
    sandbox.write("kiln.toml", "");
    let all = sandbox.kiln(&["apps"]).success();
    let rows: Vec<Vec<&str>> = all
        .lines()
        .map(|line| line.split_whitespace().take(3).collect())
        .collect();
    assert!(rows.contains(&vec!["on", "default", "echo"]), "{all}");
    assert!(rows.contains(&vec!["off", "network", "unifi-dns"]), "{all}");
    let enabled = sandbox.kiln(&["apps", "--enabled"]).success();
    assert!(
        enabled.lines().all(|line| line.starts_with("on ")),
        "{enabled}"
    );
    assert_eq!(
        enabled.lines().count(),
        rows.iter().filter(|row| row[0] == "on").count()
    );
    let json = sandbox
        .kiln(&["apps", "--message-format", "json"])
        .success();
    let names: Vec<String> = json
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["name"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(names.len(), all.lines().count());
    assert!(names.contains(&"unifi-dns".to_owned()), "{names:?}");
}

#[test]
fn checks_without_writing() {
    let sandbox = small();
    let before = sandbox.files();
    assert_snapshot!(sandbox.kiln(&["check"]), @r#"
    exit code 0
    --- stderr
    checked 2 files from 2 templates: no errors, 0 warnings
    "#);
    assert_snapshot!(sandbox.kiln(&["check", "--message-format", "json"]), @r###"
    exit code 0
    --- stdout
    {"schemaVersion":1,"type":"summary","summary":{"files":2,"templates":2,"errors":0,"warnings":0,"notSeen":0,"notJudged":0,"known":0,"ignored":0}}
    "###);
    assert_eq!(sandbox.files(), before);
}
