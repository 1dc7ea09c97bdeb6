use rand_core::RngCore as _;
use sops_age::Store;

use super::setting::Stream;

/// Scalars of which readers of YAML differ in what they are.
const SCALARS: [&str; 46] = [
    "1",
    "0",
    "-7",
    "0644",
    "0o17",
    "0x1F",
    "0b11",
    "1_000",
    "08",
    "1.0",
    "1.50",
    "1e3",
    "1e21",
    "1e-7",
    ".5",
    "685_230.15",
    "12345678901234567890.0",
    ".inf",
    "-.inf",
    "true",
    "False",
    "yes",
    "no",
    "on",
    "null",
    "~",
    "",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "\"\"",
    "''",
    "\"quoted\"",
    "'it''s'",
    "\"tab\\tnew\\nline\"",
    "\"\\u2028x\\u0085\"",
    "plain words",
    "a:b",
    "x#y",
    "{}",
    "[]",
    "{a: b, c: \"d, e\"}",
    "[one, 2, null]",
    "none",
    "0x",
    "1__0",
    "%x%y",
];

const WORDS: [&str; 8] = [
    "data",
    "stringData",
    "a",
    "b_unencrypted",
    "kind",
    "xsuffix",
    "key.dot",
    "z9",
];

/// Makes files out of a number.
pub(crate) struct Author {
    dice: Stream,
    /// Whether comments are written.
    pub(crate) comments: bool,
    lines: Vec<String>,
}

impl Author {
    pub(crate) fn new(number: u64) -> Self {
        let mut dice = Stream(number.wrapping_mul(0x1234_5678_9ABC_DEF1));
        let comments = !dice.next_u32().is_multiple_of(3);
        Self {
            dice,
            comments,
            lines: Vec::new(),
        }
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.dice.next_u64() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    /// Writes a file of a format.
    pub(crate) fn file(&mut self, store: Store) -> Vec<u8> {
        match store {
            Store::Json => self.json(0).into_bytes(),
            Store::Binary => {
                let length = self.below(200);
                let mut bytes = vec![0; length];
                self.dice.fill_bytes(&mut bytes);
                bytes
            }
            _ => self.yaml().into_bytes(),
        }
    }

    fn yaml(&mut self) -> String {
        let documents = if self.chance(6) { 2 + self.below(2) } else { 1 };
        for number in 0..documents {
            if number > 0 || self.chance(8) {
                self.lines.push("---".to_owned());
            }
            self.comment("");
            self.mapping("", 0);
            self.comment("");
        }
        let text = std::mem::take(&mut self.lines).join("\n");
        if self.chance(9) { text } else { text + "\n" }
    }

    fn comment(&mut self, margin: &str) {
        if self.comments && self.chance(5) {
            let number = self.below(100);
            self.lines.push(format!("{margin}# note {number}"));
        }
    }

    fn behind(&mut self) -> String {
        if self.comments && self.chance(7) {
            format!(" # tail {}", self.below(100))
        } else {
            String::new()
        }
    }

    fn keys(&mut self) -> Vec<String> {
        let mut keys = Vec::new();
        for _ in 0..=self.below(4) {
            let word = WORDS[self.below(WORDS.len())];
            let key = match self.below(4) {
                0 => format!("{word}{}", self.below(10)),
                1 => format!("\"{word} {}\"", self.below(10)),
                _ => word.to_owned(),
            };
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn mapping(&mut self, margin: &str, depth: usize) {
        for key in self.keys() {
            self.comment(margin);
            self.entry(&format!("{margin}{key}:"), margin, depth);
            if self.chance(12) {
                self.lines.push(String::new());
            }
        }
    }

    /// Writes a value behind a start of a line.
    fn entry(&mut self, start: &str, margin: &str, depth: usize) {
        let inner = format!("{margin}  ");
        match self.below(if depth > 2 { 6 } else { 9 }) {
            0..=3 => {
                let scalar = SCALARS[self.below(SCALARS.len())];
                let behind = self.behind();
                self.lines.push(format!("{start} {scalar}{behind}"));
            }
            4 => {
                let header = ["|", ">", "|-", ">-", "|+"][self.below(5)];
                self.lines.push(format!("{start} {header}"));
                for number in 0..=self.below(3) {
                    let text = ["line one", "  deeper", "", "last: line"][self.below(4)];
                    let first = number == 0;
                    let text = if first { "first" } else { text };
                    let margin = if text.is_empty() { "" } else { &inner };
                    self.lines.push(format!("{margin}{text}"));
                }
                self.lines.push(format!("{inner}end"));
            }
            5 => {
                let words = ["one two", "\"three", "'four"][self.below(3)];
                let quote = words.chars().next().filter(|sign| "\"'".contains(*sign));
                let close = quote.map(String::from).unwrap_or_default();
                self.lines.push(format!("{start} {words}"));
                self.lines.push(format!("{inner}more{close}"));
            }
            6 => {
                let behind = self.behind();
                self.lines.push(format!("{start}{behind}"));
                self.mapping(&inner, depth + 1);
            }
            _ => {
                self.lines.push(start.to_owned());
                let low = self.chance(3);
                let margin = if low && !margin.contains('-') {
                    margin
                } else {
                    &inner
                };
                self.list(margin, depth + 1);
            }
        }
    }

    fn list(&mut self, margin: &str, depth: usize) {
        for _ in 0..=self.below(3) {
            self.comment(margin);
            if self.chance(3) && depth < 3 {
                let at = self.lines.len();
                let inner = format!("{margin}  ");
                for key in self.keys() {
                    self.entry(&format!("{inner}{key}:"), &inner, depth + 1);
                }
                self.lines[at].replace_range(margin.len()..=margin.len(), "-");
            } else {
                let scalar = SCALARS[self.below(SCALARS.len())];
                let behind = self.behind();
                self.lines.push(format!("{margin}- {scalar}{behind}"));
            }
        }
    }

    fn json(&mut self, depth: usize) -> String {
        let keys: Vec<String> = self.keys();
        let mut parts = Vec::new();
        for key in keys {
            let key = key.trim_matches('"').to_owned();
            let value = self.json_value(depth + 1);
            parts.push(format!("\"{key}\": {value}"));
        }
        match self.below(2) {
            0 => format!("{{{}}}", parts.join(", ")),
            _ => format!("{{\n  {}\n}}\n", parts.join(",\n  ")),
        }
    }

    fn json_value(&mut self, depth: usize) -> String {
        const VALUES: [&str; 14] = [
            "1",
            "-7",
            "0",
            "1.5",
            "1.0",
            "1e3",
            "9007199254740993",
            "true",
            "false",
            "null",
            "\"\"",
            "\"text\"",
            "\"a\\/b \\u00e9 \\ud83d\\ude00\"",
            "\"line\\nbreak\"",
        ];
        match self.below(if depth > 2 { 4 } else { 6 }) {
            4 => self.json(depth),
            5 => {
                let count = self.below(4);
                let items: Vec<String> = (0..count).map(|_| self.json_value(depth + 1)).collect();
                format!("[{}]", items.join(", "))
            }
            _ => VALUES[self.below(VALUES.len())].to_owned(),
        }
    }
}
