//! Tabs that Kubernetes' readers refuse where YAML 1.2 takes them.
//!
//! go-yaml, which kustomize and Flux read with, takes a tab neither as indentation nor behind `-`, `?` and `:` at the
//! start of a line (`yaml_parser_scan_to_next_token`), nor within the indentation of a text.

use super::{Content, Document, Node, Style};
use crate::Span;

/// Returns the first tab of a text that go-yaml refuses.
pub(super) fn refused_tab(text: &str, documents: &[Document]) -> Option<Span> {
    let mut places: Option<TokenPlaces> = None;
    let mut start = 0;
    let mut before = "";
    for line in text.split_inclusive('\n') {
        if let Some(tab) = LeadingTab::of(line) {
            let places = places.get_or_insert_with(|| TokenPlaces::of(text, documents));
            if places.refuse(text, start, tab, before) {
                return Some(Span::new(start + tab.column, start + tab.column + 1));
            }
        }
        start += line.len();
        before = line;
    }
    None
}

/// A tab before the content of a line.
#[derive(Clone, Copy)]
struct LeadingTab {
    column: usize,
    /// Whether `-`, `?` or `:` stands before it.
    behind_indicator: bool,
}

impl LeadingTab {
    fn of(line: &str) -> Option<Self> {
        let bytes = line.as_bytes();
        let mut behind_indicator = false;
        for (column, byte) in bytes.iter().enumerate() {
            match byte {
                b' ' => {}
                b'\t' => {
                    return Some(Self {
                        column,
                        behind_indicator,
                    });
                }
                b'-' | b'?' | b':' if matches!(bytes.get(column + 1), Some(b' ' | b'\t')) => {
                    behind_indicator = true;
                }
                _ => return None,
            }
        }
        None
    }
}

enum TokenKind {
    /// A plain scalar whose next lines start at this column or further right.
    Plain(usize),
    /// A block scalar whose lines start at this column.
    Block(usize),
    Other,
}

struct Token {
    span: Span,
    kind: TokenKind,
}

/// Where the scalars and the flow collections of a text stand.
#[derive(Default)]
struct TokenPlaces {
    tokens: Vec<Token>,
    flows: Vec<Span>,
}

impl TokenPlaces {
    fn of(text: &str, documents: &[Document]) -> Self {
        let mut places = Self::default();
        for document in documents {
            places.add(text, &document.root, 0);
        }
        places.tokens.sort_by_key(|token| token.span.start);
        places
    }

    /// Adds what is in a node; `least` is the column that its continued lines must reach.
    fn add(&mut self, text: &str, node: &Node, least: usize) {
        match &node.content {
            _ if node.is_alias() => self.push(node.span, TokenKind::Other),
            Content::Scalar(scalar) => {
                let kind = match scalar.style {
                    Style::Plain => TokenKind::Plain(least),
                    Style::Block => TokenKind::Block(block_indent(text, node.span, least)),
                    Style::Quoted => TokenKind::Other,
                };
                self.push(node.span, kind);
            }
            Content::Sequence { items, flow } => {
                let least = self.enter(text, node, *flow, least);
                for item in items {
                    self.add(text, item, least);
                }
            }
            Content::Mapping { entries, flow } => {
                let least = self.enter(text, node, *flow, least);
                for entry in entries {
                    let plain = !text[entry.key_span.start..].starts_with(['"', '\'']);
                    let kind = if plain {
                        TokenKind::Plain(least)
                    } else {
                        TokenKind::Other
                    };
                    self.push(entry.key_span, kind);
                    self.add(text, &entry.value, least);
                }
            }
        }
    }

    fn enter(&mut self, text: &str, node: &Node, flow: bool, least: usize) -> usize {
        if flow {
            self.flows.push(node.span);
            return least;
        }
        let line = text[..node.span.start].rfind('\n').map_or(0, |at| at + 1);
        node.span.start - line + 1
    }

    fn push(&mut self, span: Span, kind: TokenKind) {
        if span.start < span.end {
            self.tokens.push(Token { span, kind });
        }
    }

    fn refuse(&self, text: &str, line: usize, tab: LeadingTab, before: &str) -> bool {
        let at = line + tab.column;
        let behind = self.tokens.partition_point(|token| token.span.start <= at);
        let token = behind.checked_sub(1).map(|last| &self.tokens[last]);
        if let Some(token) = token {
            let within = at < token.span.end;
            if within || text[token.span.end..at].trim().is_empty() {
                match token.kind {
                    TokenKind::Plain(least) | TokenKind::Block(least) => {
                        return !tab.behind_indicator && tab.column < least;
                    }
                    TokenKind::Other if within => return false,
                    TokenKind::Other => {}
                }
            }
        }
        let comment = text[at..].trim_start_matches([' ', '\t']).starts_with('#');
        let goes_on = comment && before.trim_start().starts_with('#');
        let flow = self
            .flows
            .iter()
            .any(|flow| flow.start < at && at < flow.end);
        !flow && !goes_on
    }
}

/// Returns the column that the lines of a block scalar start at.
///
/// The span of one starts at its header, or at its text.
fn block_indent(text: &str, span: Span, least: usize) -> usize {
    let line = |at: usize| text[..at].rfind('\n').map_or(0, |at| at + 1);
    let header = if text[span.start..].starts_with(['|', '>']) {
        line(span.start)
    } else {
        line(line(span.start).saturating_sub(1))
    };
    let mut lines = text[header..].lines();
    let header = lines.next().unwrap_or_default();
    let header = header.split(" #").next().unwrap_or_default().trim_end();
    if header
        .trim_end_matches(['-', '+'])
        .ends_with(|c: char| c.is_ascii_digit())
    {
        return least;
    }
    let first = lines.find(|line| !line.trim().is_empty());
    first.map_or(least, |line| {
        line.len() - line.trim_start_matches(' ').len()
    })
}

#[cfg(test)]
mod tests {
    use super::super::load;

    /// What `kubectl kustomize` takes and refuses, each behind the head of a ConfigMap.
    const TAKEN: &[&str] = &[
        "x:\n  - a\t\n",
        "x:\n  - a\tb\n",
        "x:\ta\n",
        "x: \ta\n",
        "x:\t\n  a: 1\n",
        "x:\t# c\n  a: 1\n",
        "x: a\t# c\n",
        "x:\t|\n  a\n",
        "x: |\t\n  a\n",
        "x: |\n  a\n  \tb\n",
        "x: [\ta,\tb\t]\n",
        "x: {\ta:\t1\t}\n",
        "? a\n: b\n",
        "x: a\n  \tb\n",
        "x: \"a\n\tb\"\n",
        "x: 'a\n \tb'\n",
        "x: &a\tb\n",
        "x: !!str\tb\n",
        "x:\n  - &a\tb\n",
        "x: &a\t\n  b: 1\n",
        "a\t: 1\n",
        "\"a\"\t: 1\n",
        "x:\n  - \"a\"\t\n  - b\n",
        "x: 1\n...\t\n",
        "x: 1\t\n",
        "# c\n\t# d\nx: 1\n",
        "#\tc\nx: 1\n",
        "x: >-\n  a\n  b\t\n  c\n",
        "x:\n  - |\n    a\t\n\n",
        "x: [a,\n\t\tb]\n",
        "x:\n  [\ta ]\n",
        "x: 'a'\t#\tc\n",
        "x: a\n \ty\n",
        "x: \"a\n\n\t\n  b\"\n",
        "x:\n  # c\n  \t# d\n  y: 1\n",
    ];
    /// What kustomize takes, and the parser that Kiln reads with does not: nobody is misled by that.
    const TAKEN_BY_KUSTOMIZE_ALONE: &[&str] = &[
        "x: [\n\ta,\n\tb\n]\n",
        "x: {\n\ta: 1,\n\tb: 2\n}\n",
        "x:\n  - {\n\t  a: 1 }\n",
    ];
    const REFUSED: &[&str] = &[
        "x:\n  -\ta\n",
        "x:\n  - \ta\n",
        "x:\n  -\t- a\n",
        "x:\n  - -\ta\n",
        "x:\n  -\tk: v\n",
        "x:\n  -\t# c\n    a: 1\n",
        "x:\n  -\t\n    a: 1\n",
        "x:\n  - \n  -\t\n",
        "x: |\n  a\n\t\n  b\n",
        "x: |\n\ta\n",
        "x:\n\ta: 1\n",
        "x:\n \ta: 1\n",
        "x:\n  a: 1\n\t\ny: 2\n",
        "x:\n  a: 1\n  \t\ny: 2\n",
        "x:\n  a: 1\n\t# c\ny: 2\n",
        "x:\n  a: 1\n  \t# c\ny: 2\n",
        "x: [\n\ta\n\t]\n",
        "? a\n:\tb\n",
        "?\ta\n: b\n",
        "x: a\n\tb\n",
        "x: 1\n\t",
        "x:\n- a\n\t- b\n",
        "x:\n- a\n-\tb\n",
        "x: \n  -\t\"a\"\n",
        "x:\n  -\t|\n    a\n",
        "x:\n  -\t[a]\n",
        "x:\n  -\t{a: 1}\n",
        "x:\n  -\t&a b\n",
        "x:\n  - a: 1\n    \tb: 2\n",
        "x:\n  - a: 1\n\t  b: 2\n",
        "# c\n\t\nx: 1\n",
        "x:\n  -\t'a'\n",
        "x:\n \t[a]\n",
        "x:\n  -\t*a\n",
        "x:\n  - - \ta\n",
        "x: a\n\n\t\ny: 1\n",
        "x:\n  a\n\tb\n",
        "x:\n  -\ta\tb\n",
        "x: |\n  a\n\ty: 1\n",
        "x: |\n  a\n \t\ny: 1\n",
        "x: |2\n  a\n\t\n  b\n",
        "x:\n- a #\tc\n-\t#c\n",
        "a: 1\n\tb: 2\n",
        "x: 1 # c\n\t# d\ny: 1\n",
        "x:\n  - a # c\n  \t# d\n  - b\n",
        "x:\n  - a # c\n\t\n  - b\n",
        "x:\n  -   \t  \n    - a\n",
    ];

    #[test]
    fn takes_and_refuses_tabs_as_kustomize_does() {
        let head = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\n";
        let mut wrong = Vec::new();
        for (texts, taken) in [
            (TAKEN, true),
            (TAKEN_BY_KUSTOMIZE_ALONE, false),
            (REFUSED, false),
        ] {
            for text in texts {
                let whole = format!("{head}{text}");
                let outcome = load(&whole);
                if outcome.is_ok() != taken {
                    wrong.push(format!("{text:?}: {:?}", outcome.err()));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
