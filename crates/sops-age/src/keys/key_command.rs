//! Commands that print private keys.

use std::fmt;
use std::io::{self, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// The variable that tells a command for which public key a private one is asked for, as SOPS has it.
const RECIPIENT_VARIABLE: &str = "SOPS_AGE_RECIPIENT";
/// More than this is no key.
const LARGEST_OUTPUT: u64 = 1 << 20;
/// How often is looked whether a command has ended.
const TICK: Duration = Duration::from_millis(10);

/// A command that prints private keys, from a variable of the environment.
///
/// Split into words as a shell does, and run without one: nothing in it is expanded. `Debug` shows the variable only, as
/// people write keys into commands.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyCommand {
    /// The name of the variable.
    pub variable: &'static str,
    /// The program and its arguments; at least one.
    words: Vec<String>,
}

impl fmt::Debug for KeyCommand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyCommand({})", self.variable)
    }
}

/// Why a command gave no keys; nothing that it printed is in it.
#[derive(Debug, thiserror::Error)]
pub enum KeyCommandError {
    /// The text has no words, or a quote without its end.
    #[error("is no command")]
    NoCommand,
    /// The program cannot be started.
    #[error("cannot be run: {0}")]
    NotRun(#[from] io::Error),
    /// It said that it failed.
    #[error("failed ({0}); run it by hand to see why")]
    Failed(std::process::ExitStatus),
    /// It did not end in time, and was ended.
    #[error("did not end within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It printed something that is no text, or more than 1 MiB.
    #[error("printed no key file")]
    NoText,
}

impl KeyCommand {
    /// Takes a command apart.
    ///
    /// # Errors
    /// A text without words, or with a quote that does not end.
    pub fn read(variable: &'static str, text: &str) -> Result<Self, KeyCommandError> {
        let words = shlex::split(text).filter(|words| !words.is_empty());
        let words = words.ok_or(KeyCommandError::NoCommand)?;
        Ok(Self { variable, words })
    }

    /// Runs the command, and returns what it printed.
    ///
    /// `recipient` is told to it as `SOPS_AGE_RECIPIENT`. It gets no input, and what it says on stderr is dropped.
    ///
    /// # Errors
    /// What went wrong; a command that does not end within `limit` is ended.
    pub fn run(&self, recipient: Option<&str>, limit: Duration) -> Result<Secret, KeyCommandError> {
        let (program, arguments) = self.words.split_first().ok_or(KeyCommandError::NoCommand)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(recipient) = recipient {
            command.env(RECIPIENT_VARIABLE, recipient);
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or(KeyCommandError::NoText)?;
        // In a thread of its own: a command that prints much waits until somebody reads.
        let (sender, printed) = mpsc::channel();
        thread::spawn(move || sender.send(read_all(stdout)));
        let status = wait(&mut child, limit)?;
        if !status.success() {
            return Err(KeyCommandError::Failed(status));
        }
        // A grandchild may hold the pipe open for ever.
        let bytes = printed
            .recv_timeout(limit)
            .map_err(|_| KeyCommandError::TimedOut(limit))??;
        let text = std::str::from_utf8(&bytes).map_err(|_| KeyCommandError::NoText)?;
        Ok(Secret::new(text))
    }
}

/// Reads the output into memory that is wiped.
fn read_all(mut stdout: ChildStdout) -> Result<Zeroizing<Vec<u8>>, KeyCommandError> {
    // Reserved at once: a buffer that grows leaves copies of itself in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 << 16));
    let mut head = stdout.by_ref().take(LARGEST_OUTPUT);
    head.read_to_end(&mut bytes)?;
    // Read to its end, so that the program is not said to have failed.
    match io::copy(&mut stdout, &mut io::sink())? {
        0 => Ok(bytes),
        _ => Err(KeyCommandError::NoText),
    }
}

/// Waits until a program ends, or ends it. The time is counted by naps, as no clock is handed in.
fn wait(child: &mut Child, limit: Duration) -> Result<std::process::ExitStatus, KeyCommandError> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if waited >= limit {
            child.kill()?;
            child.wait()?;
            return Err(KeyCommandError::TimedOut(limit));
        }
        thread::sleep(TICK);
        waited += TICK;
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn run(text: &str, limit: Duration) -> Result<Secret, KeyCommandError> {
        KeyCommand::read("SOPS_AGE_KEY_CMD", text)?.run(Some("age1x"), limit)
    }

    #[test]
    fn returns_what_a_command_prints_and_tells_it_for_whom() {
        let printed = run("sh -c 'echo \"$SOPS_AGE_RECIPIENT\" is for; cat'", LONG).unwrap();
        assert_eq!(printed.expose(), "age1x is for\n");
        let printed = run("echo '$HOME' \"a b\"  # no shell expands this", LONG).unwrap();
        assert_eq!(printed.expose(), "$HOME a b\n");
    }

    #[test]
    fn says_why_there_is_no_key_and_nothing_that_was_printed() {
        let told = |text: &str, limit| run(text, limit).unwrap_err().to_string();
        let command = KeyCommand::read("SOPS_AGE_KEY_CMD", "echo hunter2").unwrap();
        assert_eq!(format!("{command:?}"), "KeyCommand(SOPS_AGE_KEY_CMD)");
        assert_eq!(told("  # nothing", LONG), "is no command");
        assert_eq!(told("sh -c 'no end", LONG), "is no command");
        assert!(told("/no/such/program", LONG).starts_with("cannot be run: "));
        let failed = told("sh -c 'echo hunter2; echo hunter2 >&2; exit 3'", LONG);
        assert_eq!(failed, "failed (exit status: 3); run it by hand to see why");
        assert_eq!(told("printf '\\377'", LONG), "printed no key file");
        assert_eq!(
            told("head -c 1100000 /dev/zero", LONG),
            "printed no key file"
        );
        let slow = told("sleep 60", Duration::from_millis(50));
        assert_eq!(slow, "did not end within 0 s");
    }
}
