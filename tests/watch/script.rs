use std::fs;
use std::os::unix::fs::symlink;

use crate::diff::project::{commit, git};
use crate::support::Sandbox;

use super::watcher::{Watcher, project};

/// Saves as vim does: the old file becomes a backup, the new one is written, the backup goes.
fn save_like_vim(sandbox: &Sandbox, path: &str, text: &str) {
    let (file, backup) = (sandbox.path(path), sandbox.path(&format!("{path}~")));
    let swap = sandbox.path(".x.swp");
    fs::write(&swap, "swap").unwrap();
    fs::rename(&file, &backup).unwrap();
    fs::write(&file, text).unwrap();
    fs::remove_file(&backup).unwrap();
    fs::remove_file(&swap).unwrap();
}

/// Saves as most editors do: a new file takes the place of the old one.
fn save_by_rename(sandbox: &Sandbox, path: &str, text: &str) {
    let new = sandbox.path(&format!("{path}.tmp-4711"));
    fs::write(&new, text).unwrap();
    fs::rename(&new, sandbox.path(path)).unwrap();
}

/// Saves in place: the file is empty for a moment.
fn save_in_place(sandbox: &Sandbox, path: &str, text: &str) {
    let file = fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(sandbox.path(path));
    std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
}

fn config(sandbox: &Sandbox, from: &str, to: &str) -> String {
    let text = sandbox.read("cluster.yaml");
    assert!(text.contains(from), "{text}");
    text.replace(from, to)
}

/// One edit after the other, and after each the tree is what a fresh render makes.
fn day_of_edits(arguments: &[&str]) {
    let sandbox = project();
    let domain = domain(&sandbox);
    let mut watcher = Watcher::start(&sandbox, arguments);
    let template = "templates/cluster.txt.tera";
    let mut edits = 0;
    let mut edit = |watcher: &mut Watcher, change: &dyn Fn()| {
        change();
        watcher.catches_up(&sandbox);
        edits += 1;
    };

    edit(&mut watcher, &|| {
        save_like_vim(&sandbox, template, "vim #{ domain.name }#\n")
    });
    edit(&mut watcher, &|| {
        save_by_rename(&sandbox, template, "renamed #{ domain.name }#\n")
    });
    edit(&mut watcher, &|| {
        save_in_place(&sandbox, template, "in place #{ domain.name }#\n")
    });
    edit(&mut watcher, &|| {
        save_like_vim(
            &sandbox,
            "cluster.yaml",
            &config(&sandbox, &domain, "one.example.com"),
        );
    });
    edit(&mut watcher, &|| {
        for number in 0..100 {
            let text = config(&sandbox, "example.com", "example.com")
                .replace("one.example.com", &format!("burst{number}.example.com"));
            save_by_rename(&sandbox, "cluster.yaml", &text);
            let back = text.replace(&format!("burst{number}.example.com"), "one.example.com");
            let last = if number == 99 { text } else { back };
            save_by_rename(&sandbox, "cluster.yaml", &last);
        }
    });
    edit(&mut watcher, &|| {
        sandbox.write("templates/new/deep/file.txt", "new\n")
    });
    edit(&mut watcher, &|| {
        sandbox.write("templates/new/deep/second.txt", "second\n")
    });
    edit(&mut watcher, &|| {
        fs::remove_dir_all(sandbox.path("templates/new")).unwrap()
    });
    edit(&mut watcher, &|| {
        sandbox.write("token.key", "second token\n")
    });
    edit(&mut watcher, &|| {
        fs::remove_dir_all(sandbox.path("out")).unwrap()
    });
    edit(&mut watcher, &|| {
        fs::remove_dir_all(sandbox.path("out/deep")).unwrap()
    });
    edit(&mut watcher, &|| {
        fs::rename(sandbox.path("templates"), sandbox.path("elsewhere")).unwrap();
    });
    edit(&mut watcher, &|| {
        fs::rename(sandbox.path("elsewhere"), sandbox.path("templates")).unwrap();
    });
    edit(&mut watcher, &|| {
        sandbox.write("templates/deep/down/more.txt", "more\n")
    });

    // A mistake shows, and leaves the tree; what is edited meanwhile counts once it is mended.
    let good = sandbox.read("cluster.yaml");
    save_in_place(&sandbox, "cluster.yaml", "domain: [\n");
    watcher.wait_for("failed");
    watcher.ready();
    sandbox.write(template, "meanwhile #{ domain.name }#\n");
    edit(&mut watcher, &|| {
        save_in_place(&sandbox, "cluster.yaml", &good)
    });
    let mended = watcher
        .log
        .iter()
        .filter(|event| event["mended"] == true)
        .count();
    assert_eq!(mended, 1, "{:#?}", watcher.log);

    // A config behind a symlink, changed behind it, and turned elsewhere.
    edit(&mut watcher, &|| {
        let first = good.replace("example.com", "linked.example.com");
        sandbox.write("configs/first.yaml", first);
        fs::remove_file(sandbox.path("cluster.yaml")).unwrap();
        symlink("configs/first.yaml", sandbox.path("cluster.yaml")).unwrap();
    });
    edit(&mut watcher, &|| {
        let text = good.replace("example.com", "behind.example.com");
        save_by_rename(&sandbox, "configs/first.yaml", &text);
    });
    edit(&mut watcher, &|| {
        let text = good.replace("example.com", "turned.example.com");
        sandbox.write("configs/second.yaml", text);
        symlink("configs/second.yaml", sandbox.path("new-link")).unwrap();
        fs::rename(sandbox.path("new-link"), sandbox.path("cluster.yaml")).unwrap();
    });

    // Saved as it was: nothing happens. The one real edit after it is the only event.
    let quiet_from = watcher.rebuilds;
    let text = sandbox.read(template);
    for _ in 0..20 {
        save_by_rename(&sandbox, template, &text);
    }
    sandbox.write("unrelated.txt", "no input");
    edit(&mut watcher, &|| sandbox.write(template, "the end\n"));
    assert_eq!(watcher.rebuilds, quiet_from + 1, "{:#?}", watcher.log);

    // Every edit was one rebuild; a few may have been seen in two halves on a slow machine.
    assert!(
        watcher.rebuilds <= 2 * edits + 4,
        "{} of {edits}",
        watcher.rebuilds
    );
    let idle = watcher
        .log
        .iter()
        .filter(|event| event["event"] == "written" && event["trigger"].is_null());
    assert_eq!(idle.count(), 1, "only the first compile has no reason");
    watcher.signal("INT");
    assert_eq!(watcher.end(), Some(0));
}

/// Finds what the example config calls the domain.
fn domain(sandbox: &Sandbox) -> String {
    sandbox.kiln(&["render"]).success();
    sandbox.read("out/cluster.txt").trim().to_owned()
}

#[test]
fn follows_a_day_of_edits() {
    day_of_edits(&[]);
}

#[test]
fn follows_a_day_of_edits_by_polling() {
    day_of_edits(&["--poll", "50ms"]);
}

#[test]
fn follows_a_checkout_of_another_branch() {
    let sandbox = project();
    git(&sandbox, &["init", "--quiet", "--initial-branch", "main"]);
    sandbox.kiln(&["render"]).success();
    commit(&sandbox, "one");
    git(&sandbox, &["checkout", "--quiet", "-b", "other"]);
    for number in 0..40 {
        sandbox.write(&format!("templates/many/{number}.txt"), "many\n");
    }
    sandbox.write("templates/cluster.txt.tera", "other #{ domain.name }#\n");
    fs::remove_file(sandbox.path("templates/deep/down/notes.txt")).unwrap();
    sandbox.kiln(&["render"]).success();
    commit(&sandbox, "two");
    git(&sandbox, &["checkout", "--quiet", "main"]);

    let mut watcher = Watcher::start(&sandbox, &[]);
    let start = watcher.rebuilds;
    for branch in ["other", "main", "other"] {
        git(&sandbox, &["checkout", "--quiet", branch]);
        watcher.catches_up(&sandbox);
        let left = git(&sandbox, &["status", "--porcelain", "--", "out"]);
        assert_eq!(left, "", "the committed tree is what it makes");
    }
    assert!(watcher.rebuilds - start <= 6, "{:#?}", watcher.log);
}

#[test]
fn waits_for_a_project_that_is_gone_and_comes_back() {
    let sandbox = project();
    let mut watcher = Watcher::start(&sandbox, &[]);
    let here = sandbox.path("");
    let there = here.parent().unwrap().join("aside");
    fs::rename(&here, &there).unwrap();
    watcher.wait_for("failed");
    watcher.ready();
    fs::rename(&there, &here).unwrap();
    watcher.catches_up(&sandbox);
    sandbox.write("templates/cluster.txt.tera", "back\n");
    watcher.catches_up(&sandbox);
}

#[test]
fn leaves_alone_what_was_edited_by_hand() {
    let sandbox = project();
    let mut watcher = Watcher::start(&sandbox, &[]);
    sandbox.write("out/cluster.txt", "by hand\n");
    let event = watcher.wait_for("written");
    assert_eq!(event["edited"][0], "out/cluster.txt");
    watcher.ready();
    assert_eq!(sandbox.read("out/cluster.txt"), "by hand\n");
    fs::remove_file(sandbox.path("out/cluster.txt")).unwrap();
    watcher.catches_up(&sandbox);
}
