//! Regular expressions with the meaning that SOPS gives them.
//!
//! SOPS uses Go's `regexp`, whose `\d`, `\w`, `\s` and `\b` know ASCII only and whose classes know no
//! set operations. The `regex` crate reads these otherwise, and a key that only one of the two
//! matches is a secret in plain text, or a file that SOPS cannot open. So a pattern is rewritten
//! before it is compiled. Source: `regexp/syntax/parse.go` of golang/go at 08459da with the flags of
//! `regexp.Compile`; the differences that tests name were compared with `sops` 3.11.0.
//!
//! Names in `\p{…}` are handed on as they are: the `regex` crate knows more of them than Go does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use regex::Regex;

/// The names that may stand in `[:name:]`.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// The most that a repetition may count to in Go.
const MOST: u32 = 1000;

/// Why a text is not a regular expression that SOPS takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PatternError {
    reason: String,
}

impl PatternError {
    fn of(error: &regex::Error) -> Self {
        let reason = match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.trim_start_matches("error: ").to_owned()
            }
        };
        Self { reason }
    }
}

/// What this process compiled: every sealed file names the pattern of its rule again.
static COMPILED: Mutex<BTreeMap<String, Regex>> = Mutex::new(BTreeMap::new());

/// Compiles a pattern that means what it means to SOPS; anything else is an error.
pub(crate) fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let compiled = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = compiled().get(pattern) {
        return Ok(known.clone());
    }
    let regex = rewritten(pattern)?;
    compiled().insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}

fn rewritten(pattern: &str) -> Result<Regex, PatternError> {
    let mut rewriter = Rewriter {
        rest: pattern,
        out: String::with_capacity(pattern.len() * 2),
    };
    rewriter
        .pattern()
        .map_err(|reason| PatternError { reason })?;
    Regex::new(&rewriter.out).map_err(|error| PatternError::of(&error))
}

struct Rewriter<'p> {
    rest: &'p str,
    out: String,
}

impl Rewriter<'_> {
    fn pattern(&mut self) -> Result<(), String> {
        while let Some(char) = self.rest.chars().next() {
            match char {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '*' | '+' | '?' => self.repetition(1)?,
                '{' => match counted(self.rest)? {
                    Some(length) => self.repetition(length)?,
                    None => self.literal(),
                },
                '(' => self.group()?,
                ')' | '|' | '.' | '^' | '$' => self.copy(1),
                _ => self.literal(),
            }
        }
        Ok(())
    }

    /// Hands on some bytes as they are.
    fn copy(&mut self, length: usize) {
        self.out.push_str(&self.rest[..length]);
        self.rest = &self.rest[length..];
    }

    fn take(&mut self) -> Option<char> {
        let char = self.rest.chars().next()?;
        self.rest = &self.rest[char.len_utf8()..];
        Some(char)
    }

    fn take_prefix(&mut self, prefix: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(prefix) else {
            return false;
        };
        self.rest = rest;
        true
    }

    fn literal(&mut self) {
        if let Some(char) = self.take() {
            push_code(&mut self.out, char);
        }
    }

    /// Hands on a repetition with its `?`; Go refuses one of a repetition.
    fn repetition(&mut self, length: usize) -> Result<(), String> {
        self.copy(length);
        if self.rest.starts_with('?') {
            self.copy(1);
        }
        if self.rest.starts_with(['*', '+', '?']) || counted(self.rest)?.is_some() {
            return Err("a repetition of a repetition".to_owned());
        }
        Ok(())
    }

    /// Hands on an opening parenthesis; of the flags, Go knows `i`, `m`, `s` and `U`.
    fn group(&mut self) -> Result<(), String> {
        let named = ["(?P<", "(?<"];
        if !self.rest.starts_with("(?") || named.iter().any(|name| self.rest.starts_with(name)) {
            let end = if self.rest.starts_with("(?") {
                self.rest.find('>').map_or(self.rest.len(), |end| end + 1)
            } else {
                1
            };
            self.copy(end);
            return Ok(());
        }
        let end = self.rest.find([':', ')']).unwrap_or(self.rest.len());
        let flags = &self.rest[2..end];
        if flags.starts_with(['=', '!']) {
            return Err("look-around is not supported".to_owned());
        }
        if !flags.chars().all(|flag| "imsU-".contains(flag)) {
            return Err(format!("SOPS knows no group `(?{flags}`"));
        }
        self.copy((end + 1).min(self.rest.len()));
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        if self.take_prefix(r"\Q") {
            let (text, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            text.chars().for_each(|char| push_code(&mut self.out, char));
            return Ok(());
        }
        if self.rest.starts_with(r"\A") || self.rest.starts_with(r"\z") {
            self.copy(2);
            return Ok(());
        }
        if self.take_prefix(r"\b") {
            self.out.push_str(r"(?-u:\b)");
            return Ok(());
        }
        if self.rest.starts_with(r"\B") {
            return Err(r"this crate cannot read `\B` as SOPS does".to_owned());
        }
        if self.set() {
            return Ok(());
        }
        let char = self.escaped()?;
        push_code(&mut self.out, char);
        Ok(())
    }

    /// Takes an escape that stands for a set of characters, in a class or not.
    fn set(&mut self) -> bool {
        for (escape, set) in [
            (r"\d", "[0-9]"),
            (r"\D", "[^0-9]"),
            (r"\s", r"[\t\n\f\r\x20]"),
            (r"\S", r"[^\t\n\f\r\x20]"),
            (r"\w", "[0-9A-Za-z_]"),
            (r"\W", "[^0-9A-Za-z_]"),
        ] {
            if self.take_prefix(escape) {
                self.out.push_str(set);
                return true;
            }
        }
        if !self.rest.starts_with(r"\p") && !self.rest.starts_with(r"\P") {
            return false;
        }
        let name = &self.rest[2..];
        let length = if name.starts_with('{') {
            name.find('}').map_or(name.len(), |end| end + 1)
        } else {
            name.chars().next().map_or(0, char::len_utf8)
        };
        self.copy(2 + length);
        true
    }

    /// Takes an escape that stands for one character.
    fn escaped(&mut self) -> Result<char, String> {
        self.take();
        let Some(char) = self.take() else {
            return Err("a backslash at the end".to_owned());
        };
        Ok(match char {
            'a' => '\u{7}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{B}',
            'x' => return self.hexadecimal(),
            '0' => return Ok(self.octal(0, 2)),
            '1'..='7' if self.rest.starts_with(|next| ('0'..='7').contains(&next)) => {
                return Ok(self.octal(char.to_digit(8).unwrap_or(0), 2));
            }
            _ if char.is_ascii() && !char.is_ascii_alphanumeric() => char,
            _ => return Err(format!(r"SOPS knows no escape `\{char}`")),
        })
    }

    /// Takes up to `most` further octal digits; three of them are always a character.
    fn octal(&mut self, first: u32, most: usize) -> char {
        let mut code = first;
        for _ in 0..most {
            let Some(digit) = self.rest.chars().next().and_then(|next| next.to_digit(8)) else {
                break;
            };
            self.take();
            code = code * 8 + digit;
        }
        char::from_u32(code).unwrap_or('\0')
    }

    fn hexadecimal(&mut self) -> Result<char, String> {
        let digits = if self.take_prefix("{") {
            let (digits, rest) = self.rest.split_once('}').unwrap_or(("", ""));
            self.rest = rest;
            digits
        } else {
            let (digits, rest) = self.rest.split_at_checked(2).unwrap_or(("", ""));
            self.rest = rest;
            digits
        };
        let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16)
            .ok()
            .filter(|_| all)
            .and_then(char::from_u32)
            .ok_or_else(|| r"`\x` needs the code of a character in hexadecimal".to_owned())
    }

    /// Rewrites a class item by item, so that no sign in it has a meaning that Go does not know.
    fn class(&mut self) -> Result<(), String> {
        self.copy(1);
        if self.rest.starts_with('^') {
            self.copy(1);
        }
        let mut first = true;
        while first || !self.rest.starts_with(']') {
            first = false;
            if self.posix()? || self.set() {
                continue;
            }
            let low = self.member()?;
            push_code(&mut self.out, low);
            if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest != "-" {
                self.copy(1);
                let high = self.member()?;
                push_code(&mut self.out, high);
            }
        }
        self.copy(1);
        Ok(())
    }

    fn member(&mut self) -> Result<char, String> {
        if self.rest.starts_with('\\') {
            return self.escaped();
        }
        self.take().ok_or_else(|| "an unclosed class".to_owned())
    }

    fn posix(&mut self) -> Result<bool, String> {
        let Some((name, _)) = self
            .rest
            .strip_prefix("[:")
            .and_then(|rest| rest.split_once(":]"))
        else {
            return Ok(false);
        };
        if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("SOPS knows no class `[:{name}:]`"));
        }
        self.copy(name.len() + 4);
        Ok(true)
    }
}

/// Writes a character such that it stands for itself wherever it stands.
fn push_code(out: &mut String, char: char) {
    if char.is_alphanumeric() {
        out.push(char);
    } else {
        write!(out, "\\x{{{:X}}}", u32::from(char)).expect("writing to a string cannot fail");
    }
}

/// Returns the length of the `{n}`, `{n,}` or `{n,m}` that a text starts with; Go takes any other
/// brace for itself.
fn counted(text: &str) -> Result<Option<usize>, String> {
    let Some((counts, _)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) else {
        return Ok(None);
    };
    let (low, high) = counts.split_once(',').unwrap_or((counts, counts));
    let number = |text: &str| {
        let leading_zero = text.len() > 1 && text.starts_with('0');
        let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        digits && !leading_zero
    };
    if !number(low) || !(high.is_empty() || number(high)) {
        return Ok(None);
    }
    let count = |text: &str| text.parse().unwrap_or(u32::MAX);
    if count(low) > MOST || (!high.is_empty() && count(high) > MOST) {
        return Err(format!("a repetition counts to {MOST} at most"));
    }
    Ok(Some(counts.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn matches_what_go_matches() {
        for (pattern, yes, no) in [
            (r"^\w+$", "a_1", "é"),
            (r"^\W$", "é", "a"),
            (r"^\d$", "3", "٣"),
            (r"^\S+$", "a\u{a0}b", "a b"),
            (r"^\s$", "\t", "\u{b}"),
            (r"\bdata\b", "édata", "xdata"),
            (r"^\Qa.b\E+$", "a.bb", "axb"),
            (r"^\Qa.b", "a.b", "axb"),
            (r"^[a[]+$", "a[", "b"),
            (r"^[]a]$", "]", "b"),
            (r"^[^]a]$", "b", "]"),
            (r"^[a-z&&b]+$", "x&", "&-"),
            (r"^[a~~b]+$", "a~", "c"),
            (r"^[\w-]+$", "a-b", "é"),
            (r"^[^\d\n]$", "٣", "3"),
            (r"^[\D]$", "٣", "3"),
            (r"^[a\-z]$", "-", "b"),
            (r"^[[:alpha:][:^ascii:]]+$", "aé", "1"),
            ("^a{,2}$", "a{,2}", "aa"),
            ("a{", "a{", "a"),
            ("^a{2}?$", "aa", "a"),
            (r"^\x41\x{e9}\101$", "AéA", "A"),
            (r"^a\.b\#\_\<$", "a.b#_<", "axb#_<"),
            ("(?i)^k$", "\u{212a}", "x"),
            ("^(?P<n>a)(?:b|(?i:c))$", "aC", "ac d"),
            ("^a b$", "a b", "ab"),
            ("^é$", "é", "e"),
            (r"\A(a|)\z", "", "b"),
        ] {
            let regex = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert!(regex.is_match(yes), "{pattern} on {yes}");
            assert!(!regex.is_match(no), "{pattern} on {no}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for pattern in [
            "(?x)a b",
            r"\u0041",
            r"\Z",
            r"\1",
            r"\8",
            r"\",
            r"[a-\d]",
            "[b-a]",
            "[a",
            "[",
            "[]",
            "[a-",
            "a**",
            "a*??",
            "a{2}{3}",
            "*a",
            "a{1001}",
            "[[:nope:]]",
            "(?=a)",
            "(?<!a)",
            "(a",
            "a)",
            r"\xZZ",
            r"\x{}",
            r"\xé",
            "(?",
            "(?P<a",
        ] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
