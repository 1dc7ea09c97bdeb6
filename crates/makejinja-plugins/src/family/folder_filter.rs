//! The files `.mjfilter.py`, which say whether a folder is rendered.

use crate::python_line::{PythonLine, split_lines};
use crate::token_cursor::TokenCursor;
use crate::value::PluginValue;

/// How deep an expression may be nested.
const DEEPEST: usize = 60;

/// Tells whether the folder of a filter is kept, without running the filter: `main = lambda data: …` with `.get(…)`,
/// `[…]`, `==`, `!=`, `in`, `is`, `and`, `or`, `not` and literals. None if the filter is anything else, or raises an
/// exception with these data; then Python has to run it.
///
/// As in the plugins of the family, only `False` itself leaves a folder out: `None` and an empty mapping do not.
pub fn folder_filter(source: &str, data: &PluginValue) -> Option<bool> {
    let lines = split_lines(source)?;
    let [PythonLine { tokens, .. }] = lines.as_slice() else {
        return None;
    };
    let mut cursor = TokenCursor::new(tokens);
    cursor.sequence(&["main", "=", "lambda", "data", ":"])?;
    let mut parser = ExpressionParser { cursor, depth: 0 };
    let expression = parser.disjunction()?;
    if !parser.cursor.is_at_end() {
        return None;
    }
    let value = expression.evaluate(data)?;
    Some(!matches!(value, PluginValue::Bool(false)))
}

enum FilterExpression {
    Data,
    Literal(PluginValue),
    Get(Box<Self>, String, PluginValue),
    Index(Box<Self>, String),
    Compare(Comparison, Box<Self>, Box<Self>),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

#[derive(Clone, Copy)]
enum Comparison {
    Equal,
    Unequal,
    In,
    NotIn,
    Is,
    IsNot,
}

static TRUE: PluginValue = PluginValue::Bool(true);
static FALSE: PluginValue = PluginValue::Bool(false);

impl FilterExpression {
    fn evaluate<'a>(&'a self, data: &'a PluginValue) -> Option<&'a PluginValue> {
        let truth = |is: bool| if is { &TRUE } else { &FALSE };
        Some(match self {
            Self::Data => data,
            Self::Literal(value) => value,
            Self::Get(of, key, default) => match of.evaluate(data)? {
                value @ PluginValue::Map(_) => value.get(key).unwrap_or(default),
                _ => return None,
            },
            Self::Index(of, key) => match of.evaluate(data)? {
                value @ PluginValue::Map(_) => value.get(key)?,
                _ => return None,
            },
            Self::Compare(comparison, left, right) => {
                let (left, right) = (left.evaluate(data)?, right.evaluate(data)?);
                truth(compare(*comparison, left, right)?)
            }
            Self::Not(of) => truth(!of.evaluate(data)?.is_true()),
            Self::And(left, right) => match left.evaluate(data)? {
                value if value.is_true() => right.evaluate(data)?,
                value => value,
            },
            Self::Or(left, right) => match left.evaluate(data)? {
                value if value.is_true() => value,
                _ => right.evaluate(data)?,
            },
        })
    }
}

fn compare(comparison: Comparison, left: &PluginValue, right: &PluginValue) -> Option<bool> {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::Unequal => equal(left, right).map(|is| !is),
        Comparison::In | Comparison::NotIn => {
            let PluginValue::List(items) = right else {
                return None;
            };
            let mut is_in = false;
            for item in items {
                is_in |= equal(left, item)?;
            }
            Some(is_in == matches!(comparison, Comparison::In))
        }
        Comparison::Is | Comparison::IsNot => {
            let is = match (left, right) {
                (PluginValue::Null, other) | (other, PluginValue::Null) => {
                    matches!(other, PluginValue::Null)
                }
                (PluginValue::Bool(left), PluginValue::Bool(right)) => left == right,
                (PluginValue::Bool(_), _) | (_, PluginValue::Bool(_)) => false,
                _ => return None,
            };
            Some(is == matches!(comparison, Comparison::Is))
        }
    }
}

/// Compares as `==` does; none where that needs more than is known here, as for numbers of two types.
fn equal(left: &PluginValue, right: &PluginValue) -> Option<bool> {
    use PluginValue::{Bool, Integer, List, Map, Null, Text};
    match (left, right) {
        (Text(left), Text(right)) => Some(left == right),
        (Bool(left), Bool(right)) => Some(left == right),
        (Integer(left), Integer(right)) => Some(left == right),
        (Null, Null) => Some(true),
        (Bool(_) | Integer(_), Text(_) | Null | List(_) | Map(_))
        | (Text(_) | Null | List(_) | Map(_), Bool(_) | Integer(_))
        | (Text(_), Null | List(_) | Map(_))
        | (Null | List(_) | Map(_), Text(_))
        | (Null, List(_) | Map(_))
        | (List(_) | Map(_), Null) => Some(false),
        _ => None,
    }
}

struct ExpressionParser<'a> {
    cursor: TokenCursor<'a>,
    depth: usize,
}

impl ExpressionParser<'_> {
    fn disjunction(&mut self) -> Option<FilterExpression> {
        let mut left = self.conjunction()?;
        while self.cursor.word("or") {
            left = FilterExpression::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Some(left)
    }

    fn conjunction(&mut self) -> Option<FilterExpression> {
        let mut left = self.negation()?;
        while self.cursor.word("and") {
            left = FilterExpression::And(Box::new(left), Box::new(self.negation()?));
        }
        Some(left)
    }

    fn negation(&mut self) -> Option<FilterExpression> {
        self.depth += 1;
        let negation = if self.depth > DEEPEST {
            None
        } else if self.cursor.word("not") {
            Some(FilterExpression::Not(Box::new(self.negation()?)))
        } else {
            self.comparison()
        };
        self.depth -= 1;
        negation
    }

    /// Reads one comparison at most: what stands behind it is left, so that `a == b == c` is read to no end.
    fn comparison(&mut self) -> Option<FilterExpression> {
        let left = self.access()?;
        let Some(comparison) = self.comparison_sign() else {
            return Some(left);
        };
        let (left, right) = (Box::new(left), Box::new(self.access()?));
        Some(FilterExpression::Compare(comparison, left, right))
    }

    fn comparison_sign(&mut self) -> Option<Comparison> {
        let signs: [(&[&str], Comparison); 6] = [
            (&["=", "="], Comparison::Equal),
            (&["!", "="], Comparison::Unequal),
            (&["in"], Comparison::In),
            (&["not", "in"], Comparison::NotIn),
            (&["is", "not"], Comparison::IsNot),
            (&["is"], Comparison::Is),
        ];
        let mut signs = signs.into_iter();
        signs.find_map(|(sign, comparison)| self.cursor.sequence(sign).map(|()| comparison))
    }

    fn access(&mut self) -> Option<FilterExpression> {
        let mut of = if self.cursor.sign('(') {
            let inner = self.disjunction()?;
            self.cursor.sign(')').then_some(inner)?
        } else if self.cursor.word("data") {
            FilterExpression::Data
        } else {
            FilterExpression::Literal(self.cursor.literal()?)
        };
        loop {
            if self.cursor.sequence(&[".", "get", "("]).is_some() {
                let key = self.cursor.text()?.to_owned();
                let default = if self.cursor.sign(',') {
                    self.cursor.literal()?
                } else {
                    PluginValue::Null
                };
                self.cursor.sequence(&[")"])?;
                of = FilterExpression::Get(Box::new(of), key, default);
            } else if self.cursor.sign('[') {
                let key = self.cursor.text()?.to_owned();
                self.cursor.sequence(&["]"])?;
                of = FilterExpression::Index(Box::new(of), key);
            } else {
                return Some(of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> PluginValue {
        PluginValue::map([
            ("distribution", "talos".into()),
            (
                "cloudflare",
                PluginValue::map([("enabled", PluginValue::Bool(true))]),
            ),
            (
                "flux",
                PluginValue::map([("enabled", "true")].map(|(key, text)| (key, text.into()))),
            ),
            ("size", 3.into()),
        ])
    }

    fn kept(filter: &str) -> Option<bool> {
        folder_filter(&format!("main = lambda data: {filter}\n"), &data())
    }

    #[test]
    fn filters_of_the_family_need_no_python() {
        assert_eq!(kept("data.get('distribution') in ['talos']"), Some(true));
        assert_eq!(
            kept("data.get(\"distribution\", \"k3s\") in [\"k0s\", 'k3s',]"),
            Some(false)
        );
        assert_eq!(kept("data[\"distribution\"] == \"talos\""), Some(true));
        assert_eq!(
            kept("data.get('cloudflare', {}).get('enabled', False) == True"),
            Some(true)
        );
        assert_eq!(
            kept("data.get('flux', {}).get('enabled', False) == True"),
            Some(false)
        );
        assert_eq!(
            kept("data.get('gone', {}).get('enabled', False) == True"),
            Some(false)
        );
        assert_eq!(
            kept("data.get('distribution') not in ['k3s'] and not data.get('gone')"),
            Some(true)
        );
        assert_eq!(
            kept("(\n  data.get('a', {})  # first\n    .get('b', {})\n)"),
            Some(true)
        );
    }

    #[test]
    fn only_false_itself_leaves_a_folder_out() {
        assert_eq!(kept("data.get('gone')"), Some(true));
        assert_eq!(kept("data.get('gone', False)"), Some(false));
        assert_eq!(
            kept("data.get('distribution') == 'talos' and data.get('gone', {})"),
            Some(true)
        );
        assert_eq!(
            kept("data.get('distribution') == 'k3s' and data.get('gone', {})"),
            Some(false)
        );
        assert_eq!(kept("data.get('gone') is None"), Some(true));
        assert_eq!(
            kept("data.get('distribution') is not None or False"),
            Some(true)
        );
    }

    #[test]
    fn what_is_not_understood_or_fails_is_for_python() {
        let others = [
            "len(data['nodes']) > 1",
            "data['gone'] == 1",
            "data.get('gone').get('enabled') == True",
            "data.get('size') == 3.0",
            "data.get('size') == True == True",
            "data.get('size') = 3",
            "data.get('size') < 4",
            "data.get('size') not 3",
            "data.get('size') is not in [3]",
            "(data.get('size') == 3 in [True]) or True",
            "data.size",
            "data.get",
            "data.get('distribution') in 'talos'",
            "'a' 'b' == data.get('x')",
            "data.get(data.get('size'))",
            "lambda: False",
            "data.get('distribution') == 'tal\\x6fs'",
            "",
        ];
        for other in others {
            assert_eq!(kept(other), None, "{other}");
        }
        let two = "import os\nmain = lambda data: False\n";
        assert_eq!(folder_filter(two, &data()), None);
        assert_eq!(
            folder_filter("def main(data):\n    return False\n", &data()),
            None
        );
        let deep = format!("{}data", "(".repeat(100_000));
        assert_eq!(kept(&deep), None);
        let deep = format!("{}[", "[".repeat(100_000));
        assert_eq!(kept(&deep), None);
    }
}
