//! Patterns of names and paths, as Python's `fnmatch` and `pathlib` read them.

use crate::path;

/// The pattern of one part of a path: `*`, `?`, `[abc]`, `[!a-c]`; upper and lower case differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamePattern(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Character(char),
    Any,
    AnyMany,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Token {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Character(expected) => *expected == character,
            Self::Any | Self::AnyMany => true,
            Self::Set { negated, ranges } => {
                let inside = ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&character));
                inside != *negated
            }
        }
    }
}

impl NamePattern {
    pub(crate) fn parse(pattern: &str) -> Self {
        let characters: Vec<char> = pattern.chars().collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(character) = characters.get(at) {
            at += 1;
            match character {
                '*' if tokens.last() == Some(&Token::AnyMany) => {}
                '*' => tokens.push(Token::AnyMany),
                '?' => tokens.push(Token::Any),
                '[' => match set_end(&characters, at) {
                    Some(end) => {
                        tokens.push(set(&characters[at..end]));
                        at = end + 1;
                    }
                    None => tokens.push(Token::Character('[')),
                },
                other => tokens.push(Token::Character(*other)),
            }
        }
        Self(tokens)
    }

    /// Returns whether the pattern takes the whole name.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut token, mut at) = (0, 0);
        // Where to go on from when a `*` has to take one character more.
        let mut retry: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.0.get(token) {
                Some(Token::AnyMany) => {
                    retry = Some((token, at));
                    token += 1;
                }
                Some(expected) if expected.takes(name[at]) => {
                    token += 1;
                    at += 1;
                }
                _ => {
                    let Some((star, start)) = retry else {
                        return false;
                    };
                    retry = Some((star, start + 1));
                    token = star + 1;
                    at = start + 1;
                }
            }
        }
        self.0[token..].iter().all(|rest| *rest == Token::AnyMany)
    }
}

/// Returns where the `]` of a set stands; a set holds at least one character.
fn set_end(characters: &[char], start: usize) -> Option<usize> {
    let mut at = start;
    if characters.get(at) == Some(&'!') {
        at += 1;
    }
    if characters.get(at) == Some(&']') {
        at += 1;
    }
    (at..characters.len()).find(|at| characters[*at] == ']')
}

/// Reads what stands between the brackets; a range that runs backwards is empty.
fn set(characters: &[char]) -> Token {
    let (negated, members) = match characters {
        ['!', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(low) = members.get(at) {
        if let (Some('-'), Some(high)) = (members.get(at + 1), members.get(at + 2)) {
            if low <= high {
                ranges.push((*low, *high));
            }
            at += 3;
        } else {
            ranges.push((*low, *low));
            at += 1;
        }
    }
    Token::Set { negated, ranges }
}

/// A pattern that matches paths from their right end, as `Path.match` does: `**` is not more than `*`.
#[derive(Clone, Debug)]
pub(crate) struct RightPattern {
    parts: Vec<NamePattern>,
    absolute: bool,
}

impl RightPattern {
    /// Reads a pattern; `None` where it has no part.
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        let parts: Vec<NamePattern> = path::parts_of(pattern).map(NamePattern::parse).collect();
        let absolute = pattern.starts_with('/');
        (absolute || !parts.is_empty()).then_some(Self { parts, absolute })
    }

    /// Returns whether the pattern matches the last parts of a path that starts at the root.
    pub(crate) fn matches(&self, absolute_path: &str) -> bool {
        let parts: Vec<&str> = path::parts_of(absolute_path).collect();
        let fits = if self.absolute {
            parts.len() == self.parts.len()
        } else {
            parts.len() >= self.parts.len()
        };
        fits && self
            .parts
            .iter()
            .rev()
            .zip(parts.iter().rev())
            .all(|(pattern, part)| pattern.matches(part))
    }
}

/// A pattern of paths below a folder, as `Path.glob` reads it: `**` stands for any number of folders.
#[derive(Clone, Debug)]
pub(crate) struct PathPattern {
    parts: Vec<PathPatternPart>,
    folders_only: bool,
}

#[derive(Clone, Debug)]
enum PathPatternPart {
    Folders,
    Name(NamePattern),
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why Python refuses the pattern, as the end of a sentence.
    pub(crate) fn parse(pattern: &str) -> Result<Self, &'static str> {
        if pattern.starts_with('/') {
            return Err("starts at the root");
        }
        let parts: Vec<&str> = path::parts_of(pattern).collect();
        if parts.is_empty() {
            return Err("names nothing");
        }
        if parts.contains(&"..") {
            return Err("leads out of its input");
        }
        let parts = parts.into_iter().map(|part| match part {
            "**" => PathPatternPart::Folders,
            name => PathPatternPart::Name(NamePattern::parse(name)),
        });
        Ok(Self {
            parts: parts.collect(),
            folders_only: pattern.ends_with('/'),
        })
    }

    /// Returns whether the pattern names a file or folder below the folder that it counts from.
    pub(crate) fn matches(&self, relative: &str, is_folder: bool) -> bool {
        if self.folders_only && !is_folder {
            return false;
        }
        let names: Vec<&str> = relative.split('/').collect();
        // Which prefixes of the pattern take the names so far.
        let mut reached = vec![false; self.parts.len() + 1];
        reached[0] = true;
        self.skip_folders(&mut reached);
        for name in names {
            let mut next = vec![false; reached.len()];
            for (index, part) in self.parts.iter().enumerate() {
                match part {
                    PathPatternPart::Folders => next[index] |= reached[index],
                    PathPatternPart::Name(pattern) => {
                        next[index + 1] |= reached[index] && pattern.matches(name);
                    }
                }
            }
            self.skip_folders(&mut next);
            reached = next;
        }
        reached[self.parts.len()]
    }

    /// Lets each `**` stand for no folder.
    fn skip_folders(&self, reached: &mut [bool]) {
        for (index, part) in self.parts.iter().enumerate() {
            if matches!(part, PathPatternPart::Folders) && reached[index] {
                reached[index + 1] = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_matches(pattern: &str, name: &str) -> bool {
        NamePattern::parse(pattern).matches(name)
    }

    /// Measured with Python 3.13's `fnmatch.fnmatchcase`.
    #[test]
    fn a_name_matches_as_fnmatch_says() {
        for (pattern, takes, leaves) in [
            ("*.partial.*", "a.partial.yaml.j2", "partial.yaml"),
            ("a*b*c", "aXbYbc", "aXc"),
            ("?", "ä", ""),
            ("[abc]x", "bx", "dx"),
            ("[!a-c]", "d", "b"),
            ("[]]", "]", "["),
            ("[!]]", "a", "]"),
            ("[", "[", "a"),
            ("[a", "[a", "a"),
            ("[a-]", "-", "b"),
            ("[-a]", "-", "b"),
            ("[a^]", "^", "b"),
            ("[!]", "[!]", "a"),
            ("[a-c-e]", "-", "d"),
            ("*", ".hidden", ""),
            ("\\*", "\\x", "*"),
            ("A", "A", "a"),
        ] {
            assert!(name_matches(pattern, takes), "{pattern} {takes}");
            if !(pattern == "*" && leaves.is_empty()) {
                assert!(!name_matches(pattern, leaves), "{pattern} {leaves}");
            }
        }
        assert!(!name_matches("[z-a]", "b") && name_matches("[!z-a]", "b"));
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = "*a".repeat(200) + "b";
        assert!(!name_matches(&pattern, &"a".repeat(5000)));
    }

    /// Measured with Python 3.13's `Path.match`.
    #[test]
    fn a_pattern_matches_from_the_right() {
        for (pattern, path, expected) in [
            ("b.py", "/a/b.py", true),
            ("a/*.py", "/x/a/b.py", true),
            ("a/*.py", "/x/a/y/b.py", false),
            ("**/b.py", "/a/b.py", true),
            ("**/b.py", "/b.py", false),
            ("a/**", "/a/b/c", false),
            ("a/**", "/a/b", true),
            ("/a/*", "/a/b", true),
            ("/*/b", "/x/a/b", false),
            ("./b", "/a/b", true),
            ("a//b", "/a/b", true),
        ] {
            let read = RightPattern::parse(pattern).unwrap();
            assert_eq!(read.matches(path), expected, "{pattern} {path}");
        }
        assert!(RightPattern::parse("").is_none() && RightPattern::parse("./").is_none());
    }

    #[test]
    fn a_pattern_of_paths_names_files_and_folders() {
        for (pattern, path, is_folder, expected) in [
            ("**/*", "a", true, true),
            ("**/*", "a/b/c", false, true),
            ("*", "a/b", false, false),
            ("a/*", "a/b", false, true),
            ("a/**", "a", true, true),
            ("a/**", "a/b/c", false, true),
            ("a/**/c", "a/c", false, true),
            ("a/**/c", "a/x/y/c", false, true),
            ("**/c/*.j2", "a/c/d.j2", false, true),
            ("**/c/*.j2", "a/c/x/d.j2", false, false),
            ("a/", "a", true, true),
            ("a/", "a", false, false),
            ("a**", "abc", false, true),
        ] {
            let read = PathPattern::parse(pattern).unwrap();
            assert_eq!(read.matches(path, is_folder), expected, "{pattern} {path}");
        }
        for refused in ["", ".", "/a", "a/../b"] {
            assert!(PathPattern::parse(refused).is_err(), "{refused}");
        }
    }
}
