//! Folded texts (`>`), which kustomize changes where it reads and writes them.

use spanned_yaml::Span;

/// Returns whether the block scalar whose content starts at `span` has a `>` before it.
pub(crate) fn is_folded(bytes: &[u8], span: Span) -> bool {
    let before = &bytes[..span.start.min(bytes.len())];
    let mut lines = before.rsplit(|byte| *byte == b'\n');
    let header = lines.find(|line| !line.trim_ascii().is_empty());
    let Some(header) = header else { return false };
    let words: Vec<&[u8]> = header
        .split(u8::is_ascii_whitespace)
        .take_while(|word| !word.starts_with(b"#"))
        .filter(|word| !word.is_empty())
        .collect();
    words.last().is_some_and(|word| word.first() == Some(&b'>'))
}

/// Returns a folded text as it is after kustomize wrote it and read it again.
///
/// go-yaml's writer (`yaml_emitter_write_folded_scalar`) looks at the start of the whole text where it should look at
/// the next line. So a line break before a line that starts with a blank becomes two, and so does the last of those at
/// the end that are kept.
pub(crate) fn written_anew(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    if text.trim_start_matches('\n').starts_with([' ', '\t']) {
        return text.to_owned();
    }
    let mut lines = text.split('\n').peekable();
    let mut breaks = 0;
    let mut starts_with_blank = true;
    while let Some(line) = lines.next() {
        if !line.is_empty() {
            if breaks > 0 && !starts_with_blank && line.starts_with([' ', '\t']) {
                written.push('\n');
            }
            written.push_str(line);
            starts_with_blank = line.starts_with([' ', '\t']);
            breaks = 0;
        }
        if lines.peek().is_some() {
            written.push('\n');
            breaks += 1;
        }
    }
    if breaks > 1 && !starts_with_blank {
        written.push('\n');
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pair was printed by kustomize 5.8.
    #[test]
    fn line_breaks_before_indented_lines_are_doubled() {
        for (text, anew) in [
            ("f\n  e\nb c a", "f\n\n  e\nb c a"),
            ("a f\n  e\n d\nf\n", "a f\n\n  e\n d\nf\n"),
            ("b c\n\n  e\nb c f\n", "b c\n\n\n  e\nb c f\n"),
            ("f\n\n d", "f\n\n\n d"),
            ("f\n\n\n", "f\n\n\n\n"),
            ("a\n d\n d\n\n", "a\n\n d\n d\n\n"),
            ("a\nb\n\nc\n", "a\nb\n\nc\n"),
            (" a\n  b\nc\n", " a\n  b\nc\n"),
            ("", ""),
        ] {
            assert_eq!(written_anew(text), anew, "{text:?}");
        }
    }

    #[test]
    fn the_header_tells_folded_from_literal() {
        let text = "a: >- # why | not\n\n  x\nb: |\n  > y\nc:\n  - >2\n     z\n";
        let at = |part: &str| {
            let start = text.find(part).expect("the part is in the text");
            is_folded(text.as_bytes(), Span::new(start, start + 1))
        };
        assert!(at("x\n"));
        assert!(!at("> y"));
        assert!(at("z\n"));
    }
}
