//! Glob patterns as Go's `path.Match` reads them, with `*` over slashes too.

use super::MalformedKind;

/// How many steps the patterns of one text may take.
///
/// Trying all prefixes of a value costs the square of its length, and values may be a mebibyte long.
pub(super) struct StepBudget(u64);

impl StepBudget {
    pub(super) fn new() -> Self {
        Self(1 << 27)
    }

    fn spend(&mut self, steps: usize) -> Result<(), GlobError> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.0 = self.0.checked_sub(steps).ok_or(GlobError::Cost)?;
        Ok(())
    }
}

/// A glob pattern.
pub(super) struct Glob<'p> {
    /// The pieces between stars, each with whether a star stands before it.
    pieces: Vec<(bool, &'p [u8])>,
}

enum GlobError {
    /// The pattern is broken at a place that the match came to.
    Pattern,
    Cost,
}

impl<'p> Glob<'p> {
    pub(super) fn new(pattern: &'p [u8]) -> Self {
        let mut pieces = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let stars = rest.iter().take_while(|byte| **byte == b'*').count();
            let piece = &rest[stars..];
            let (piece, behind) = piece.split_at(piece_length(piece));
            pieces.push((stars > 0, piece));
            rest = behind;
        }
        Self { pieces }
    }

    /// Returns the length of the longest or shortest prefix that the pattern matches, or 0.
    ///
    /// No prefix counts where the pattern turns out to be broken.
    pub(super) fn matched_prefix(
        &self,
        text: &[u8],
        longest: bool,
        budget: &mut StepBudget,
    ) -> Result<usize, MalformedKind> {
        let mut matched = 0;
        for length in (1..=text.len()).rev() {
            match self.matches(&text[..length], budget) {
                Ok(true) if longest => return Ok(length),
                Ok(true) => matched = length,
                Ok(false) => {}
                Err(GlobError::Pattern) => return Ok(0),
                Err(GlobError::Cost) => return Err(MalformedKind::Cost),
            }
        }
        Ok(matched)
    }

    fn matches(&self, text: &[u8], budget: &mut StepBudget) -> Result<bool, GlobError> {
        let mut text = text;
        for (index, (star, piece)) in self.pieces.iter().enumerate() {
            if *star && piece.is_empty() {
                return Ok(true);
            }
            let last = index + 1 == self.pieces.len();
            let starts = if *star { text.len() } else { 0 };
            let mut behind = None;
            for start in 0..=starts {
                if let Some(rest) = match_piece(piece, &text[start..], budget)?
                    && (!last || rest.is_empty())
                {
                    behind = Some(rest);
                    break;
                }
            }
            match behind {
                Some(rest) => text = rest,
                None => return Ok(false),
            }
        }
        Ok(text.is_empty())
    }
}

/// Returns how far it is to the next star that is none of a class and not escaped.
fn piece_length(pattern: &[u8]) -> usize {
    let mut in_class = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if at + 1 < pattern.len() => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Matches a piece at the start of a text, and returns what is behind it.
fn match_piece<'t>(
    piece: &[u8],
    text: &'t [u8],
    budget: &mut StepBudget,
) -> Result<Option<&'t [u8]>, GlobError> {
    let mut piece = piece;
    let mut text = text;
    budget.spend(1)?;
    while let [head, behind_head @ ..] = piece {
        let [byte, behind_byte @ ..] = text else {
            return Ok(None);
        };
        budget.spend(1)?;
        match head {
            b'[' => {
                let (character, width) = first_character(text);
                text = &text[width..];
                let (holds, rest) = match_class(behind_head, character, budget)?;
                if !holds {
                    return Ok(None);
                }
                piece = rest;
            }
            b'?' => {
                text = &text[first_character(text).1..];
                piece = behind_head;
            }
            _ => {
                let (literal, rest) = match (head, behind_head) {
                    (b'\\', [literal, rest @ ..]) => (literal, rest),
                    (b'\\', []) => return Err(GlobError::Pattern),
                    _ => (head, behind_head),
                };
                if literal != byte {
                    return Ok(None);
                }
                text = behind_byte;
                piece = rest;
            }
        }
    }
    Ok(Some(text))
}

/// Reads a class behind its `[`, and returns whether it holds a character, and what is behind its `]`.
fn match_class<'p>(
    class: &'p [u8],
    character: char,
    budget: &mut StepBudget,
) -> Result<(bool, &'p [u8]), GlobError> {
    let (negated, mut rest) = match class {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let mut found = false;
    let mut ranges = 0;
    loop {
        if let [b']', behind @ ..] = rest
            && ranges > 0
        {
            return Ok((found != negated, behind));
        }
        budget.spend(1)?;
        let (low, behind) = class_character(rest)?;
        let (high, behind) = match behind {
            [b'-', behind @ ..] => class_character(behind)?,
            _ => (low, behind),
        };
        found |= low <= character && character <= high;
        rest = behind;
        ranges += 1;
    }
}

/// Reads a character of a class; something has to stand behind it.
fn class_character(class: &[u8]) -> Result<(char, &[u8]), GlobError> {
    let class = match class {
        [] | [b'-' | b']', ..] => return Err(GlobError::Pattern),
        [b'\\', rest @ ..] => rest,
        _ => class,
    };
    if class.is_empty() {
        return Err(GlobError::Pattern);
    }
    let (character, width) = first_character(class);
    let broken = character == char::REPLACEMENT_CHARACTER && width == 1;
    let rest = &class[width..];
    if broken || rest.is_empty() {
        return Err(GlobError::Pattern);
    }
    Ok((character, rest))
}

/// Reads the first character; a byte that belongs to none counts as U+FFFD.
fn first_character(text: &[u8]) -> (char, usize) {
    let head = &text[..text.len().min(4)];
    let character = head
        .utf8_chunks()
        .next()
        .and_then(|chunk| chunk.valid().chars().next());
    character.map_or((char::REPLACEMENT_CHARACTER, 1), |character| {
        (character, character.len_utf8())
    })
}
