//! From the words of actions to a tree.

use std::collections::BTreeMap;

use super::lexer::{TemplateAction, TemplateTokenKind, Word};
use super::{ChartTemplate, CommandOperand, Node, Pipeline, SyntaxError};

/// Parses the actions of a file.
pub(super) fn parse(actions: Vec<TemplateAction>) -> Result<ChartTemplate, SyntaxError> {
    let mut parser = Parser {
        actions: actions
            .into_iter()
            .filter(|action| !action.words.is_empty())
            .collect(),
        at: 0,
        defined: BTreeMap::new(),
    };
    let (body, end) = parser.block()?;
    if let Some(end) = end {
        return Err(error(end.line, "`end` or `else` without a block"));
    }
    Ok(ChartTemplate {
        body,
        defined: parser.defined,
    })
}

fn error(line: usize, reason: &str) -> SyntaxError {
    SyntaxError {
        line,
        reason: reason.to_owned(),
    }
}

struct Parser {
    actions: Vec<TemplateAction>,
    at: usize,
    defined: BTreeMap<String, Vec<Node>>,
}

/// What closed a block: `end`, or `else` with the words behind it.
struct End {
    line: usize,
    otherwise: Option<Vec<Word>>,
}

impl Parser {
    /// Reads nodes up to the `end` or `else` that closes them, or the end of the file.
    fn block(&mut self) -> Result<(Vec<Node>, Option<End>), SyntaxError> {
        let mut nodes = Vec::new();
        while let Some(action) = self.actions.get(self.at).cloned() {
            self.at += 1;
            let line = action.line;
            let name = match &action.words[0].kind {
                TemplateTokenKind::Name(name) => name.clone(),
                _ => String::new(),
            };
            let rest = &action.words[1..];
            match name.as_str() {
                "end" => {
                    return Ok((
                        nodes,
                        Some(End {
                            line,
                            otherwise: None,
                        }),
                    ));
                }
                "else" => {
                    let otherwise = Some(rest.to_vec());
                    return Ok((nodes, Some(End { line, otherwise })));
                }
                "if" => nodes.push(self.branches(line, rest)?),
                "range" | "with" => nodes.push(self.scope(line, &name, rest)?),
                "define" => {
                    let name = text(rest, line)?;
                    let (body, _) = self.closed(line)?;
                    self.defined.insert(name, body);
                }
                "block" => {
                    let name = text(rest, line)?;
                    let pipeline = pipeline(&rest[1..], line)?;
                    let (body, _) = self.closed(line)?;
                    self.defined.insert(name.clone(), body);
                    nodes.push(Node::Call(name, Some(pipeline)));
                }
                "template" => {
                    let name = text(rest, line)?;
                    let pipeline = match &rest[1..] {
                        [] => None,
                        words => Some(pipeline(words, line)?),
                    };
                    nodes.push(Node::Call(name, pipeline));
                }
                "break" | "continue" if rest.is_empty() => {}
                _ => nodes.push(Node::Print(pipeline(&action.words, line)?)),
            }
        }
        Ok((nodes, None))
    }

    fn closed(&mut self, line: usize) -> Result<(Vec<Node>, End), SyntaxError> {
        match self.block()? {
            (nodes, Some(end)) => Ok((nodes, end)),
            (_, None) => Err(error(line, "a block without `end`")),
        }
    }

    fn branches(&mut self, line: usize, words: &[Word]) -> Result<Node, SyntaxError> {
        let mut branches = Vec::new();
        let mut condition = Some(pipeline(words, line)?);
        loop {
            let (nodes, end) = self.closed(line)?;
            branches.push((condition.take(), nodes));
            match end.otherwise {
                None => return Ok(Node::If(branches)),
                Some(words) if words.is_empty() => {}
                Some(words) if is_name(&words[0], "if") => {
                    condition = Some(pipeline(&words[1..], end.line)?);
                }
                Some(words) if is_name(&words[0], "with") => {
                    let nested = self.scope(end.line, "with", &words[1..])?;
                    branches.push((None, vec![nested]));
                    return Ok(Node::If(branches));
                }
                Some(_) => return Err(error(end.line, "an odd `else`")),
            }
        }
    }

    fn scope(&mut self, line: usize, name: &str, words: &[Word]) -> Result<Node, SyntaxError> {
        let pipeline = pipeline(words, line)?;
        let (body, end) = self.closed(line)?;
        let otherwise = match end.otherwise {
            None => Vec::new(),
            Some(words) if words.is_empty() => self.closed(line)?.0,
            Some(words) if is_name(&words[0], "with") => {
                vec![self.scope(end.line, "with", &words[1..])?]
            }
            Some(words) if is_name(&words[0], "if") => {
                vec![self.branches(end.line, &words[1..])?]
            }
            Some(_) => return Err(error(end.line, "an odd `else`")),
        };
        Ok(match name {
            "range" => Node::Range(pipeline, body, otherwise),
            _ => Node::With(pipeline, body, otherwise),
        })
    }
}

fn is_name(word: &Word, name: &str) -> bool {
    matches!(&word.kind, TemplateTokenKind::Name(found) if found == name)
}

fn text(words: &[Word], line: usize) -> Result<String, SyntaxError> {
    match words.first().map(|word| &word.kind) {
        Some(TemplateTokenKind::Text(text)) => Ok(text.clone()),
        _ => Err(error(line, "a template without a name")),
    }
}

fn pipeline(words: &[Word], line: usize) -> Result<Pipeline, SyntaxError> {
    let mut words = Words {
        all: words,
        at: 0,
        line,
    };
    let pipeline = words.pipeline()?;
    match words.peek() {
        None => Ok(pipeline),
        Some(_) => Err(error(line, "a parenthesis too many")),
    }
}

struct Words<'w> {
    all: &'w [Word],
    at: usize,
    line: usize,
}

impl Words<'_> {
    fn peek(&self) -> Option<&Word> {
        self.all.get(self.at)
    }

    /// Reads a pipeline up to a closing parenthesis or the end.
    fn pipeline(&mut self) -> Result<Pipeline, SyntaxError> {
        let mut pipeline = Pipeline::default();
        self.variables(&mut pipeline);
        let mut command = Vec::new();
        while let Some(word) = self.peek() {
            match &word.kind {
                TemplateTokenKind::Close => break,
                TemplateTokenKind::Pipe => {
                    self.at += 1;
                    pipeline.commands.push(std::mem::take(&mut command));
                }
                _ => command.push(self.operand()?),
            }
        }
        pipeline.commands.push(command);
        if pipeline.commands.iter().any(Vec::is_empty) {
            return Err(error(self.line, "an empty command"));
        }
        Ok(pipeline)
    }

    /// Reads `$x :=`, `$k, $v :=` or `$x =`, if it is there.
    fn variables(&mut self, pipeline: &mut Pipeline) {
        let mut names = Vec::new();
        let mut at = self.at;
        while let Some(Word {
            kind: TemplateTokenKind::Variable(name),
            ..
        }) = self.all.get(at)
        {
            names.push(name.clone());
            at += 1;
            match self.all.get(at).map(|word| &word.kind) {
                Some(TemplateTokenKind::Comma) => at += 1,
                Some(sign @ (TemplateTokenKind::Declare | TemplateTokenKind::Assign)) => {
                    pipeline.variables = names;
                    pipeline.declares = *sign == TemplateTokenKind::Declare;
                    self.at = at + 1;
                    return;
                }
                _ => return,
            }
        }
    }

    fn operand(&mut self) -> Result<CommandOperand, SyntaxError> {
        let word = self.all[self.at].clone();
        self.at += 1;
        Ok(match word.kind {
            TemplateTokenKind::Dot => CommandOperand::Dot(self.fields()),
            TemplateTokenKind::Field(name) => {
                let mut path = vec![name];
                path.extend(self.fields());
                CommandOperand::Dot(path)
            }
            TemplateTokenKind::Variable(name) => CommandOperand::Variable(name, self.fields()),
            TemplateTokenKind::Name(name) => CommandOperand::Name(name),
            TemplateTokenKind::Text(text) => CommandOperand::Text(text),
            TemplateTokenKind::Number(number) => CommandOperand::Number(number),
            TemplateTokenKind::Open => {
                let inner = self.pipeline()?;
                if !matches!(
                    self.peek(),
                    Some(Word {
                        kind: TemplateTokenKind::Close,
                        ..
                    })
                ) {
                    return Err(error(self.line, "a parenthesis without end"));
                }
                self.at += 1;
                CommandOperand::Group(inner, self.fields())
            }
            TemplateTokenKind::Close
            | TemplateTokenKind::Pipe
            | TemplateTokenKind::Comma
            | TemplateTokenKind::Declare
            | TemplateTokenKind::Assign => {
                return Err(error(self.line, "an odd sign"));
            }
        })
    }

    /// Reads the fields that touch what stands before them.
    fn fields(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(Word {
            kind: TemplateTokenKind::Field(name),
            glued: true,
        }) = self.peek()
        {
            path.push(name.clone());
            self.at += 1;
        }
        path
    }
}
