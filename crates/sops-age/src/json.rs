//! JSON with its places, as nodes of the same kind that YAML gives.

use std::collections::BTreeSet;

use spanned_yaml::{Content, Document, Entry, Node, Scalar, Span, Style};

/// How deep lists and objects may be nested.
const DEPTH: usize = 128;

/// Why a text is not a JSON object that SOPS reads.
///
/// The message never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// Reads one JSON object (RFC 8259).
///
/// # Errors
/// What is no JSON, a key that stands twice in an object, half a surrogate pair, and nesting beyond 128 levels.
pub(crate) fn load(text: &str) -> Result<Document, JsonError> {
    let mut reader = JsonReader { text, at: 0 };
    reader.blanks();
    if reader.peek() != Some(b'{') {
        return Err(reader.refuse("it does not start with `{`"));
    }
    let root = reader.value(0)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.refuse("something follows the end of the object"));
    }
    Ok(Document {
        root,
        span: Span::new(0, text.len()),
        comments: Vec::new(),
    })
}

struct JsonReader<'t> {
    text: &'t str,
    at: usize,
}

impl JsonReader<'_> {
    fn refuse(&self, message: &str) -> JsonError {
        let rest = &self.text[self.at..];
        let width = rest.chars().next().map_or(0, char::len_utf8);
        JsonError {
            message: message.to_owned(),
            span: Span::new(self.at, self.at + width),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        if depth > DEPTH {
            return Err(self.refuse("lists and objects are nested too deep"));
        }
        let start = self.at;
        let content = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => scalar(self.string()?, Style::Quoted),
            Some(_) => scalar(self.word()?, Style::Plain),
            None => return Err(self.refuse("a value is missing")),
        };
        Ok(Node {
            span: Span::new(start, self.at),
            content,
            alias_of: None,
            anchored: false,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Content, JsonError> {
        self.at += 1;
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        self.blanks();
        while !self.take(b'}') {
            if !entries.is_empty() && !self.take(b',') {
                return Err(self.refuse("a `,` or `}` is missing"));
            }
            self.blanks();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.refuse("a key in double quotes is missing"));
            }
            let key = self.string()?;
            let key_span = Span::new(start, self.at);
            if !seen.insert(key.clone()) {
                return Err(JsonError {
                    message: format!("the key `{key}` is set twice"),
                    span: key_span,
                });
            }
            self.blanks();
            if !self.take(b':') {
                return Err(self.refuse("a `:` is missing"));
            }
            self.blanks();
            let value = self.value(depth + 1)?;
            entries.push(Entry {
                key,
                key_span,
                value,
            });
            self.blanks();
        }
        Ok(Content::Mapping {
            entries,
            flow: true,
        })
    }

    fn list(&mut self, depth: usize) -> Result<Content, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        while !self.take(b']') {
            if !items.is_empty() && !self.take(b',') {
                return Err(self.refuse("a `,` or `]` is missing"));
            }
            self.blanks();
            items.push(self.value(depth + 1)?);
            self.blanks();
        }
        Ok(Content::Sequence { items, flow: true })
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        let mut escaped = false;
        let inside = self.text.as_bytes().iter().enumerate().skip(start + 1);
        for (at, byte) in inside {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.at = at + 1;
                    let quoted = &self.text[start..self.at];
                    return serde_json::from_str(quoted).map_err(|_| JsonError {
                        message: "a text holds an escape or a sign that JSON does not know"
                            .to_owned(),
                        span: Span::new(start, start + 1),
                    });
                }
                _ => {}
            }
        }
        Err(self.refuse("the text in double quotes has no end"))
    }

    /// Takes a number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<String, JsonError> {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|sign: char| !sign.is_ascii_alphanumeric() && !matches!(sign, '+' | '-' | '.'))
            .unwrap_or(rest.len());
        let word = &rest[..length];
        let known = match word {
            "true" | "false" | "null" => true,
            number => serde_json::from_str::<serde_json::Number>(number).is_ok(),
        };
        if !known {
            return Err(self.refuse("a value is none that JSON knows"));
        }
        self.at += length;
        Ok(word.to_owned())
    }
}

fn scalar(text: String, style: Style) -> Content {
    Content::Scalar(Scalar {
        text,
        style,
        tagged_string: false,
    })
}

/// Writes a text in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_places() {
        let text = "{\"b\": [1, \"x\\u00e9\"], \"a\": {\"c\": null}}\n";
        let root = load(text).unwrap().root;
        let entries = root.entries().unwrap();
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["b", "a"]);
        let items = entries[0].value.items().unwrap();
        assert_eq!(items[1].text(), Some("xé"));
        let span = items[1].span;
        assert_eq!(&text[span.start..span.end], "\"x\\u00e9\"");
        assert_eq!(root.find_text("a.c"), Some("null"));
    }

    #[test]
    fn refuses_what_is_no_json() {
        for (text, told) in [
            ("", "it does not start with `{`"),
            ("[1]", "it does not start with `{`"),
            ("{\"a\":", "a value is missing"),
            ("{", "a key in double quotes is missing"),
            ("{\"a\" 1}", "a `:` is missing"),
            ("{\"a\": 1 \"b\": 2}", "a `,` or `}` is missing"),
            ("{\"a\": 1,}", "a key in double quotes is missing"),
            ("{\"a\": [1,]}", "a value is none that JSON knows"),
            ("{\"a\": 01}", "a value is none that JSON knows"),
            ("{\"a\": 1e999}", "a value is none that JSON knows"),
            ("{\"a\": nil}", "a value is none that JSON knows"),
            ("{\"a\": \"x}", "the text in double quotes has no end"),
            ("{\"a\": 1, \"\\u0061\": 2}", "the key `a` is set twice"),
            ("{\"a\": 1} x", "something follows the end of the object"),
        ] {
            assert_eq!(load(text).unwrap_err().message, told, "{text}");
        }
        assert!(load("{\"a\": \"\\ud800\"}").is_err());
        assert!(load(&"{\"a\":".repeat(100_000)).is_err());
        assert!(load(&format!("{{\"a\":{}", "[".repeat(100_000))).is_err());
    }
}
