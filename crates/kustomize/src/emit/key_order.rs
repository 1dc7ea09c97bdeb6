//! The order of keys: that of go-yaml v2, in which `a2` stands before `a10`.

use std::sync::LazyLock;

use regex::Regex;

use crate::field::FieldEntry;

/// Returns the entries in the order in which they are written.
pub(super) fn sort_keys(entries: &[FieldEntry]) -> Vec<&FieldEntry> {
    let sorted: Vec<&FieldEntry> = entries.iter().collect();
    if sorted.is_sorted_by(|a, b| !is_before(&b.key, &a.key)) {
        return sorted;
    }
    merge_sort(sorted)
}

/// Sorts by halves.
///
/// The order is none in the strict sense for numbers of more than 18 digits, on which the sort of the standard library
/// may panic.
fn merge_sort(mut entries: Vec<&FieldEntry>) -> Vec<&FieldEntry> {
    if entries.len() < 2 {
        return entries;
    }
    let length = entries.len();
    let right = merge_sort(entries.split_off(length / 2));
    let left = merge_sort(entries);
    let mut merged = Vec::with_capacity(length);
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if is_before(&second.key, &first.key) {
            right.next()
        } else {
            left.next()
        };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

/// Compares where two keys part: signs come before letters, digits count as a number.
fn is_before(a: &str, b: &str) -> bool {
    let common = a
        .chars()
        .zip(b.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum::<usize>();
    let (rest_a, rest_b) = (&a[common..], &b[common..]);
    let (Some(first_a), Some(first_b)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return rest_a.len() < rest_b.len();
    };
    match (is_letter(first_a), is_letter(first_b)) {
        (true, true) => return first_a < first_b,
        (false, false) => {}
        (_, b_is_letter) => return b_is_letter,
    }
    // A zero counts only behind another digit than zero, so that `a10` comes behind `a9`, and `a00` before `a1`.
    let mut start = 0;
    if first_a == '0' || first_b == '0' {
        let digits = a[..common].chars().rev().take_while(|c| is_digit(*c));
        start = i64::from(digits.into_iter().any(|digit| digit != '0'));
    }
    let (number_a, length_a) = leading_number(start, rest_a);
    let (number_b, length_b) = leading_number(start, rest_b);
    (number_a, length_a, first_a) < (number_b, length_b, first_b)
}

/// Reads the digits at the start as Go does, overflow and all; returns how many there are, too.
fn leading_number(start: i64, text: &str) -> (i64, usize) {
    let digits = text.chars().take_while(|c| is_digit(*c));
    digits.fold((start, 0), |(number, length), digit| {
        let value = i64::from(u32::from(digit)) - i64::from(u32::from('0'));
        (number.wrapping_mul(10).wrapping_add(value), length + 1)
    })
}

fn is_letter(character: char) -> bool {
    static LETTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{L}$").ok());
    character.is_ascii_alphabetic() || is_in(&LETTER, character)
}

fn is_digit(character: char) -> bool {
    static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Nd}$").ok());
    character.is_ascii_digit() || is_in(&DIGIT, character)
}

fn is_in(class: &LazyLock<Option<Regex>>, character: char) -> bool {
    !character.is_ascii()
        && class
            .as_ref()
            .is_some_and(|class| class.is_match(character.encode_utf8(&mut [0; 4])))
}
