//! One comment on a pull request, and one note on a merge request: written once, updated ever after.
//!
//! The steps of `action.yml` and the script of the GitLab example run as they stand there, with the real
//! `jq` and `curl`; only the server is made up, and answers on this machine alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::docs::{program, step, text};
use super::project::{change, commit, git, project};
use crate::support::{Sandbox, oracle};
use kiln::cli::report::diff::markdown::MARKER;
use kiln::yaml;

/// Keeps comments as GitHub and GitLab do, and what it was asked.
struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

struct State {
    comments: Vec<Value>,
    asked: Vec<String>,
}

impl Server {
    /// Starts with the comments of others, one of which imitates ours.
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            comments: vec![
                json!({"id": 1, "user": {"type": "User"}, "body": "Looks good"}),
                json!({"id": 2, "user": {"type": "Bot"}, "body": "Coverage: 80 %"}),
            ],
            asked: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.unwrap(), &mut shared.lock().unwrap());
            }
        });
        Self { address, state }
    }

    /// Returns what was asked since the last call, without what only reads.
    fn changes(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut self.state.lock().unwrap().asked);
        asked.retain(|line| !line.starts_with("GET"));
        asked
    }

    fn comment(&self, id: usize) -> String {
        let comment = &self.state.lock().unwrap().comments[id - 1];
        comment["body"].as_str().unwrap().to_owned()
    }

    fn add(&self, user: &str, body: &str) {
        let comments = &mut self.state.lock().unwrap().comments;
        let id = comments.len() + 1;
        comments.push(json!({"id": id, "user": {"type": user}, "body": body}));
    }
}

fn answer(mut stream: &TcpStream, state: &mut State) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        // curl asks before it sends a long body.
        if header.to_lowercase().starts_with("expect:") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    state.asked.push(format!("{method} {path}"));
    let reply = match method {
        "GET" => Value::from(state.comments.clone()),
        "POST" => {
            let mut comment: Value = serde_json::from_slice(&body).unwrap();
            comment["id"] = (state.comments.len() + 1).into();
            comment["user"] = json!({"type": "Bot"});
            state.comments.push(comment.clone());
            comment
        }
        _ => {
            let sent: Value = serde_json::from_slice(&body).unwrap();
            let id: usize = path.rsplit('/').next().unwrap().parse().unwrap();
            state.comments[id - 1]["body"] = sent["body"].clone();
            Value::Null
        }
    };
    let reply = reply.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reply.len()
    );
    stream.write_all((head + &reply).as_bytes()).unwrap();
}

/// What the action uses of GitHub's command.
const GH: &str = r#"#!/bin/bash
set -euo pipefail
[[ "$1" == api ]] && shift
method=GET
while (($#)); do
  case "$1" in
    --paginate) ;;
    --method) method="$2"; shift ;;
    --jq) filter="$2"; shift ;;
    --field) file="${2#body=@}"; shift ;;
    *) path="$1" ;;
  esac
  shift
done
if [[ "$method" == GET ]]; then
  curl --silent --fail "$API/$path" | jq --raw-output "$filter"
else
  jq --null-input --rawfile body "$file" '{body: $body}' |
    curl --silent --fail --request "$method" --header "Content-Type: application/json" --data @- "$API/$path"
fi
"#;

#[test]
fn the_action_comments_once_and_updates_the_comment() {
    let (Some(_), Some(_)) = (oracle("jq"), oracle("curl")) else {
        return;
    };
    let sandbox = project();
    let server = Server::start();
    program(&sandbox, "gh", GH);
    let run = || {
        let compare = step(
            &sandbox,
            "Compare",
            &[
                ("DIRECTORY", "."),
                ("BASE", "first"),
                ("KILN", env!("CARGO_BIN_EXE_kiln")),
                ("MAX_SIZE", "65000"),
            ],
        );
        assert!(compare.status.success(), "{compare:?}");
        let outputs = sandbox.read("../output");
        let value = |name: &str| {
            let mut lines = outputs.lines().rev();
            lines
                .find_map(|line| line.strip_prefix(&format!("{name}=")))
                .unwrap()
                .to_owned()
        };
        let comment = step(
            &sandbox,
            "Comment",
            &[
                ("API", &server.address),
                ("REPOSITORY", "o/r"),
                ("NUMBER", "7"),
                ("DIFFERS", &value("differs")),
                ("REPORT", &value("report")),
            ],
        );
        assert!(comment.status.success(), "{comment:?}");
        server.changes()
    };
    // Nothing differs, and nothing is said.
    assert!(run().is_empty());
    // A person who copies the comment keeps it.
    server.add("User", &format!("{MARKER}\nas Kiln said"));
    change(&sandbox);
    assert_eq!(run(), ["POST /repos/o/r/issues/7/comments"]);
    let first = server.comment(4);
    assert!(first.starts_with(MARKER), "{first}");
    assert!(first.contains("6 dangers"), "{first}");
    // The next push updates it, also when nothing differs any more.
    sandbox.write("templates/notes.txt", "one\ntwo\n");
    assert_eq!(run(), ["PATCH /repos/o/r/issues/comments/4"]);
    assert_ne!(server.comment(4), first);
    git(&sandbox, &["checkout", "--quiet", "--force", "first"]);
    git(
        &sandbox,
        &["clean", "--quiet", "--force", "-d", "templates"],
    );
    assert_eq!(run(), ["PATCH /repos/o/r/issues/comments/4"]);
    assert!(
        server.comment(4).contains("no difference"),
        "{}",
        server.comment(4)
    );
    assert_eq!(server.comment(3), format!("{MARKER}\nas Kiln said"));
}

/// Runs the script of the example as a runner does: each entry in turn, in one shell that ends at a failure.
fn job(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Output {
    let page = text("docs/ci.md");
    let (_, example) = page.split_once("```yaml\nkiln-diff:").unwrap();
    let (example, _) = example.split_once("\n```").unwrap();
    let documents = yaml::load(&format!("kiln-diff:{example}")).unwrap();
    let script = documents[0].root.find("kiln-diff.script").unwrap();
    let entries = script.items().unwrap().iter();
    let lines: Vec<&str> = entries.map(|entry| entry.text().unwrap()).collect();
    let path = format!(
        "{}:{}",
        sandbox.path("../bin").display(),
        std::env::var("PATH").unwrap()
    );
    Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", &lines.join("\n")])
        .current_dir(sandbox.path(""))
        .env("PATH", path)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn the_gitlab_example_writes_one_note_and_updates_it() {
    let (Some(_), Some(_)) = (oracle("jq"), oracle("curl")) else {
        return;
    };
    let sandbox = project();
    let server = Server::start();
    for name in ["cargo", "apt-get"] {
        program(&sandbox, name, "#!/bin/sh\n");
    }
    let kiln = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_kiln"));
    program(&sandbox, "kiln", &kiln);
    let base = git(&sandbox, &["rev-parse", "first"]);
    let run = || {
        let output = job(
            &sandbox,
            &[
                ("KILN_GIT", "https://example.com/kiln.git"),
                ("KILN_REV", "main"),
                ("KILN_TOKEN", "token"),
                ("CI_API_V4_URL", &server.address),
                ("CI_PROJECT_ID", "5"),
                ("CI_MERGE_REQUEST_IID", "7"),
                ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base),
            ],
        );
        assert!(output.status.success(), "{output:?}");
        server.changes()
    };
    let notes = "/projects/5/merge_requests/7/notes";
    assert!(run().is_empty());
    change(&sandbox);
    commit(&sandbox, "change");
    assert_eq!(run(), [format!("POST {notes}")]);
    let first = server.comment(3);
    assert!(first.starts_with(MARKER), "{first}");
    sandbox.write("templates/notes.txt", "one\ntwo\n");
    assert_eq!(run(), [format!("PUT {notes}/3")]);
    assert_ne!(server.comment(3), first);
    // A side that does not compile fails the job, and touches no note.
    sandbox.write("templates/notes.txt.tera", "#{ nothing }#\n");
    let broken = job(&sandbox, &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base)]);
    assert!(!broken.status.success());
    assert!(server.changes().is_empty());
}
