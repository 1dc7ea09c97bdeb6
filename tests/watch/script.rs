use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

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

const TEMPLATE: &str = "templates/cluster.txt.tera";

/// Someone who edits, and a `kiln watch` that has to keep up.
struct Day {
    sandbox: Sandbox,
    watcher: Watcher,
    edits: usize,
    /// The config as it was made.
    config: String,
    /// What that calls the domain.
    domain: String,
}

impl Day {
    fn start(arguments: &[&str]) -> Self {
        let sandbox = project();
        sandbox.kiln(&["render"]).success();
        Self {
            watcher: Watcher::start(&sandbox, arguments),
            edits: 0,
            config: sandbox.read("cluster.yaml"),
            domain: sandbox.read("out/cluster.txt").trim().to_owned(),
            sandbox,
        }
    }

    /// Edits, and waits until the tree is what a fresh render makes.
    #[track_caller]
    fn edit(&mut self, change: impl FnOnce(&Sandbox)) {
        change(&self.sandbox);
        self.watcher.catches_up(&self.sandbox);
        self.edits += 1;
    }

    /// Returns the config with another domain.
    fn with_domain(&self, name: &str) -> String {
        assert!(self.config.contains(&self.domain), "{}", self.config);
        self.config.replace(&self.domain, name)
    }

    fn saves_as_editors_save(&mut self) {
        for save in [save_like_vim, save_by_rename, save_in_place] {
            let edit = self.edits;
            self.edit(|sandbox| {
                save(sandbox, TEMPLATE, &format!("{edit} #{{ domain.name }}#\n"));
            });
            let config = self.with_domain(&format!("edit{edit}.example.com"));
            self.edit(|sandbox| save(sandbox, "cluster.yaml", &config));
        }
        let configs = (0..100).map(|number| self.with_domain(&format!("save{number}.example.com")));
        let configs: Vec<String> = configs.collect();
        self.edit(|sandbox| {
            for config in &configs {
                save_by_rename(sandbox, "cluster.yaml", config);
            }
        });
        self.edit(|sandbox| sandbox.write("token.key", "second token\n"));
    }

    fn folders_come_and_go(&mut self) {
        self.edit(|sandbox| sandbox.write("templates/new/deep/file.txt", "new\n"));
        self.edit(|sandbox| sandbox.write("templates/new/deep/second.txt", "second\n"));
        self.edit(|sandbox| fs::remove_dir_all(sandbox.path("templates/new")).unwrap());
        self.edit(|sandbox| fs::remove_dir_all(sandbox.path("out")).unwrap());
        self.edit(|sandbox| fs::remove_dir_all(sandbox.path("out/deep")).unwrap());
        for (from, to) in [("templates", "elsewhere"), ("elsewhere", "templates")] {
            self.edit(|sandbox| fs::rename(sandbox.path(from), sandbox.path(to)).unwrap());
        }
        self.edit(|sandbox| sandbox.write("templates/deep/down/more.txt", "more\n"));
    }

    /// A mistake shows, and leaves the tree; what is edited meanwhile counts once it is mended.
    fn a_mistake_is_mended(&mut self) {
        let before = self.sandbox.read("out/cluster.txt");
        save_in_place(&self.sandbox, "cluster.yaml", "domain: [\n");
        self.watcher.wait_for("failed");
        self.watcher.ready();
        assert_eq!(self.sandbox.read("out/cluster.txt"), before);
        self.sandbox
            .write(TEMPLATE, "meanwhile #{ domain.name }#\n");
        let good = self.config.clone();
        self.edit(|sandbox| save_in_place(sandbox, "cluster.yaml", &good));
        let log = &self.watcher.log;
        let mended = log.iter().filter(|event| event["mended"] == true);
        assert_eq!(mended.count(), 1, "{log:#?}");
    }

    /// What is saved is taken back, or saved again, while it is compiled already.
    fn a_mind_changes(&mut self) {
        for pause in [0, 10, 25, 40, 60] {
            let config = self.sandbox.read("cluster.yaml");
            let other = self.with_domain(&format!("mind{pause}.example.com"));
            self.edit(|sandbox| {
                save_by_rename(sandbox, "cluster.yaml", &other);
                std::thread::sleep(Duration::from_millis(pause));
                save_by_rename(sandbox, "cluster.yaml", &config);
                let text = format!("after {pause} ms #{{ domain.name }}#\n");
                save_by_rename(sandbox, TEMPLATE, &text);
            });
        }
    }

    /// A config behind a symlink, changed behind it, and turned elsewhere.
    fn a_config_is_a_symlink(&mut self) {
        let [linked, behind, turned] = [
            "linked.example.com",
            "behind.example.com",
            "turned.example.com",
        ]
        .map(|name| self.with_domain(name));
        self.edit(|sandbox| {
            sandbox.write("configs/first.yaml", linked);
            fs::remove_file(sandbox.path("cluster.yaml")).unwrap();
            symlink("configs/first.yaml", sandbox.path("cluster.yaml")).unwrap();
        });
        self.edit(|sandbox| save_by_rename(sandbox, "configs/first.yaml", &behind));
        self.edit(|sandbox| {
            sandbox.write("configs/second.yaml", turned);
            symlink("configs/second.yaml", sandbox.path("new-link")).unwrap();
            fs::rename(sandbox.path("new-link"), sandbox.path("cluster.yaml")).unwrap();
        });
    }

    /// A config with another name elsewhere, changed in place by that name.
    fn a_config_is_a_hard_link(&mut self) {
        let [linked, by_other_name] =
            ["hard.example.com", "elsewhere.example.com"].map(|name| self.with_domain(name));
        self.edit(|sandbox| {
            sandbox.write("../elsewhere.yaml", linked);
            fs::remove_file(sandbox.path("cluster.yaml")).unwrap();
            fs::hard_link(
                sandbox.path("../elsewhere.yaml"),
                sandbox.path("cluster.yaml"),
            )
            .unwrap();
        });
        self.edit(|sandbox| save_in_place(sandbox, "../elsewhere.yaml", &by_other_name));
    }

    /// A template becomes a program.
    fn a_mode_changes(&mut self) {
        let mode = |sandbox: &Sandbox, path: &str| {
            let found = fs::metadata(sandbox.path(path)).unwrap();
            std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777
        };
        assert_eq!(mode(&self.sandbox, "out/deep/down/notes.txt"), 0o644);
        let template = self.sandbox.path("templates/deep/down/notes.txt");
        let program = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(template, program).unwrap();
        self.watcher.wait_for("written");
        self.watcher.ready();
        assert_eq!(mode(&self.sandbox, "out/deep/down/notes.txt"), 0o755);
        self.edits += 1;
    }

    /// A folder among the templates is a symlink to another one, and is edited there.
    fn a_folder_is_shared(&mut self) {
        self.edit(|sandbox| {
            sandbox.write("common/shared/first.txt", "first\n");
            symlink("../common", sandbox.path("templates/common")).unwrap();
        });
        self.edit(|sandbox| sandbox.write("common/shared/first.txt", "again\n"));
        self.edit(|sandbox| sandbox.write("common/shared/second.txt", "second\n"));
        self.edit(|sandbox| fs::remove_file(sandbox.path("templates/common")).unwrap());
    }

    /// Files saved as they were, and files that are no input: the one real edit is the only event.
    fn nothing_changes(&mut self) {
        let before = self.watcher.rebuilds;
        let text = self.sandbox.read(TEMPLATE);
        for _ in 0..20 {
            save_by_rename(&self.sandbox, TEMPLATE, &text);
        }
        self.sandbox.write("unrelated.txt", "no input");
        for clutter in [".cluster.txt.tera.swp", "deep/.DS_Store", "4913", "notes~"] {
            self.sandbox
                .write(&format!("templates/{clutter}"), b"\xff\0");
        }
        symlink(
            "me@host.1",
            self.sandbox.path("templates/.#cluster.txt.tera"),
        )
        .unwrap();
        self.edit(|sandbox| save_by_rename(sandbox, TEMPLATE, "the end\n"));
        assert_eq!(self.watcher.rebuilds, before + 1, "{:#?}", self.watcher.log);
    }

    /// Every edit was one rebuild, but for those that were seen in two halves on a slow machine.
    fn end(self) {
        let (rebuilds, edits) = (self.watcher.rebuilds, self.edits);
        assert!(rebuilds <= 2 * edits + 2, "{rebuilds} of {edits}");
        let written = self
            .watcher
            .log
            .iter()
            .filter(|event| event["event"] == "written");
        let idle = written.filter(|event| event["trigger"].is_null());
        assert_eq!(idle.count(), 1, "only the first compile has no reason");
        self.watcher.signal("INT");
        assert_eq!(self.watcher.end(), Some(0));
    }
}

fn day_of_edits(arguments: &[&str]) {
    let mut day = Day::start(arguments);
    day.saves_as_editors_save();
    day.folders_come_and_go();
    day.a_mistake_is_mended();
    day.a_mind_changes();
    day.a_config_is_a_symlink();
    day.a_config_is_a_hard_link();
    day.a_folder_is_shared();
    day.a_mode_changes();
    day.nothing_changes();
    day.end();
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
