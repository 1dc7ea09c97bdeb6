//! The lines between the documents of a file, which kustomize finds by itself before it reads YAML.

use spanned_yaml::{Document, Span};

/// What kustomize refuses about the lines between documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefusedSeparator {
    pub(crate) span: Span,
    pub(crate) message: &'static str,
    pub(crate) help: &'static str,
}

/// Returns the first `---` with content behind it, or the directive that a `---` cuts off.
pub(crate) fn refused_separator(text: &str) -> Option<RefusedSeparator> {
    let mut from = 0;
    while let Some(at) = text[from..].find("\n---") {
        let start = from + at + 1;
        let Some(length) = text[start..].find('\n') else {
            break;
        };
        if from == 0
            && let Some(directive) = directive(&text[..start])
        {
            return Some(RefusedSeparator {
                span: directive,
                message: "kustomize takes no `%` directive before a `---`",
                help: "remove the line",
            });
        }
        let line = &text[start..start + length];
        let content = line[3..].trim_start();
        if !content.is_empty() && !content.starts_with('#') {
            let content_start = start + line.len() - content.len();
            return Some(RefusedSeparator {
                span: Span::new(content_start, content_start + content.trim_end().len()),
                message: "kustomize takes nothing but a comment behind `---`",
                help: "write it on the next line",
            });
        }
        from = start + length + 1;
    }
    None
}

/// Returns the directive at the start of a text.
fn directive(text: &str) -> Option<Span> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        if line.starts_with('%') {
            return Some(Span::new(start, start + line.trim_end().len()));
        }
        if !blank {
            return None;
        }
        start += line.len();
    }
    None
}

/// Returns whether kustomize reads a document: between two `---`, it reads the first, and nothing behind a `...`.
pub(crate) fn is_read(text: &str, index: usize, document: &Document) -> bool {
    index == 0 || text[document.span.start..].starts_with("---")
}

#[cfg(test)]
mod tests {
    use super::*;
    use spanned_yaml::load;

    #[test]
    fn refuses_content_behind_a_separator() {
        for (text, refused) in [
            ("a: 1\n---\nb: 2\n", None),
            ("--- {a: 1}\n---\t# b\nb: 2\n---\n", None),
            ("a: 1\n--- {b: 2}", None),
            ("a: |\n  ---\n  x\n", None),
            ("a: 1\n--- {b: 2} \nc: 3\n", Some("{b: 2}")),
            ("a: 1\n---b\nc: 3\n", Some("b")),
            ("a: 1\n---\n---\n--- x\n", Some("x")),
            ("# a\n\n%YAML 1.1\n---\nb: 1\n", Some("%YAML 1.1")),
            ("a: 1\n...\n%YAML 1.1\n---\nb: 1\n", None),
            ("%YAML 1.1\n", None),
        ] {
            let found =
                refused_separator(text).map(|found| &text[found.span.start..found.span.end]);
            assert_eq!(found, refused, "{text}");
        }
    }

    #[test]
    fn reads_one_document_between_separators() {
        let text = "a: 1\n...\nb: 2\n---\nc: 3\n...\n# d\nd: 4\n...\n---\ne: 5\n";
        let documents = load(text).unwrap();
        let read: Vec<&str> = documents
            .iter()
            .enumerate()
            .filter(|(index, document)| is_read(text, *index, document))
            .map(|(_, document)| document.root.entries().unwrap()[0].key.as_str())
            .collect();
        assert_eq!(read, ["a", "c", "e"]);
    }
}
