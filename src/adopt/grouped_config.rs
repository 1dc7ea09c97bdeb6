//! The config of cluster-template of May to July 2026: TOML in groups, of which two have other keys today.

use toml_edit::{DocumentMut, Item, Key, Table, value};

use super::config_upgrade::{REPOSITORY_URL, UpgradedConfig, repository_url};

const CLOUDFLARE: &str = "cloudflare";
const REPOSITORY: &str = "repository";
/// The keys of the group `cloudflare`, each with its group and key today.
const MOVED: [(&str, &str, &str); 2] = [("domain", "domain", "name"), ("token", "dns", "token")];

/// Returns the config with the keys of today, comments and everything else as it is; `None` where it has them already.
pub(super) fn upgraded(text: &str) -> Option<UpgradedConfig> {
    let mut document: DocumentMut = text.parse().ok()?;
    let mut moved = Vec::new();
    move_repository(&mut document, &mut moved);
    move_cloudflare(&mut document, &mut moved);
    move_spegel(&mut document, &mut moved);
    (!moved.is_empty()).then(|| UpgradedConfig {
        text: document.to_string(),
        moved,
    })
}

/// Makes the address of the repository of its name and of who may see it.
fn move_repository(document: &mut DocumentMut, moved: &mut Vec<(String, String)>) {
    let Some(table) = document.get_mut(REPOSITORY).and_then(Item::as_table_mut) else {
        return;
    };
    let Some(name) = table.get("name").and_then(Item::as_str) else {
        return;
    };
    let visibility = table.get("visibility").and_then(Item::as_str);
    let url = repository_url(name, visibility == Some("private"));
    let mut new = Key::new("url");
    if let Some(old) = table.key("name") {
        // The comment above it stays.
        *new.leaf_decor_mut() = old.leaf_decor().clone();
    }
    for key in ["name", "visibility"] {
        if table.remove(key).is_some() {
            moved.push((format!("{REPOSITORY}.{key}"), REPOSITORY_URL.to_owned()));
        }
    }
    table.insert_formatted(&new, value(url));
}

/// Puts the switch of the registry mirror into its group, which no sample has and the plugin takes.
fn move_spegel(document: &mut DocumentMut, moved: &mut Vec<(String, String)>) {
    const OLD: &str = "spegel_enabled";
    let is_free = !document.contains_key("spegel");
    let Some(switch) = is_free.then(|| document.remove(OLD)).flatten() else {
        return;
    };
    let mut table = Table::new();
    table.insert("enabled", switch);
    document.insert("spegel", Item::Table(table));
    moved.push((OLD.to_owned(), "spegel.enabled".to_owned()));
}

/// Gives domain and token groups of their own, in the place of the one that they had.
fn move_cloudflare(document: &mut DocumentMut, moved: &mut Vec<(String, String)>) {
    let Some(mut old) = document.get(CLOUDFLARE).and_then(Item::as_table).cloned() else {
        return;
    };
    let mut comment = old.decor().clone();
    for (key, group, name) in MOVED {
        let Some(item) = old.remove(key) else {
            continue;
        };
        moved.push((format!("{CLOUDFLARE}.{key}"), format!("{group}.{name}")));
        if !document.contains_key(group) {
            let mut table = Table::new();
            table.set_position(old.position());
            *table.decor_mut() = std::mem::take(&mut comment);
            document.insert(group, Item::Table(table));
        }
        if let Some(table) = document.get_mut(group).and_then(Item::as_table_mut) {
            table.insert(name, item);
        }
    }
    // What nobody knows is told with its line where the config is validated.
    if old.is_empty() {
        document.remove(CLOUDFLARE);
    } else {
        document.insert(CLOUDFLARE, Item::Table(old));
    }
}

#[cfg(test)]
mod tests {
    const OLD: &str = r#"# mine
[network]
node_cidr = "10.0.0.0/24" # all

[repository]
# who
name = "me/home"
branch = "main"
visibility = "private"

# the zone
[cloudflare]
domain = "example.com"
token = "t"

[[nodes]]
name = "a"
"#;

    #[test]
    fn two_groups_get_the_keys_of_today() {
        let upgraded = super::upgraded(OLD).unwrap();
        insta::assert_snapshot!(upgraded.text, @r#"
        # mine
        [network]
        node_cidr = "10.0.0.0/24" # all

        [repository]
        branch = "main"
        # who
        url = "ssh://git@github.com/me/home.git"

        # the zone
        [domain]
        name = "example.com"

        [dns]
        token = "t"

        [[nodes]]
        name = "a"
        "#);
        assert_eq!(upgraded.moved.len(), 4);
        assert_eq!(super::upgraded(&upgraded.text), None);
        assert_eq!(super::upgraded("not toml"), None);
        let switched = super::upgraded("spegel_enabled = false\n[network]\nx = 1\n").unwrap();
        assert_eq!(
            switched.text,
            "[network]\nx = 1\n\n[spegel]\nenabled = false\n"
        );
        let more = OLD.replace("token = \"t\"", "token = \"t\"\nother = 1");
        let upgraded = super::upgraded(&more).unwrap();
        assert!(
            upgraded.text.contains("[cloudflare]\nother = 1"),
            "{}",
            upgraded.text
        );
    }
}
