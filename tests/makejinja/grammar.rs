//! A grammar of templates that Jinja2 takes, and that make sense by their types.

use std::fmt::Write as _;

/// How a project writes its templates.
pub(super) struct Syntax {
    block: [&'static str; 2],
    variable: [&'static str; 2],
    comment: [&'static str; 2],
    pub(super) undefined: &'static str,
}

/// The ways that public projects have.
pub(super) const SYNTAXES: [Syntax; 3] = [
    Syntax {
        block: ["#%", "%#"],
        variable: ["#{", "}#"],
        comment: ["#|", "#|"],
        undefined: "chainable",
    },
    Syntax {
        block: ["{%", "%}"],
        variable: ["{{", "}}"],
        comment: ["{#", "#}"],
        undefined: "default",
    },
    Syntax {
        block: ["#%", "%#"],
        variable: ["#{", "}#"],
        comment: ["#|", "|#"],
        undefined: "strict",
    },
];

/// What the templates see.
pub(super) const DATA: &str = "\
domain: example.com
name: It's a-test Cluster
empty: ''
count: 3
ratio: 0.5
big: 123456789012345678901234567890
flag: yes
disabled: no
nothing: null
mode: 0755
multi: |
  first line
    second line

  last line
words: [alpha, beta, gamma, delta]
numbers: [3, 1, 2, 10]
nodes:
  - {name: k8s-0, address: 10.0.0.10, controller: true, disk: /dev/sda}
  - {name: k8s-1, address: 10.0.0.11, controller: true, disk: S4EV}
  - {name: k8s-2, address: 10.0.0.12, controller: false, disk: /dev/nvme0n1, mtu: 9000}
network: {cidr: 10.0.0.0/24, vlan: 12, servers: [1.1.1.1, 1.0.0.1], nested: {deep: '<&>\"'}}
";

impl Syntax {
    pub(super) fn table(&self) -> String {
        let Self {
            block,
            variable,
            comment,
            ..
        } = self;
        format!(
            "[makejinja.delimiter]\nblock_start = \"{}\"\nblock_end = \"{}\"\nvariable_start = \"{}\"\nvariable_end = \"{}\"\ncomment_start = \"{}\"\ncomment_end = \"{}\"\n",
            block[0], block[1], variable[0], variable[1], comment[0], comment[1],
        )
    }

    /// Macros that templates import, and a text that they include.
    pub(super) fn library(&self) -> String {
        let [open, close] = self.block;
        let [print, printed] = self.variable;
        format!(
            "{open} macro greet(who, greeting='hello') {close}\n\
             {print} greeting {printed} {print} who {printed} from {print} domain {printed}\n\
             {open} endmacro {close}\n\
             {open} macro wrap(n) {close}\
             [{print} caller() {printed}:{print} n {printed}:{print} varargs | join('+') {printed}]\
             {open} endmacro {close}\n"
        )
    }
}

/// Makes one template.
pub(super) struct Grammar<'s> {
    state: u64,
    syntax: &'s Syntax,
}

impl<'s> Grammar<'s> {
    pub(super) fn new(seed: u64, syntax: &'s Syntax) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            syntax,
        }
    }

    /// `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn pick<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[usize::try_from(self.next() % all.len() as u64).unwrap()]
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    pub(super) fn template(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..=(self.next() % 5) {
            text += &self.piece(2);
        }
        if self.one_in(6) {
            text.truncate(text.trim_end().len());
        }
        text
    }

    fn block(&mut self, inner: &str) -> String {
        let [open, close] = self.syntax.block;
        let left = self.pick(&["", "", "", "", "-", "+"]);
        let right = self.pick(&["", "", "", "", "-", "+"]);
        format!("{open}{left} {inner} {right}{close}")
    }

    fn print(&mut self, inner: &str) -> String {
        let [open, close] = self.syntax.variable;
        let dash = if self.one_in(9) { "-" } else { "" };
        format!("{open} {inner} {dash}{close}")
    }

    /// A line, or several of them.
    fn piece(&mut self, depth: u32) -> String {
        let indent = self.pick(&["", "", "  ", "    "]);
        match self.next() % if depth == 0 { 4 } else { 15 } {
            0 => self
                .pick(&[
                    "plain: text\n",
                    "---\n",
                    "\n",
                    "  - item # comment\n",
                    "a: \"$1\" x\n",
                ])
                .to_owned(),
            1 | 2 => {
                let text = self.text(depth.min(2));
                let printed = self.print(&text);
                let behind = self.pick(&["\n", "\n", " tail\n", ""]);
                format!("{indent}key: {printed}{behind}")
            }
            3 => {
                let [open, close] = self.syntax.comment;
                let inner = self.pick(&[" note ", " if x ", " a: b "]);
                format!(
                    "{indent}{open}{inner}{close}{}",
                    self.pick(&["\n", "\n", " x\n"])
                )
            }
            4 | 5 => self.conditional(indent, depth),
            6 | 7 => self.repetition(indent, depth),
            8 => {
                let value = self.text(1);
                let set = self.block(&format!("set v = {value}"));
                let printed = self.print("v");
                format!("{indent}{set}\n{indent}v: {printed}\n")
            }
            9 => {
                let width = self.pick(&["2", "4"]);
                let first = self.pick(&["False", "True"]);
                let open = self.block(&format!("filter indent(width={width}, first={first})"));
                let inner = self.piece(depth - 1);
                let close = self.block("endfilter");
                format!("x: |\n{open}\n{inner}{close}\n")
            }
            10 => {
                // Jinja2 takes no plus behind `raw`.
                let open = self.block("raw").replace("+%", "%");
                let close = self.block("endraw");
                format!(
                    "{indent}{open}\n  raw {} text {} {close}\nafter\n",
                    self.syntax.variable[0], self.syntax.variable[1]
                )
            }
            11 => {
                let import = self.block("import '_macros/lib.j2' as lib");
                let context = self.block("from '_macros/lib.j2' import greet, wrap");
                let text = self.text(1);
                let call = self.print(&format!("lib.greet({text})"));
                let other = self.print("greet('you', greeting='hi')");
                let open = self.block("call wrap(1, 2, 'x')");
                let close = self.block("endcall");
                format!("{import}\n{call}\n{context}\n{other}{open}inner{close}\n")
            }
            12 => {
                let set = self.block("set block_text");
                let inner = self.piece(depth - 1);
                let end = self.block("endset");
                let printed = self.print("block_text | trim | upper");
                format!("{set}{inner}{end}\nset: {printed}\n")
            }
            13 => {
                let text = self.text(1);
                let set = self.block("set list = []");
                let append = self.block(&format!("set _ = list.append({text})"));
                let printed = self.print("list");
                format!("{set}\n{append}\n{printed}\n")
            }
            _ => {
                let with = self.block("with a = count, b = domain");
                let end = self.block("endwith");
                let printed = self.print("b ~ a");
                format!("{with}{printed}{end}\n")
            }
        }
    }

    fn conditional(&mut self, indent: &str, depth: u32) -> String {
        let asked = self.test(2);
        let open = self.block(&format!("if {asked}"));
        let inner = self.piece(depth - 1);
        let mut text = format!("{indent}{open}\n{inner}");
        if self.one_in(3) {
            let asked = self.test(1);
            let other = self.block(&format!("elif {asked}"));
            write!(text, "{indent}{other}\n{}", self.piece(depth - 1)).unwrap();
        }
        if self.one_in(2) {
            let other = self.block("else");
            write!(text, "{indent}{other}\n{}", self.piece(depth - 1)).unwrap();
        }
        let end = self.block("endif");
        text + &format!("{indent}{end}\n")
    }

    fn repetition(&mut self, indent: &str, depth: u32) -> String {
        let (head, body) = match self.next() % 5 {
            0 => (
                "for node in nodes",
                vec![
                    "node.name",
                    "node.address",
                    "loop.index",
                    "node.disk.startswith('/')",
                    "node.mtu | default(1500)",
                ],
            ),
            1 => (
                "for word in words if word != 'beta'",
                vec![
                    "word",
                    "loop.last",
                    "loop.first",
                    "loop.index0",
                    "loop.length",
                    "word | upper",
                ],
            ),
            2 => (
                "for key, value in network.items()",
                vec!["key", "value", "loop.revindex", "key ~ '=' ~ value"],
            ),
            3 => (
                "for node in nodes | selectattr('controller')",
                vec![
                    "node.name | lower",
                    "node['address'].split('.') | last",
                    "loop.cycle('a', 'b')",
                ],
            ),
            _ => (
                "for n in range(1, count)",
                vec!["n", "n * 2", "loop.previtem is defined", "n ~ ''"],
            ),
        };
        let head = if self.one_in(4) && head.starts_with("for word") {
            "for word in words"
        } else {
            head
        };
        let open = self.block(head);
        let inner = self.pick(&body).to_owned();
        let printed = self.print(&inner);
        let last = self.block("if not loop.last");
        let end_if = self.block("endif");
        let comma = if self.one_in(2) {
            format!("{last},{end_if}")
        } else {
            String::new()
        };
        let more = if self.one_in(4) {
            self.piece(depth - 1)
        } else {
            String::new()
        };
        let end = self.block("endfor");
        format!("{indent}{open}\n{indent}  - {printed}{comma}\n{more}{indent}{end}\n")
    }

    fn test(&mut self, depth: u32) -> String {
        let simple = self.pick(&[
            "flag",
            "not disabled",
            "count > 2",
            "count == 3",
            "domain",
            "empty",
            "missing is defined",
            "domain is defined",
            "'a' in words",
            "'alpha' in words",
            "'zeta' not in words",
            "nodes | length > 2",
            "domain.endswith('.com')",
            "nodes[0].name == 'k8s-0'",
            "name.startswith('It')",
            "nothing is none",
            "count is odd",
            "network.vlan >= 12",
            "words is iterable",
            "ratio < 1",
            "nothing",
            "1 < count <= 3",
            "'x' == \"x\"",
            "mode == 493",
        ]);
        if depth == 0 || self.one_in(2) {
            return simple.to_owned();
        }
        let other = self.test(depth - 1);
        match self.next() % 3 {
            0 => format!("{simple} and {other}"),
            1 => format!("({simple} or {other})"),
            _ => format!("not ({other})"),
        }
    }

    fn text(&mut self, depth: u32) -> String {
        if depth == 0 || self.one_in(3) {
            return self.atom().to_owned();
        }
        let inner = self.string(depth - 1);
        match self.next() % 26 {
            0 => format!("{inner} | upper"),
            1 => format!("{inner} | lower"),
            2 => format!("{inner} | replace('a', 'o')"),
            3 => format!("{inner} | indent(2)"),
            4 => format!("{inner}.split('.')[0]"),
            5 => format!("{inner}.split() | join('-')"),
            6 => format!("{inner}[1:]"),
            7 => format!("{inner}[:-1]"),
            8 => format!("{inner} ~ '-' ~ count"),
            9 => format!("'%s-%d' % ({inner}, count)"),
            10 => "'http://%s' % domain".to_string(),
            11 => format!("{inner} if {} else 'other'", self.test(1)),
            12 => format!("{inner} if {}", self.test(1)),
            13 => format!("{inner} | length"),
            14 => format!("{inner} | title"),
            15 => format!("{inner} | capitalize | trim"),
            16 => format!("{inner} | default('d')"),
            17 => format!("{inner} | string | tojson"),
            18 => format!("({inner} + 'x') * 2"),
            19 => format!("{inner}.replace('e', '') | reverse"),
            20 => format!("'{{}}/{{0}}'.replace('{{0}}', {inner})"),
            21 => format!("{inner} | truncate(9)"),
            22 => format!("{inner} | list | first"),
            23 => format!("[{inner}, count, flag, none]"),
            24 => format!("{{'k': {inner}, 'n': [1, 2.5]}}"),
            _ => format!("'{{:>5}}|{{}}'.format(count, {inner})"),
        }
    }

    fn string(&mut self, depth: u32) -> String {
        if depth == 0 || self.one_in(2) {
            return self
                .pick(&[
                    "domain",
                    "name",
                    "'lit'",
                    "nodes[1].disk",
                    "words[2]",
                    "network.cidr",
                    "multi",
                ])
                .to_owned();
        }
        let inner = self.string(depth - 1);
        let filter = self.pick(&["upper", "trim", "replace('.', '-')", "string", "title", "e"]);
        // `e` makes a text that is safe, which not all that follows takes alike.
        let filter = if filter == "e" { "lower" } else { filter };
        format!("({inner} | {filter})")
    }

    fn atom(&mut self) -> &'static str {
        self.pick(&[
            "domain",
            "count",
            "ratio",
            "flag",
            "nothing",
            "words",
            "numbers",
            "network",
            "nodes[0]",
            "big",
            "mode",
            "count + 4",
            "7 // 2",
            "-7 % 3",
            "7 / 2",
            "2 ** 10",
            "1e20",
            "1.0",
            "big * 2",
            "numbers | sort",
            "numbers | max",
            "numbers | sum",
            "words | join(', ')",
            "words | last",
            "words | first | upper",
            "words[1:3]",
            "words | map('upper') | list",
            "nodes | map(attribute='name') | join(',')",
            "nodes | selectattr('controller') | list | length",
            "nodes | rejectattr('controller') | map(attribute='name') | list",
            "network | tojson",
            "nodes | tojson(indent=2)",
            "network.servers",
            "words | length",
            "'7' | int + 1",
            "'x' | int",
            "ratio | round",
            "3.7 | int",
            "'3.5' | float",
            "domain.split('.')",
            "words | select('equalto', 'beta') | list",
            "(1, 'a', none)",
            "network.items() | list",
            "{'a': 1}.a",
            "words | batch(2) | list",
            "numbers | unique | list",
            "network | dictsort",
            "words | reverse | list",
            "'a' 'b'",
            "true and 'x'",
            "none or 'y'",
            "missing | default('none')",
            "multi | indent(4, true)",
            "multi.splitlines()",
            "name | urlencode",
            "name | wordcount",
            "network.nested.deep",
            "range(3) | list",
            "words.index('beta')",
            "empty | default('e', true)",
        ])
    }
}
