//! A real kube-apiserver with the catalogue's custom resources, one for each test process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde::Deserialize;
use serde_json::{Value, json};

use super::oracle;

/// Who applies what Flux applies.
const MANAGER: &str = "kustomize-controller";

/// What the server says to a request.
#[must_use = "look at what the server says"]
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    code: u16,
    message: String,
    /// What it warns of.
    pub(crate) warnings: Vec<String>,
}

impl Answer {
    /// The refusal, unless the server did what it was asked for.
    pub(crate) fn refusal(&self) -> Option<&str> {
        (!(200..300).contains(&self.code)).then_some(&self.message)
    }

    /// The refusal and all warnings.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let warnings = self.warnings.iter();
        let warnings = warnings.map(|warning| format!("warning: {warning}"));
        let refusal = self.refusal().map(|refusal| format!("refused: {refusal}"));
        refusal.into_iter().chain(warnings)
    }
}

/// The server; it ends with this process, however that ends, as its stdin closes then.
pub(crate) struct ControlPlane {
    pipes: Mutex<(Child, ChildStdin, BufReader<ChildStdout>)>,
}

impl ControlPlane {
    fn start() -> Option<Self> {
        let mut child = Command::new(oracle("apiserver")?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        assert!(
            ready.contains("kubeconfig"),
            "the API server does not start; stderr says why"
        );
        let pipes = Mutex::new((child, stdin, stdout));
        Some(Self { pipes })
    }

    fn ask(&self, request: &Value) -> Answer {
        let mut pipes = self.pipes.lock().unwrap();
        let (_, stdin, stdout) = &mut *pipes;
        writeln!(stdin, "{request}").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: `{line}`"))
    }

    /// Applies an object as kustomize-controller does, on the server's side and by force, and with strict fields.
    pub(crate) fn apply(&self, object: &Value) -> Answer {
        self.ask(&json!({"verb": "apply", "manager": MANAGER, "object": object}))
    }

    /// Asks whether an object could be applied.
    pub(crate) fn try_apply(&self, object: &Value) -> Answer {
        self.ask(&json!({"verb": "apply", "manager": MANAGER, "object": object, "dryRun": true}))
    }

    /// Asks whether an object could be created.
    pub(crate) fn try_create(&self, object: &Value) -> Answer {
        self.ask(&json!({"verb": "create", "object": object, "dryRun": true}))
    }

    /// Removes an object for good, its finalizers included.
    pub(crate) fn delete(&self, object: &Value) -> Answer {
        self.ask(&json!({"verb": "delete", "object": object}))
    }
}

static RUNNING: OnceLock<Option<ControlPlane>> = OnceLock::new();

/// Returns the server of this process; where it cannot be had, says so as [`oracle`] does.
pub(crate) fn control_plane() -> Option<&'static ControlPlane> {
    RUNNING.get_or_init(ControlPlane::start).as_ref()
}
