use super::write::both_ways;
use super::{Pair, Project, sops, sops_decrypts, words};

#[test]
fn is_opened_by_sops_with_a_mark_or_a_version_at_the_start() {
    both_ways(&[], "\u{feff}a: 1\nb:\n  c: x\n");
    both_ways(&[], "%YAML 1.1\n---\na: 1\n");
}

#[test]
fn is_opened_by_sops_with_empty_documents() {
    for text in ["a: 1\n---\n", "---\na: 1\n---\n---\nb: 2\n"] {
        let pair = Pair::new();
        let mut project = Project::new(&pair, &[]);
        let sealed = project.sealed(text);
        // Not what `sops` makes of its own encryption, which loses documents after an empty one.
        if let Some(sops) = sops() {
            let theirs = words(&sops_decrypts(&sops, &pair, &sealed));
            let values: Vec<String> = theirs.into_iter().filter(|line| line != "{}").collect();
            assert_eq!(values, words(text), "{sealed}");
        }
        assert_eq!(project.decrypt(&sealed).unwrap(), text);
        project
            .disk
            .insert("a.sops.yaml".to_owned(), sealed.clone().into_bytes());
        project.seed = 2;
        assert_eq!(project.sealed(text), sealed);
    }
}

/// A line break that the metadata brings along must not become part of a secret.
#[test]
fn adds_no_line_break_to_a_block_at_the_end() {
    let pair = Pair::new();
    for more in [&[][..], &["encrypted_regex: ^a$"]] {
        for header in ["|", "|+", "|-", ">", "|2", "|2+"] {
            for (text, expected) in [
                (format!("a: 1\nb: {header}\n  x"), "x"),
                (
                    format!("a: 1\nb:\n  c:\n  - {header} # note\n    x\n    y").replace('2', ""),
                    "x\ny",
                ),
            ] {
                let project = Project::new(&pair, more);
                let sealed = project.sealed(&text);
                let folded = expected.replace('\n', if header == ">" { " " } else { "\n" });
                let read = |yaml: &str| {
                    let documents = kiln::yaml::load(yaml).unwrap();
                    let root = &documents[0].root;
                    let found = root.find_text("b").map(str::to_owned);
                    found.or_else(|| {
                        root.find("b.c").unwrap().items().unwrap()[0]
                            .text()
                            .map(str::to_owned)
                    })
                };
                assert_eq!(
                    read(&project.decrypt(&sealed).unwrap()),
                    Some(folded.clone()),
                    "{text}"
                );
                let Some(sops) = sops() else { continue };
                let theirs = sops_decrypts(&sops, &pair, &sealed);
                assert_eq!(read(&theirs), Some(folded), "{text}");
            }
        }
    }
}

#[test]
fn is_opened_by_sops_with_dashes_below_the_key() {
    for text in [
        "b:\n- | # note\n  x\n",
        "b:\n- # note\n  x\n- # more\n  y\n",
        "b:\n# note\n- k: x\n  # more\n  l: |\n    y\n# last\n- z\nc: 1\n",
        "b:\n- x # note\n- y # more\n# last\n",
        "a:\n  b:\n  - x # note\n  # more\n  - - y\n    - z\n  c: d\n",
    ] {
        both_ways(&[], text);
        both_ways(&["encrypted_regex: ^b$", "mac_only_encrypted: true"], text);
    }
}
