//! Python's `str.format` and its formats of values.

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive as _;

use crate::error::{ExceededLimit, Failure, Outcome};
use crate::limits::Budget;
use crate::number_format::{format_float, format_plain_float, group_digits};
use crate::sequence;
use crate::value::{
    Entity, Number, Value, View, check_digits, date_attribute, date_method, lock, missing_key,
    number_of, quote_ascii, try_repr, try_str, type_name, undefined_of, view,
};

/// What a text with fields in braces is filled with.
pub(crate) struct Fields<'value> {
    pub(crate) positional: &'value [Value],
    pub(crate) named: &'value [(String, Value)],
    /// How many fields without a name were read, `None` once one had a number.
    next: Option<usize>,
}

impl<'value> Fields<'value> {
    pub(crate) fn new(positional: &'value [Value], named: &'value [(String, Value)]) -> Self {
        Self {
            positional,
            named,
            next: Some(0),
        }
    }

    fn find(&mut self, name: &str) -> Outcome<Value> {
        let index = if name.is_empty() {
            let Some(next) = self.next else {
                return Err(Failure::of_value(
                    "the format mixes fields with and without numbers",
                ));
            };
            self.next = Some(next + 1);
            next
        } else if name.bytes().all(|byte| byte.is_ascii_digit()) {
            if self.next.is_some_and(|next| next > 0) {
                return Err(Failure::of_value(
                    "the format mixes fields with and without numbers",
                ));
            }
            self.next = None;
            name.parse().unwrap_or(usize::MAX)
        } else {
            let found = self.named.iter().find(|(other, _)| other == name);
            return found
                .map(|(_, value)| value.clone())
                .ok_or_else(missing_key);
        };
        let found = self.positional.get(index).cloned();
        found.ok_or_else(|| {
            Failure::raised("IndexError", "the format asks for more values than it gets")
        })
    }
}

/// Fills the fields of a text; fields inside of formats may be nested twice, as in Python.
pub(crate) fn format_braces(
    format: &str,
    fields: &mut Fields<'_>,
    depth: u32,
    budget: &mut Budget,
) -> Outcome<String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Failure::of_value("the format is nested too deep"));
    };
    let mut printed = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, tail) = rest.split_at(at);
        printed.push_str(before);
        if let Some(after) = tail.strip_prefix("{{") {
            printed.push('{');
            rest = after;
        } else if let Some(after) = tail.strip_prefix("}}") {
            printed.push('}');
            rest = after;
        } else if let Some(after) = tail.strip_prefix('{') {
            let (field, after) = split_field(after)?;
            let value = format_field(field, fields, depth, budget)?;
            budget.reserve(printed.len() + value.len())?;
            printed.push_str(&value);
            rest = after;
        } else {
            return Err(Failure::of_value("the format has a single `}`"));
        }
    }
    printed.push_str(rest);
    Ok(printed)
}

/// A field up to its closing brace, and what follows.
fn split_field(text: &str) -> Outcome<(&str, &str)> {
    let mut open = 1;
    for (at, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok((
                text.get(..at).unwrap_or_default(),
                text.get(at + 1..).unwrap_or_default(),
            ));
        }
    }
    Err(Failure::of_value("a `{` of the format is never closed"))
}

fn format_field(
    field: &str,
    fields: &mut Fields<'_>,
    depth: u32,
    budget: &mut Budget,
) -> Outcome<String> {
    let mut brackets = 0;
    let end = field.find(|character| {
        match character {
            '[' => brackets += 1,
            ']' => brackets -= 1,
            _ => {}
        }
        brackets == 0 && matches!(character, '!' | ':')
    });
    let (name, tail) = field.split_at(end.unwrap_or(field.len()));
    let mut value = resolve_field(name, fields)?;
    let mut tail = tail;
    if let Some(after) = tail.strip_prefix('!') {
        let mut characters = after.chars();
        value = match characters.next() {
            Some('r') => Value::from(try_repr(&value)?),
            Some('s') => Value::from(try_str(&value)?),
            Some('a') => Value::from(quote_ascii(&try_repr(&value)?)),
            _ => {
                return Err(Failure::of_value(
                    "the format has an unknown conversion after `!`",
                ));
            }
        };
        tail = characters.as_str();
    }
    let specification = match tail.strip_prefix(':') {
        Some(specification) => format_braces(specification, fields, depth, budget)?,
        None if tail.is_empty() => String::new(),
        None => {
            return Err(Failure::of_value(
                "the format expects `:` after a conversion",
            ));
        }
    };
    format_value(&value, &specification, budget)
}

/// The value of a field such as `0.year` or `name[key]`.
fn resolve_field(field: &str, fields: &mut Fields<'_>) -> Outcome<Value> {
    let end = field.find(['.', '[']).unwrap_or(field.len());
    let (name, mut rest) = field.split_at(end);
    let mut value = fields.find(name)?;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let Some((key, after)) = after.split_once(']') else {
                return Err(Failure::of_value("a `[` of the format is never closed"));
            };
            value = item(&value, key)?;
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            value = attribute(&value, name)?;
            rest = after;
        } else {
            return Err(Failure::of_value("the format expects `.` or `[` after `]`"));
        }
    }
    Ok(value)
}

fn item(value: &Value, key: &str) -> Outcome<Value> {
    // Only digits are a number, so that a sign is part of a text.
    let index = if key.bytes().all(|byte| byte.is_ascii_digit()) {
        let index = key.parse::<i64>().map_err(|_| {
            Failure::of_value("what stands in `[` and `]` of the format is empty or too large")
        })?;
        Some(Value::from(index))
    } else {
        None
    };
    match view(value) {
        View::Entity(Entity::Dict(_)) => {
            let key = index.unwrap_or_else(|| Value::from(key));
            sequence::item(value, &key)?.ok_or_else(missing_key)
        }
        View::Entity(Entity::Undefined(undefined)) => Err(undefined.failure()),
        View::Entity(Entity::List(_) | Entity::Tuple { .. }) => {
            let index = index.ok_or_else(|| Failure::of_type("an index is no integer"))?;
            sequence::item(value, &index)?
                .ok_or_else(|| Failure::raised("IndexError", "an index is out of range"))
        }
        _ => Err(Failure::of_type(format!(
            "a value of type `{}` has no items",
            type_name(value)
        ))),
    }
}

fn attribute(value: &Value, name: &str) -> Outcome<Value> {
    let found = match view(value) {
        View::Entity(Entity::Moment(moment)) => date_attribute(moment, name),
        View::Entity(Entity::Namespace(entries)) => lock(entries).get_text(name).cloned(),
        View::Entity(Entity::Undefined(undefined)) => return Err(undefined.failure()),
        _ => None,
    };
    found.ok_or_else(|| {
        Failure::raised(
            "AttributeError",
            format!(
                "a value of type `{}` has no attribute `{name}`",
                type_name(value)
            ),
        )
    })
}

/// What stands after the colon of a field.
#[derive(Default)]
struct Specification {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    /// Whether zeros come between the sign and the digits, unless an alignment is given.
    fills_with_zeros: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Specification {
    fn number_align(&self) -> char {
        let default = if self.fills_with_zeros { '=' } else { '>' };
        self.align.unwrap_or(default)
    }
}

fn read_specification(text: &str) -> Outcome<Specification> {
    let mut specification = Specification::default();
    let characters: Vec<char> = text.chars().collect();
    let get = |at: usize| characters.get(at).copied();
    let is_align = |character: Option<char>| matches!(character, Some('<' | '>' | '=' | '^'));
    let mut at = 0;
    if is_align(get(1)) {
        (specification.fill, specification.align, at) = (get(0), get(1), 2);
    } else if is_align(get(0)) {
        (specification.align, at) = (get(0), 1);
    }
    if matches!(get(at), Some('+' | '-' | ' ')) {
        specification.sign = get(at);
        at += 1;
    }
    if get(at) == Some('#') {
        specification.alternate = true;
        at += 1;
    }
    if get(at) == Some('0') && specification.fill.is_none() {
        specification.fill = Some('0');
        specification.fills_with_zeros = true;
        at += 1;
    }
    let number = |at: &mut usize| -> Outcome<Option<usize>> {
        let digits: String = characters
            .iter()
            .skip(*at)
            .take_while(|digit| digit.is_ascii_digit())
            .collect();
        *at += digits.len();
        if digits.is_empty() {
            return Ok(None);
        }
        digits
            .parse::<usize>()
            .map(Some)
            .map_err(|_| Failure::of_value("a size in the format is too large"))
    };
    specification.width = number(&mut at)?.unwrap_or_default();
    if matches!(get(at), Some(',' | '_')) {
        specification.grouping = get(at);
        at += 1;
    }
    if get(at) == Some('.') {
        at += 1;
        specification.precision = number(&mut at)?;
        if specification.precision.is_none() {
            return Err(Failure::of_value("the format has no digits after `.`"));
        }
    }
    specification.kind = get(at);
    if characters.len() > at + 1 {
        return Err(Failure::of_value("the format of a value is invalid"));
    }
    Ok(specification)
}

/// What `format(value, specification)` gives.
pub(crate) fn format_value(
    value: &Value,
    specification: &str,
    budget: &mut Budget,
) -> Outcome<String> {
    if specification.is_empty() {
        return try_str(value);
    }
    if let View::Entity(Entity::Moment(moment)) = view(value) {
        let printed = date_method(moment, "strftime", Some(specification))?;
        return printed.map_or_else(|| Ok(String::new()), |printed| try_str(&printed));
    }
    if let Some(undefined) = undefined_of(value) {
        undefined.check_use()?;
    }
    let format = read_specification(specification)?;
    if format.kind == Some('n') && format.grouping.is_some() {
        return Err(Failure::of_value("the format `n` takes no grouping"));
    }
    let size = format
        .width
        .saturating_add(format.precision.unwrap_or_default());
    if size > usize::from(u16::MAX) * 64 {
        return Err(Failure::over(ExceededLimit::Output));
    }
    budget.reserve(size)?;
    if let View::Text(text) = view(value) {
        return format_text(&format, text);
    }
    match number_of(value) {
        Some(Number::Float(number)) => format_real(&format, number),
        Some(Number::Int(number)) => format_integer(&format, &BigInt::from(number)),
        Some(Number::Big(number)) => format_integer(&format, &number),
        None => Err(Failure::of_type(format!(
            "a value of type `{}` takes no format",
            type_name(value)
        ))),
    }
}

fn unknown_kind(format: &Specification, what: &str) -> Box<Failure> {
    Failure::of_value(format!(
        "the format `{}` is not for {what}",
        format.kind.unwrap_or(' ')
    ))
}

fn format_text(format: &Specification, text: &str) -> Outcome<String> {
    if !matches!(format.kind, None | Some('s')) {
        return Err(unknown_kind(format, "texts"));
    }
    let takes_all = format.sign.is_none() && !format.alternate && format.grouping.is_none();
    if !takes_all || format.align == Some('=') {
        return Err(Failure::of_value(
            "a sign, a grouping and the alignment `=` are for numbers only",
        ));
    }
    let cut: String = text
        .chars()
        .take(format.precision.unwrap_or(usize::MAX))
        .collect();
    let align = format.align.unwrap_or('<');
    Ok(align_text(format, "", &cut, align))
}

fn align_text(format: &Specification, before: &str, content: &str, align: char) -> String {
    let width = before.chars().count() + content.chars().count();
    let missing = format.width.saturating_sub(width);
    let fill = |count: usize| format.fill.unwrap_or(' ').to_string().repeat(count);
    match align {
        '<' => format!("{before}{content}{}", fill(missing)),
        '^' => format!(
            "{}{before}{content}{}",
            fill(missing / 2),
            fill(missing - missing / 2)
        ),
        '=' => format!("{before}{}{content}", fill(missing)),
        _ => format!("{}{before}{content}", fill(missing)),
    }
}

fn sign_of(format: &Specification, is_negative: bool) -> &'static str {
    match (is_negative, format.sign) {
        (true, _) => "-",
        (_, Some('+')) => "+",
        (_, Some(' ')) => " ",
        _ => "",
    }
}

fn format_integer(format: &Specification, number: &BigInt) -> Outcome<String> {
    let (base, prefix) = match format.kind {
        None | Some('d' | 'n') => (10, ""),
        Some('b') => (2, "0b"),
        Some('o') => (8, "0o"),
        Some('x') => (16, "0x"),
        Some('X') => (16, "0X"),
        Some('c') => {
            let is_plain = format.sign.is_none() && !format.alternate && format.grouping.is_none();
            if !is_plain || format.precision.is_some() {
                return Err(Failure::of_value("the format `c` takes a width only"));
            }
            let character = number.to_u32().and_then(char::from_u32);
            let character = character
                .ok_or_else(|| Failure::raised("OverflowError", "no character has this code"))?;
            return Ok(align_text(
                format,
                "",
                &character.to_string(),
                format.number_align(),
            ));
        }
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
            return format_real(format, Number::Big(number.clone()).to_float()?);
        }
        Some(_) => return Err(unknown_kind(format, "integers")),
    };
    if format.precision.is_some() {
        return Err(Failure::of_value("a precision is not for integers"));
    }
    if format.grouping == Some(',') && base != 10 {
        return Err(Failure::of_value("`,` groups decimal digits only"));
    }
    if base == 10 {
        check_digits(number)?;
    }
    let mut digits = number.magnitude().to_str_radix(base);
    if format.kind == Some('X') {
        digits.make_ascii_uppercase();
    }
    let before = format!(
        "{}{}",
        sign_of(format, number.sign() == Sign::Minus),
        if format.alternate { prefix } else { "" }
    );
    Ok(finish_number(
        format,
        &before,
        &digits,
        "",
        if base == 10 { 3 } else { 4 },
    ))
}

/// Groups the digits before the point, fills and aligns.
fn finish_number(
    format: &Specification,
    before: &str,
    whole: &str,
    rest: &str,
    group: usize,
) -> String {
    let mut digits = whole.to_owned();
    if let Some(separator) = format.grouping {
        digits = group_digits(whole, separator, group);
        if format.number_align() == '=' && format.fill == Some('0') {
            // Zeros are grouped as well, and a separator never comes first.
            let mut padded = whole.to_owned();
            while before.len() + digits.len() + rest.len() < format.width {
                padded.insert(0, '0');
                digits = group_digits(&padded, separator, group);
            }
        }
    }
    align_text(
        format,
        before,
        &format!("{digits}{rest}"),
        format.number_align(),
    )
}

fn format_real(format: &Specification, number: f64) -> Outcome<String> {
    let is_negative = number.is_sign_negative() && !number.is_nan();
    let mut printed = match format.kind {
        None => format_plain_float(number, format.precision, format.alternate),
        Some('%') => format_float(
            number * 100.0,
            'f',
            format.precision.unwrap_or(6),
            format.alternate,
        ),
        Some('n') => format_float(number, 'g', format.precision.unwrap_or(6), format.alternate),
        Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G')) => format_float(
            number,
            kind,
            format.precision.unwrap_or(6),
            format.alternate,
        ),
        Some(_) => return Err(unknown_kind(format, "floats")),
    };
    if format.kind == Some('%') {
        printed.push('%');
    }
    let end = printed
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(printed.len());
    let (whole, rest) = printed.split_at(end);
    Ok(finish_number(
        format,
        sign_of(format, is_negative),
        whole,
        rest,
        3,
    ))
}
