//! Changes texts at random; the same seed gives the same changes.

#[path = "../../crates/kustomize/tests/random/dice.rs"]
mod dice;

pub(crate) use dice::Dice;

/// Parts that mean something to one of the readers.
const TOKENS: &[&str] = &[
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "ü",
    "\u{202e}",
    ":",
    ": ",
    "- ",
    "? ",
    "#",
    "&a ",
    "*a",
    "<<: ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "!!str ",
    "~",
    "null",
    "0o7",
    "1e999",
    "-0",
    ".inf",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\\",
    "`",
    ",",
    "#{",
    "}#",
    "#%",
    "%#",
    "#|",
    "|#",
    "-%#",
    "#%-",
    " | ",
    "~ ",
    "..",
    "?.",
    "[1:]",
    "[::-1]",
    "...",
    " if ",
    " for x in ",
    " in ",
    " is ",
    " not ",
    "endfor",
    "endif",
    "set ",
    "include ",
    "extends ",
    "block ",
    "component ",
    "<c />",
    "raw ",
    "range(end=9)",
    "| to_json",
    "| b64encode",
    "| replace(from=\"\", to=text)",
    "| split(pat=\"\")",
    "text",
    "nodes",
    "self",
    "config",
    ".all(x, ",
    ".map(x, ",
    ".exists(x, ",
    ")",
    "(",
    "&&",
    "||",
    "!",
    "==",
    "+",
    "*",
    "/",
    "%",
    "99999999999999999999",
    "-9223372036854775808",
    "0.1",
    "1u",
    "b'x'",
    "lists.range(",
    "quantity('",
    "matches('",
    "ENC[",
    "AES256_GCM",
    "sops:",
    "age1",
    "mac",
    "version",
    "= \"",
    "[sha256]",
    "../",
    "/",
    "<<<<<<< a\n",
    "=======\n",
    ">>>>>>> b\n",
];

/// Changes a text in one to six places.
pub(crate) fn mutate(dice: &mut Dice, seeds: &[&str]) -> String {
    let mut text: Vec<char> = dice.pick(seeds).chars().collect();
    for _ in 0..=dice.below(6) {
        let at = dice.below(text.len() + 1);
        let end = (at + 1 + dice.below(24)).min(text.len());
        match dice.below(7) {
            0 | 1 => insert(&mut text, at, dice.pick::<&str>(TOKENS)),
            2 if at < end => drop(text.drain(at..end)),
            3 if at < end => {
                let copy: String = text[at..end].iter().collect();
                let to = dice.below(text.len() + 1);
                insert(&mut text, to, &copy);
            }
            4 if at < text.len() => text[at] = dice.pick(TOKENS).chars().next().unwrap_or('x'),
            5 => {
                let other: Vec<char> = dice.pick(seeds).chars().collect();
                let from = dice.below(other.len());
                text.truncate(at);
                text.extend(&other[from..]);
            }
            _ => {
                let token = dice.pick(TOKENS).repeat(1 + dice.below(40));
                insert(&mut text, at, &token);
            }
        }
    }
    text.into_iter().collect()
}

fn insert(text: &mut Vec<char>, at: usize, what: &str) {
    text.splice(at..at, what.chars());
}
