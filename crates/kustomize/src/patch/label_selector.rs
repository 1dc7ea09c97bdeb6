//! Selectors of labels and annotations, as `kubectl --selector` takes them.

use std::collections::BTreeSet;

/// Conditions on labels; all of them have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector {
    requirements: Vec<LabelRequirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct LabelRequirement {
    key: String,
    condition: LabelCondition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LabelCondition {
    Exists,
    Absent,
    OneOf(BTreeSet<String>),
    NoneOf(BTreeSet<String>),
    Above(i64),
    Below(i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SelectorToken {
    Word(String),
    Symbol(&'static str),
}

/// The symbols, longest first.
const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", ">", "<", "(", ")", ","];

impl LabelSelector {
    /// Reads a selector; the empty one matches everything.
    ///
    /// # Errors
    /// What is wrong with it, to be put behind "the selector".
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = SelectorParser {
            tokens: tokens_of(text),
            next: 0,
        };
        let mut requirements = Vec::new();
        if parser.peek().is_none() {
            return Ok(Self { requirements });
        }
        loop {
            requirements.push(parser.requirement()?);
            match parser.take() {
                None => return Ok(Self { requirements }),
                Some(SelectorToken::Symbol(",")) => {}
                Some(_) => return Err("lacks a comma between two conditions".to_owned()),
            }
        }
    }

    /// Returns whether labels, asked one by one, fulfill all conditions.
    pub(crate) fn matches<'v>(&self, value_of: impl Fn(&str) -> Option<&'v str>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = value_of(&requirement.key);
            match &requirement.condition {
                LabelCondition::Exists => value.is_some(),
                LabelCondition::Absent => value.is_none(),
                LabelCondition::OneOf(values) => value.is_some_and(|value| values.contains(value)),
                LabelCondition::NoneOf(values) => value.is_none_or(|value| !values.contains(value)),
                LabelCondition::Above(limit) => number(value).is_some_and(|value| value > *limit),
                LabelCondition::Below(limit) => number(value).is_some_and(|value| value < *limit),
            }
        })
    }
}

fn number(value: Option<&str>) -> Option<i64> {
    value?.parse().ok()
}

fn tokens_of(text: &str) -> Vec<SelectorToken> {
    let is_symbol = |c: char| "=!><(),".contains(c);
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
        let length = if let Some(symbol) = symbol {
            tokens.push(SelectorToken::Symbol(symbol));
            symbol.len()
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || is_symbol(c));
            let word = &rest[..end.unwrap_or(rest.len())];
            tokens.push(SelectorToken::Word(word.to_owned()));
            word.len()
        };
        rest = rest[length..].trim_start();
    }
    tokens
}

struct SelectorParser {
    tokens: Vec<SelectorToken>,
    next: usize,
}

impl SelectorParser {
    fn peek(&self) -> Option<&SelectorToken> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<SelectorToken> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn requirement(&mut self) -> Result<LabelRequirement, String> {
        let negated = self.peek() == Some(&SelectorToken::Symbol("!"));
        if negated {
            self.next += 1;
        }
        let Some(SelectorToken::Word(key)) = self.take() else {
            return Err("lacks a key".to_owned());
        };
        if !is_label_key(&key) {
            return Err(format!("has `{key}` as a key, which no label can have"));
        }
        let condition = if negated {
            LabelCondition::Absent
        } else {
            match self.peek() {
                None | Some(SelectorToken::Symbol(",")) => LabelCondition::Exists,
                Some(_) => self.condition()?,
            }
        };
        Ok(LabelRequirement { key, condition })
    }

    fn condition(&mut self) -> Result<LabelCondition, String> {
        match self.take() {
            Some(SelectorToken::Symbol("=" | "==")) => Ok(LabelCondition::OneOf(self.value()?)),
            Some(SelectorToken::Symbol("!=")) => Ok(LabelCondition::NoneOf(self.value()?)),
            Some(SelectorToken::Symbol(">")) => Ok(LabelCondition::Above(self.limit()?)),
            Some(SelectorToken::Symbol("<")) => Ok(LabelCondition::Below(self.limit()?)),
            Some(SelectorToken::Word(word)) if word == "in" => {
                Ok(LabelCondition::OneOf(self.values()?))
            }
            Some(SelectorToken::Word(word)) if word == "notin" => {
                Ok(LabelCondition::NoneOf(self.values()?))
            }
            _ => Err("lacks an operator after a key".to_owned()),
        }
    }

    fn value(&mut self) -> Result<BTreeSet<String>, String> {
        let value = match self.peek() {
            Some(SelectorToken::Word(word)) => word.clone(),
            None | Some(SelectorToken::Symbol(",")) => return Ok(BTreeSet::from([String::new()])),
            Some(_) => return Err("lacks a value after an operator".to_owned()),
        };
        self.next += 1;
        check_values(BTreeSet::from([value]))
    }

    fn limit(&mut self) -> Result<i64, String> {
        let values = self.value()?;
        let number = values.first().and_then(|value| value.parse().ok());
        number.ok_or_else(|| "compares with what is no whole number".to_owned())
    }

    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        if self.take() != Some(SelectorToken::Symbol("(")) {
            return Err("lacks a `(` after `in` or `notin`".to_owned());
        }
        let mut values = BTreeSet::new();
        let mut is_value_due = true;
        loop {
            match self.take() {
                Some(SelectorToken::Word(word)) if is_value_due => {
                    values.insert(word);
                    is_value_due = false;
                }
                Some(SelectorToken::Symbol(",")) => {
                    if is_value_due {
                        values.insert(String::new());
                    }
                    is_value_due = true;
                }
                Some(SelectorToken::Symbol(")")) => {
                    if is_value_due {
                        values.insert(String::new());
                    }
                    return check_values(values);
                }
                _ => return Err("lacks a `)` or a comma in a list of values".to_owned()),
            }
        }
    }
}

fn check_values(values: BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    match values.iter().find(|value| !is_label_value(value)) {
        Some(value) => Err(format!("has the value `{value}`, which no label can have")),
        None => Ok(values),
    }
}

fn is_label_key(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    !name.is_empty() && is_label_value(name) && prefix.is_none_or(is_subdomain)
}

fn is_subdomain(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.len() <= 253
        && name.split('.').all(|part| {
            !part.is_empty()
                && part.chars().all(is_inner)
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
}

fn is_label_value(value: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    value.len() <= 63
        && value.chars().all(is_inner)
        && value
            .chars()
            .next()
            .is_none_or(|c| c.is_ascii_alphanumeric())
        && value
            .chars()
            .last()
            .is_none_or(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::LabelSelector;

    fn matches(selector: &str, labels: &[(&str, &str)]) -> Result<bool, String> {
        let selector = LabelSelector::parse(selector)?;
        Ok(selector.matches(|key| {
            let found = labels.iter().find(|(name, _)| *name == key);
            found.map(|(_, value)| *value)
        }))
    }

    #[test]
    fn conditions_hold_as_kubectl_reads_them() {
        let labels = [("app", "web"), ("size", "3"), ("empty", "")];
        for (selector, expected) in [
            ("", true),
            ("app", true),
            ("!app", false),
            ("!other", true),
            ("app=web", true),
            ("app == web , size", true),
            ("app!=web", false),
            ("other!=web", true),
            ("app in (web, db)", true),
            ("app notin (web)", false),
            ("other notin (web)", true),
            ("size>2", true),
            ("size < 3", false),
            ("empty=", true),
            ("app=", false),
            ("empty in (a,)", true),
        ] {
            assert_eq!(matches(selector, &labels), Ok(expected), "{selector}");
        }
    }

    #[test]
    fn broken_selectors_are_refused() {
        for selector in [
            "=a",
            "app=a b",
            "app,",
            ",",
            "app in web",
            "app in (web",
            "a$",
            "app=$x",
            "size>x",
            "!a=b",
            "-a=b",
        ] {
            assert!(LabelSelector::parse(selector).is_err(), "{selector}");
        }
    }
}
