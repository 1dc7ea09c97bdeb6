use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use kiln::fs::{Access, Disk, DiskError, find_upwards, read_anywhere};
use kiln::source::{Files as _, MemoryFiles};

use super::sandbox::Sandbox;

#[test]
fn lists_in_the_order_of_the_paths_as_files_in_memory_do() {
    let sandbox = Sandbox::new();
    let mut memory = MemoryFiles::default();
    for path in ["b/z", "b.yaml", "a/c/d", "a-b/x", "a/b", "B", "ü", "a.b"] {
        sandbox.put(path, "");
        memory.0.insert(path.to_owned(), Vec::new());
    }
    for folder in [".", "", "a", "a/", "b", "nowhere"] {
        assert_eq!(
            sandbox.disk().list(folder).unwrap(),
            memory.list(folder).unwrap(),
            "{folder}"
        );
    }
    assert_eq!(
        sandbox.disk().list(".").unwrap(),
        ["B", "a-b/x", "a.b", "a/b", "a/c/d", "b.yaml", "b/z", "ü"]
    );
}

#[test]
fn lists_hidden_files_but_not_the_bookkeeping_of_git_and_kiln() {
    let sandbox = Sandbox::new();
    for path in [
        ".sops.yaml",
        ".github/a",
        ".git/HEAD",
        ".kiln/lock",
        "sub/.git/HEAD",
        "sub/.gitignore",
    ] {
        sandbox.put(path, "");
    }
    assert_eq!(
        sandbox.disk().list(".").unwrap(),
        [".github/a", ".sops.yaml", "sub/.gitignore"]
    );
}

#[test]
fn walks_symlinks_to_other_folders_and_names_those_that_lead_back() {
    let sandbox = Sandbox::new();
    sandbox.put("real/a", "text");
    sandbox.put("other/b", "text");
    symlink("real", sandbox.path().join("alias")).unwrap();
    symlink(".", sandbox.path().join("real/loop")).unwrap();
    symlink("../other", sandbox.path().join("real/there")).unwrap();
    symlink("../real", sandbox.path().join("other/back")).unwrap();
    let disk = sandbox.disk();
    assert_eq!(
        disk.list("real").unwrap(),
        ["real/a", "real/loop", "real/there/b", "real/there/back"]
    );
    assert_eq!(
        disk.list("alias").unwrap(),
        ["alias/a", "alias/loop", "alias/there/b", "alias/there/back"]
    );
    assert_eq!(disk.read("alias/there/b").unwrap().unwrap(), b"text");
    let error = disk.read("real/loop").unwrap_err().to_string();
    assert_eq!(error, "cannot read `real/loop`: it is a folder, not a file");
    let folders = disk.folders("alias");
    let real = fs::canonicalize(sandbox.path()).unwrap();
    assert_eq!(folders, [real.join("real"), real.join("other")]);
}

#[test]
fn says_where_the_symlinks_in_a_folder_lead() {
    let sandbox = Sandbox::new();
    sandbox.put("in/sub/a", "1");
    sandbox.put("more/deep/b", "1");
    sandbox.put("single", "1");
    symlink("../more", sandbox.path().join("in/more")).unwrap();
    symlink("../../single", sandbox.path().join("in/sub/single")).unwrap();
    symlink("../..", sandbox.path().join("in/sub/back")).unwrap();
    symlink("nowhere", sandbox.path().join("in/dangling")).unwrap();
    symlink("/etc/passwd", sandbox.path().join("in/outside")).unwrap();
    let mut linked = sandbox.disk().linked("in");
    linked.sort();
    assert_eq!(linked, ["more/", "single"]);
    assert!(sandbox.disk().linked("more").is_empty());
    assert!(sandbox.disk().linked("nowhere").is_empty());
}

#[test]
fn walks_into_no_key_folder_of_git_and_not_out_of_the_project() {
    let outside = Sandbox::new();
    outside.put("file", "x");
    let sandbox = Sandbox::new();
    sandbox.put(".git/config", "x");
    sandbox.put("a/b", "x");
    symlink("../.git", sandbox.path().join("a/store")).unwrap();
    symlink(outside.path(), sandbox.path().join("a/out")).unwrap();
    assert_eq!(
        sandbox.disk().list("a").unwrap(),
        ["a/b", "a/out", "a/store"]
    );
}

#[test]
fn symlinks_that_lead_to_ever_more_folders_end_in_an_error() {
    let sandbox = Sandbox::new();
    for number in 0..16 {
        let folder = format!("f{number}");
        sandbox.put(&format!("{folder}/file"), "");
        for link in ["x", "y"] {
            let target = format!("../f{}", number + 1);
            symlink(target, sandbox.path().join(&folder).join(link)).unwrap();
        }
    }
    let error = sandbox.disk().list("f0").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read `f0`: it has more than 1000 folders behind symlinks"
    );
}

#[test]
fn lists_no_clutter() {
    let sandbox = Sandbox::new();
    for path in [
        "a/ks.yaml",
        "a/.ks.yaml.swp",
        "a/.DS_Store",
        ".Trash-1000/x",
        "a/._ks.yaml",
    ] {
        sandbox.put(path, "");
    }
    // Emacs' lock is a symlink to nothing.
    symlink("me@host.4711:1", sandbox.path().join("a/.#ks.yaml")).unwrap();
    assert_eq!(sandbox.disk().list(".").unwrap(), ["a/ks.yaml"]);
}

#[test]
fn refuses_to_read_outside_the_project() {
    let outside = Sandbox::new();
    outside.put("secret", "x");
    let sandbox = Sandbox::new();
    sandbox.put("inside", "x");
    symlink(outside.path().join("secret"), sandbox.path().join("file")).unwrap();
    symlink(outside.path(), sandbox.path().join("folder")).unwrap();
    let disk = sandbox.disk();
    for path in ["file", "folder/secret"] {
        let error = disk.read(path).unwrap_err();
        assert!(
            error.reason.contains("symlink that leaves the project"),
            "{error}"
        );
    }
    assert!(
        disk.list("folder")
            .unwrap_err()
            .reason
            .contains("leaves the project")
    );
    for path in ["../x", "a/../../x", "/etc/passwd"] {
        assert_eq!(
            disk.read(path).unwrap_err().reason,
            "the path leaves the project"
        );
        assert_eq!(
            disk.list(path).unwrap_err().reason,
            "the path leaves the project"
        );
    }
}

#[test]
fn tells_a_missing_file_from_one_that_cannot_be_read() {
    let sandbox = Sandbox::new();
    sandbox.put("file", "x");
    symlink("nowhere", sandbox.path().join("dangling")).unwrap();
    symlink("round", sandbox.path().join("round")).unwrap();
    let disk = sandbox.disk();
    assert_eq!(disk.read("nothing").unwrap(), None);
    assert_eq!(disk.read("file/below").unwrap(), None);
    assert_eq!(
        disk.read("dangling").unwrap_err().reason,
        "it is a symlink to nothing"
    );
    assert!(disk.read("round").is_err());
    assert_eq!(disk.list("file").unwrap_err().reason, "it is not a folder");
    assert!(matches!(
        Disk::open(&sandbox.path().join("file")),
        Err(DiskError::NotAFolder { .. })
    ));
    assert!(matches!(
        Disk::open(&sandbox.path().join("none")),
        Err(DiskError::Unreadable { .. })
    ));
}

#[test]
fn does_not_wait_for_a_pipe() {
    let sandbox = Sandbox::new();
    let made = std::process::Command::new("mkfifo")
        .arg(sandbox.path().join("pipe"))
        .status();
    assert!(made.unwrap().success());
    assert_eq!(sandbox.disk().list(".").unwrap(), ["pipe"]);
    assert_eq!(
        sandbox.disk().read("pipe").unwrap_err().reason,
        "it is a special file, not a file"
    );
}

#[test]
fn fails_on_a_name_that_is_not_unicode_rather_than_skip_it() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    fs::write(
        sandbox.path().join(std::ffi::OsStr::from_bytes(b"bad\xff")),
        "",
    )
    .unwrap();
    let error = sandbox.disk().list(".").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read `bad\u{fffd}`: its name is not Unicode"
    );
}

#[test]
fn records_what_was_read_listed_or_looked_for() {
    let sandbox = Sandbox::new();
    sandbox.put("a/b", "");
    sandbox.put("out", "");
    let disk = sandbox.disk();
    disk.read("./a/b").unwrap();
    disk.read("missing").unwrap();
    disk.list("a/").unwrap();
    disk.list(".").unwrap();
    disk.peek("out").unwrap();
    assert_eq!(
        disk.seen().into_keys().collect::<Vec<_>>(),
        ["./", "a/", "a/b", "missing"]
    );
}

#[test]
fn creates_a_private_file_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = Sandbox::new();
    let disk = sandbox.disk();
    disk.create("keys/age.key", b"key", Access::Private)
        .unwrap();
    disk.create("README.md", b"text", Access::Usual).unwrap();
    let mode = |path: &str| {
        fs::metadata(sandbox.path().join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("keys/age.key"), 0o600);
    assert_ne!(mode("README.md"), 0o600);
    let again = disk
        .create("keys/age.key", b"other", Access::Private)
        .unwrap_err();
    assert_eq!(again.to_string(), "`keys/age.key` exists already");
    assert_eq!(sandbox.text("keys/age.key"), "key");
    assert!(disk.create("../x", b"", Access::Usual).is_err());
}

#[test]
fn finds_the_project_from_a_folder_inside_it() {
    let sandbox = Sandbox::new();
    sandbox.put("kiln.toml", "");
    sandbox.put("a/b/c", "");
    let root = fs::canonicalize(sandbox.path()).unwrap();
    let names = ["kiln.toml", "makejinja.toml"];
    assert_eq!(
        find_upwards(&sandbox.path().join("a/b"), &names),
        Some(root)
    );
    assert_eq!(find_upwards(Path::new("/"), &names), None);
    assert_eq!(read_anywhere(&sandbox.path().join("none")).unwrap(), None);
    assert!(matches!(
        read_anywhere(sandbox.path()),
        Err(DiskError::NotAFile { .. })
    ));
}
