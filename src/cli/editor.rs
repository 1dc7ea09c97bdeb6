//! The user's editor, on a plain text that never is on a disk.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::CommandError;
use super::settings::Settings;
use crate::fs::MemoryFolder;

/// The variables that name an editor, the one that wins first: that of SOPS, then those of everybody.
const VARIABLES: [&str; 3] = ["SOPS_EDITOR", "EDITOR", "VISUAL"];
/// What every Unix has.
const USUAL: &str = "vi";
/// How often to look whether the editor has ended.
const BETWEEN: Duration = Duration::from_millis(10);

/// The user's editor.
pub struct UserEditor {
    words: Vec<String>,
    places: Vec<PathBuf>,
    signals: Signals,
}

impl UserEditor {
    /// Finds the editor in the environment, and from now on turns signals into its end: whatever ends the process, the
    /// plain text is wiped first.
    ///
    /// # Errors
    /// A variable that holds no command, or a system that hands out no signals.
    pub fn find(settings: &Settings) -> Result<Self, CommandError> {
        let mut named = VARIABLES.iter();
        let named = named.find_map(|name| Some((*name, settings.environment.filled(name)?)));
        let (name, line) = named.unwrap_or(("", USUAL));
        let words = shlex::split(line).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| {
            CommandError::failed(format!("the variable `{name}` holds no command")).hint(
                "name an editor that waits until you are done, such as `vim` or `code --wait`",
            )
        })?;
        let runtime = settings
            .environment
            .filled("XDG_RUNTIME_DIR")
            .map(PathBuf::from);
        Ok(Self {
            words,
            places: runtime
                .into_iter()
                .chain([PathBuf::from("/dev/shm")])
                .collect(),
            signals: Signals::catch()?,
        })
    }

    /// Lets the user edit a text, under a name that shows, and returns what comes of it.
    ///
    /// The text is in a file only in a folder in memory that is the user's alone, and wiped at the end of this call,
    /// whatever happens. SIGINT is the editor's; SIGTERM and SIGHUP end it.
    ///
    /// # Errors
    /// There is no such folder here, the editor cannot be run or fails, or the process was told to end.
    pub fn edit(&self, name: &str, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, CommandError> {
        let folder = MemoryFolder::make(&self.places)?.ok_or_else(no_folder)?;
        let path = folder.write(name, text)?;
        let mut child = self
            .command(folder.path(), &path)
            .spawn()
            .map_err(|error| {
                CommandError::failed(format!("cannot run the editor `{}`", self.words[0]))
                    .because(&error)
                    .hint("name another one in `SOPS_EDITOR` or `EDITOR`")
            })?;
        let status = self.signals.wait(&mut child)?;
        if !status.success() {
            let message = format!(
                "the editor `{}` failed ({status}), and nothing was changed",
                self.words[0]
            );
            return Err(CommandError::failed(message));
        }
        Ok(folder.read(name)?)
    }

    /// Does something while signals end the process at once, as no plain text is in a file.
    pub fn in_between<T>(&self, action: impl FnOnce() -> T) -> T {
        self.signals.exit_at_once.store(true, Ordering::SeqCst);
        let result = action();
        self.signals.exit_at_once.store(false, Ordering::SeqCst);
        result
    }

    fn command(&self, folder: &Path, file: &Path) -> Command {
        let mut command = Command::new(&self.words[0]);
        // What else an editor writes of it belongs there as well.
        command
            .args(&self.words[1..])
            .arg(file)
            .env("TMPDIR", folder);
        command
    }
}

fn no_folder() -> CommandError {
    CommandError::failed("there is no folder in memory for the plain text, and Kiln writes none to a disk")
        .hint("on Linux, mount a `tmpfs` at `/dev/shm`, or let `XDG_RUNTIME_DIR` name one")
        .hint("elsewhere, `sops edit` does it with a file on the disk; `kiln secrets set` and `get` need no file")
}

/// What signals do while plain text is in a file.
struct Signals {
    ended: Arc<AtomicBool>,
    exit_at_once: Arc<AtomicBool>,
}

impl Signals {
    #[cfg(unix)]
    fn catch() -> Result<Self, CommandError> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        use signal_hook::flag;
        let signals = Self {
            ended: Arc::default(),
            exit_at_once: Arc::default(),
        };
        let failed =
            |error: std::io::Error| CommandError::failed("cannot catch signals").because(&error);
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let at_once = Arc::clone(&signals.exit_at_once);
            flag::register_conditional_shutdown(signal, 2, at_once).map_err(failed)?;
        }
        for signal in [SIGTERM, SIGHUP] {
            flag::register(signal, Arc::clone(&signals.ended)).map_err(failed)?;
        }
        Ok(signals)
    }

    #[cfg(not(unix))]
    fn catch() -> Result<Self, CommandError> {
        Err(no_folder())
    }

    /// Waits for the end of the editor, and brings it about once the process is told to end.
    fn wait(&self, child: &mut Child) -> Result<std::process::ExitStatus, CommandError> {
        let failed = |error: std::io::Error| {
            CommandError::failed("cannot wait for the editor").because(&error)
        };
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return if self.ended.load(Ordering::SeqCst) {
                    Err(CommandError::failed("stopped, and nothing was changed"))
                } else {
                    Ok(status)
                };
            }
            if self.ended.load(Ordering::SeqCst) {
                end(child).map_err(failed)?;
                return Err(CommandError::failed("stopped, and nothing was changed"));
            }
            std::thread::sleep(BETWEEN);
        }
    }
}

/// Asks the editor to end, so that it can put the terminal in order, and then makes it.
fn end(child: &mut Child) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        /// How long the editor may take.
        const GRACE: Duration = Duration::from_secs(2);
        let process = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        let time = super::clock::Stopwatch::start();
        while time.elapsed() < GRACE {
            if child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(BETWEEN);
        }
    }
    child.kill()?;
    child.wait().map(drop)
}
