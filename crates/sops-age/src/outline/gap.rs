//! What stands between two tokens of YAML: dashes, tags, block headers.

use spanned_yaml::Span;

/// The signs in a gap that matter.
#[derive(Clone, Copy, Default)]
pub(super) struct Gap {
    /// The first `-` of a list item.
    pub(super) dash: Option<usize>,
    /// The first tag, such as `!!int`.
    pub(super) tag: Option<Span>,
    /// The signs of a block header, such as `|2-`.
    pub(super) header: Option<Span>,
}

/// Looks through the bytes from the end of one token up to the start of the next.
///
/// Nothing of a scalar may lie in between, except the header of a block.
pub(super) fn scan(text: &str, from: usize, to: usize) -> Gap {
    let bytes = text.as_bytes();
    let to = to.min(bytes.len());
    let mut gap = Gap::default();
    let mut at = from;
    while at < to {
        let rest = &bytes[at..];
        let word = || {
            rest.iter()
                .position(|byte| b" \t\r\n,]}".contains(byte))
                .unwrap_or(rest.len())
        };
        match rest[0] {
            b'#' => {
                at += line(rest);
            }
            b'!' => {
                gap.tag = gap.tag.or(Some(Span::new(at, at + word())));
                at += word();
            }
            b'&' => at += word(),
            b'-' => {
                gap.dash = gap.dash.or(Some(at));
                at += 1;
            }
            b'|' | b'>' => {
                gap.header = Some(header(text, at));
                return gap;
            }
            _ => at += 1,
        }
    }
    gap
}

fn line(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len())
}

/// Returns the signs of the block header that starts at a byte.
pub(super) fn header(text: &str, at: usize) -> Span {
    let signs = text.as_bytes()[at + 1..]
        .iter()
        .take_while(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9'))
        .count();
    Span::new(at, at + 1 + signs)
}

/// Returns the lines of a block's content: from the end of the header line to the end of the last
/// line that is not blank, at most up to `end`.
pub(super) fn body(text: &str, header: Span, end: usize) -> Span {
    let start = text[header.end..]
        .find('\n')
        .map_or(text.len(), |line| header.end + line);
    let last = text[..end.max(start)]
        .trim_end_matches([' ', '\t', '\r', '\n'])
        .len();
    if last <= start {
        return Span::new(start, start);
    }
    let end = text[last..]
        .find('\n')
        .map_or(text.len(), |line| last + line);
    Span::new(start, end)
}
