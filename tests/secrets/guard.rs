//! What no template, schema or data file may be.

use super::project::{IDENTITY, Project, told};

#[test]
fn file_reads_no_key_and_nothing_of_git_and_kiln() {
    for path in [
        "age.key",
        "deploy.key",
        "flux-webhook-token.txt",
        "cloudflare-tunnel.json",
        ".git/config",
        ".GIT/config",
        "sub/.git/config",
        ".kiln/undo.json",
    ] {
        let mut project = Project::with("");
        project.put(path, IDENTITY);
        project.put(
            "templates/x.txt.tera",
            &format!("#{{ file(path=\"{path}\") | upper }}#"),
        );
        let problems = project
            .compile()
            .map_or_else(|problems| problems, |_| Vec::new());
        let all: String = problems.iter().map(told).collect();
        assert!(
            all.contains("unreadable-file") && all.contains(path),
            "{path}: {all}"
        );
        assert!(!all.contains(IDENTITY), "{path}: {all}");
    }
}

#[test]
fn a_key_is_no_data_file_no_template_and_no_rule_file() {
    let settings = [
        "data = [\"age.key\"]\n",
        "data = [\".git/config\"]\n",
        "templates = [\".git\"]\n",
        "templates = [\".\"]\n",
        "[seal]\nidentities = [\"other.key\"]\n",
    ];
    for text in settings {
        let mut project = Project::with("");
        project.put("kiln.toml", &format!("catalogue = false\n{text}"));
        project.put(
            ".git/config",
            "extraheader = AUTHORIZATION: basic c2VjcmV0\n",
        );
        project.put("other.key", IDENTITY);
        project.put("templates/x.txt.tera", "#{ file(path=\"other.key\") }#");
        let problems = project
            .compile()
            .map_or_else(|problems| problems, |_| Vec::new());
        let all: String = problems.iter().map(told).collect();
        assert!(
            all.contains("is a key") || all.contains("is an input"),
            "{text}: {all}"
        );
        assert!(
            !all.contains(IDENTITY) && !all.contains("c2VjcmV0"),
            "{text}: {all}"
        );
    }
}
