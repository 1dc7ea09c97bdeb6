//! The real makejinja, by `oracle.py`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::judge::Run;
use crate::oracle::oracle;

pub(crate) struct Oracle {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) folder: PathBuf,
}

impl Oracle {
    /// Starts Python with makejinja, where it can be had in the version that the corpus is of.
    pub(crate) fn start() -> Option<Self> {
        let python = oracle("python")?;
        let version = "import importlib.metadata as m; print(m.version('makejinja'))";
        let shown = Command::new(&python)
            .args(["-c", version])
            .output()
            .unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        if !shown.starts_with("2.9.") {
            eprintln!(
                "SKIPPED makejinja: no Python 3.13 for makejinja 2.9; not checked: the contract"
            );
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("makejinja-{}", child.id()));
        Some(Self {
            questions: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
            folder,
        })
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Returns the folder of the copy that was run last, as makejinja left it.
    pub(crate) fn project_copy(&self) -> PathBuf {
        self.folder.join("makejinja-project")
    }

    /// Runs makejinja over a copy of a project.
    pub(crate) fn ask_project_copy(&mut self, project: &Path, run: &Run) -> Value {
        let copy = self.project_copy();
        if copy.exists() {
            fs::remove_dir_all(&copy).unwrap();
        }
        copy_folder(project, &copy);
        let environment: serde_json::Map<String, Value> = run
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        self.ask(&json!({"folder": copy, "env": environment, "args": run.arguments}))
    }

    pub(crate) fn ask_data(&mut self, suffix: &str, text: &str) -> Value {
        self.ask(&json!({"suffix": suffix, "text": text}))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).unwrap();
        }
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    if !from.exists() {
        return;
    }
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&path).unwrap(), target).unwrap();
        } else if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}
