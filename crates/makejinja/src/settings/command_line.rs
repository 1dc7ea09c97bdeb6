//! The command line, as makejinja reads it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::given::{GivenContent, GivenOptions, GivenValue};
use super::nearest;
use crate::data::Data;
use crate::option_table::{OPTIONS, OptionKind, OptionSpec};
use crate::problem::{Origin, Problem, ProblemKind};

/// Adds what the command line gives; an option that may be repeated replaces what other sources give.
pub(super) fn read_command_line(arguments: &[String], given: &mut GivenOptions) {
    let mut reader = CommandLineReader {
        arguments,
        starts: argument_starts(arguments),
        at: 0,
        repeated: BTreeMap::new(),
        given,
    };
    while reader.at < arguments.len() {
        let index = reader.at;
        reader.at += 1;
        match arguments[index].as_str() {
            "--" => {
                while reader.at < arguments.len() {
                    reader.refuse_operand(reader.at);
                    reader.at += 1;
                }
            }
            long if long.starts_with("--") => reader.read_long(index, long),
            short if short.len() > 1 && short.starts_with('-') => reader.read_short(index, short),
            _ => reader.refuse_operand(index),
        }
    }
    let repeated = std::mem::take(&mut reader.repeated);
    given.values.extend(repeated);
}

fn place(span: Range<usize>) -> Origin {
    Origin::new("command line", span)
}

/// Returns where each argument starts, when they are joined by single spaces.
fn argument_starts(arguments: &[String]) -> Vec<usize> {
    let mut start = 0;
    let starts = arguments.iter().map(|argument| {
        let own = start;
        start += argument.len() + 1;
        own
    });
    starts.collect()
}

struct CommandLineReader<'a> {
    arguments: &'a [String],
    starts: Vec<usize>,
    at: usize,
    repeated: BTreeMap<&'static str, GivenValue>,
    given: &'a mut GivenOptions,
}

impl<'a> CommandLineReader<'a> {
    fn origin(&self, index: usize) -> Origin {
        let start = self.starts[index];
        place(start..start + self.arguments[index].len())
    }

    fn refuse(&mut self, index: usize, kind: ProblemKind, message: String, hint: Option<String>) {
        let mut problem = Problem::new(kind, message).at(Some(self.origin(index)));
        problem.hint = hint;
        self.given.problems.push(problem);
    }

    fn refuse_operand(&mut self, index: usize) {
        let message = "makejinja takes options only, and this argument is none";
        let hint = "give inputs by `-i` and the output by `-o`";
        let kind = ProblemKind::InvalidValue;
        self.refuse(index, kind, message.to_owned(), Some(hint.to_owned()));
    }

    fn refuse_unknown(&mut self, index: usize, spelling: &str) {
        if matches!(spelling, "--help" | "-h" | "--version" | "-v") {
            let message = format!("`{spelling}` is no setting of a project");
            let hint = Some("remove it".to_owned());
            return self.refuse(index, ProblemKind::InvalidValue, message, hint);
        }
        let message = format!("makejinja has no option `{spelling}`");
        let known = OPTIONS
            .iter()
            .flat_map(|option| option.spellings.iter().copied().chain(option.negation));
        let near = nearest(spelling, known);
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        self.refuse(index, ProblemKind::UnknownOption, message, hint);
    }

    fn read_long(&mut self, index: usize, argument: &'a str) {
        let (spelling, value) = match argument.split_once('=') {
            Some((spelling, value)) => (spelling, Some(value)),
            None => (argument, None),
        };
        let Some((option, negated)) = option_of(spelling) else {
            return self.refuse_unknown(index, spelling);
        };
        match (option.kind, value) {
            (OptionKind::Flag, Some(_)) => {
                let message = format!("`{spelling}` is a flag and takes no value");
                let hint = Some(format!("write `{spelling}` alone"));
                self.refuse(index, ProblemKind::InvalidValue, message, hint);
            }
            (OptionKind::Flag, None) => self.give_flag(option, !negated, index),
            (_, Some(value)) => {
                let start = self.starts[index] + spelling.len() + 1;
                let origin = place(start..start + value.len());
                self.give(option, value, origin);
            }
            (_, None) => self.read_next(option, index, spelling),
        }
    }

    /// Reads short options that stand together, the last one with its value.
    fn read_short(&mut self, index: usize, argument: &'a str) {
        for (at, letter) in argument.char_indices().skip(1) {
            let spelling = format!("-{letter}");
            let Some((option, _)) = option_of(&spelling) else {
                return self.refuse_unknown(index, &spelling);
            };
            if option.kind == OptionKind::Flag {
                self.give_flag(option, true, index);
                continue;
            }
            let value = &argument[at + letter.len_utf8()..];
            if value.is_empty() {
                return self.read_next(option, index, &spelling);
            }
            let end = self.starts[index] + argument.len();
            let origin = place(end - value.len()..end);
            return self.give(option, value, origin);
        }
    }

    fn read_next(&mut self, option: &'static OptionSpec, index: usize, spelling: &str) {
        if let Some(value) = self.arguments.get(self.at) {
            let origin = self.origin(self.at);
            self.at += 1;
            self.give(option, value, origin);
        } else {
            let message = format!("`{spelling}` needs a value behind it");
            let hint = Some(format!("it takes {}", option.kind.expected()));
            self.refuse(index, ProblemKind::InvalidValue, message, hint);
        }
    }

    fn give_flag(&mut self, option: &'static OptionSpec, on: bool, index: usize) {
        let value = GivenValue {
            content: GivenContent::Scalar(Data::Bool(on)),
            origin: self.origin(index),
            folder: String::new(),
        };
        self.given.values.insert(option.name, value);
    }

    fn give(&mut self, option: &'static OptionSpec, value: &str, origin: Origin) {
        if !option.kind.is_repeated() {
            let value = GivenValue::text(value, origin);
            self.given.values.insert(option.name, value);
            return;
        }
        let collected = self
            .repeated
            .entry(option.name)
            .or_insert_with(|| GivenValue {
                content: if option.kind.is_table() {
                    GivenContent::Table(Vec::new())
                } else {
                    GivenContent::List(Vec::new())
                },
                origin: origin.clone(),
                folder: String::new(),
            });
        match &mut collected.content {
            GivenContent::Table(entries) => {
                let (key, value) = value.split_once('=').unwrap_or((value, ""));
                let value = GivenValue::text(value, origin);
                match entries.iter_mut().find(|(known, _)| known == key) {
                    Some((_, known)) => *known = value,
                    None => entries.push((key.to_owned(), value)),
                }
            }
            GivenContent::List(items) => items.push(GivenValue::text(value, origin)),
            GivenContent::Scalar(_) => {}
        }
    }
}

/// Returns the option of a spelling, and whether the spelling takes it back.
fn option_of(spelling: &str) -> Option<(&'static OptionSpec, bool)> {
    OPTIONS.iter().find_map(|option| {
        if option.spellings.contains(&spelling) {
            Some((option, false))
        } else {
            (option.negation == Some(spelling)).then_some((option, true))
        }
    })
}
