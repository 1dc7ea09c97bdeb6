//! What of a text may be shown: the keys of a data file without their values.

use super::Span;

/// What stays where nothing is known of a part of a sound text: it only says how the text is built.
const STRUCTURE: &str = "{}[],:=-\"'#";

/// Blots out everything of a data file, sound or not, but the first key of each line.
///
/// Behind a key stands `:`, or `=` in TOML. The text keeps its length and its line breaks.
pub(super) fn keys_only(text: &str, separator: char) -> String {
    let mut lines = KeyLines {
        separator,
        deeper_than: None,
        quoted: None,
    };
    let mut veil = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let shown = lines.shown(line.trim_end_matches(['\n', '\r']));
        veil.push_str(&line[..shown]);
        blot(&line[shown..], &mut veil);
    }
    veil
}

/// Shows and blots out spans of a sound text, each over the ones before; elsewhere only the structure stays.
///
/// The text keeps its length and its line breaks.
pub(super) fn layered(text: &str, layers: impl IntoIterator<Item = (Span, bool)>) -> String {
    let mut seen: Vec<Option<bool>> = vec![None; text.len()];
    for (span, shown) in layers {
        let end = span.end.min(text.len());
        if let Some(bytes) = seen.get_mut(span.start.min(end)..end) {
            bytes.fill(Some(shown));
        }
    }
    let mut veil = String::with_capacity(text.len());
    let mut indented = true;
    for (at, letter) in text.char_indices() {
        indented = letter == '\n' || (indented && letter.is_whitespace());
        let shown = match seen[at] {
            Some(shown) => shown || indented,
            None => letter.is_whitespace() || STRUCTURE.contains(letter),
        };
        if shown {
            veil.push(letter);
        } else {
            blot(letter.encode_utf8(&mut [0; 4]), &mut veil);
        }
    }
    veil
}

/// Blots out some spans and shows the rest, line breaks and what is before the first letter of a line included.
pub(super) fn without(text: &str, spans: impl IntoIterator<Item = Span>) -> String {
    let whole = (Span::new(0, text.len()), true);
    let hidden = spans.into_iter().map(|span| (span, false));
    layered(text, std::iter::once(whole).chain(hidden))
}

/// Writes a `*` for each byte, so that all spans still fit.
fn blot(text: &str, veil: &mut String) {
    for letter in text.chars() {
        if matches!(letter, '\n' | '\r') {
            veil.push(letter);
        } else {
            veil.extend(std::iter::repeat_n('*', letter.len_utf8()));
        }
    }
}

/// Finds the keys of a text that may be broken anywhere.
struct KeyLines {
    separator: char,
    /// The column of a key whose value may go on in lines that are indented more.
    deeper_than: Option<usize>,
    /// The quote of a text that goes on in the next line.
    quoted: Option<char>,
}

impl KeyLines {
    /// Returns how many bytes at the start of a line may be shown.
    fn shown(&mut self, line: &str) -> usize {
        let indent = line.len() - line.trim_start().len();
        if indent == line.len() {
            return indent;
        }
        if let Some(quote) = self.quoted {
            if is_left_open(line, quote) {
                self.quoted = None;
            }
            return indent;
        }
        if self.deeper_than.is_some_and(|column| indent > column) {
            return indent;
        }
        self.deeper_than = None;
        let is_lead = |letter: char| letter.is_whitespace() || "-{[,\u{feff}".contains(letter);
        let Some(lead) = line.find(|letter| !is_lead(letter)) else {
            return line.len();
        };
        if let Some(key) = self.key_length(&line[lead..], line[..lead].contains('[')) {
            self.note(lead, &line[lead + key..]);
            return lead + key;
        }
        self.note(indent, &line[lead..]);
        lead
    }

    /// Returns the length of the key at the start of a text with its separator and the blanks behind it.
    fn key_length(&self, text: &str, in_brackets: bool) -> Option<usize> {
        let quote = text.chars().next().filter(|letter| "\"'".contains(*letter));
        let (word, length) = if let Some(quote) = quote {
            let end = text[1..].find(quote)?;
            (&text[1..=end], end + 2)
        } else {
            let end = text.find(|letter| !spanned_yaml::is_of_key(letter));
            let end = end.unwrap_or(text.len());
            (&text[..end], end)
        };
        if !spanned_yaml::is_plain_key(word) {
            return None;
        }
        let rest = &text[length..];
        if self.separator == '=' && in_brackets && ["]", "]]"].contains(&rest.trim_end()) {
            return Some(text.len());
        }
        let value = rest.trim_start().strip_prefix(self.separator)?;
        let trimmed = value.trim_start();
        let is_key = match self.separator {
            // The last line of a key file in base64 may end like that.
            '=' => !trimmed.is_empty() && !trimmed.starts_with('='),
            _ => quote.is_some() || trimmed.is_empty() || trimmed.len() < value.len(),
        };
        is_key.then(|| text.len() - trimmed.len())
    }

    /// Sees whether a value goes on in the next lines.
    fn note(&mut self, column: usize, value: &str) {
        let value = value.trim();
        let single = value.starts_with('\'') && is_left_open(value, '\'');
        self.quoted = if is_left_open(value, '"') {
            Some('"')
        } else {
            single.then_some('\'')
        };
        let opens =
            value.is_empty() || value.ends_with(['{', '[', ',']) || value.starts_with(['&', '!']);
        let block = value.ends_with(['|', '>']);
        if self.separator == ':' && (!opens || block) {
            self.deeper_than = Some(column);
        }
    }
}

/// Returns whether a text opens a quote that it does not close, or closes one that it does not open.
fn is_left_open(text: &str, quote: char) -> bool {
    let mut escaped = false;
    let mut count = 0;
    for letter in text.chars() {
        if letter == quote && !escaped {
            count += 1;
        }
        escaped = letter == '\\' && !escaped && quote == '"';
    }
    count % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_keys_and_no_values() {
        let yaml = "dns:\n  token: a b\n  - name: x\n{\"dns\": {\"token\": \"x\"}}\n---\nurl:x\n";
        insta::assert_snapshot!(keys_only(yaml, ':'), @r#"
        dns:
          token: ***
          - name: *
        {"dns": ***************
        ---
        *****
        "#);
        let toml = "[dns]\ntoken = \"x\"\n[[a.b]]\n[dns \"x\"]\nAbc/d=\nAbc==\n";
        insta::assert_snapshot!(keys_only(toml, '='), @r#"
        [dns]
        token = ***
        [[a.b]]
        [********
        ******
        *****
        "#);
    }

    #[test]
    fn shows_nothing_of_values_of_several_lines() {
        for text in [
            "a: |\n  b: c\n",
            "- >-\n  b: c\n",
            "a: one\n  b: c\n",
            "a: \"one\n b: c\n b: c\"\n",
            "a: 'one\nb: c\n",
        ] {
            assert!(!keys_only(text, ':').contains('b'), "{text}");
        }
        assert!(!keys_only("a = \"\"\"\nb = 1\n\"\"\"\n", '=').contains('b'));
    }

    #[test]
    fn shows_no_text_of_what_is_no_data_file() {
        let key = "# public key: age1qqq\nAGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n";
        for separator in [':', '='] {
            let veil = keys_only(key, separator);
            assert!(!veil.contains(char::is_alphanumeric), "{veil}");
        }
    }

    #[test]
    fn keeps_every_span() {
        let text = "ü: \"ö\"\r\n# ß\n";
        assert_eq!(keys_only(text, ':').len(), text.len());
        assert_eq!(
            layered(text, [(Span::new(0, 2), true), (Span::new(4, 8), false)]),
            "ü: ****\r\n# **\n"
        );
        assert_eq!(without(text, [Span::new(1, 900)]).len(), text.len());
    }
}
