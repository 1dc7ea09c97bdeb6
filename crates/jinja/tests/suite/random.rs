//! Random templates over the constructs that projects use.

use serde_json::{Value as Json, json};

use crate::hostile::PIECES;

/// A small generator of numbers (`SplitMix64`), the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("a small number")
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'list>(&mut self, list: &[&'list str]) -> &'list str {
        list[self.below(list.len())]
    }
}

/// A case: a template, what it is rendered with, and how.
pub(crate) fn template(seed: u64) -> Json {
    let mut writer = Writer {
        random: Random(seed),
        names: Vec::new(),
        next: 0,
    };
    let main = writer.body(3);
    let included = writer.body(1);
    let library =
        "{% macro wrap(a, b='z') %}<{{ a }}-{{ b }}>{% endmacro %}{% set shared = [1, 2] %}"
            .to_owned();
    let modes = ["default", "chainable", "strict", "debug"];
    let mut texts = [main, included, library];
    let mut syntax = json!({});
    if writer.random.chance(60) {
        syntax = json!({"trim_blocks": true, "lstrip_blocks": true, "keep_trailing_newline": true});
    }
    if writer.random.chance(40) {
        syntax["block"] = json!(["#%", "%#"]);
        syntax["variable"] = json!(["#{", "}#"]);
        syntax["comment"] = json!(["#|", "#|"]);
        for text in &mut texts {
            for (from, to) in [
                ("{%", "#%"),
                ("%}", "%#"),
                ("{{", "#{"),
                ("}}", "}#"),
                ("{#", "#|"),
                ("#}", "#|"),
            ] {
                *text = text.replace(from, to);
            }
        }
    }
    let [main, included, library] = texts;
    json!({
        "templates": {"main": main, "inc": included, "lib": library},
        "undefined": writer.random.pick(&modes),
        "syntax": syntax,
        "context": {
            "n": 7, "f": 2.5, "z": 0, "s": "Hello World", "p": "a/b/c.yaml", "key": "l1\nl2\n\nl4\n", "t": true, "no": false,
            "nil": null, "l": [3, 1, 2], "words": ["b", "A", "c"], "e": [], "d": {"b": 1, "a": "two", "c": [1]},
            "nodes": [
                {"name": "k8s-1", "address": "10.0.0.1", "controller": true, "tags": ["x"]},
                {"name": "k8s-0", "address": "10.0.0.2", "controller": false, "mtu": 1500},
                {"name": "K8s-2", "address": "10.0.0.3", "controller": true, "tags": []},
            ],
        },
    })
}

/// A case of pieces in any order, most of which no parser takes.
pub(crate) fn pieces(seed: u64) -> Json {
    let mut random = Random(seed);
    let mut template = String::new();
    for _ in 0..=random.below(9) {
        template.push_str(random.pick(&PIECES));
        template.push_str(random.pick(&["", " "]));
    }
    let inside = template.clone();
    let template = match random.below(4) {
        0 => template,
        1 => format!("{{{{ {inside} }}}}"),
        2 => format!("{{% set v = {inside} %}}{{{{ v }}}}"),
        _ => format!("{{% for i in l %}}{{{{ x {inside} }}}}{{% endfor %}}"),
    };
    let mut syntax = json!({});
    if random.chance(30) {
        syntax = json!({"line_statement": "#", "line_comment": "##", "trim_blocks": true});
    }
    json!({
        "template": template,
        "syntax": syntax,
        "context": {"x": 5, "l": [3, "a", null], "d": {"a": {"b": 1}}},
    })
}

/// A case whose template has nothing but expressions over numbers, formats and texts.
pub(crate) fn expressions(seed: u64) -> Json {
    let mut random = Random(seed);
    let mut template = String::new();
    for _ in 0..4 {
        template += &["{{ ", &value_expression(&mut random), " }}\n"].concat();
    }
    json!({"template": template, "undefined": "strict"})
}

fn integer(random: &mut Random) -> String {
    let digits = random.below(5) * random.below(8) + 1;
    let mut number: String = (0..digits)
        .map(|_| random.pick(&["0", "1", "5", "9", "4"]))
        .collect();
    number = number.trim_start_matches('0').to_owned();
    let sign = random.pick(&["", "-"]);
    if number.is_empty() {
        "0".to_owned()
    } else {
        format!("({sign}{number})")
    }
}

fn float(random: &mut Random) -> String {
    let whole = random.pick(&["0", "1", "2", "12", "99", "1234567", "123456789012345678"]);
    let fraction = random.pick(&[
        "0",
        "5",
        "25",
        "125",
        "675",
        "1",
        "05",
        "999",
        "0001",
        "123456789",
    ]);
    let exponent = random.pick(&[
        "", "", "", "e5", "e-5", "e16", "e-7", "e22", "e100", "e-300",
    ]);
    format!("({}{whole}.{fraction}{exponent})", random.pick(&["", "-"]))
}

fn number(random: &mut Random) -> String {
    if random.chance(50) {
        integer(random)
    } else {
        float(random)
    }
}

fn words(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(7) {
        text.push_str(random.pick(&[
            "word",
            "a",
            "well-known",
            "x--y",
            "it's",
            "E=mc",
            "  ",
            "-",
            "1-2",
            "(b",
            "é",
            "straße",
            "A.B",
            "\\n",
            "\\t",
            "0x1f",
            "12",
            "ǅ",
            "<b>",
            "&amp;",
            "www.x.org",
            "me@x.org",
            "%",
            "longlonglongword",
            ",",
            "\u{2028}",
            "日本",
            "_",
        ]));
        text.push_str(random.pick(&["", " ", " ", "-"]));
    }
    format!("\"{text}\"")
}

fn value_expression(random: &mut Random) -> String {
    let (left, right) = (number(random), number(random));
    let text = words(random);
    match random.below(16) {
        0 | 1 => format!(
            "{left} {} {right}",
            random.pick(&["+", "-", "*", "/", "//", "%", "<", "==", ">="])
        ),
        2 => format!("{} ** {}", number(random), random.below(6)),
        3 => format!(
            "{left}|round({}, '{}')",
            random.below(9).cast_signed() - 4,
            random.pick(&["common", "ceil", "floor"])
        ),
        4 => format!(
            "{left}|{}",
            random.pick(&[
                "int",
                "float",
                "filesizeformat",
                "filesizeformat(true)",
                "abs",
                "string|int",
                "tojson"
            ])
        ),
        5 | 6 => {
            let flags = random.pick(&["", "-", "0", "+", " ", "#", "-0", "+0"]);
            let width = random.pick(&["", "1", "8", "12"]);
            let precision = random.pick(&["", ".0", ".1", ".3", ".10", "."]);
            let letter = random.pick(&["d", "f", "e", "g", "s", "r", "x", "G", "i", "X", "o", "E"]);
            let operand = if random.chance(80) { left } else { text };
            format!("'%{flags}{width}{precision}{letter}' % {operand}")
        }
        7 | 8 => {
            let align = random.pick(&["", "<", ">", "^", "=", "*<", "0>", "é^"]);
            let sign = random.pick(&["", "+", "-", " "]);
            let middle = random.pick(&["", "#", "0", "#0"]);
            let width = random.pick(&["", "1", "9", "14"]);
            let grouping = random.pick(&["", "", ",", "_"]);
            let precision = random.pick(&["", ".0", ".2", ".7"]);
            let letter = random.pick(&[
                "", "d", "f", "e", "g", "s", "x", "b", "%", "n", "o", "X", "G", "c",
            ]);
            let operand = if random.chance(80) { left } else { text };
            format!(
                "'{{:{align}{sign}{middle}{width}{grouping}{precision}{letter}}}'.format({operand})"
            )
        }
        choice => text_expression(random, choice, [&left, &right, &text]),
    }
}

fn text_expression(random: &mut Random, choice: usize, [left, right, text]: [&str; 3]) -> String {
    match choice {
        9 => format!(
            "{text}|wordwrap({}, {}, break_on_hyphens={})",
            random.below(12) + 1,
            random.pick(&["true", "false"]),
            random.pick(&["true", "false"])
        ),
        10 => format!(
            "{text}|{}",
            random.pick(&[
                "title",
                "capitalize",
                "upper",
                "lower",
                "wordcount",
                "urlize",
                "striptags",
                "e",
                "urlencode",
                "tojson",
                "pprint",
                "list",
                "indent",
                "trim",
                "reverse",
                "int(default=-1)",
                "float",
                "truncate(9)",
                "length"
            ])
        ),
        11 => format!(
            "{text}.{}",
            random.pick(&[
                "title()",
                "swapcase()",
                "split()",
                "rsplit(None, 1)",
                "splitlines()",
                "center(31)",
                "center(30, '*')",
                "zfill(30)",
                "expandtabs(3)",
                "istitle()",
                "isupper()",
                "isalnum()",
                "isprintable()",
                "isidentifier()",
                "partition('-')",
                "rpartition(' ')",
                "strip('a -')",
                "find('-')",
                "rfind('-', 2)",
                "count('-')",
                "replace('-', '+', 1)",
                "casefold()",
                "encode()",
                "isdigit()",
                "isnumeric()",
                "isspace()"
            ])
        ),
        12 => format!("[{left}, {right}, {text}, none, true]"),
        13 => format!("{{{left}: {right}, {text}: {left}}}|pprint"),
        14 => format!(
            "{text}[{}:{}:{}]",
            random.pick(&["", "1", "-3", "50"]),
            random.pick(&["", "4", "-1", "-50"]),
            random.pick(&["", "2", "-1", "-2"])
        ),
        _ => format!("[{text}, {{'key': [{left}, {text}, {text}]}}, ({right}, {text})]|pprint"),
    }
}

struct Writer {
    random: Random,
    /// Variables that the template sets.
    names: Vec<String>,
    next: usize,
}

impl Writer {
    fn fresh(&mut self) -> String {
        self.next += 1;
        format!("v{}", self.next)
    }

    fn mark(&mut self) -> &'static str {
        self.random.pick(&["", "", "", "", "-"])
    }

    fn tag(&mut self, inside: &str) -> String {
        let (start, end) = (self.mark(), self.mark());
        let start = if start.is_empty() && self.random.chance(5) {
            "+"
        } else {
            start
        };
        format!("{{%{start} {inside} {end}%}}")
    }

    fn body(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for _ in 0..=self.random.below(5) {
            text.push_str(&self.part(depth));
        }
        text
    }

    fn part(&mut self, depth: usize) -> String {
        let choice = if depth == 0 {
            self.random.below(8)
        } else {
            self.random.below(23)
        };
        match choice {
            0 => self
                .random
                .pick(&[
                    "\n",
                    "\n\n",
                    "  ",
                    " ",
                    "\t\n",
                    "a: b\n",
                    "  - item\n",
                    "{ }",
                    "# note\n",
                    "é",
                ])
                .to_owned(),
            1 => "key: ".to_owned(),
            2 => "\n    indented\n".to_owned(),
            3..=6 => {
                let value = self.any(2);
                let (start, end) = (self.mark(), self.mark());
                format!("{{{{{start} {value} {end}}}}}")
            }
            7 => self
                .random
                .pick(&[
                    "{# note #}",
                    "{#- a\nb -#}",
                    "  {# note #}\n",
                    "a {# b #} c\n",
                ])
                .to_owned(),
            8 | 9 => self.set(),
            10..=12 => self.condition(depth),
            13..=15 => self.each(depth),
            16 => self.filter_block(depth),
            17 => {
                let inside = self
                    .random
                    .pick(&["{{ .Node }}", "a\n  b\n", "\n{% x %}\n", " "]);
                format!("{}{inside}{}", self.tag("raw"), self.tag("endraw"))
            }
            18 => {
                let tag = self.random.pick(&[
                    "include 'inc'",
                    "include 'none' ignore missing",
                    "include ['none', 'inc']",
                ]);
                self.tag(tag)
            }
            19 => self.macro_and_calls(depth),
            20 => self.set_block(depth),
            21 => {
                let name = self.fresh();
                let (value, body) = (self.any(1), self.body(depth - 1));
                format!(
                    "{}{body}{{{{ {name} }}}}{}",
                    self.tag(&format!("with {name} = {value}")),
                    self.tag("endwith")
                )
            }
            _ => {
                let context = self.random.pick(&["", " with context"]);
                format!(
                    "{}{{{{ wrap({}) }}}}{{{{ shared|last }}}}",
                    self.tag(&format!("from 'lib' import wrap, shared{context}")),
                    self.any(1)
                )
            }
        }
    }

    fn set(&mut self) -> String {
        let name = if !self.names.is_empty() && self.random.chance(30) {
            self.names[self.random.below(self.names.len())].clone()
        } else {
            self.fresh()
        };
        let value = self.any(2);
        let text = match self.random.below(8) {
            0 => {
                let item = self.any(1);
                format!(
                    "{}{}",
                    self.tag(&format!("set {name} = []")),
                    self.tag(&format!("set _ = {name}.append({item})"))
                )
            }
            1 => {
                let other = self.fresh();
                self.tag(&format!("set {name}, {other} = {value}, 1"))
            }
            2 => format!(
                "{}{}{{{{ {name}.a }}}}",
                self.tag(&format!("set {name} = namespace(a={value})")),
                self.tag(&format!("set {name}.a = {name}.a ~ 'x'"))
            ),
            _ => self.tag(&format!("set {name} = {value}")),
        };
        self.names.push(name);
        text
    }

    fn condition(&mut self, depth: usize) -> String {
        let condition = self.test(2);
        let mut text = self.tag(&format!("if {condition}")) + &self.body(depth - 1);
        if self.random.chance(25) {
            let condition = self.test(1);
            text += &(self.tag(&format!("elif {condition}")) + &self.body(depth - 1));
        }
        if self.random.chance(40) {
            text += &(self.tag("else") + &self.body(depth - 1));
        }
        text + &self.tag("endif")
    }

    fn each(&mut self, depth: usize) -> String {
        let name = self.fresh();
        let (head, inside) = match self.random.below(7) {
            0 => (
                format!("for {name} in nodes"),
                format!(
                    "{{{{ {name}.name }}}}:{{{{ {name}['address'] }}}}{{{{ {name}.mtu|default('-') }}}}"
                ),
            ),
            1 => (
                format!("for {name} in nodes if {name}.controller"),
                format!("{{{{ {name}.name }}}}{{{{ loop.index }}}}{{{{ ',' if not loop.last }}}}"),
            ),
            2 => (
                format!("for {name}, w in d.items()"),
                format!("{{{{ {name} }}}}={{{{ w }}}} "),
            ),
            3 => (
                format!("for {name} in range({})", self.random.below(5)),
                format!("{{{{ loop.cycle('a', 'b') }}}}{{{{ {name} }}}}"),
            ),
            4 => (
                format!("for {name}, w in d|dictsort"),
                format!("{{{{ {name}|upper }}}}{{{{ loop.revindex }}}}"),
            ),
            5 => (
                format!("for {name} in {} recursive", self.list(1)),
                format!("{{{{ {name} }}}}{{{{ loop.depth }}}}{{{{ loop.previtem|default('^') }}}}"),
            ),
            _ => (
                format!("for {name} in {}", self.list(2)),
                format!("{{{{ {name} }}}}"),
            ),
        };
        self.names.push(name);
        let mut text = self.tag(&head) + &inside + &self.body(depth - 1);
        if self.random.chance(10) {
            let condition = self.test(1);
            let jump = self.random.pick(&["break", "continue"]);
            text += &(self.tag(&format!("if {condition}")) + &self.tag(jump) + &self.tag("endif"));
        }
        self.names.pop();
        if self.random.chance(20) {
            text += &(self.tag("else") + &self.body(depth - 1));
        }
        text + &self.tag("endfor")
    }

    fn filter_block(&mut self, depth: usize) -> String {
        let filter = self.random.pick(&[
            "indent(width=4, first=False)",
            "indent(2, true)",
            "upper",
            "trim",
            "replace('a', 'b')",
            "indent('> ')",
            "trim|indent(3)",
            "title",
            "indent(width=2, blank=true)",
            "escape",
            "truncate(12)",
        ]);
        self.tag(&format!("filter {filter}")) + &self.body(depth - 1) + &self.tag("endfilter")
    }

    fn set_block(&mut self, depth: usize) -> String {
        let name = self.fresh();
        let filter = self.random.pick(&["", "|upper", "|trim", "|indent(2)"]);
        let text =
            self.tag(&format!("set {name}{filter}")) + &self.body(depth - 1) + &self.tag("endset");
        self.names.push(name.clone());
        format!("{text}[{{{{ {name} }}}}]")
    }

    fn macro_and_calls(&mut self, depth: usize) -> String {
        let name = format!("m{}", self.fresh());
        let extra = self.random.pick(&[
            "",
            "{{ varargs }}",
            "{{ kwargs }}",
            "{{ caller() if caller }}",
            "{{ caller is defined }}",
        ]);
        let body = self.body(depth - 1);
        let default = self.any(1);
        let head = self.tag(&format!("macro {name}(a, b={default})"));
        let mut text = format!(
            "{head}{{{{ a }}}}{{{{ b }}}}{extra}{body}{}",
            self.tag("endmacro")
        );
        for _ in 0..=self.random.below(2) {
            let (first, second) = (self.any(1), self.any(1));
            let arguments = match self.random.below(5) {
                0 => String::new(),
                1 => format!("{first}, {second}"),
                2 => format!("b={first}, a={second}"),
                3 => format!("{first}, {second}, 3, c=4"),
                _ => first,
            };
            let call = if self.random.chance(20) {
                format!(
                    "{}in{}",
                    self.tag(&format!("call {name}({arguments})")),
                    self.tag("endcall")
                )
            } else {
                format!("{{{{ {name}({arguments}) }}}}")
            };
            text += &call;
        }
        text
    }

    fn any(&mut self, depth: usize) -> String {
        match self.random.below(14) {
            0..=3 => self.text(depth),
            4 | 5 => self.number(depth),
            6 | 7 => self.list(depth),
            8 => self
                .random
                .pick(&[
                    "d",
                    "nodes[0]",
                    "{'k': n, 'j': [s]}",
                    "d.c",
                    "nodes|first",
                    "{}",
                ])
                .to_owned(),
            9 => self.test(depth),
            10 if !self.names.is_empty() => self.names[self.random.below(self.names.len())].clone(),
            11 => self
                .random
                .pick(&[
                    "missing",
                    "d.missing",
                    "nodes[1].tags",
                    "nil",
                    "missing.a",
                    "d['zz']",
                    "l[9]",
                ])
                .to_owned(),
            12 if depth > 0 => format!(
                "{}|default({})",
                self.random
                    .pick(&["missing", "d.missing", "nil", "s", "missing.a"]),
                self.any(depth - 1)
            ),
            _ if depth > 0 => {
                let (test, then) = (self.test(depth - 1), self.any(depth - 1));
                if self.random.chance(70) {
                    format!("({then} if {test} else {})", self.any(depth - 1))
                } else {
                    format!("({then} if {test})")
                }
            }
            _ => self.text(0),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .random
                .pick(&[
                    "s",
                    "p",
                    "key",
                    "'lit'",
                    "\"it's\"",
                    "'a\\nb'",
                    "nodes[0].name",
                    "''",
                    "'x,y,z'",
                    "'<&>'",
                ])
                .to_owned();
        }
        let inner = self.text(depth - 1);
        match self.random.below(17) {
            0 => format!(
                "{inner}|{}",
                self.random.pick(&[
                    "upper",
                    "lower",
                    "title",
                    "capitalize",
                    "trim",
                    "string",
                    "reverse",
                    "e",
                    "urlencode",
                    "tojson",
                    "wordcount",
                    "length"
                ])
            ),
            1 => format!("{inner}|replace('a', {})", self.text(0)),
            2 => format!(
                "{inner}|indent(width={}, first={})",
                self.random.below(5),
                self.random.pick(&["true", "False"])
            ),
            3 => format!(
                "{inner}.split('{}'){}",
                self.random.pick(&["/", ",", "l", "\\n"]),
                self.random
                    .pick(&["[0]", "|last", "|first", "", "[-1]", "|length", "[1:]"])
            ),
            4 => format!(
                "{inner}.{}",
                self.random.pick(&[
                    "upper()",
                    "strip()",
                    "startswith('H')",
                    "endswith('l')",
                    "splitlines()",
                    "title()",
                    "replace('l', 'L')",
                    "find('l')",
                    "count('l')",
                    "split()",
                    "zfill(8)",
                    "rsplit('.', 1)[0]",
                    "partition('/')",
                    "center(20, '*')",
                    "isdigit()",
                    "join(['1', '2'])"
                ])
            ),
            5 => format!(
                "'%s-%s' % ({}, {})",
                self.any(depth - 1),
                self.any(depth - 1)
            ),
            6 => format!("'%s' % {}", self.text(depth - 1)),
            7 => format!("{inner} ~ {}", self.any(depth - 1)),
            choice => self.text_of_values(&inner, depth, choice),
        }
    }

    /// Texts that are made of other values.
    fn text_of_values(&mut self, inner: &str, depth: usize, choice: usize) -> String {
        match choice {
            8 => format!(
                "{inner}[{}:{}]",
                self.random.pick(&["", "1", "-2", "0"]),
                self.random.pick(&["", "3", "-1", "::2"])
            ),
            9 => format!(
                "{}|join('{}')",
                self.list(depth - 1),
                self.random.pick(&[",", "-", "\\n", ""])
            ),
            10 => format!("{}|tojson", self.any(depth - 1)),
            11 => format!("{}|string", self.any(depth - 1)),
            12 => format!(
                "'{{}}:{{}}'.format({}, {})",
                self.any(depth - 1),
                self.number(0)
            ),
            13 => format!(
                "{inner}|truncate({}, {})",
                self.random.below(8) + 3,
                self.random.pick(&["true", "false"])
            ),
            14 => format!("{inner} + {}", self.text(depth - 1)),
            15 => format!("{inner} * {}", self.random.below(3)),
            _ => format!("({inner})|wordwrap({})", self.random.below(9) + 1),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .random
                .pick(&[
                    "n", "f", "z", "1", "2", "10", "-3", "0.5", "100", "1e3", "7",
                ])
                .to_owned();
        }
        let (left, right) = (self.number(depth - 1), self.number(depth - 1));
        match self.random.below(14) {
            0 => format!("{left} + {right}"),
            1 => format!("{left} - {right}"),
            2 => format!("{left} * {right}"),
            3 => format!("{left} / {right}"),
            4 => format!("{left} // {right}"),
            5 => format!("{left} % {right}"),
            6 => format!(
                "({left})|round({}, '{}')",
                self.random.below(3),
                self.random.pick(&["common", "ceil", "floor"])
            ),
            7 => format!("{}|length", self.list(depth - 1)),
            8 => format!(
                "{}|sum",
                self.random.pick(&["l", "[1, 2.5]", "[]", "words"])
            ),
            9 => format!("{}|int", self.any(depth - 1)),
            10 => format!("({left})|float"),
            11 => format!("({left})|abs"),
            12 => format!("{left} ** 2"),
            _ => format!(
                "[{left}, {right}]|{}",
                self.random.pick(&["max", "min", "first", "last"])
            ),
        }
    }

    fn list(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .random
                .pick(&[
                    "l",
                    "words",
                    "e",
                    "[1, 'a', none, 2.5, true]",
                    "nodes|map(attribute='name')|list",
                    "range(4)",
                    "'abc'",
                    "d",
                    "(1, 'b')",
                    "p.split('/')",
                    "[[1, 2], [3]]",
                ])
                .to_owned();
        }
        let inner = self.list(depth - 1);
        match self.random.below(13) {
            0 => format!("{inner}|sort"),
            1 => format!("{inner}|reverse|list"),
            2 => format!(
                "{inner}|map('{}')|list",
                self.random
                    .pick(&["string", "upper", "int", "length", "default('q')"])
                    .split('(')
                    .next()
                    .unwrap_or_default()
            ),
            3 => format!(
                "{inner}|select('{}')|list",
                self.random.pick(&["odd", "defined", "string", "number"])
            ),
            4 => format!(
                "nodes|selectattr('{}')|map(attribute='name')|list",
                self.random.pick(&["controller", "mtu", "tags", "name"])
            ),
            5 => format!(
                "nodes|rejectattr('name', '{}', 'k8s-1')|map(attribute='{}')|list",
                self.random.pick(&["eq", "ne", "in", "lt"]),
                self.random.pick(&["address", "mtu", "name"])
            ),
            6 => format!("{inner}|unique|list"),
            7 => format!(
                "({inner})[{}:{}]",
                self.random.pick(&["", "1", "-1"]),
                self.random.pick(&["", "2", "-1", "::-1"])
            ),
            8 => format!("[{}, {}]", self.any(depth - 1), self.any(depth - 1)),
            9 => format!("{inner}|batch({})|list", self.random.below(3) + 1),
            10 => format!("{inner} + [{}]", self.any(0)),
            11 => format!(
                "nodes|groupby('{}')",
                self.random.pick(&["controller", "name", "mtu"])
            ),
            _ => format!("{inner}|list"),
        }
    }

    fn test(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .random
                .pick(&[
                    "t",
                    "no",
                    "z",
                    "n > 5",
                    "s == 'x'",
                    "e",
                    "missing is defined",
                    "d.a is defined",
                    "'a' in words",
                    "n is odd",
                    "not no",
                    "nil is none",
                    "s.startswith('H')",
                    "n in l",
                    "'l' in s",
                    "missing",
                ])
                .to_owned();
        }
        match self.random.below(10) {
            0 => format!("{} and {}", self.test(depth - 1), self.test(depth - 1)),
            1 => format!("{} or {}", self.test(depth - 1), self.test(depth - 1)),
            2 => format!("not {}", self.test(depth - 1)),
            3 => format!(
                "{} {} {}",
                self.number(depth - 1),
                self.random.pick(&["<", ">=", "==", "!="]),
                self.number(depth - 1)
            ),
            4 => format!(
                "{} {} {}",
                self.any(depth - 1),
                self.random.pick(&["==", "!=", "<", "in", "not in"]),
                self.any(depth - 1)
            ),
            5 => format!(
                "{} is {}{}",
                self.any(depth - 1),
                self.random.pick(&["", "not "]),
                self.random.pick(&[
                    "defined",
                    "none",
                    "string",
                    "number",
                    "mapping",
                    "sequence",
                    "iterable",
                    "odd",
                    "lower",
                    "boolean",
                    "integer",
                    "eq(1)",
                    "in([1, 'a'])"
                ])
            ),
            6 => format!("{} in {}", self.text(0), self.list(depth - 1)),
            7 => format!("1 < {} <= 10", self.number(depth - 1)),
            8 => self.any(depth - 1),
            _ => self.test(0),
        }
    }
}
