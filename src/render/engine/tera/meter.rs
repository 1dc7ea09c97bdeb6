//! What a tag of a template costs, before it is evaluated.
//!
//! Tera knows no limits, so a copy of each template has calls in it that pay for the work: one in each round of a
//! loop, one behind each variable that is set, and one before each tag whose operators or built-in filters copy, compare
//! or search values. Functions and filters of our own pay for themselves.

use super::scan::string_length;

/// The function that counts a round of a loop, weighs the value `of` a variable, or pays for a tag.
pub(super) const STEP: &str = "__kiln_step";

/// The filters of Tera that cost no more than a look at their value.
const CHEAP: [&str; 10] = [
    "abs",
    "default",
    "first",
    "float",
    "get",
    "int",
    "last",
    "nth",
    "pluralize",
    "round",
];
/// The words of an expression that name no value.
const KEYWORDS: [&str; 17] = [
    "and",
    "elif",
    "else",
    "false",
    "filter",
    "for",
    "if",
    "in",
    "is",
    "not",
    "none",
    "null",
    "or",
    "set",
    "set_global",
    "true",
    "loop",
];
/// How many bytes a list needs for each byte of the text that it is split from.
const SPLIT: usize = 16;

/// What evaluating a tag does to the values that it names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TagCost<'t> {
    /// The variables, as paths: `network.node_cidr`; once for each time that they are named.
    names: Vec<&'t str>,
    /// How often each of them may be copied, compared or searched.
    copies: usize,
    /// How many comprehensions there are; each may stand in another.
    loops: usize,
}

impl<'t> TagCost<'t> {
    /// Looks through the tags that are evaluated together; `None` when they cost too little to count.
    ///
    /// With `captured`, what they print may be collected in a variable, and printing is counted as well.
    pub(super) fn of(tags: &[&'t str], captured: bool) -> Option<Self> {
        let mut cost = Self::default();
        for tag in tags {
            cost.add(tag, captured);
        }
        let counts = cost.loops > 0 || (cost.copies > 0 && !cost.names.is_empty());
        counts.then_some(cost)
    }

    fn add(&mut self, tag: &'t str, captured: bool) {
        let tokens = tokens(tag);
        let statement = matches!(tokens.first(), Some(Token::Name("for")));
        let at = |index: usize| tokens.get(index).copied().unwrap_or(Token::Sign(""));
        let mut copies = usize::from(captured);
        for (index, token) in tokens.iter().enumerate() {
            let before = index.checked_sub(1).map_or(Token::Sign(""), at);
            match token {
                Token::Name("for") if index > 0 => self.loops += 1,
                Token::Name("in") if !statement || self.loops > 0 => copies += 1,
                Token::Name("is") => copies += usize::from(searches(at(index + 1), at(index + 2))),
                Token::Name(name) if before == Token::Sign("|") => copies += filter_cost(name),
                Token::Name(name) => {
                    let called = at(index + 1) == Token::Sign("(");
                    let given = at(index + 1) == Token::Sign("=");
                    let tested =
                        matches!(before, Token::Name("is" | "not")) && is_test(&tokens, index);
                    let root = name.split('.').next().unwrap_or(name);
                    if !called && !given && !tested && !KEYWORDS.contains(&root) {
                        self.names.push(name);
                    }
                }
                Token::Sign("~" | "...") => copies += 1,
                Token::Sign(":") if in_brackets(&tokens[..index]) => copies += 1,
                Token::Sign("==" | "!=")
                    if before != Token::Literal && at(index + 1) != Token::Literal =>
                {
                    copies += 1;
                }
                Token::Sign(_) | Token::Literal => {}
            }
        }
        self.copies += copies;
    }

    /// Returns the call that pays.
    pub(super) fn call(&self) -> String {
        let (names, copies, loops) = (self.names.join(" "), self.copies, self.loops);
        format!("{STEP}(names=\"{names}\", copies={copies}, loops={loops})")
    }
}

/// Returns how often a filter of Tera's own goes through its value.
fn filter_cost(name: &str) -> usize {
    if name == "split" {
        SPLIT
    } else {
        usize::from(!CHEAP.contains(&name))
    }
}

/// Returns whether the test behind `is` looks through its value.
fn searches(first: Token<'_>, second: Token<'_>) -> bool {
    let name = if first == Token::Name("not") {
        second
    } else {
        first
    };
    matches!(
        name,
        Token::Name("containing" | "ending_with" | "starting_with")
    )
}

/// Returns whether the name at `index` is the name of a test, behind `is` or `is not`.
fn is_test(tokens: &[Token<'_>], index: usize) -> bool {
    let behind = |distance: usize| index.checked_sub(distance).and_then(|at| tokens.get(at));
    behind(1) == Some(&Token::Name("is"))
        || (behind(1) == Some(&Token::Name("not")) && behind(2) == Some(&Token::Name("is")))
}

/// Returns whether the last bracket that is open is a square one.
fn in_brackets(before: &[Token<'_>]) -> bool {
    let mut open = Vec::new();
    for token in before {
        match token {
            Token::Sign(sign @ ("[" | "{" | "(")) => open.push(*sign),
            Token::Sign("]" | "}" | ")") => drop(open.pop()),
            _ => {}
        }
    }
    open.last() == Some(&"[")
}

/// A part of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    /// A word, or a path of words.
    Name(&'t str),
    /// A text or a number.
    Literal,
    /// An operator or a bracket.
    Sign(&'t str),
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = match bytes[at] {
            b'"' | b'\'' | b'`' => {
                tokens.push(Token::Literal);
                string_length(&bytes[at..]).unwrap_or(bytes.len() - at)
            }
            byte if byte.is_ascii_digit() => {
                tokens.push(Token::Literal);
                word(&bytes[at..])
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let length = path(&bytes[at..]);
                tokens.push(Token::Name(&text[at..at + length]));
                length
            }
            byte if byte.is_ascii_whitespace() || !byte.is_ascii() => 1,
            _ => {
                let known = ["...", "==", "!=", "<=", ">=", "?.", "?["];
                let sign = known.iter().find(|sign| text[at..].starts_with(**sign));
                let length = sign.map_or(1, |sign| sign.len());
                let sign = &text[at..at + length];
                tokens.push(Token::Sign(if sign == "?[" { "[" } else { sign }));
                length
            }
        };
        at += length;
    }
    tokens
}

fn word(bytes: &[u8]) -> usize {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    bytes.iter().take_while(|byte| part(byte)).count()
}

/// Returns the length of `a.b.c` at the start; a step that is computed ends it.
fn path(bytes: &[u8]) -> usize {
    let mut length = word(bytes);
    while bytes.get(length) == Some(&b'.') {
        let next = bytes.get(length + 1);
        if !next.is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
            break;
        }
        length += 1 + word(&bytes[length + 1..]);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::TagCost;

    fn cost(tag: &str) -> Option<(String, usize, usize)> {
        TagCost::of(&[tag], false).map(|cost| (cost.names.join(" "), cost.copies, cost.loops))
    }

    #[test]
    fn what_costs_nothing_is_not_counted() {
        for tag in [
            "",
            "network.node_cidr",
            "if a == \"b\"",
            "if 3 != nodes",
            "for node in nodes",
            "a | default(value=b)",
            "cidr_host(cidr=a.b, host=1)",
            "if a is not defined and b",
            "a ? b : c",
            "\"x\" ~ 'y'",
        ] {
            assert_eq!(cost(tag), None, "{tag}");
        }
    }

    #[test]
    fn what_copies_compares_or_searches_is_counted() {
        let cases = [
            ("a ~ b.c ~ \"|\"", "a b.c", 2, 0),
            ("x | upper | lower", "x", 2, 0),
            ("x | replace(from=y, to=\"~\")", "x y", 1, 0),
            ("x | split(pat=\",\")", "x", 16, 0),
            ("if a == b", "a b", 1, 0),
            ("if a in b", "a b", 1, 0),
            ("if a is not containing(b)", "a b", 1, 0),
            ("x[1:2]", "x", 1, 0),
            ("x?[::1]", "x", 2, 0),
            ("{\"a\": x, ...y}", "x y", 1, 0),
            ("[a for a in b]", "a a b", 1, 1),
            ("[[a for a in b] for b in c]", "a a b b c", 2, 2),
            ("for x in [a for a in b]", "x a a b", 1, 1),
            ("set x = y ~ y", "y y", 1, 0),
        ];
        for (tag, names, copies, loops) in cases {
            assert_eq!(cost(tag), Some((names.to_owned(), copies, loops)), "{tag}");
        }
    }

    #[test]
    fn printing_counts_where_it_may_be_captured() {
        assert!(TagCost::of(&["x"], true).is_some());
        assert_eq!(TagCost::of(&["\"x\""], true), None);
    }
}
