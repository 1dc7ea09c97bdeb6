//! Definitions of a Python source, and what makes two of them the same.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::python_line::{PythonLine, PythonToken};

/// A statement with the block that belongs to it: a logical line, and the deeper ones after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PythonStatement<'a> {
    decorators: &'a [PythonLine],
    head: &'a PythonLine,
    body: &'a [PythonLine],
}

/// Groups the lines of one block into its statements. Decorators belong to what they decorate.
pub(crate) fn statements(lines: &[PythonLine]) -> Vec<PythonStatement<'_>> {
    let mut found = Vec::new();
    let Some(depth) = lines.first().map(|line| line.depth) else {
        return found;
    };
    let mut start = 0;
    while start < lines.len() {
        let decorates =
            |line: &PythonLine| line.tokens.first().is_some_and(|first| first.is_sign('@'));
        let decorators = lines[start..]
            .iter()
            .take_while(|line| decorates(line))
            .count();
        let head = start + decorators;
        let Some(line) = lines.get(head) else { break };
        let body = lines[head + 1..]
            .iter()
            .take_while(|line| line.depth > depth)
            .count();
        found.push(PythonStatement {
            decorators: &lines[start..head],
            head: line,
            body: &lines[head + 1..][..body],
        });
        start = head + 1 + body;
    }
    found
}

impl<'a> PythonStatement<'a> {
    /// The line on which it begins.
    pub(crate) fn number(&self) -> usize {
        self.head.number
    }

    /// The tokens of its first line.
    pub(crate) fn head(&self) -> &'a [PythonToken] {
        &self.head.tokens
    }

    /// The statements of its block, without the text that documents it.
    pub(crate) fn body(&self) -> Vec<Self> {
        statements(without_docstring(self.body))
    }

    /// The name that a `def` or a `class` defines.
    pub(crate) fn defines(&self, keyword: &str) -> Option<&'a str> {
        let [first, name, ..] = self.head() else {
            return None;
        };
        first.is_word(keyword).then(|| name.word()).flatten()
    }

    pub(crate) fn is_decorated(&self) -> bool {
        !self.decorators.is_empty()
    }

    /// Tells whether it is a text that stands alone.
    pub(crate) fn is_docstring(&self) -> bool {
        is_docstring(self.head)
    }

    /// The names, keywords and numbers in it.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let lines = self.decorators.iter().chain([self.head]).chain(self.body);
        lines.flat_map(|line| line.tokens.iter().filter_map(PythonToken::word))
    }

    /// A hash of what the definition does: comments, blank lines, documentation, quoting, annotations of types, the
    /// width of indentation and commas that say nothing are left out.
    pub(crate) fn fingerprint(&self) -> String {
        let mut text = String::new();
        for decorator in self.decorators {
            write_tokens(&mut text, 0, &decorator.tokens);
        }
        write_tokens(&mut text, 0, &without_annotations(self.head()));
        for line in without_docstring(self.body) {
            write_tokens(&mut text, line.depth - self.head.depth, &line.tokens);
        }
        let hash = Sha256::digest(text.as_bytes());
        hash[..12].iter().fold(String::new(), |mut hex, byte| {
            let _written = write!(hex, "{byte:02x}");
            hex
        })
    }
}

fn is_docstring(line: &PythonLine) -> bool {
    !line.tokens.is_empty() && line.tokens.iter().all(PythonToken::is_plain_text)
}

fn without_docstring(body: &[PythonLine]) -> &[PythonLine] {
    match body {
        [first, rest @ ..] if is_docstring(first) && !rest.is_empty() => rest,
        _ => body,
    }
}

fn write_tokens(text: &mut String, depth: usize, tokens: &[PythonToken]) {
    text.push_str(&depth.to_string());
    for token in tokens {
        let _written = match token {
            PythonToken::Word(word) => write!(text, "\u{1}{word}"),
            PythonToken::Text { prefix, content } => {
                write!(text, "\u{2}{prefix}\u{3}{content}\u{4}")
            }
            PythonToken::Sign(sign) => write!(text, "\u{5}{sign}"),
        };
    }
    text.push('\u{6}');
}

/// Leaves out the types of parameters and of the result from the first line of a `def`.
fn without_annotations(head: &[PythonToken]) -> Vec<PythonToken> {
    if !head.first().is_some_and(|first| first.is_word("def")) {
        return head.to_vec();
    }
    let mut kept = Vec::new();
    let mut depth = 0_usize;
    // The depth at which a type began: 1 for that of a parameter, 0 for that of the result.
    let mut left_out_from = None;
    for (at, token) in head.iter().enumerate() {
        if matches!(token, PythonToken::Sign(')' | ']' | '}')) {
            depth = depth.saturating_sub(1);
        }
        let arrow = token.is_sign('-') && head.get(at + 1).is_some_and(|next| next.is_sign('>'));
        let ends = match left_out_from {
            Some(1) => (depth == 1 && matches!(token, PythonToken::Sign(',' | '='))) || depth == 0,
            Some(_) => depth == 0 && token.is_sign(':'),
            None => false,
        };
        if ends {
            left_out_from = None;
        }
        if left_out_from.is_none() && !ends {
            if depth == 1 && token.is_sign(':') {
                left_out_from = Some(1);
            } else if depth == 0 && arrow {
                left_out_from = Some(0);
            }
        }
        if left_out_from.is_none() {
            kept.push(token.clone());
        }
        if matches!(token, PythonToken::Sign('(' | '[' | '{')) {
            depth += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use crate::fingerprint::fingerprints;

    fn fingerprint(source: &str) -> String {
        fingerprints(source).remove(0).1
    }

    const PLAIN: &str = "def double(value, times=2):\n    return value * times\n";

    #[test]
    fn how_a_function_is_written_does_not_matter() {
        let same = [
            "# Doubles.\ndef double(value: int, times: 'int' = 2) -> dict[str, int]:\n    return value * times\n",
            "def double(\n    value,\n    times=2,\n):\n  \"\"\"Doubles.\"\"\"\n\n  return value * times  # twice\n",
            "def double(value: dict[str, int], times: Callable[[int], str] = 2):\n\treturn value*times",
        ];
        for source in same {
            assert_eq!(fingerprint(source), fingerprint(PLAIN), "{source}");
        }
    }

    #[test]
    fn what_a_function_does_matters() {
        let others = [
            "def double(value, times=3):\n    return value * times\n",
            "def double(times, value=2):\n    return value * times\n",
            "def double(value, times=2):\n    return value ** times\n",
            "def double(value, times=2):\n    return value\n",
            "def double(value, times=2):\n    return value * times\n    return 1\n",
            "@cache\ndef double(value, times=2):\n    return value * times\n",
            "async def double(value, times=2):\n    return value * times\n",
            "def double(value, times=2): return value * times\n",
            "def double(value, *times=2):\n    return value * times\n",
        ];
        for source in others {
            let found = fingerprints(source)
                .pop()
                .map(|(_, fingerprint)| fingerprint);
            assert_ne!(found, Some(fingerprint(PLAIN)), "{source}");
        }
        let block = "def f():\n    if a:\n        b()\n    c()\n";
        let deeper = "def f():\n    if a:\n        b()\n        c()\n";
        assert_ne!(fingerprint(block), fingerprint(deeper));
        let text = "def f():\n    \"\"\"a\"\"\"\n";
        assert_ne!(fingerprint(text), fingerprint("def f():\n    pass\n"));
    }
}
