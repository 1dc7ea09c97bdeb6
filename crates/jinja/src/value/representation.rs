//! How Python prints values.

use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;

use crate::error::{ExceededLimit, Failure, Outcome};
use crate::text::escape_html;
use crate::value::order::DEPTH;
use crate::value::{Entity, Value, View, ViewKind, check_digits, effort, lock, print_float, view};

/// What `str` gives.
pub(crate) fn try_str(value: &Value) -> Outcome<String> {
    match view(value) {
        View::Text(text) => Ok(text.to_owned()),
        View::Entity(Entity::Undefined(undefined)) => undefined.printed(),
        View::Entity(Entity::Moment(moment)) => Ok(moment.printed()),
        View::Entity(Entity::Module(module)) => Ok(module.text.clone()),
        View::Foreign => Ok(value.to_string()),
        _ => try_repr(value),
    }
}

/// What `str` gives, written for HTML unless the value is safe there.
pub(crate) fn try_html(value: &Value) -> Outcome<String> {
    let printed = try_str(value)?;
    Ok(if value.is_safe() {
        printed
    } else {
        escape_html(&printed)
    })
}

/// What `repr` gives.
pub(crate) fn try_repr(value: &Value) -> Outcome<String> {
    let mut printer = Printer {
        text: String::new(),
        open: Vec::new(),
    };
    printer.print(value)?;
    Ok(printer.text)
}

struct Printer {
    text: String,
    /// The addresses of the lists and dicts that are being printed.
    open: Vec<usize>,
}

/// What one value may print to; what is larger is refused before memory is short.
const LARGEST: usize = 256 << 20;

impl Printer {
    fn print(&mut self, value: &Value) -> Outcome<()> {
        effort::spend(1)?;
        if self.text.len() > LARGEST {
            return Err(Failure::over(ExceededLimit::Output));
        }
        match view(value) {
            View::None => self.text.push_str("None"),
            View::Bool(true) => self.text.push_str("True"),
            View::Bool(false) => self.text.push_str("False"),
            View::Int(number) => self.write(format_args!("{number}")),
            View::Float(number) => self.text.push_str(&print_float(number)),
            View::Text(text) if value.is_safe() => {
                self.write(format_args!("Markup({})", quote(text)));
            }
            View::Text(text) => self.text.push_str(&quote(text)),
            View::Bytes(bytes) => self.text.push_str(&quote_bytes(bytes)),
            View::Foreign => self.write(format_args!("{value:?}")),
            View::Entity(entity) => return self.print_entity(entity),
        }
        Ok(())
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a text does not fail.
        _ = self.text.write_fmt(arguments);
    }

    fn print_entity(&mut self, entity: &Entity) -> Outcome<()> {
        match entity {
            Entity::Undefined(_) => self.text.push_str("Undefined"),
            Entity::BigInteger(number) => {
                check_digits(number)?;
                self.write(format_args!("{number}"));
            }
            Entity::List(items) => {
                let items = lock(items).clone();
                self.print_items(entity, &items, ("[", "]"), "[...]")?;
            }
            Entity::Tuple { items, .. } => {
                let end = if items.len() == 1 { ",)" } else { ")" };
                self.print_items(entity, items, ("(", end), "(...)")?;
            }
            Entity::Dict(entries) => {
                let pairs = lock(entries).pairs();
                self.print_pairs(entity, &pairs)?;
            }
            Entity::Namespace(entries) => {
                let pairs = lock(entries).pairs();
                self.text.push_str("<Namespace ");
                self.print_pairs(entity, &pairs)?;
                self.text.push('>');
            }
            Entity::DictView { kind, .. } => {
                let start = match kind {
                    ViewKind::Keys => "dict_keys([",
                    ViewKind::Values => "dict_values([",
                    ViewKind::Items => "dict_items([",
                };
                let items = entity.items().unwrap_or_default();
                self.print_items(entity, &items, (start, "])"), "...")?;
            }
            Entity::Moment(moment) => self.text.push_str(&moment.repr()),
            other => self.text.push_str(&describe(other)),
        }
        Ok(())
    }

    fn enter(&mut self, entity: &Entity, cycle: &str) -> Outcome<bool> {
        let address = std::ptr::from_ref(entity).addr();
        if self.open.contains(&address) {
            self.text.push_str(cycle);
            return Ok(false);
        }
        if self.open.len() >= DEPTH as usize {
            return Err(Failure::over(ExceededLimit::Depth));
        }
        self.open.push(address);
        Ok(true)
    }

    fn print_items(
        &mut self,
        entity: &Entity,
        items: &[Value],
        (start, end): (&str, &str),
        cycle: &str,
    ) -> Outcome<()> {
        if !self.enter(entity, cycle)? {
            return Ok(());
        }
        self.text.push_str(start);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.print(item)?;
        }
        self.text.push_str(end);
        self.open.pop();
        Ok(())
    }

    fn print_pairs(&mut self, entity: &Entity, pairs: &[(Value, Value)]) -> Outcome<()> {
        if !self.enter(entity, "{...}")? {
            return Ok(());
        }
        self.text.push('{');
        for (index, (key, value)) in pairs.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.print(key)?;
            self.text.push_str(": ");
            self.print(value)?;
        }
        self.text.push('}');
        self.open.pop();
        Ok(())
    }
}

/// The form of what has no contents to print; Python's has an address that differs from run to run.
fn describe(entity: &Entity) -> String {
    match entity {
        Entity::Range {
            start,
            end,
            step: 1,
        } => format!("range({start}, {end})"),
        Entity::Range { start, end, step } => format!("range({start}, {end}, {step})"),
        Entity::Loop(state) => format!("<LoopContext {}/{}>", state.index(), state.length()),
        Entity::Macro(callee) => match callee.name() {
            Some(name) => format!("<Macro {}>", quote(name)),
            None => "<Macro anonymous>".to_owned(),
        },
        Entity::Module(module) => format!("<TemplateModule {}>", quote(&module.template)),
        Entity::SelfReference(reference) => {
            format!("<TemplateReference {}>", quote(reference.template()))
        }
        Entity::Function(function) => function.printed(),
        Entity::Method { name, .. } => format!("<built-in method {name}>"),
        Entity::Callable { name, .. } => format!("<function {name}>"),
        Entity::Generator { name, .. } => format!("<generator object {name}>"),
        other => format!("<{} object>", other.type_name()),
    }
}

impl Entity {
    /// What Python calls the type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::BigInteger(_) => "int",
            Self::List(_) => "list",
            Self::Tuple { .. } => "tuple",
            Self::Dict(_) => "dict",
            Self::DictView {
                kind: ViewKind::Keys,
                ..
            } => "dict_keys",
            Self::DictView {
                kind: ViewKind::Values,
                ..
            } => "dict_values",
            Self::DictView {
                kind: ViewKind::Items,
                ..
            } => "dict_items",
            Self::Range { .. } => "range",
            Self::Generator { .. } => "generator",
            Self::Moment(moment) => moment.type_name(),
            Self::Method { .. } => "builtin_function_or_method",
            Self::Function(_) | Self::Callable { .. } => "function",
            Self::Namespace(_) => "Namespace",
            Self::Cycler { .. } => "Cycler",
            Self::Joiner { .. } => "Joiner",
            Self::Macro(_) => "Macro",
            Self::Module(_) => "TemplateModule",
            Self::Loop(_) => "LoopContext",
            Self::SelfReference(_) => "TemplateReference",
            Self::Block(_) => "BlockReference",
        }
    }
}

/// What Python calls the type of a value.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match view(value) {
        View::None => "NoneType",
        View::Bool(_) => "bool",
        View::Int(_) => "int",
        View::Float(_) => "float",
        View::Text(_) if value.is_safe() => "Markup",
        View::Text(_) => "str",
        View::Bytes(_) => "bytes",
        View::Foreign => "object",
        View::Entity(entity) => entity.type_name(),
    }
}

static UNPRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\p{C}\p{Zl}\p{Zp}\p{Zs}]$").ok());

pub(crate) fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    let mut buffer = [0; 4];
    let text: &str = character.encode_utf8(&mut buffer);
    UNPRINTABLE
        .as_ref()
        .is_some_and(|pattern| !pattern.is_match(text))
}

fn quote_mark(has_single: bool, has_double: bool) -> char {
    if has_single && !has_double { '"' } else { '\'' }
}

/// A text in Python's quotes.
pub(crate) fn quote(text: &str) -> String {
    let mark = quote_mark(text.contains('\''), text.contains('"'));
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(mark);
    for character in text.chars() {
        push_quoted(&mut quoted, character, mark, is_printable(character));
    }
    quoted.push(mark);
    quoted
}

/// A text in Python's quotes, in ASCII.
pub(crate) fn quote_ascii(text: &str) -> String {
    let mut ascii = String::new();
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            push_quoted(&mut ascii, character, '\'', false);
        }
    }
    ascii
}

fn push_quoted(quoted: &mut String, character: char, mark: char, printable: bool) {
    let code = u32::from(character);
    let written = match character {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\\' => "\\\\".to_owned(),
        _ if character == mark => format!("\\{character}"),
        _ if printable => character.to_string(),
        _ if code < 0x100 => format!("\\x{code:02x}"),
        _ if code < 0x1_0000 => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    };
    quoted.push_str(&written);
}

fn quote_bytes(bytes: &[u8]) -> String {
    let mark = quote_mark(bytes.contains(&b'\''), bytes.contains(&b'"'));
    let mut quoted = format!("b{mark}");
    for byte in bytes {
        let character = char::from(*byte);
        push_quoted(
            &mut quoted,
            character,
            mark,
            character.is_ascii() && is_printable(character),
        );
    }
    quoted.push(mark);
    quoted
}
