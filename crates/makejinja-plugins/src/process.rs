//! The process that runs Python, its three pipes, and its end.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

/// What the script says first. A program in front of Python may print before it, which is no part of the protocol.
const GREETING: &[u8] = b"\0makejinja-plugins 1\n";
/// How much may be printed before the greeting.
const MOST_BEFORE_GREETING: usize = 1 << 20;
/// How large a reply may be, in bytes.
const MOST_IN_REPLY: u64 = 1 << 29;
/// How much memory a reply gets before it is read, in bytes.
const MOST_AT_ONCE: usize = 1 << 24;
/// How much of what is printed is kept, in bytes.
const MOST_PRINTED: usize = 1 << 20;
/// How long a process may take to end by itself, which runs what plugins registered with `atexit`.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait before it is looked again whether a process has ended.
const POLL: Duration = Duration::from_millis(2);

/// A reply, or why no more of them come.
type Reply = Result<Zeroizing<Vec<u8>>, String>;

/// Why nothing was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoReply {
    /// The time is over.
    TimeOver,
    /// The process has closed its side.
    Ended,
    /// What came is no reply.
    Malformed(String),
}

/// A running process with its descendants. Dropping it ends them.
pub(crate) struct HostProcess {
    child: Child,
    requests: Option<Sender<Zeroizing<Vec<u8>>>>,
    replies: Receiver<Reply>,
    printed: Arc<PrintedText>,
    idle: bool,
    ended: bool,
}

impl HostProcess {
    /// Starts a command; its process and those that it starts form a group of their own, where there are groups.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let printed = Arc::new(PrintedText::default());
        let (requests, to_write) = mpsc::channel::<Zeroizing<Vec<u8>>>();
        let (to_reply, replies) = mpsc::channel();
        if let Some(stdin) = child.stdin.take() {
            thread::spawn(move || write_requests(stdin, &to_write));
        }
        if let Some(stdout) = child.stdout.take() {
            let printed = Arc::clone(&printed);
            thread::spawn(move || read_replies(stdout, &to_reply, &printed));
        }
        if let Some(stderr) = child.stderr.take() {
            let printed = Arc::clone(&printed);
            thread::spawn(move || collect_printed(stderr, &printed));
        }
        Ok(Self {
            child,
            requests: Some(requests),
            replies,
            printed,
            idle: true,
            ended: false,
        })
    }

    /// Sends a message; that nobody reads it any more shows when the reply is awaited.
    pub(crate) fn send(&mut self, message: Zeroizing<Vec<u8>>) {
        self.idle = false;
        if let Some(requests) = &self.requests {
            drop(requests.send(message));
        }
    }

    /// Waits for the next reply.
    pub(crate) fn receive(&mut self, within: Duration) -> Result<Zeroizing<Vec<u8>>, NoReply> {
        match self.replies.recv_timeout(within) {
            Ok(Ok(reply)) => {
                self.idle = true;
                Ok(reply)
            }
            Ok(Err(why)) => Err(NoReply::Malformed(why)),
            Err(RecvTimeoutError::Timeout) => Err(NoReply::TimeOver),
            Err(RecvTimeoutError::Disconnected) => Err(NoReply::Ended),
        }
    }

    /// Returns what was printed since the last time, once `mark` has been seen, which is left out, or it is clear that
    /// it does not come.
    pub(crate) fn take_printed(&self, mark: Option<&[u8]>) -> String {
        self.printed.take(mark, GRACE)
    }

    /// Ends the process and its descendants at once; returns how it ended, as the system says it.
    pub(crate) fn kill(&mut self) -> String {
        self.ended = true;
        self.requests = None;
        // Before the process is waited for: until then no other one can have its number.
        #[cfg(unix)]
        {
            let group = rustix::process::Pid::from_child(&self.child);
            let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        drop(self.child.kill());
        match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Waits a moment for a process that closed its side, ends what is left of it, and returns how it ended.
    pub(crate) fn bury(&mut self) -> String {
        for _ in 0..GRACE.as_millis() / POLL.as_millis() {
            if self.has_exited() {
                break;
            }
            thread::sleep(POLL);
        }
        self.kill()
    }

    /// Tells whether the process has ended, and leaves it to be waited for.
    fn has_exited(&mut self) -> bool {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let state = waitid(WaitId::Pid(Pid::from_child(&self.child)), options);
            !matches!(state, Ok(None))
        }
        #[cfg(not(unix))]
        {
            !matches!(self.child.try_wait(), Ok(None))
        }
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.requests = None;
        if self.idle {
            drop(self.receive(GRACE));
        }
        self.kill();
    }
}

fn write_requests(mut stdin: impl Write, requests: &Receiver<Zeroizing<Vec<u8>>>) {
    for request in requests {
        let length = (request.len() as u64).to_be_bytes();
        let written = stdin
            .write_all(&length)
            .and_then(|()| stdin.write_all(&request));
        if written.and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn read_replies(mut stdout: impl Read, replies: &Sender<Reply>, printed: &PrintedText) {
    if !skip_greeting(&mut stdout, printed) {
        return;
    }
    let mut header = [0; 8];
    while stdout.read_exact(&mut header).is_ok() {
        let length = u64::from_be_bytes(header);
        if length > MOST_IN_REPLY {
            drop(replies.send(Err(format!(
                "a reply of {length} bytes, which is too large"
            ))));
            return;
        }
        // In one piece where possible: what a vector leaves behind when it grows is not wiped.
        let capacity = usize::try_from(length)
            .unwrap_or_default()
            .min(MOST_AT_ONCE);
        let mut reply = Zeroizing::new(Vec::with_capacity(capacity));
        let read = (&mut stdout).take(length).read_to_end(&mut reply);
        if read.is_err() || reply.len() as u64 != length || replies.send(Ok(reply)).is_err() {
            return;
        }
    }
}

/// Reads up to the end of the greeting; what stands before it was printed.
fn skip_greeting(stdout: &mut impl Read, printed: &PrintedText) -> bool {
    let mut before = Vec::new();
    let mut byte = [0];
    while before.len() < MOST_BEFORE_GREETING && stdout.read_exact(&mut byte).is_ok() {
        before.push(byte[0]);
        if before.ends_with(GREETING) {
            printed.add(&before[..before.len() - GREETING.len()]);
            return true;
        }
    }
    printed.add(&before);
    false
}

fn collect_printed(mut stderr: impl Read, printed: &PrintedText) {
    let mut piece = Zeroizing::new([0; 8192]);
    while let Ok(length) = stderr.read(piece.as_mut()) {
        if length == 0 {
            break;
        }
        printed.add(&piece[..length]);
    }
    printed.end();
}

/// What a process prints, collected by one thread and taken by another.
#[derive(Default)]
struct PrintedText {
    state: Mutex<PrintedState>,
    changed: Condvar,
}

#[derive(Default)]
struct PrintedState {
    bytes: Zeroizing<Vec<u8>>,
    left_out: usize,
    ended: bool,
}

impl PrintedText {
    fn lock(&self) -> MutexGuard<'_, PrintedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.bytes.extend_from_slice(bytes);
        // The end of it is what tells most, and where a mark stands.
        let excess = state.bytes.len().saturating_sub(MOST_PRINTED);
        if excess > 0 {
            state.bytes.drain(..excess);
            state.left_out += excess;
        }
        self.changed.notify_all();
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn take(&self, mark: Option<&[u8]>, within: Duration) -> String {
        let position = |state: &PrintedState| {
            let mark = mark?;
            state
                .bytes
                .windows(mark.len())
                .rposition(|window| window == mark)
        };
        let waits = |state: &mut PrintedState| !state.ended && position(state).is_none();
        let waited = self.changed.wait_timeout_while(self.lock(), within, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let end = position(&state).unwrap_or(state.bytes.len());
        let mut text = String::from_utf8_lossy(&state.bytes[..end]).into_owned();
        if state.left_out > 0 {
            text.insert_str(0, &format!("({} bytes left out)\n", state.left_out));
        }
        let taken = end
            + if end < state.bytes.len() {
                mark.map_or(0, <[u8]>::len)
            } else {
                0
            };
        state.bytes.drain(..taken);
        state.left_out = 0;
        text
    }
}
