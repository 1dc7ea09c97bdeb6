//! What everybody can read of an output.

/// The open part of a file: its text with something fixed in the place of every value that will be encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenPart {
    /// The text.
    pub text: String,
    /// Where pieces of the text start, and where these start in the file; the first starts at 0 in both.
    pieces: Vec<(usize, usize)>,
}

impl OpenPart {
    /// Takes a file that is open as a whole.
    pub fn whole(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            pieces: vec![(0, 0)],
        }
    }

    /// Takes a file without what is covered: ranges of bytes, each with what stands in its place.
    pub fn without(text: &str, mut covered: Vec<(crate::source::Span, String)>) -> Self {
        covered.sort_by_key(|(span, _)| span.start);
        let mut part = Self::default();
        let mut at = 0;
        for (span, instead) in covered {
            part.push(&text[at..span.start.max(at)], at);
            part.push(&instead, span.start);
            at = span.end.max(at);
        }
        part.push(&text[at..], at);
        part
    }

    fn push(&mut self, text: &str, at: usize) {
        self.pieces.push((self.text.len(), at));
        self.text.push_str(text);
    }

    /// Returns where a byte of the text stands in the file.
    pub fn in_file(&self, offset: usize) -> usize {
        let piece = self.pieces.iter().rev().find(|(start, _)| *start <= offset);
        piece.map_or(offset, |(start, at)| at + offset - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    #[test]
    fn knows_where_its_bytes_stand_in_the_file() {
        let part = OpenPart::without("a: one\nb: two\n", vec![(Span::new(3, 6), "-".to_owned())]);
        assert_eq!(part.text, "a: -\nb: two\n");
        assert_eq!(part.in_file(part.text.find('b').unwrap()), 7);
        assert_eq!(OpenPart::whole("x").in_file(0), 0);
    }
}
