//! Python's `%` between a text and values.

use std::iter::Peekable;
use std::str::Chars;

use num_bigint::{BigInt, Sign};
use num_traits::{FromPrimitive as _, ToPrimitive as _};

use crate::error::{Failure, Outcome};
use crate::limits::Budget;
use crate::number_format::format_float;
use crate::text::escape_html;
use crate::value::{
    Entity, Key, Number, Value, View, check_digits, lock, missing_key, number_of, quote_ascii,
    text_like, text_of, try_repr, try_str, type_name, undefined_of, view,
};

/// A conversion such as `%-5.2f`.
#[derive(Default)]
struct Conversion {
    key: Option<String>,
    left: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

/// The values that a format takes.
struct Operands<'value> {
    whole: &'value Value,
    waiting: Vec<Value>,
    /// Whether values may be left over, as in a dict.
    is_mapping: bool,
}

impl Operands<'_> {
    fn take(&mut self) -> Outcome<Value> {
        if self.waiting.is_empty() {
            return Err(Failure::of_type(
                "the format asks for more values than it gets",
            ));
        }
        Ok(self.waiting.remove(0))
    }

    fn named(&self, name: &str) -> Outcome<Value> {
        match view(self.whole) {
            View::Entity(Entity::Dict(entries)) => {
                let key = Key::Text(name.into());
                lock(entries).get(&key).cloned().ok_or_else(missing_key)
            }
            _ => Err(Failure::of_type("a format with names needs a mapping")),
        }
    }
}

pub(crate) fn format_percent(
    format: &str,
    is_safe: bool,
    right: &Value,
    budget: &mut Budget,
) -> Outcome<Value> {
    let waiting = match view(right) {
        View::Entity(Entity::Tuple { items, .. }) => items.clone(),
        _ => vec![right.clone()],
    };
    let is_mapping = matches!(
        view(right),
        View::Bytes(_)
            | View::Entity(
                Entity::Dict(_) | Entity::List(_) | Entity::Range { .. } | Entity::Undefined(_)
            )
    );
    let mut operands = Operands {
        whole: right,
        waiting,
        is_mapping,
    };
    let mut printed = String::new();
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            printed.push(character);
            continue;
        }
        let conversion = read_conversion(&mut characters, &mut operands)?;
        if conversion.letter == '%' {
            printed.push('%');
            continue;
        }
        let value = match &conversion.key {
            Some(key) => {
                operands.waiting.clear();
                operands.named(key)?
            }
            None => operands.take()?,
        };
        budget
            .reserve(printed.len() + conversion.width + conversion.precision.unwrap_or_default())?;
        printed.push_str(&convert(&conversion, &value, is_safe)?);
    }
    if !operands.waiting.is_empty() && !operands.is_mapping {
        return Err(Failure::of_type(
            "the format does not use all values that it gets",
        ));
    }
    Ok(text_like(is_safe, printed))
}

fn read_conversion(
    characters: &mut Peekable<Chars<'_>>,
    operands: &mut Operands<'_>,
) -> Outcome<Conversion> {
    let mut conversion = Conversion::default();
    if characters.next_if_eq(&'(').is_some() {
        conversion.key = Some(read_key(characters)?);
    }
    read_flags(conversion, characters, operands)
}

/// A name up to the parenthesis that closes it.
fn read_key(characters: &mut Peekable<Chars<'_>>) -> Outcome<String> {
    let mut key = String::new();
    let mut open = 1;
    for character in characters {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok(key);
        }
        key.push(character);
    }
    Err(Failure::of_value("a name in the format is never closed"))
}

fn read_flags(
    mut conversion: Conversion,
    characters: &mut Peekable<Chars<'_>>,
    operands: &mut Operands<'_>,
) -> Outcome<Conversion> {
    while let Some(flag) = characters.next_if(|next| matches!(next, '-' | '+' | ' ' | '#' | '0')) {
        match flag {
            '-' => conversion.left = true,
            '+' => conversion.plus = true,
            ' ' => conversion.blank = true,
            '#' => conversion.alternate = true,
            _ => conversion.zero = true,
        }
    }
    let width = read_size(characters, operands)?.unwrap_or_default();
    conversion.left |= width < 0;
    conversion.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    if characters.next_if_eq(&'.').is_some() {
        let precision = read_size(characters, operands)?.unwrap_or_default();
        conversion.precision = Some(usize::try_from(precision.max(0)).unwrap_or(usize::MAX));
    }
    _ = characters.next_if(|next| matches!(next, 'h' | 'l' | 'L'));
    match characters.next() {
        Some(letter) => conversion.letter = letter,
        None => {
            return Err(Failure::of_value(
                "the format ends in the middle of a conversion",
            ));
        }
    }
    Ok(conversion)
}

fn read_size(
    characters: &mut Peekable<Chars<'_>>,
    operands: &mut Operands<'_>,
) -> Outcome<Option<i64>> {
    if characters.next_if_eq(&'*').is_some() {
        return match view(&operands.take()?) {
            View::Int(size) => Ok(Some(size)),
            _ => Err(Failure::of_type("`*` in a format needs an integer")),
        };
    }
    let mut digits = String::new();
    while let Some(digit) = characters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    if digits.is_empty() {
        return Ok(None);
    }
    digits
        .parse::<i32>()
        .map(|size| Some(size.into()))
        .map_err(|_| Failure::of_value("a size in the format is too large"))
}

fn convert(conversion: &Conversion, value: &Value, is_safe: bool) -> Outcome<String> {
    let escaped = |printed: String, safe: bool| {
        if is_safe && !safe {
            escape_html(&printed)
        } else {
            printed
        }
    };
    let cut = |printed: String| match conversion.precision {
        Some(precision) => printed.chars().take(precision).collect(),
        None => printed,
    };
    match conversion.letter {
        's' => Ok(pad(
            conversion,
            "",
            &cut(escaped(try_str(value)?, value.is_safe())),
        )),
        'r' => Ok(pad(conversion, "", &cut(escaped(try_repr(value)?, false)))),
        'a' => Ok(pad(
            conversion,
            "",
            &cut(escaped(quote_ascii(&try_repr(value)?), false)),
        )),
        'c' => character_of(value).map(|character| pad(conversion, "", &character.to_string())),
        'd' | 'i' | 'u' => {
            convert_integer(conversion, &whole_number(value, conversion.letter)?, 10)
        }
        'o' => convert_integer(conversion, &exact_integer(value, 'o')?, 8),
        'x' | 'X' => convert_integer(conversion, &exact_integer(value, conversion.letter)?, 16),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let number = real_number(value)?;
            let digits = format_float(
                number,
                conversion.letter,
                conversion.precision.unwrap_or(6),
                conversion.alternate,
            );
            Ok(pad_number(
                conversion,
                number.is_sign_negative() && !number.is_nan(),
                "",
                &digits,
                number.is_finite(),
            ))
        }
        other => Err(Failure::of_value(format!(
            "the format has an unknown conversion `%{other}`"
        ))),
    }
}

fn number(value: &Value) -> Outcome<Option<Number>> {
    match undefined_of(value) {
        Some(undefined) => Err(undefined.failure()),
        None => Ok(number_of(value)),
    }
}

fn whole_number(value: &Value, letter: char) -> Outcome<BigInt> {
    match number(value)? {
        Some(Number::Float(float)) => BigInt::from_f64(float.trunc()).ok_or_else(|| {
            Failure::raised(
                if float.is_nan() {
                    "ValueError"
                } else {
                    "OverflowError"
                },
                "the float is no integer",
            )
        }),
        Some(number) => Ok(number.to_big().unwrap_or_default()),
        None => Err(wrong_type(letter, "a number", value)),
    }
}

fn exact_integer(value: &Value, letter: char) -> Outcome<BigInt> {
    number(value)?
        .and_then(|number| number.to_big())
        .ok_or_else(|| wrong_type(letter, "an integer", value))
}

fn real_number(value: &Value) -> Outcome<f64> {
    match number(value)? {
        Some(number) => number.to_float(),
        None => Err(wrong_type('f', "a number", value)),
    }
}

fn wrong_type(letter: char, wanted: &str, value: &Value) -> Box<Failure> {
    Failure::of_type(format!(
        "`%{letter}` needs {wanted}, not `{}`",
        type_name(value)
    ))
}

fn character_of(value: &Value) -> Outcome<char> {
    if let Some(text) = text_of(value) {
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return Ok(character);
        }
        return Err(Failure::of_type("`%c` needs one character"));
    }
    let code = exact_integer(value, 'c')?;
    code.to_u32()
        .and_then(char::from_u32)
        .ok_or_else(|| Failure::raised("OverflowError", "`%c` needs the code of a character"))
}

fn convert_integer(conversion: &Conversion, number: &BigInt, base: u32) -> Outcome<String> {
    if base == 10 {
        check_digits(number)?;
    }
    let mut digits = number.magnitude().to_str_radix(base);
    if let Some(precision) = conversion.precision
        && digits.len() < precision
    {
        digits.insert_str(0, &"0".repeat(precision - digits.len()));
    }
    let prefix = match (conversion.alternate, conversion.letter) {
        (true, 'o') => "0o",
        (true, 'x') => "0x",
        (true, 'X') => "0X",
        _ => "",
    };
    if conversion.letter == 'X' {
        digits.make_ascii_uppercase();
    }
    Ok(pad_number(
        conversion,
        number.sign() == Sign::Minus,
        prefix,
        &digits,
        true,
    ))
}

fn pad_number(
    conversion: &Conversion,
    is_negative: bool,
    prefix: &str,
    digits: &str,
    fills: bool,
) -> String {
    let sign = match (is_negative, conversion.plus, conversion.blank) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (.., true) => " ",
        _ => "",
    };
    let before = format!("{sign}{prefix}");
    let width = before.len() + digits.len();
    if conversion.zero && !conversion.left && fills && width < conversion.width {
        return format!("{before}{}{digits}", "0".repeat(conversion.width - width));
    }
    pad(conversion, &before, digits)
}

fn pad(conversion: &Conversion, before: &str, content: &str) -> String {
    let width = before.chars().count() + content.chars().count();
    let blanks = " ".repeat(conversion.width.saturating_sub(width));
    if conversion.left {
        format!("{before}{content}{blanks}")
    } else {
        format!("{blanks}{before}{content}")
    }
}
