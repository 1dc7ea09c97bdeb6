//! Mermaid graphs, in which a name is a label and nothing else.

use std::fmt::Write as _;

use super::Shown;
use super::marks::marked;

/// A graph of nodes and arrows.
#[derive(Clone, Debug, Default)]
pub struct MermaidGraph {
    text: String,
}

impl MermaidGraph {
    /// Starts a graph that reads from left to right.
    pub fn new() -> Self {
        Self {
            text: "graph LR\n".to_owned(),
        }
    }

    /// Adds a node, which is known by its number.
    pub fn node(&mut self, number: usize, label: &str) {
        self.line(format_args!("n{number}[\"{}\"]", escaped(label)));
    }

    /// Adds an arrow.
    pub fn arrow(&mut self, from: usize, to: usize) {
        self.line(format_args!("n{from} --> n{to}"));
    }

    /// Adds a dotted arrow.
    pub fn dotted_arrow(&mut self, from: usize, to: usize) {
        self.line(format_args!("n{from} -.-> n{to}"));
    }

    /// Returns the graph.
    pub fn finish(self) -> Shown {
        Shown(self.text)
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "  {line}").expect("writing to a String cannot fail");
    }
}

/// Writes a text as what stands between the quotes of a label: letters, digits and a few signs as they are.
fn escaped(text: &str) -> String {
    let mut shown = String::new();
    for letter in marked(text).chars() {
        if letter.is_alphanumeric() || " -_./:,()".contains(letter) {
            shown.push(letter);
        } else {
            write!(shown, "#{};", u32::from(letter)).expect("writing to a String cannot fail");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_order() {
        let mut graph = MermaidGraph::new();
        graph.node(0, "a/b\"]\n  click x \"javascript:y\" <b>#");
        graph.node(1, "flux-system/apps");
        graph.arrow(0, 1);
        graph.dotted_arrow(1, 0);
        assert_eq!(
            graph.finish().as_str(),
            "graph LR\n  n0[\"a/b#34;#93;#92;n  click x #34;javascript:y#34; #60;b#62;#35;\"]\n  n1[\"flux-system/apps\"]\n  n0 --> n1\n  n1 -.-> n0\n"
        );
    }
}
