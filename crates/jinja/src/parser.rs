//! Reads the statements of a template.

mod expression;
mod target;

use std::ops::Range;
use std::sync::Arc;

use crate::error::{Failure, Outcome};
use crate::lexer::tokenize;
use crate::scope_analysis;
use crate::source::Source;
use crate::syntax::Syntax;
use crate::syntax_tree::{
    Block, Expression, ExpressionKind, ForLoop, Frame, MacroDefinition, Name, Reference, Statement,
    StatementKind, Target, Template, Text,
};
use crate::token::{Token, TokenKind};
use crate::value::text_of;

/// Whether a filter (or a test) of a name exists.
pub(crate) trait KnownNames {
    fn has_filter(&self, name: &str) -> bool;
    fn has_test(&self, name: &str) -> bool;
}

/// How deep expressions and statements may be inside of one another.
const DEPTH: u32 = 80;

/// Names with a meaning of their own, whose use decides what a macro or a loop gets.
const SPECIAL: [&str; 4] = ["loop", "caller", "kwargs", "varargs"];

/// The parameters of a macro, with their defaults.
type Parameters = Vec<(Name, Option<Expression>)>;

struct Mention {
    name: &'static str,
    is_store: bool,
}

pub(crate) fn parse(source: &Source, syntax: &Syntax, known: &dyn KnownNames) -> Outcome<Template> {
    let mut parser = Parser {
        source,
        syntax,
        known,
        tokens: tokenize(source, syntax)?,
        at: 0,
        depth: 0,
        is_soft: false,
        unknown: Vec::new(),
        blocks: Vec::new(),
        references: Vec::new(),
        mentions: Vec::new(),
        loops: Vec::new(),
        scoped_blocks: 0,
    };
    let body = parser.parse_body(&[])?;
    if let Some((message, span)) = parser.unknown.first() {
        return Err(parser.failure(message, span));
    }
    let mut template = Template {
        root: Frame {
            body,
            unset: Vec::new(),
        },
        blocks: parser.blocks.into_iter().map(Arc::new).collect(),
        references: parser.references,
    };
    scope_analysis::mark_unset(&mut template);
    Ok(template)
}

struct Parser<'source> {
    source: &'source Source,
    syntax: &'source Syntax,
    known: &'source dyn KnownNames,
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    /// Whether a branch may not be taken: a filter that does not exist is an error only where it is used.
    is_soft: bool,
    /// Filters and tests that do not exist, where they would be used in any case.
    unknown: Vec<(String, Range<usize>)>,
    blocks: Vec<Block>,
    references: Vec<Reference>,
    mentions: Vec<Mention>,
    /// For each body that is open, whether `break` ends it.
    loops: Vec<bool>,
    scoped_blocks: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        // The last token is the end, which is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> &TokenKind {
        &self.token().kind
    }

    fn next_kind(&self) -> &TokenKind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    fn span(&self) -> Range<usize> {
        self.token().span.clone()
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn failure(&self, message: impl Into<String>, span: &Range<usize>) -> Box<Failure> {
        Failure::syntax(message).at(&self.source.name, span)
    }

    fn unexpected<T>(&self, wanted: &str) -> Outcome<T> {
        let message = format!("expected {wanted}, found {}", self.kind().describe());
        Err(self.failure(message, &self.span()))
    }

    fn is_name(&self, wanted: &str) -> bool {
        matches!(self.kind(), TokenKind::Name(name) if name == wanted)
    }

    fn is_next_name(&self, wanted: &str) -> bool {
        matches!(self.next_kind(), TokenKind::Name(name) if name == wanted)
    }

    fn is_operator(&self, wanted: &str) -> bool {
        matches!(self.kind(), TokenKind::Operator(operator) if *operator == wanted)
    }

    fn skip_name(&mut self, wanted: &str) -> bool {
        let found = self.is_name(wanted);
        if found {
            self.advance();
        }
        found
    }

    fn skip_operator(&mut self, wanted: &str) -> bool {
        let found = self.is_operator(wanted);
        if found {
            self.advance();
        }
        found
    }

    fn expect_name(&mut self) -> Outcome<Name> {
        match self.kind() {
            TokenKind::Name(name) => {
                let name = Name::from(name.as_str());
                self.advance();
                Ok(name)
            }
            _ => self.unexpected("a name"),
        }
    }

    fn expect_word(&mut self, wanted: &str) -> Outcome<()> {
        if self.skip_name(wanted) {
            Ok(())
        } else {
            self.unexpected(&format!("`{wanted}`"))
        }
    }

    fn expect_operator(&mut self, wanted: &str) -> Outcome<()> {
        if self.skip_operator(wanted) {
            Ok(())
        } else {
            self.unexpected(&format!("`{wanted}`"))
        }
    }

    fn expect_block_end(&mut self) -> Outcome<()> {
        if *self.kind() != TokenKind::BlockEnd {
            return self.unexpected("the end of the statement");
        }
        self.advance();
        Ok(())
    }

    /// The bytes from a place up to what was read last.
    fn span_from(&self, start: usize) -> Range<usize> {
        let end = self
            .at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(start, |token| token.span.end);
        start..end.max(start)
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= DEPTH {
            return Err(
                Failure::over(crate::ExceededLimit::Depth).at(&self.source.name, &self.span())
            );
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    fn softly<T>(
        &mut self,
        is_soft: bool,
        parse: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        let before = std::mem::replace(&mut self.is_soft, is_soft);
        let result = parse(self);
        self.is_soft = before;
        result
    }

    fn mention(&mut self, name: &str, is_store: bool) {
        if let Some(name) = SPECIAL.iter().copied().find(|special| *special == name) {
            self.mentions.push(Mention { name, is_store });
        }
    }

    /// Whether a name is read before it is set since so many mentions ago.
    fn reads(&self, name: &str, since: usize) -> bool {
        let mut mentions = self.mentions.iter().skip(since);
        mentions
            .find(|mention| mention.name == name)
            .is_some_and(|mention| !mention.is_store)
    }

    /// Statements up to a tag of one of these names, or up to the end of the template if there are none.
    fn parse_body(&mut self, ends: &[&str]) -> Outcome<Vec<Statement>> {
        let mut body = Vec::new();
        loop {
            let span = self.span();
            match self.kind() {
                TokenKind::Data => {
                    self.advance();
                    body.push(self.text_statement(span));
                }
                TokenKind::VariableBegin => {
                    self.advance();
                    let value = self.parse_tuple(true, None)?;
                    if *self.kind() != TokenKind::VariableEnd {
                        return self.unexpected("the end of the expression");
                    }
                    self.advance();
                    let line = self.source.line(span.start);
                    body.push(Statement {
                        node: StatementKind::Print(value, line),
                        span,
                    });
                }
                TokenKind::BlockBegin => {
                    self.advance();
                    if ends.iter().any(|end| self.is_name(end)) {
                        return Ok(body);
                    }
                    self.nested(|parser| parser.parse_statement(ends, &mut body))?;
                    self.expect_block_end()?;
                }
                TokenKind::End if ends.is_empty() => return Ok(body),
                TokenKind::End => {
                    let message = format!(
                        "the template ends where `{}` is expected",
                        ends.join("` or `")
                    );
                    return Err(self.failure(message, &span));
                }
                _ => return self.unexpected("text"),
            }
        }
    }

    fn text_statement(&self, span: Range<usize>) -> Statement {
        let raw = self.source.text.get(span.clone()).unwrap_or_default();
        let content = raw.replace('\n', &self.syntax.newline);
        let line = self.source.line(span.start);
        Statement {
            node: StatementKind::Text(Text { content, line }),
            span,
        }
    }

    /// A body after the end of its opening tag, up to one of these tags; the name of that tag is read.
    fn parse_block_body(&mut self, ends: &[&str]) -> Outcome<Vec<Statement>> {
        self.skip_operator(":");
        self.expect_block_end()?;
        self.parse_body(ends)
    }

    fn parse_frame(&mut self, end: &str) -> Outcome<Frame> {
        let body = self.softly(false, |parser| parser.parse_block_body(&[end]))?;
        self.advance();
        Ok(Frame {
            body,
            unset: Vec::new(),
        })
    }

    fn parse_statement(&mut self, ends: &[&str], body: &mut Vec<Statement>) -> Outcome<()> {
        let span = self.span();
        let TokenKind::Name(tag) = self.kind() else {
            return self.unexpected("the name of a statement");
        };
        let tag = tag.clone();
        self.advance();
        let node = match tag.as_str() {
            "if" => self.parse_if()?,
            "for" => self.parse_for()?,
            "set" => self.parse_set()?,
            "with" => self.parse_with()?,
            "macro" => self.parse_macro()?,
            "call" => self.parse_call_block()?,
            "filter" => self.parse_filter_block(span.start)?,
            "block" => self.parse_named_block(&span)?,
            "extends" => StatementKind::Extends(self.parse_reference()?),
            "include" => self.parse_include()?,
            "import" => self.parse_import()?,
            "from" => self.parse_from_import()?,
            "print" => return self.parse_print(body),
            "autoescape" => {
                let value = self.parse_expression()?;
                StatementKind::Autoescape {
                    value,
                    body: self.parse_frame("endautoescape")?,
                }
            }
            "do" => StatementKind::Do(self.parse_tuple(true, None)?),
            "break" | "continue" => self.parse_jump(&tag, &span)?,
            "trans" | "pluralize" | "debug" => {
                let message = format!("the statement `{tag}` is not supported");
                return Err(Failure::unsupported(message).at(&self.source.name, &span));
            }
            _ => {
                let wanted = ends.join("` or `");
                let message = if ends.is_empty() {
                    format!("there is no statement `{tag}`")
                } else {
                    format!("there is no statement `{tag}` where `{wanted}` is expected")
                };
                return Err(self.failure(message, &span));
            }
        };
        body.push(Statement { node, span });
        Ok(())
    }

    fn parse_print(&mut self, body: &mut Vec<Statement>) -> Outcome<()> {
        let mut is_first = true;
        while *self.kind() != TokenKind::BlockEnd {
            if !std::mem::take(&mut is_first) {
                self.expect_operator(",")?;
            }
            let start = self.span().start;
            let value = self.parse_expression()?;
            let line = self.source.line(start);
            body.push(Statement {
                node: StatementKind::Print(value, line),
                span: self.span_from(start),
            });
        }
        Ok(())
    }

    fn parse_jump(&self, tag: &str, span: &Range<usize>) -> Outcome<StatementKind> {
        if self.loops.last() != Some(&true) {
            return Err(self.failure(format!("`{tag}` is not in a loop"), span));
        }
        Ok(if tag == "break" {
            StatementKind::Break
        } else {
            StatementKind::Continue
        })
    }

    fn parse_if(&mut self) -> Outcome<StatementKind> {
        self.softly(true, |parser| {
            let mut branches = Vec::new();
            loop {
                let condition = parser.parse_tuple(false, None)?;
                branches.push((
                    condition,
                    parser.parse_block_body(&["elif", "else", "endif"])?,
                ));
                let otherwise = match parser.expect_name()?.as_ref() {
                    "elif" => continue,
                    "else" => {
                        let body = parser.parse_block_body(&["endif"])?;
                        parser.advance();
                        body
                    }
                    _ => Vec::new(),
                };
                return Ok(StatementKind::If {
                    branches,
                    otherwise,
                });
            }
        })
    }

    fn parse_for(&mut self) -> Outcome<StatementKind> {
        let (mentions, scoped) = (self.mentions.len(), self.scoped_blocks);
        let start = self.span().start;
        let target = self.parse_target(true, false, Some("in"))?;
        self.expect_word("in")?;
        let iterable = self.parse_tuple(false, Some("recursive"))?;
        let condition = if self.skip_name("if") {
            Some(self.softly(false, Self::parse_expression)?)
        } else {
            None
        };
        let is_recursive = self.skip_name("recursive");
        let before_body = self.mentions.len();
        self.loops.push(true);
        let body = self.softly(false, |parser| parser.parse_block_body(&["endfor", "else"]));
        self.loops.pop();
        let body = Frame {
            body: body?,
            unset: Vec::new(),
        };
        let has_loop_variable =
            is_recursive || self.reads("loop", before_body) || self.scoped_blocks > scoped;
        let otherwise = if self.expect_name()?.as_ref() == "else" {
            Some(self.parse_frame("endfor")?)
        } else {
            None
        };
        if self
            .mentions
            .iter()
            .skip(mentions)
            .any(|mention| mention.name == "loop" && mention.is_store)
        {
            return Err(self.failure("a loop cannot assign to `loop`", &self.span_from(start)));
        }
        Ok(StatementKind::For(Arc::new(ForLoop {
            target,
            iterable,
            condition,
            is_recursive,
            has_loop_variable,
            body,
            otherwise,
        })))
    }

    fn parse_set(&mut self) -> Outcome<StatementKind> {
        let target = self.parse_target(true, true, None)?;
        if self.skip_operator("=") {
            return Ok(StatementKind::Set {
                target,
                value: self.parse_tuple(true, None)?,
            });
        }
        let filter = self.softly(false, |parser| parser.parse_filters(None, false))?;
        Ok(StatementKind::SetBlock {
            target,
            filter,
            body: self.parse_frame("endset")?,
        })
    }

    fn parse_with(&mut self) -> Outcome<StatementKind> {
        let mut bindings = Vec::new();
        while *self.kind() != TokenKind::BlockEnd {
            if !bindings.is_empty() {
                self.expect_operator(",")?;
            }
            let target = self.parse_target(true, false, None)?;
            self.expect_operator("=")?;
            bindings.push((target, self.parse_expression()?));
        }
        Ok(StatementKind::With {
            bindings,
            body: self.parse_frame("endwith")?,
        })
    }

    fn parse_macro(&mut self) -> Outcome<StatementKind> {
        let name = self.parse_target_name()?;
        let definition = self.parse_definition(
            Some(name),
            |parser| Ok((parser.parse_parameters()?, ())),
            "endmacro",
        )?;
        Ok(StatementKind::Macro(Arc::new(definition.1)))
    }

    /// A macro from its parameters on; `before` reads these and what stands between them and the body.
    fn parse_definition<T>(
        &mut self,
        name: Option<Name>,
        before: impl FnOnce(&mut Self) -> Outcome<(Parameters, T)>,
        end: &str,
    ) -> Outcome<(T, MacroDefinition)> {
        let span = self.span();
        let (parameters, between) = before(self)?;
        let mentions = self.mentions.len();
        self.loops.push(false);
        let body = self.parse_frame(end);
        self.loops.pop();
        let body = body?;
        let has = |wanted: &str| parameters.iter().any(|(name, _)| name.as_ref() == wanted);
        let caller_is_required = parameters
            .iter()
            .any(|(name, default)| name.as_ref() == "caller" && default.is_none());
        if self.reads("caller", mentions) && caller_is_required {
            return Err(self.failure("a parameter `caller` needs a default", &span));
        }
        let definition = MacroDefinition {
            takes_caller: self.reads("caller", mentions),
            takes_kwargs: self.reads("kwargs", mentions) && !has("kwargs"),
            takes_varargs: self.reads("varargs", mentions) && !has("varargs"),
            name,
            parameters,
            body,
        };
        Ok((between, definition))
    }

    fn parse_parameters(&mut self) -> Outcome<Parameters> {
        let mut parameters = Parameters::new();
        self.expect_operator("(")?;
        while !self.is_operator(")") {
            if !parameters.is_empty() {
                self.expect_operator(",")?;
            }
            let span = self.span();
            let name = self.expect_name()?;
            let default = if self.skip_operator("=") {
                Some(self.softly(false, Self::parse_expression)?)
            } else {
                None
            };
            if default.is_none() && parameters.iter().any(|(_, default)| default.is_some()) {
                return Err(self.failure(
                    "a parameter without a default follows one with a default",
                    &span,
                ));
            }
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(self.failure(format!("two parameters are named `{name}`"), &span));
            }
            parameters.push((name, default));
        }
        self.advance();
        Ok(parameters)
    }

    fn parse_call_block(&mut self) -> Outcome<StatementKind> {
        let (call, caller) = self.parse_definition(
            None,
            |parser| {
                let parameters = if parser.is_operator("(") {
                    parser.parse_parameters()?
                } else {
                    Parameters::new()
                };
                let call = parser.parse_expression()?;
                if !matches!(call.node, ExpressionKind::Call(..)) {
                    return Err(parser.failure("expected a call", &call.span));
                }
                Ok((parameters, call))
            },
            "endcall",
        )?;
        Ok(StatementKind::CallBlock {
            call,
            caller: Arc::new(caller),
        })
    }

    fn parse_filter_block(&mut self, start: usize) -> Outcome<StatementKind> {
        let filter = self.softly(false, |parser| parser.parse_filters(None, true))?;
        let Some(filter) = filter else {
            return Err(self.failure("expected a filter", &self.span_from(start)));
        };
        Ok(StatementKind::FilterBlock {
            filter,
            body: self.parse_frame("endfilter")?,
        })
    }

    fn parse_named_block(&mut self, span: &Range<usize>) -> Outcome<StatementKind> {
        let name = self.expect_name()?;
        let is_scoped = self.skip_name("scoped");
        let is_required = self.skip_name("required");
        if self.blocks.iter().any(|block| block.name == name) {
            return Err(self.failure(format!("the block `{name}` is defined twice"), span));
        }
        // Reserves the place: a block comes before those inside of it.
        let index = self.blocks.len();
        self.blocks.push(Block {
            name: Name::clone(&name),
            frame: Frame::default(),
        });
        let mentions = self.mentions.len();
        self.loops.push(false);
        let frame = self.parse_frame("endblock");
        self.loops.pop();
        let frame = frame?;
        self.mentions.truncate(mentions);
        let is_blank = |statement: &Statement| matches!(&statement.node, StatementKind::Text(text) if text.content.trim().is_empty());
        if is_required && !frame.body.iter().all(is_blank) {
            return Err(self.failure(
                "a required block can only have comments and white space",
                span,
            ));
        }
        if let Some(block) = self.blocks.get_mut(index) {
            block.frame = frame;
        }
        self.scoped_blocks += usize::from(is_scoped);
        if let TokenKind::Name(repeated) = self.kind()
            && *repeated == *name
        {
            self.advance();
        }
        Ok(StatementKind::Block {
            name,
            is_scoped,
            is_required,
        })
    }

    /// The name of another template; one that is written as a text is remembered.
    fn parse_reference(&mut self) -> Outcome<Expression> {
        let expression = self.parse_expression()?;
        if let ExpressionKind::Constant(value) = &expression.node
            && let Some(name) = text_of(value)
        {
            self.references.push(Reference {
                name: name.to_owned(),
                span: expression.span.clone(),
                may_miss: false,
            });
        }
        Ok(expression)
    }

    fn parse_include(&mut self) -> Outcome<StatementKind> {
        let references = self.references.len();
        let template = self.parse_reference()?;
        let ignores_missing = self.is_name("ignore") && self.is_next_name("missing");
        if ignores_missing {
            self.advance();
            self.advance();
            self.references
                .iter_mut()
                .skip(references)
                .for_each(|reference| reference.may_miss = true);
        }
        let with_context = self.parse_context().unwrap_or(true);
        Ok(StatementKind::Include {
            template,
            ignores_missing,
            with_context,
        })
    }

    /// `with context` or `without context`, if it stands here.
    fn parse_context(&mut self) -> Option<bool> {
        let with = self.is_name("with");
        if (with || self.is_name("without")) && self.is_next_name("context") {
            self.advance();
            self.advance();
            return Some(with);
        }
        None
    }

    fn parse_import(&mut self) -> Outcome<StatementKind> {
        let template = self.parse_reference()?;
        self.expect_word("as")?;
        let target = self.parse_target_name()?;
        let with_context = self.parse_context().unwrap_or(false);
        Ok(StatementKind::Import {
            template,
            target,
            with_context,
        })
    }

    fn parse_from_import(&mut self) -> Outcome<StatementKind> {
        let template = self.parse_reference()?;
        self.expect_word("import")?;
        let mut names: Vec<(Name, Name)> = Vec::new();
        let mut with_context;
        loop {
            if !names.is_empty() {
                self.expect_operator(",")?;
            }
            with_context = self.parse_context();
            if with_context.is_some() {
                break;
            }
            let span = self.span();
            let name = self.expect_name()?;
            if name.starts_with('_') {
                return Err(self.failure("a name that starts with `_` cannot be imported", &span));
            }
            let alias = if self.skip_name("as") {
                self.expect_name()?
            } else {
                Name::clone(&name)
            };
            self.mention(&alias, true);
            names.push((name, alias));
            with_context = self.parse_context();
            if with_context.is_some() || !self.is_operator(",") {
                break;
            }
        }
        Ok(StatementKind::FromImport {
            template,
            names,
            with_context: with_context.unwrap_or(false),
        })
    }

    fn parse_target_name(&mut self) -> Outcome<Name> {
        match self.parse_target(false, false, None)? {
            Target::Name(name) => Ok(name),
            _ => self.unexpected("a name"),
        }
    }
}
