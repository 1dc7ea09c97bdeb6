//! The filter `pprint`.

use crate::arguments::CallArguments;
use crate::error::{ExceededLimit, Failure, Outcome};
use crate::interpreter::Interpreter;
use crate::limits::Budget;
use crate::sequence::sort_by_keys;
use crate::text::{is_space, split_lines};
use crate::value::{Entity, Value, View, items, lock, quote, text, try_repr, view};

/// Columns of a line.
const WIDTH: usize = 80;

pub(super) fn pprint(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("pprint")?;
    let mut printer = Printer {
        text: String::new(),
        budget: &mut interpreter.budget,
    };
    printer.print(value, 0, 0, 0)?;
    Ok(text(printer.text))
}

struct Printer<'budget> {
    text: String,
    budget: &'budget mut Budget,
}

fn width_of(text: &str) -> usize {
    text.chars().count()
}

impl Printer<'_> {
    /// The form of a value on one line, with the keys of dicts in order.
    fn on_one_line(&mut self, value: &Value, depth: usize) -> Outcome<String> {
        self.budget.take(1)?;
        if depth > 100 {
            return Err(Failure::over(ExceededLimit::Depth));
        }
        let (start, end, parts) = match view(value) {
            View::Entity(Entity::Dict(_)) => {
                let mut parts = Vec::new();
                for (key, value) in self.sorted_pairs(value) {
                    let key = self.on_one_line(&key, depth + 1)?;
                    parts.push(format!("{key}: {}", self.on_one_line(&value, depth + 1)?));
                }
                ("{", "}", parts)
            }
            View::Entity(entity @ (Entity::List(_) | Entity::Tuple { .. })) => {
                let mut parts = Vec::new();
                for item in items(value)? {
                    parts.push(self.on_one_line(&item, depth + 1)?);
                }
                match entity {
                    Entity::List(_) => ("[", "]", parts),
                    _ if parts.len() == 1 => ("(", ",)", parts),
                    _ => ("(", ")", parts),
                }
            }
            _ => return try_repr(value),
        };
        let printed = format!("{start}{}{end}", parts.join(", "));
        self.budget.check_size(printed.len())?;
        Ok(printed)
    }

    fn sorted_pairs(&mut self, dict: &Value) -> Vec<(Value, Value)> {
        let View::Entity(Entity::Dict(entries)) = view(dict) else {
            return Vec::new();
        };
        let pairs = lock(entries).pairs();
        // Keys that cannot be compared stay in their order; Python sorts them by their types' names.
        sort_by_keys(pairs.clone(), false, self.budget).unwrap_or(pairs)
    }

    fn print(
        &mut self,
        value: &Value,
        indent: usize,
        allowance: usize,
        level: usize,
    ) -> Outcome<()> {
        let printed = self.on_one_line(value, 0)?;
        if width_of(&printed) <= WIDTH.saturating_sub(indent + allowance) {
            self.text.push_str(&printed);
            return Ok(());
        }
        match view(value) {
            View::Entity(Entity::Dict(_)) => self.print_dict(value, indent, allowance, level + 1),
            View::Entity(Entity::List(_)) => {
                self.print_items(value, indent, allowance, level + 1, ("[", "]"))
            }
            View::Entity(Entity::Tuple { items, fields: [] }) => {
                let end = if items.len() == 1 { ",)" } else { ")" };
                self.print_items(value, indent, allowance, level + 1, ("(", end))
            }
            View::Text(content) if !value.is_safe() => {
                self.print_text(content, indent, allowance, level + 1);
                Ok(())
            }
            _ => {
                self.text.push_str(&printed);
                Ok(())
            }
        }
    }

    fn break_line(&mut self, indent: usize) {
        self.text.push('\n');
        self.text.push_str(&" ".repeat(indent));
    }

    fn print_dict(
        &mut self,
        dict: &Value,
        indent: usize,
        allowance: usize,
        level: usize,
    ) -> Outcome<()> {
        self.text.push('{');
        let pairs = self.sorted_pairs(dict);
        let last = pairs.len().saturating_sub(1);
        for (at, (key, value)) in pairs.into_iter().enumerate() {
            if at > 0 {
                self.text.push(',');
                self.break_line(indent + 1);
            }
            let key = self.on_one_line(&key, 0)?;
            self.text.push_str(&key);
            self.text.push_str(": ");
            let allowance = if at == last { allowance + 1 } else { 1 };
            self.print(&value, indent + 1 + width_of(&key) + 2, allowance, level)?;
        }
        self.text.push('}');
        Ok(())
    }

    fn print_items(
        &mut self,
        value: &Value,
        indent: usize,
        allowance: usize,
        level: usize,
        (start, end): (&str, &str),
    ) -> Outcome<()> {
        self.text.push_str(start);
        let content = items(value)?;
        let last = content.len().saturating_sub(1);
        for (at, item) in content.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
                self.break_line(indent + 1);
            }
            let allowance = if at == last { allowance + end.len() } else { 1 };
            self.print(item, indent + 1, allowance, level)?;
        }
        self.text.push_str(end);
        Ok(())
    }

    /// A long text in parts: its lines, and the words of lines that are too long.
    fn print_text(&mut self, content: &str, mut indent: usize, mut allowance: usize, level: usize) {
        if level == 1 {
            indent += 1;
            allowance += 1;
        }
        let room = WIDTH.saturating_sub(indent);
        let lines = split_lines(content, true);
        let last = lines.len().saturating_sub(1);
        let mut chunks = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let quoted = quote(line);
            let line_room = if at == last {
                room.saturating_sub(allowance)
            } else {
                room
            };
            if width_of(&quoted) <= line_room {
                chunks.push(quoted);
                continue;
            }
            let words = words_with_blanks(line);
            let mut current = String::new();
            for (word_at, word) in words.iter().enumerate() {
                let is_last = at == last && word_at + 1 == words.len();
                let word_room = if is_last {
                    room.saturating_sub(allowance)
                } else {
                    room
                };
                let candidate = format!("{current}{word}");
                if width_of(&quote(&candidate)) > word_room {
                    if !current.is_empty() {
                        chunks.push(quote(&current));
                    }
                    current = String::from(*word);
                } else {
                    current = candidate;
                }
            }
            if !current.is_empty() {
                chunks.push(quote(&current));
            }
        }
        let is_grouped = level == 1 && chunks.len() > 1;
        if is_grouped {
            self.text.push('(');
        }
        for (at, chunk) in chunks.iter().enumerate() {
            if at > 0 {
                self.break_line(indent);
            }
            self.text.push_str(chunk);
        }
        if is_grouped {
            self.text.push(')');
        }
    }
}

/// Words with the blanks after them.
fn words_with_blanks(line: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let word = rest.find(is_space).unwrap_or(rest.len());
        let blanks = rest.get(word..).unwrap_or_default();
        let end = word + blanks.len() - blanks.trim_start_matches(is_space).len();
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    parts
}
