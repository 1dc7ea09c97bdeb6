//! A client of the YAML language server, over its standard streams.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// How long the server may think about one question.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running server, and the folder whose files it is asked about.
pub(super) struct LanguageServer {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    folder: PathBuf,
    asked: u64,
    opened: u64,
    /// What it stumbled over and kept to itself.
    failures: Vec<String>,
}

/// A place in a text, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// One thing that the server offers to insert.
#[derive(Debug)]
pub(super) struct Completion {
    pub(super) label: String,
    /// The text, with stops for the cursor: `$1`, `${2:default}`.
    pub(super) snippet: String,
    /// The columns of what it stands for, on the line of the cursor.
    pub(super) replaced: Range<usize>,
}

/// Something that the server says is wrong, on a line counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) line: usize,
    pub(super) message: String,
}

impl LanguageServer {
    /// Starts a server in a folder.
    pub(super) fn start(program: &Path, folder: &Path) -> Self {
        let mut process = Command::new(program)
            .arg("--stdio")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = read_message(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let folder = folder.canonicalize().unwrap();
        let mut server = Self {
            process,
            input,
            messages,
            folder,
            asked: 0,
            opened: 0,
            failures: Vec::new(),
        };
        server.ask(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": server.uri(""),
                "workspaceFolders": [{"uri": server.uri(""), "name": "project"}],
                "capabilities": {
                    "workspace": {"configuration": true},
                    "textDocument": {
                        "completion": {"completionItem": {"snippetSupport": true}},
                        "hover": {"contentFormat": ["markdown"]},
                        "publishDiagnostics": {},
                    },
                },
            }),
        );
        server.send(&json!({"method": "initialized", "params": {}}));
        server
    }

    /// Asks what may be inserted at a place of a text.
    pub(super) fn complete(&mut self, text: &str, position: Position) -> Vec<Completion> {
        let answer = self.ask_at("textDocument/completion", text, position);
        let items = answer.get("items").unwrap_or(&answer).as_array().cloned();
        let items = items.unwrap_or_default();
        let completion = |item: &Value| completion(item, position);
        items.iter().map(completion).collect()
    }

    /// Asks what is said of a place of a text.
    pub(super) fn hover(&mut self, text: &str, position: Position) -> String {
        let answer = self.ask_at("textDocument/hover", text, position);
        let text = answer.pointer("/contents/value").and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    /// Lists what is wrong with each of some texts.
    pub(super) fn complaints(&mut self, texts: &[String]) -> Vec<Vec<Complaint>> {
        // It looks at a text a moment after that has changed, so that all of them are shown first.
        let uris: Vec<String> = texts.iter().map(|text| self.open(text)).collect();
        let mut found = vec![None; texts.len()];
        while found.iter().any(Option::is_none) {
            let message = self.receive();
            if message["method"] != "textDocument/publishDiagnostics" {
                continue;
            }
            let about = &message["params"]["uri"];
            if let Some(index) = uris.iter().position(|uri| about == uri) {
                let complaints = message["params"]["diagnostics"].as_array().unwrap().iter();
                found[index] = Some(complaints.map(complaint).collect());
            }
        }
        uris.iter().for_each(|uri| self.close(uri));
        found.into_iter().flatten().collect()
    }

    /// Returns what it stumbled over so far.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    fn ask_at(&mut self, method: &str, text: &str, position: Position) -> Value {
        let uri = self.open(text);
        let answer = self.ask(
            method,
            &json!({
                "textDocument": {"uri": uri},
                "position": {"line": position.line, "character": position.column},
            }),
        );
        self.close(&uri);
        answer
    }

    fn open(&mut self, text: &str) -> String {
        self.opened += 1;
        let uri = self.uri(&format!("/text-{}.yaml", self.opened));
        let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
        self.send(&json!({"method": "textDocument/didOpen", "params": {"textDocument": document}}));
        uri
    }

    fn close(&mut self, uri: &str) {
        let document = json!({"uri": uri});
        self.send(
            &json!({"method": "textDocument/didClose", "params": {"textDocument": document}}),
        );
    }

    fn uri(&self, path: &str) -> String {
        format!("file://{}{path}", self.folder.display())
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({"id": id, "method": method, "params": params}));
        loop {
            let message = self.receive();
            if message.get("method").is_none() && message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// Receives a message; what the server asks itself is answered on the way.
    fn receive(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE).unwrap();
        if message["method"] == "telemetry/event" {
            let error = &message["params"]["properties"]["error"];
            self.failures.extend(error.as_str().map(str::to_owned));
        }
        if let (Some(id), Some(method)) = (message.get("id"), message.get("method")) {
            let result = if method == "workspace/configuration" {
                let items = message["params"]["items"].as_array().unwrap().iter();
                items.map(settings).collect()
            } else {
                Value::Null
            };
            self.send(&json!({"id": id, "result": result}));
        }
        message
    }

    fn send(&mut self, message: &Value) {
        let mut message = message.clone();
        message["jsonrpc"] = json!("2.0");
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }
}

impl Drop for LanguageServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The settings of an editor that has nothing set, and that asks no network for schemas.
fn settings(item: &Value) -> Value {
    match item["section"].as_str() {
        Some("yaml") => json!({
            "validate": true,
            "hover": true,
            "completion": true,
            "schemaStore": {"enable": false},
        }),
        _ => json!({}),
    }
}

fn completion(item: &Value, position: Position) -> Completion {
    let edit = &item["textEdit"];
    let column = |end: &str| {
        let column = edit["range"][end]["character"].as_u64();
        column.map_or(position.column, |column| usize::try_from(column).unwrap())
    };
    let snippet = edit["newText"].as_str().or(item["insertText"].as_str());
    Completion {
        label: item["label"].as_str().unwrap().to_owned(),
        snippet: snippet.unwrap_or_default().to_owned(),
        replaced: column("start")..column("end"),
    }
}

fn complaint(diagnostic: &Value) -> Complaint {
    let line = diagnostic["range"]["start"]["line"].as_u64().unwrap();
    Complaint {
        line: usize::try_from(line).unwrap(),
        message: diagnostic["message"].as_str().unwrap().to_owned(),
    }
}

fn read_message(output: &mut BufReader<ChildStdout>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
