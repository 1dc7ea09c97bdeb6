//! Whatever is done to a secret on its way into the open, it is found.

use super::project::{IDENTITY, Project, told};
use kiln::pipeline::KeyHandling;

const WORD: &str = "swordfish-1234567";

/// What templates do to a secret, `S`, before they print it.
const TRANSFORMATIONS: [&str; 28] = [
    "#{ S }#",
    "#{ S | upper }#",
    "#{ S | lower }#",
    "#{ S | capitalize }#",
    "#{ S | title }#",
    "#{ S | reverse }#",
    "#{ S | replace(from=\"e\", to=\"_\") }#",
    "#{ S | replace(from=\"1\", to=\"\") }#",
    "#{ S | truncate(length=2, end=\"\") }#",
    "#% for letter in S | split(pat=\"\") %##{ letter }#-#% endfor %#",
    "#% for letter in S | split(pat=\"\") %##{ letter }#\n#% endfor %#",
    "#{ S | b64encode }#",
    "#{ S | b64encode | b64encode }#",
    "#{ S | to_json }#",
    "#{ S | to_json | to_json }#",
    "#{ [S] | to_yaml }#",
    "#{ {\"a\": [S]} | to_json }#",
    "'#{ S | replace(from=\"'\", to=\"''\") }#'",
    "#{ S | quote }#",
    "#{ S | escape_html }#",
    "x#{ S }#y",
    "#{ S ~ S }#",
    "#% set copy = S %##{ copy }#",
    "#{ S | split(pat=\"\") | nth(n=1) }#",
    "#{ S | split(pat=\"\") | reverse | nth(n=2) }#",
    "#{ \"yes\" if S == \"swordfish-1234567\" else \"no\" }#",
    "a: |\n  #{ S | indent(width=2) }#",
    "#{ S | trim | split(pat=\"\") | join(sep=\" \") }#",
];

/// Returns which of the templates are reported, and what is said.
fn leaking(mut project: Project, templates: &[String]) -> (Vec<String>, String) {
    for (number, text) in templates.iter().enumerate() {
        project.put(&format!("templates/t/{number}.txt.tera"), text);
    }
    let problems = project
        .compile()
        .map_or_else(|problems| problems, |_| Vec::new());
    let all: String = problems.iter().map(told).collect();
    let others: Vec<_> = problems
        .iter()
        .filter(|problem| problem.code() != "secret-leak")
        .collect();
    assert!(others.iter().all(|problem| !problem.is_error()), "{all}");
    let leaks = templates.iter().enumerate();
    let missed = leaks.filter(|(number, _)| !all.contains(&format!("`t/{number}.txt`")));
    (missed.map(|(_, text)| text.clone()).collect(), all)
}

fn of_source(expression: &str) -> Vec<String> {
    TRANSFORMATIONS
        .iter()
        .map(|text| text.replace('S', expression))
        .collect()
}

fn assert_all_found(project: Project, expression: &str, origin: &str, secret: &str) {
    let (missed, all) = leaking(project, &of_source(expression));
    let sound: Vec<&String> = missed.iter().collect();
    assert!(sound.is_empty(), "missed: {sound:#?}\n{all}");
    assert!(all.contains(&format!("the secret `{origin}`")), "{all}");
    assert!(!all.contains(secret), "{all}");
}

#[test]
fn a_secret_of_the_config_is_found_in_every_form() {
    let project = Project::with(&format!("    word: {WORD}\n"));
    assert_all_found(project, "apps.demo.word", "apps.demo.word", WORD);
}

#[test]
fn a_secret_of_the_environment_is_found_in_every_form() {
    let mut project = Project::with("    plain: {fromEnv: TOKEN}\n");
    project.env.insert("TOKEN".to_owned(), WORD.to_owned());
    assert_all_found(project, "apps.demo.plain", "apps.demo.plain", WORD);
}

#[test]
fn a_secret_of_a_file_is_found_in_every_form() {
    let mut project = Project::with("    plain: {fromFile: some.txt}\n");
    project.put("some.txt", &format!("{WORD}\n"));
    assert_all_found(project, "apps.demo.plain", "apps.demo.plain", WORD);
    let mut project = Project::with("");
    project.put("some.txt", &format!("{WORD}\n"));
    assert_all_found(project, "secret(path=\"some.txt\")", "some.txt", WORD);
}

#[test]
fn a_file_that_is_a_secret_somewhere_is_one_everywhere() {
    let mut project = Project::with("    plain: {fromFile: some.txt}\n");
    project.put("some.txt", &format!("{WORD}\n"));
    assert_all_found(
        project,
        "(file(path=\"some.txt\") | trim)",
        "some.txt",
        WORD,
    );
}

#[test]
fn the_age_identity_is_found_in_every_form() {
    // Every identity starts alike, and none is equal to that word.
    let secret = "(age_identity() | replace(from=\"AGE-SECRET-KEY-1\", to=\"\"))";
    let same = of_source(secret)
        .into_iter()
        .filter(|text| !text.contains("=="));
    let (missed, all) = leaking(Project::with(""), &same.collect::<Vec<_>>());
    assert!(missed.is_empty(), "missed: {missed:#?}\n{all}");
    assert!(
        all.contains("the secret `age.key`") && !all.contains(IDENTITY),
        "{all}"
    );
}

#[test]
fn secrets_of_every_type_and_place_are_found() {
    let options = "    pin: 4711\n    prefixed: ghp_abcdefgh\n    choice: two\n    flag: true\n    map: {a: sesame-one}\n    whole: {deep: {er: sesame-two}}\n    list: [sesame-three]\n    referred: sesame-four\n    either: sesame-five\n    word: sesame-six\n";
    let expressions = [
        "apps.demo.pin",
        "apps.demo.pin + 1",
        "apps.demo.prefixed",
        "apps.demo.choice",
        "apps.demo.flag",
        "apps.demo.map.a",
        "apps.demo.map | to_json",
        "apps.demo.whole.deep.er",
        "apps.demo.list | first",
        "apps.demo.referred",
        "apps.demo.either",
        "apps.demo.computed",
    ];
    let templates: Vec<String> = expressions
        .iter()
        .map(|it| format!("#{{ {it} }}#"))
        .collect();
    let (missed, all) = leaking(Project::with(options), &templates);
    assert!(missed.is_empty(), "missed: {missed:?}\n{all}");
    assert!(!all.contains("sesame") && !all.contains("4711"), "{all}");
}

#[test]
fn secrets_of_several_lines_are_found_in_part_and_folded() {
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\nAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz\n-----END OPENSSH PRIVATE KEY-----\n";
    let templates = [
        "a: |\n  b: |\n    #{ secret(path=\"pem\") | indent(width=4) }#",
        "a: >\n  #{ secret(path=\"pem\") | indent(width=2) }#",
        "#{ secret(path=\"pem\") | split(pat=\"\\n\") | nth(n=2) }#",
        "#{ secret(path=\"crlf\") }#",
        "#{ secret(path=\"json\") | from_json | get(key=\"k\") }#",
        "#{ secret(path=\"packed\") | b64decode }#",
    ];
    let mut project = Project::with("");
    project.put("pem", key);
    project.put("crlf", "first-part\r\nsecond-part\r\n");
    project.put("json", "{\"k\": \"value-of-k\"}");
    project.put("packed", "dmFsdWUtb2YtYS1wYWNrZWQtc2VjcmV0");
    let (missed, all) = leaking(project, &templates.map(str::to_owned));
    assert!(missed.is_empty(), "missed: {missed:#?}\n{all}");
}

#[test]
fn what_is_meant_to_be_seen_may_be_seen() {
    let mut project = Project::with(&format!(
        "    plain: {{fromEnv: REGION, public: true}}\n    word: {WORD}\n"
    ));
    project
        .env
        .insert("REGION".to_owned(), "eu-west-1".to_owned());
    project.put(
        "cloudflare-tunnel.json",
        "{\"AccountTag\":\"a1\",\"TunnelID\":\"6f1f-id\",\"TunnelSecret\":\"c2VjcmV0\"}",
    );
    project.put(
        "templates/open.txt.tera",
        "#{ age_recipient() }# #{ cloudflare_tunnel_id() }# #{ apps.demo.plain }# #{ apps.demo.word | length }#",
    );
    let compiled = project.compile().unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(told).collect::<String>());
    });
    let (_, file) = compiled
        .tree
        .outputs()
        .find(|(path, _)| *path == "open.txt")
        .unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    assert!(
        text.starts_with("age1") && text.ends_with("6f1f-id eu-west-1 17"),
        "{text}"
    );
}

#[test]
fn a_key_cannot_be_called_public() {
    for options in [
        "    plain: {fromEnv: SOPS_AGE_KEY, public: true}\n",
        "    plain: {fromFile: age.key, public: true}\n",
    ] {
        let mut project = Project::with(options);
        project
            .env
            .insert("SOPS_AGE_KEY".to_owned(), IDENTITY.to_owned());
        let problems = project.compile().unwrap_err();
        assert_eq!(problems[0].code(), "missing-reference");
        assert!(!told(&problems[0]).contains(IDENTITY));
    }
}

#[test]
fn a_value_that_a_rule_leaves_plain_in_a_sealed_file_is_found() {
    let mut project = Project::with(&format!("    word: {WORD}\n"));
    project.put(
        "templates/.sops.yaml.tera",
        "creation_rules:\n  - path_regex: \\.sops\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: #{ age_recipient() }#\n",
    );
    let secret = |extra: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: demo\n{extra}stringData:\n  word: \"#{{ apps.demo.word }}#\"\n"
        )
    };
    project.put("templates/demo.sops.yaml.tera", &secret(""));
    assert!(project.compile().is_ok());
    for extra in [
        "  annotations:\n    note: \"#{ apps.demo.word }#\"\n",
        "# #{ apps.demo.word }#\n",
        "  labels:\n    \"#{ apps.demo.word }#\": x\n",
        "#% for letter in apps.demo.word | split(pat=\"\") %#a#{ loop.index }##{ letter }#: 1\n#% endfor %#",
    ] {
        project.put("templates/demo.sops.yaml.tera", &secret(extra));
        let problems = project
            .compile()
            .map_or_else(|problems| problems, |_| Vec::new());
        let all: String = problems.iter().map(told).collect();
        assert!(all.contains("secret-leak"), "{extra}: {all}");
        assert!(
            all.contains("the secret `apps.demo.word` can be read in `demo.sops.yaml`"),
            "{all}"
        );
        assert!(!all.contains(WORD), "{all}");
    }
}

#[test]
fn names_and_conditions_that_depend_on_a_secret_are_found() {
    let mut project = Project::with(&format!("    word: {WORD}\n"));
    project.put(
        "templates/kubernetes/apps/default/demo/app.toml",
        "summary = \"A demo\"\nwhen = 'apps.demo.word == \"swordfish-1234567\"'\n",
    );
    project.put("templates/kubernetes/apps/default/demo/x.txt", "x\n");
    project.put(
        "templates/maybe.txt.tera",
        "#% if apps.demo.word == \"swordfish-1234567\" %#x#% endif %#",
    );
    let problems = project
        .compile()
        .map_or_else(|problems| problems, |_| Vec::new());
    let all: String = problems.iter().map(told).collect();
    for path in ["kubernetes/apps/default/demo/x.txt", "maybe.txt"] {
        let expected =
            format!("whether there is a file `{path}` depends on the secret `apps.demo.word`");
        assert!(all.contains(&expected), "{all}");
    }
}

#[test]
fn without_keys_everything_is_made_up_and_nothing_real_is_read() {
    let mut project = Project::with("    plain: {fromEnv: TOKEN}\n    pin: {fromEnv: PIN}\n");
    project.env.insert("TOKEN".to_owned(), WORD.to_owned());
    project.put("deploy.key", WORD);
    project.put(
        "templates/.sops.yaml.tera",
        "creation_rules:\n  - path_regex: \\.sops\\.yaml$\n    age: #{ age_recipient() }#\n",
    );
    project.put(
        "templates/a.sops.yaml.tera",
        "word: #{ apps.demo.plain }#\npin: #{ apps.demo.pin }#\nkey: #{ secret(path=\"deploy.key\") | to_json }#\nage: #{ age_identity() }#\n",
    );
    let draft = project.world(KeyHandling::MadeUp, |world| {
        kiln::pipeline::draft(world, None)
    });
    let draft = draft.unwrap_or_else(|_| panic!("it compiles"));
    let text = draft
        .tree
        .get("a.sops.yaml")
        .unwrap()
        .source
        .text
        .to_string();
    assert!(!text.contains(WORD) && !text.contains(IDENTITY), "{text}");
    let names: Vec<&str> = draft.stand_ins.iter().map(String::as_str).collect();
    assert_eq!(names, ["PIN", "TOKEN", "age.key", "deploy.key"]);
}

/// Seals a data file by a rule that has a project's own recipient.
fn sealed_data(text: &str) -> Vec<u8> {
    let mut maker = Project::with("");
    maker.put(
        "templates/.sops.yaml.tera",
        "creation_rules:\n  - path_regex: \\.sops\\.yaml$\n    age: #{ age_recipient() }#\n",
    );
    maker.put("templates/sealed.sops.yaml", text);
    let compiled = maker.compile().unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(told).collect::<String>());
    });
    let mut outputs = compiled.tree.outputs();
    let (_, file) = outputs
        .find(|(path, _)| *path == "sealed.sops.yaml")
        .unwrap();
    file.bytes.clone()
}

#[test]
fn what_is_encrypted_in_a_data_file_is_a_secret() {
    let mut project = Project::with("");
    let data = sealed_data("apps:\n  demo:\n    plain: sesame-sealed\n    pin: 4711\n");
    project.files.0.insert("cluster.sops.yaml".to_owned(), data);
    let templates = ["#{ apps.demo.plain | upper }#", "#{ apps.demo.pin }#"];
    let (missed, all) = leaking(project, &templates.map(str::to_owned));
    assert!(missed.is_empty(), "missed: {missed:?}\n{all}");
    assert!(
        all.contains("the secret `apps.demo.plain`") && !all.to_lowercase().contains("sesame"),
        "{all}"
    );
}

#[test]
fn an_encrypted_data_file_needs_no_key_where_nothing_is_written() {
    let text =
        "apps:\n  demo:\n    plain: sesame-sealed\n    prefixed: ghp_abcdefgh\n    pin: 4711\n";
    let made_up = |data: Vec<u8>, keys: KeyHandling| {
        let mut project = Project::with("");
        project.files.0.insert("cluster.sops.yaml".to_owned(), data);
        project.identities.clear();
        project.files.0.remove("age.key");
        project.put(
            "templates/.sops.yaml.tera",
            "creation_rules:\n  - path_regex: \\.sops\\.yaml$\n    age: #{ age_recipient() }#\n",
        );
        project.put(
            "templates/a.sops.yaml.tera",
            "plain: #{ apps.demo.plain }#\nprefixed: #{ apps.demo.prefixed }#\npin: #{ apps.demo.pin }#\n",
        );
        let draft = project.world(keys, |world| kiln::pipeline::draft(world, None));
        let draft = draft.unwrap_or_else(|failure| panic!("{failure:?}"));
        assert!(draft.stand_ins.contains("cluster.sops.yaml"));
        assert!(draft.unseen.contains("a.sops.yaml"));
        draft
            .tree
            .get("a.sops.yaml")
            .unwrap()
            .source
            .text
            .to_string()
    };
    let (one, other) = (sealed_data(text), sealed_data(text));
    for keys in [KeyHandling::AtHand, KeyHandling::MadeUp] {
        let first = made_up(one.clone(), keys);
        assert!(
            !first.contains("sesame") && !first.contains("4711"),
            "{first}"
        );
        assert_eq!(first, made_up(one.clone(), keys));
        assert_ne!(
            first,
            made_up(other.clone(), keys),
            "another ciphertext is another value"
        );
    }
}
