//! Regular expressions as Go reads them, in the spelling of the `regex` crate.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// The largest count of a repetition.
const MOST_REPEATS: u32 = 1000;

/// Compiles a regular expression; `None` where Go refuses it.
///
/// The two differ in what they take for themselves: `\Q…\E`, octal escapes and a `{` that repeats nothing are Go's
/// alone; `\<`, sets in brackets and verbose mode are those of the crate.
pub(crate) fn compile_expression(text: &str) -> Option<Regex> {
    let mut translation = ExpressionTranslation {
        rest: text.chars().peekable(),
        out: String::with_capacity(text.len() + 16),
        after_repeat: false,
    };
    translation.run()?;
    Regex::new(&translation.out).ok()
}

/// A regular expression that matches whole texts only, as a target's do.
#[derive(Clone, Debug)]
pub(crate) enum WholeExpression {
    /// Most are names, in which a dot stands for any character: to compile one takes longer than all that is done with
    /// it.
    Name(String),
    /// It has characters that stand for others.
    Pattern(Regex),
}

impl WholeExpression {
    /// Compiles one; `None` where Go refuses it.
    pub(crate) fn compile(text: &str) -> Option<Self> {
        let may_be_in_name = |letter: char| {
            letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '/' | '.')
        };
        if text.chars().all(may_be_in_name) {
            return Some(Self::Name(text.to_owned()));
        }
        compile_expression(&format!("^(?:{text})$")).map(Self::Pattern)
    }

    /// Returns whether a text is one that it means.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => is_spelled_by(name, text),
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

/// Returns whether a name means a text, character by character; a dot means any but a line break.
fn is_spelled_by(name: &str, text: &str) -> bool {
    let mut rest = text.chars();
    let mut is_meant = |letter: char| {
        let next = rest.next();
        next.is_some_and(|next| next == letter || (letter == '.' && next != '\n'))
    };
    name.chars().all(&mut is_meant) && rest.next().is_none()
}

struct ExpressionTranslation<'t> {
    rest: Peekable<Chars<'t>>,
    out: String,
    /// Whether a repetition was written last: another one may not follow.
    after_repeat: bool,
}

/// What stands for characters: one of them, or a class.
enum ExpressionAtom {
    One(char),
    Class(&'static str, bool),
    Property(String),
}

impl ExpressionTranslation<'_> {
    fn run(&mut self) -> Option<()> {
        while let Some(character) = self.rest.next() {
            let repeats = match character {
                '*' | '+' | '?' => Some(character.to_string()),
                '{' => match self.take_count() {
                    Some(count) if !is_allowed(&count) => return None,
                    count => count.map(|count| format!("{{{count}}}")),
                },
                _ => None,
            };
            if let Some(operator) = repeats {
                if self.after_repeat {
                    return None;
                }
                self.out.push_str(&operator);
                if self.rest.next_if_eq(&'?').is_some() {
                    self.out.push('?');
                }
                self.after_repeat = true;
                continue;
            }
            self.after_repeat = false;
            match character {
                '\\' => self.translate_escape()?,
                '[' => self.translate_class()?,
                '(' => self.translate_group()?,
                '{' => self.out.push_str("\\{"),
                other => self.out.push(other),
            }
        }
        Some(())
    }

    /// Takes what follows a `{` if it is a count; the brace is a character like others if it is none.
    fn take_count(&mut self) -> Option<String> {
        let mut ahead = self.rest.clone();
        let mut inner = String::new();
        while let Some(letter) = ahead.next_if(|next| next.is_ascii_digit() || *next == ',') {
            inner.push(letter);
        }
        let (least, most) = inner.split_once(',').unwrap_or((&inner, ""));
        let is_number =
            |text: &str| text == "0" || !(text.starts_with(['0', ',']) || text.contains(','));
        let is_count =
            ahead.next() == Some('}') && !least.is_empty() && is_number(least) && is_number(most);
        if !is_count {
            return None;
        }
        self.rest = ahead;
        Some(inner)
    }

    fn translate_escape(&mut self) -> Option<()> {
        match self.rest.peek()? {
            'Q' => {
                self.rest.next();
                self.translate_quoted();
            }
            'A' | 'z' => {
                let anchor = self.rest.next()?;
                self.out.extend(['\\', anchor]);
            }
            'b' | 'B' => {
                let anchor = self.rest.next()?;
                write!(self.out, "(?-u:\\{anchor})").ok()?;
            }
            _ => match self.take_escape()? {
                ExpressionAtom::One(character) => self.push_character(character),
                ExpressionAtom::Class(inner, negated) => {
                    self.out.push_str(if negated { "[^" } else { "[" });
                    self.out.push_str(inner);
                    self.out.push(']');
                }
                ExpressionAtom::Property(property) => self.out.push_str(&property),
            },
        }
        Some(())
    }

    /// Writes what stands up to `\E`, or to the end, character by character.
    fn translate_quoted(&mut self) {
        while let Some(character) = self.rest.next() {
            if character == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            self.push_character(character);
        }
    }

    fn push_character(&mut self, character: char) {
        let mut bytes = [0; 4];
        let text: &str = character.encode_utf8(&mut bytes);
        self.out.push_str(&regex::escape(text));
    }

    /// Reads an escape that means the same in and outside of brackets.
    fn take_escape(&mut self) -> Option<ExpressionAtom> {
        const SPACES: &str = r"\t\n\x0C\r ";
        let character = self.rest.next()?;
        Some(match character {
            'd' | 'D' => ExpressionAtom::Class("0-9", character == 'D'),
            's' | 'S' => ExpressionAtom::Class(SPACES, character == 'S'),
            'w' | 'W' => ExpressionAtom::Class("0-9A-Za-z_", character == 'W'),
            'p' | 'P' => ExpressionAtom::Property(self.take_property(character)?),
            'a' => ExpressionAtom::One('\u{7}'),
            'f' => ExpressionAtom::One('\u{c}'),
            'n' => ExpressionAtom::One('\n'),
            'r' => ExpressionAtom::One('\r'),
            't' => ExpressionAtom::One('\t'),
            'v' => ExpressionAtom::One('\u{b}'),
            'x' => ExpressionAtom::One(self.take_hexadecimal()?),
            '0'..='7' => ExpressionAtom::One(self.take_octal(character)?),
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => {
                ExpressionAtom::One(other)
            }
            _ => return None,
        })
    }

    fn take_property(&mut self, letter: char) -> Option<String> {
        let mut name: String = match self.rest.next()? {
            '{' => self.take_braced()?,
            single => single.to_string(),
        };
        let mut negated = letter == 'P';
        if let Some(bare) = name.strip_prefix('^') {
            negated = !negated;
            name = bare.to_owned();
        }
        let letter = if negated { 'P' } else { 'p' };
        Some(format!("\\{letter}{{{name}}}"))
    }

    fn take_braced(&mut self) -> Option<String> {
        let mut inner = String::new();
        loop {
            match self.rest.next()? {
                '}' => return Some(inner),
                other => inner.push(other),
            }
        }
    }

    fn take_hexadecimal(&mut self) -> Option<char> {
        let digits = if self.rest.next_if_eq(&'{').is_some() {
            self.take_braced()?
        } else {
            let (first, second) = (self.rest.next()?, self.rest.next()?);
            String::from_iter([first, second])
        };
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(&digits, 16).ok();
        code.filter(|_| is_hexadecimal).and_then(char::from_u32)
    }

    /// Reads up to three octal digits; one alone that is not zero would be a reference back, which Go has not.
    fn take_octal(&mut self, first: char) -> Option<char> {
        let mut code = first.to_digit(8)?;
        let mut more = 0;
        while more < 2
            && let Some(digit) = self.rest.next_if(|next| next.is_digit(8))
        {
            code = code * 8 + digit.to_digit(8)?;
            more += 1;
        }
        (first == '0' || more > 0)
            .then(|| char::from_u32(code))
            .flatten()
    }

    fn translate_group(&mut self) -> Option<()> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Some(());
        }
        self.out.push('?');
        if self.rest.peek() == Some(&'P') {
            self.out.extend(self.rest.next());
            return (self.rest.peek() == Some(&'<')).then_some(());
        }
        let is_name = self.rest.peek() == Some(&'<');
        let mut ahead = self.rest.clone().skip(usize::from(is_name));
        if is_name {
            return (!matches!(ahead.next(), Some('=' | '!'))).then_some(());
        }
        loop {
            let flag = self.rest.next()?;
            self.out.push(flag);
            match flag {
                'i' | 'm' | 's' | 'U' | '-' => {}
                ':' | ')' => return Some(()),
                _ => return None,
            }
        }
    }

    fn translate_class(&mut self) -> Option<()> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let character = self.rest.next()?;
            if character == ']' && !is_first {
                self.out.push(']');
                return Some(());
            }
            is_first = false;
            if character == '[' && self.rest.peek() == Some(&':') && self.translate_named_class() {
                continue;
            }
            let low = match character {
                '\\' => match self.take_escape()? {
                    ExpressionAtom::One(character) => character,
                    ExpressionAtom::Class(inner, false) => {
                        self.out.push_str(inner);
                        continue;
                    }
                    ExpressionAtom::Class(inner, true) => {
                        write!(self.out, "[^{inner}]").ok()?;
                        continue;
                    }
                    ExpressionAtom::Property(property) => {
                        self.out.push_str(&property);
                        continue;
                    }
                },
                other => other,
            };
            let high = self.take_end_of_range(low)?;
            write!(self.out, "\\x{{{:x}}}", u32::from(low)).ok()?;
            if high != low {
                write!(self.out, "-\\x{{{:x}}}", u32::from(high)).ok()?;
            }
        }
    }

    /// Takes the end of a range that starts at a character; the character itself where none does.
    fn take_end_of_range(&mut self, low: char) -> Option<char> {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || matches!(ahead.next(), Some(']') | None) {
            return Some(low);
        }
        self.rest.next();
        let high = match self.rest.next()? {
            '\\' => match self.take_escape()? {
                ExpressionAtom::One(character) => character,
                ExpressionAtom::Class(..) | ExpressionAtom::Property(_) => return None,
            },
            other => other,
        };
        (low <= high).then_some(high)
    }

    /// Writes a class such as `[:alpha:]`, whose `[` is taken already, if it is one.
    fn translate_named_class(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next();
        let mut name = String::new();
        while let Some(letter) = ahead.next_if(|next| next.is_ascii_lowercase() || *next == '^') {
            name.push(letter);
        }
        if ahead.next() != Some(':') || ahead.next() != Some(']') {
            return false;
        }
        self.rest = ahead;
        self.out.push_str("[:");
        self.out.push_str(&name);
        self.out.push_str(":]");
        true
    }
}

/// Returns whether Go takes a count: it is not too large, and its limits are in order.
fn is_allowed(count: &str) -> bool {
    let (least, most) = count.split_once(',').unwrap_or((count, ""));
    let number = |text: &str| {
        text.parse()
            .ok()
            .filter(|number: &u32| *number <= MOST_REPEATS)
    };
    let least = number(least);
    least.is_some() && (most.is_empty() || number(most) >= least)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{WholeExpression, compile_expression};

    /// What Go says of each was asked of kustomize 5.8.
    #[test]
    fn expressions_mean_what_they_mean_in_go() {
        for (text, matching, other) in [
            (r"^\Qa.b\E|x$", "a.b", "acb"),
            (r"^\Qa.b", "a.b", "acb"),
            (r"^\<x\>$", "<x>", "x"),
            (r"^[[x]]$", "[]", "x"),
            (r"^x{,2}$", "x{,2}", "xx"),
            (r"^{$", "{", ""),
            (r"^\170$", "x", "170"),
            (r"^\p{^Greek}$", "x", "α"),
            (r"^[a-]$", "-", "b"),
            (r"^[]a]$", "]", "b"),
            (r"^[a\-z]$", "-", "b"),
            (r"^[&&a]$", "&", "b"),
            (r"^\d$", "5", "٥"),
            (r"^[^\D]$", "5", "٥"),
            (r"^[[:alpha:]]+$", "ab", "a1"),
            (r"^(?i)a(?P<x>b)$", "AB", "a"),
            (r"^a{2,3}?$", "aaa", "a"),
            (r"^\x41\x{42}$", "AB", "ab"),
        ] {
            let expression = compile_expression(text).expect(text);
            assert!(expression.is_match(matching), "{text}");
            assert!(!expression.is_match(other), "{text}");
        }
    }

    #[test]
    fn expressions_that_go_refuses_are_none() {
        for text in [
            "x{1001}", "x{2,1}", "x**", "x*{2}", "(?x)x", "(?R)x", "(?-u)x", "x(?=y)", "(?<=x)y",
            r"\u0078", r"\1", r"\Z", r"\C", "[x--y]", "[a-\\d]", "[", "(", r"\", "*",
        ] {
            assert!(compile_expression(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"[\\QEdpPbx0-9{}\[\]()?*+|:^$a-c&~<>-]{0,24}") {
            compile_expression(&text);
        }

        #[test]
        fn a_name_is_the_expression_that_it_spells(name in "[a-zA-Z0-9_/.-]{1,6}", text in "[a-zA-Z0-9_/.é\n-]{0,6}") {
            let plain = WholeExpression::compile(&name).unwrap();
            let spelled = compile_expression(&format!("^(?:{name})$")).unwrap();
            let (undotted, broken) = (name.replace('.', "é"), name.replace('.', "\n"));
            for text in [&name, &undotted, &broken, &text, &format!("{name}\n"), &format!("{name}{text}")] {
                prop_assert_eq!(plain.is_match(text), spelled.is_match(text));
            }
        }

        #[test]
        fn what_is_quoted_matches_itself(text in "[^\\\\]{0,12}") {
            let expression = compile_expression(&format!(r"^\Q{text}\E$"));
            prop_assert!(expression.is_some_and(|expression| expression.is_match(&text)));
        }
    }
}
