//! A secret that the user gives: typed without an echo, or from a pipe or a file.

use std::io::{self, Read as _};
use std::path::Path;

use console::Term;
use zeroize::Zeroizing;

use super::error::CommandError;
use super::settings::Settings;
use crate::fs;
use crate::secret::Secret;

/// Asks for a secret at the terminal, without an echo; where nobody can be asked, or where `from_stdin` says so, reads
/// stdin to its end. One line break at the end does not count.
///
/// # Errors
/// Nothing was given, or it is no text.
pub fn read(settings: &Settings, question: &str, from_stdin: bool) -> Result<Secret, CommandError> {
    let failed = |error: io::Error| CommandError::failed("cannot read the value").because(&error);
    if settings.interactive && !from_stdin {
        let terminal = Term::stderr();
        terminal
            .write_str(&format!("{question}: "))
            .map_err(failed)?;
        let typed = Zeroizing::new(terminal.read_secure_line().map_err(failed)?);
        return given(&typed);
    }
    let mut bytes = Zeroizing::default();
    let _: usize = io::stdin().read_to_end(&mut bytes).map_err(failed)?;
    let text = text(&bytes)?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    given(line.strip_suffix('\r').unwrap_or(line))
}

/// Reads a secret from a file, byte for byte: for what has several lines.
///
/// # Errors
/// There is no such file, or it is empty or no text.
pub fn read_file(settings: &Settings, file: &Path) -> Result<Secret, CommandError> {
    let bytes = fs::read_anywhere(&settings.directory.join(file))?.map(Zeroizing::new);
    let absent = || CommandError::failed(format!("there is no file `{}`", file.display()));
    given(text(&bytes.ok_or_else(absent)?)?)
}

/// Asks at the terminal whether to go on.
pub fn confirm(question: &str) -> bool {
    let terminal = Term::stderr();
    let asked = terminal.write_str(&format!("{question} [Y/n] "));
    let answer = asked.and_then(|()| terminal.read_line());
    // Without an answer nobody is there any more.
    answer.is_ok_and(|answer| matches!(answer.trim(), "" | "y" | "Y" | "yes"))
}

fn text(bytes: &[u8]) -> Result<&str, CommandError> {
    std::str::from_utf8(bytes).map_err(|_| {
        CommandError::failed("the value is no text: it is not UTF-8")
            .hint("encode it first, for instance with `base64`")
    })
}

fn given(text: &str) -> Result<Secret, CommandError> {
    if text.is_empty() {
        return Err(CommandError::failed("no value was given")
            .hint("type it when asked, send it to stdin, or name a file with `--file`"));
    }
    Ok(Secret::new(text))
}
