use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand_core::RngCore as _;

use super::Stream;
use crate::support::Sandbox;

/// The sealed outputs of the example that hold Kubernetes Secrets.
const SECRETS: [&str; 4] = [
    "kubernetes/apps/cert-manager/cert-manager/app/secret.sops.yaml",
    "kubernetes/apps/network/cloudflare-dns/app/secret.sops.yaml",
    "kubernetes/apps/network/cloudflare-tunnel/app/secret.sops.yaml",
    "kubernetes/components/sops/cluster-secrets.sops.yaml",
];

/// What a template of the project says besides what the catalogue's says.
#[derive(Clone, Copy, Default)]
struct Additions {
    label: u32,
    comment: u32,
    secret: u32,
}

/// Copies a template of the catalogue into a project, with a label, a comment and a secret more.
fn write_template(sandbox: &Sandbox, path: &str, additions: Additions) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(format!("templates/{path}.tera"))).unwrap();
    let Additions {
        label,
        comment,
        secret,
    } = additions;
    let metadata = format!("metadata:\n  labels:\n    example.com/turn: \"{label}\"\n");
    let data =
        format!("stringData:\n  # Turn {comment}.\n  EXTRA: turn-{secret}\n  OTHER: still\n");
    let text = text
        .replacen("metadata:\n", &metadata, 1)
        .replacen("stringData:\n", &data, 1);
    assert!(text.contains(&metadata) && text.contains(&data), "{text}");
    sandbox.write(&format!("templates/{path}.tera"), text);
}

fn contents(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let files = sandbox.files();
    let ours = ["kubernetes/", "bootstrap/", "talos/", ".sops.yaml"];
    let outputs = files
        .into_iter()
        .filter(|path| ours.iter().any(|start| path.starts_with(start)));
    outputs
        .map(|path| (path.clone(), sandbox.read(&path)))
        .collect()
}

/// Returns the lines that differ between two texts of equally many, by what stands before their values.
fn moved(before: &str, after: &str) -> Vec<String> {
    assert_eq!(before.lines().count(), after.lines().count());
    let pairs = before.lines().zip(after.lines());
    let differ = pairs.filter(|(one, other)| one != other);
    let start = |line: &str| {
        let line = line.trim();
        let end = line.find([':', '[']).unwrap_or(line.len());
        line[..end].to_owned()
    };
    differ.map(|(one, _)| start(one)).collect()
}

/// The diff of a commit is the line that changed, and what protects the whole file.
#[test]
fn fifty_changes_of_the_production_example_move_their_lines() {
    let sandbox = Sandbox::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/production");
    for name in ["kiln.toml", "cluster.toml", "cloudflare-tunnel.json"] {
        sandbox.write(name, fs::read(example.join(name)).unwrap());
    }
    let mut additions = [Additions::default(); SECRETS.len()];
    for (path, additions) in SECRETS.iter().zip(additions) {
        write_template(&sandbox, path, additions);
    }
    sandbox.kiln(&["render", "--keygen"]).success();
    let mut before = contents(&sandbox);
    let mut dice = Stream(2026);
    for turn in 1..=50 {
        let number = usize::try_from(dice.next_u64() % 4).unwrap();
        let (path, additions) = (SECRETS[number], &mut additions[number]);
        let kind = dice.next_u64() % 4;
        let mut expected = BTreeMap::new();
        let line = match kind {
            0 => {
                additions.label = turn;
                "example.com/turn"
            }
            1 => {
                additions.comment = turn;
                "#ENC"
            }
            2 => {
                additions.secret = turn;
                "EXTRA"
            }
            _ => "",
        };
        if kind == 3 {
            // A secret of the config, which two files hold.
            let config = sandbox.read("cluster.toml");
            let start = config.find("token = \"").unwrap();
            let end = start + config[start..].find('\n').unwrap();
            let config = format!(
                "{}token = \"turn-{turn}\"{}",
                &config[..start],
                &config[end..]
            );
            sandbox.write("cluster.toml", config);
            expected.insert(SECRETS[0], vec!["api-token"]);
            expected.insert(SECRETS[1], vec!["api-token"]);
        }
        write_template(&sandbox, path, *additions);
        if kind != 3 {
            expected.insert(path, vec![line]);
        }
        sandbox.kiln(&["render"]).success();
        let after = contents(&sandbox);
        let mut found = BTreeMap::new();
        for (path, text) in &after {
            let mut lines = moved(&before[path], text);
            // Two turns can be in the same second.
            lines.retain(|line| line != "lastmodified");
            if !lines.is_empty() {
                found.insert(path.as_str(), lines);
            }
        }
        for lines in expected.values_mut() {
            lines.push("mac");
        }
        assert_eq!(before.len(), after.len());
        let expected: BTreeMap<&str, Vec<String>> = expected
            .into_iter()
            .map(|(path, lines)| (path, lines.into_iter().map(str::to_owned).collect()))
            .collect();
        assert_eq!(found, expected, "turn {turn}");
        before = after;
    }
}
