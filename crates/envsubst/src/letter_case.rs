//! Upper and lower case of one character, as Go has it: one character for one character.

/// Returns the lower-case form.
pub(super) fn lower(character: char) -> char {
    // The only character whose full mapping has two.
    if character == '\u{130}' {
        return 'i';
    }
    single(character.to_lowercase(), character)
}

/// Returns the upper-case form.
pub(super) fn upper(character: char) -> char {
    match character {
        // Full mappings of these have two characters; the simple ones are the title-case letters beside them.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            shift(character, 8)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shift(character, 9),
        _ => single(character.to_uppercase(), character),
    }
}

fn shift(character: char, by: u32) -> char {
    char::from_u32(u32::from(character) + by).unwrap_or(character)
}

fn single(mut mapped: impl Iterator<Item = char>, character: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        _ => character,
    }
}
