//! What the functions of expressions do to a value.

use super::MalformedKind;
use super::glob::{Glob, StepBudget};
use super::letter_case::{lower, upper};

/// A function of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// `${name}`.
    Value,
    /// `${#name}`.
    Length,
    /// `${name:=default}` and its other spellings.
    Default,
    LowerFirst,
    Lower,
    UpperFirst,
    Upper,
    Substring,
    RemovePrefix {
        longest: bool,
    },
    RemoveSuffix {
        longest: bool,
    },
    ReplaceFirst,
    ReplaceAll,
    ReplacePrefix,
    ReplaceSuffix,
}

impl Function {
    /// Applies the function to a value; the results of arguments need not be text, as a function may cut a character.
    pub(super) fn apply(
        self,
        value: &str,
        arguments: &[Vec<u8>],
        budget: &mut StepBudget,
    ) -> Result<Vec<u8>, MalformedKind> {
        let argument = |index: usize| arguments.get(index).map(Vec::as_slice);
        let bytes = value.as_bytes();
        Ok(match self {
            Self::Length => value.len().to_string().into_bytes(),
            Self::Default if value.is_empty() => arguments.concat(),
            Self::Value | Self::Default => bytes.to_vec(),
            Self::Lower => value.chars().map(lower).collect::<String>().into_bytes(),
            Self::Upper => value.chars().map(upper).collect::<String>().into_bytes(),
            Self::LowerFirst => change_first(value, lower),
            Self::UpperFirst => change_first(value, upper),
            Self::Substring => substring(bytes, argument(0), argument(1)).to_vec(),
            Self::RemovePrefix { longest } => {
                let glob = Glob::new(argument(0).unwrap_or_default());
                let length = glob.matched_prefix(bytes, longest, budget)?;
                bytes[length..].to_vec()
            }
            Self::RemoveSuffix { longest } => {
                let glob = reverse(argument(0).unwrap_or_default());
                let reversed = reverse(bytes);
                let length = Glob::new(&glob).matched_prefix(&reversed, longest, budget)?;
                reverse(&reversed[length..])
            }
            Self::ReplaceFirst => replace(
                value,
                argument(0).unwrap_or_default(),
                argument(1).unwrap_or_default(),
                1,
            ),
            Self::ReplaceAll => replace(
                value,
                argument(0).unwrap_or_default(),
                argument(1).unwrap_or_default(),
                usize::MAX,
            ),
            Self::ReplacePrefix | Self::ReplaceSuffix => {
                let (Some(old), Some(new)) = (argument(0), argument(1)) else {
                    return Ok(bytes.to_vec());
                };
                if self == Self::ReplacePrefix {
                    match bytes.strip_prefix(old) {
                        Some(rest) => [new, rest].concat(),
                        None => bytes.to_vec(),
                    }
                } else {
                    match bytes.strip_suffix(old) {
                        Some(rest) => [rest, new].concat(),
                        None => bytes.to_vec(),
                    }
                }
            }
        })
    }
}

fn change_first(value: &str, change: fn(char) -> char) -> Vec<u8> {
    let mut characters = value.chars();
    let first = characters.next().map(change);
    let text: String = first.into_iter().chain(characters).collect();
    text.into_bytes()
}

/// Counts in bytes; an offset or length that is no number leaves the value as it is.
fn substring<'b>(bytes: &'b [u8], offset: Option<&[u8]>, length: Option<&[u8]>) -> &'b [u8] {
    let total = bytes.len();
    let from_end = |count: u64| total.saturating_sub(clamp(count, total));
    let Some(offset) = offset.and_then(read_number) else {
        return bytes;
    };
    let start = if offset < 0 {
        from_end(offset.unsigned_abs())
    } else {
        clamp(offset.unsigned_abs(), total)
    };
    let Some(length) = length else {
        return &bytes[start..];
    };
    let Some(length) = read_number(length) else {
        return bytes;
    };
    let end = if length < 0 {
        from_end(length.unsigned_abs())
    } else {
        start + clamp(length.unsigned_abs(), total - start)
    };
    bytes.get(start..end).unwrap_or_default()
}

fn clamp(count: u64, most: usize) -> usize {
    usize::try_from(count).map_or(most, |count| count.min(most))
}

fn read_number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Replaces the first `most` occurrences; an empty `old` stands before each character and at the end.
fn replace(value: &str, old: &[u8], new: &[u8], most: usize) -> Vec<u8> {
    let mut result = Vec::with_capacity(value.len());
    let mut count = 0;
    if old.is_empty() {
        for character in value.chars() {
            if count < most {
                result.extend_from_slice(new);
                count += 1;
            }
            result.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if count < most {
            result.extend_from_slice(new);
        }
        return result;
    }
    let bytes = value.as_bytes();
    let mut copied = 0;
    for start in memchr::memmem::find_iter(bytes, old).take(most) {
        result.extend_from_slice(&bytes[copied..start]);
        result.extend_from_slice(new);
        copied = start + old.len();
    }
    result.extend_from_slice(&bytes[copied..]);
    result
}

/// Reverses the characters; a byte that belongs to none becomes U+FFFD.
fn reverse(bytes: &[u8]) -> Vec<u8> {
    let mut characters = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        characters.extend(chunk.valid().chars());
        characters.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    let text: String = characters.into_iter().rev().collect();
    text.into_bytes()
}
