//! Helm's templates as a tree, so that one can tell which values they read.
//!
//! The language is that of Go's `text/template`. Nothing is evaluated here, and what stands between
//! actions is left out.

mod lexer;
mod parser;

use std::collections::BTreeMap;

/// A template file: what it prints and the named templates that it defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ChartTemplate {
    /// The file's own actions.
    pub(super) body: Vec<Node>,
    /// The `define`s and `block`s in it.
    pub(super) defined: BTreeMap<String, Vec<Node>>,
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// `{{ pipeline }}`.
    Print(Pipeline),
    /// `{{ if }}…{{ else if }}…{{ else }}…{{ end }}`: each branch with its condition.
    If(Vec<(Option<Pipeline>, Vec<Self>)>),
    /// `{{ range }}`, and what stands in its `else`.
    Range(Pipeline, Vec<Self>, Vec<Self>),
    /// `{{ with }}`, and what stands in its `else`.
    With(Pipeline, Vec<Self>, Vec<Self>),
    /// `{{ template "name" pipeline }}`.
    Call(String, Option<Pipeline>),
}

/// Commands whose results are handed on, and the variables that get the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pipeline {
    /// The variables that it sets, with `$`.
    pub(super) variables: Vec<String>,
    /// Whether they are new (`:=`).
    pub(super) declares: bool,
    /// The commands: each a function or a value, and its arguments.
    pub(super) commands: Vec<Vec<CommandOperand>>,
}

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CommandOperand {
    /// `.`, or a field of it: `.Values.image`.
    Dot(Vec<String>),
    /// `$x`, or a field of it; the name has its `$`.
    Variable(String, Vec<String>),
    /// A pipeline in parentheses, or a field of its result.
    Group(Pipeline, Vec<String>),
    /// A name: of a function, or `nil`, `true` and `false`.
    Name(String),
    /// A string.
    Text(String),
    /// A number or a character.
    Number(String),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(super) struct SyntaxError {
    /// The line, from 1.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) reason: String,
}

impl ChartTemplate {
    /// Reads a template file.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        parser::parse(lexer::actions(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_print(text: &str) -> Pipeline {
        let template = ChartTemplate::parse(text).unwrap();
        let [Node::Print(pipeline)] = template.body.as_slice() else {
            panic!("{template:?}")
        };
        pipeline.clone()
    }

    fn fields(path: &str) -> Vec<String> {
        path.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn reads_fields_strings_and_pipes() {
        let pipeline = only_print(r#"a: {{- .Values.a.b | default "x}}" | quote -}} b"#);
        let expected = vec![
            vec![CommandOperand::Dot(fields("Values.a.b"))],
            vec![
                CommandOperand::Name("default".to_owned()),
                CommandOperand::Text("x}}".to_owned()),
            ],
            vec![CommandOperand::Name("quote".to_owned())],
        ];
        assert_eq!(pipeline.commands, expected);
    }

    #[test]
    fn tells_a_field_of_a_group_from_a_further_argument() {
        let pipeline = only_print("{{ f (index .Values \"a-b\").c .d $x.y . $ }}");
        let [command] = pipeline.commands.as_slice() else {
            panic!("{pipeline:?}")
        };
        assert!(matches!(&command[1], CommandOperand::Group(_, path) if *path == fields("c")));
        assert_eq!(command[2], CommandOperand::Dot(fields("d")));
        assert_eq!(
            command[3],
            CommandOperand::Variable("$x".to_owned(), fields("y"))
        );
        assert_eq!(command[4], CommandOperand::Dot(Vec::new()));
        assert_eq!(
            command[5],
            CommandOperand::Variable("$".to_owned(), Vec::new())
        );
    }

    #[test]
    fn reads_blocks_definitions_and_comments() {
        let text = "{{/* {{ no }} */}}{{ define \"a\" }}{{ .x }}{{ end }}\
                    {{- range $k, $v := .Values.m }}{{ if $k }}{{ break }}{{ else if $v }}{{ . }}\
                    {{ else }}{{ template \"a\" . }}{{ end }}{{ else }}{{ .y }}{{ end }}";
        let template = ChartTemplate::parse(text).unwrap();
        assert_eq!(template.defined["a"].len(), 1);
        let [Node::Range(pipeline, body, otherwise)] = template.body.as_slice() else {
            panic!("{template:?}")
        };
        assert_eq!(pipeline.variables, ["$k", "$v"]);
        assert!(matches!(&body[0], Node::If(branches) if branches.len() == 3));
        assert_eq!(otherwise.len(), 1);
    }

    #[test]
    fn reads_raw_strings_with_braces_and_numbers() {
        let pipeline = only_print("{{ `{{ $x }}` | trunc -3 }}");
        assert_eq!(
            pipeline.commands[0],
            vec![CommandOperand::Text("{{ $x }}".to_owned())]
        );
        assert_eq!(
            pipeline.commands[1][1],
            CommandOperand::Number("-3".to_owned())
        );
    }

    #[test]
    fn says_where_a_block_is_left_open() {
        let error = ChartTemplate::parse("a\n{{ if .x }}\n").unwrap_err();
        assert_eq!(error.line, 2);
    }
}
