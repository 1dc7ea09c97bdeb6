//! Reads expressions, by Jinja2's precedence of operators.

use std::sync::Arc;

use crate::error::{ExceededLimit, Failure, Outcome};
use crate::parser::Parser;
use crate::syntax_tree::{
    Arguments, BinaryOperator, Comparison, Expression, ExpressionKind, Name, Slice,
};
use crate::token::TokenKind;
use crate::value::{Value, integer, text};

/// How many expressions may be inside of one another.
const DEPTH: u32 = 150;

impl Parser<'_> {
    fn finish(&self, start: usize, node: ExpressionKind) -> Outcome<Expression> {
        let depth = 1 + node
            .children()
            .iter()
            .map(|child| child.depth)
            .max()
            .unwrap_or_default();
        let span = self.span_from(start);
        if depth > DEPTH {
            return Err(Failure::over(ExceededLimit::Depth).at(&self.source.name, &span));
        }
        Ok(Expression { node, span, depth })
    }

    pub(super) fn parse_expression(&mut self) -> Outcome<Expression> {
        self.nested(Self::parse_conditional)
    }

    fn parse_conditional(&mut self) -> Outcome<Expression> {
        let start = self.span().start;
        let unknown = self.unknown.len();
        let mut expression = self.parse_or()?;
        while self.skip_name("if") {
            let line = self.source.line(start);
            let condition = Box::new(self.parse_or()?);
            let otherwise = if self.skip_name("else") {
                Some(Box::new(self.nested(Self::parse_conditional)?))
            } else {
                None
            };
            let then = Box::new(expression);
            let node = ExpressionKind::Conditional {
                condition,
                then,
                otherwise,
                line,
            };
            expression = self.finish(start, node)?;
            // What is in a branch may never be used.
            self.unknown.truncate(unknown);
        }
        Ok(expression)
    }

    fn parse_or(&mut self) -> Outcome<Expression> {
        let start = self.span().start;
        let mut left = self.parse_and()?;
        while self.skip_name("or") {
            let right = self.parse_and()?;
            left = self.finish(start, ExpressionKind::Or(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn parse_and(&mut self) -> Outcome<Expression> {
        let start = self.span().start;
        let mut left = self.parse_not()?;
        while self.skip_name("and") {
            let right = self.parse_not()?;
            left = self.finish(start, ExpressionKind::And(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn parse_not(&mut self) -> Outcome<Expression> {
        let start = self.span().start;
        if self.skip_name("not") {
            let inner = self.nested(Self::parse_not)?;
            return self.finish(start, ExpressionKind::Not(Box::new(inner)));
        }
        self.parse_comparison()
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let found = match self.kind() {
            TokenKind::Operator("==") => Comparison::Equal,
            TokenKind::Operator("!=") => Comparison::NotEqual,
            TokenKind::Operator("<") => Comparison::Less,
            TokenKind::Operator("<=") => Comparison::LessOrEqual,
            TokenKind::Operator(">") => Comparison::Greater,
            TokenKind::Operator(">=") => Comparison::GreaterOrEqual,
            TokenKind::Name(name) if name == "in" => Comparison::In,
            TokenKind::Name(name) if name == "not" && self.is_next_name("in") => {
                self.advance();
                Comparison::NotIn
            }
            _ => return None,
        };
        self.advance();
        Some(found)
    }

    fn parse_comparison(&mut self) -> Outcome<Expression> {
        let start = self.span().start;
        let first = self.parse_sum()?;
        let mut others = Vec::new();
        while let Some(comparison) = self.comparison() {
            others.push((comparison, self.parse_sum()?));
        }
        if others.is_empty() {
            return Ok(first);
        }
        self.finish(start, ExpressionKind::Compare(Box::new(first), others))
    }

    fn parse_binary(
        &mut self,
        operators: &[(&str, BinaryOperator)],
        parse_operand: fn(&mut Self) -> Outcome<Expression>,
    ) -> Outcome<Expression> {
        let start = self.span().start;
        let mut left = parse_operand(self)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.is_operator(sign)) {
            self.advance();
            let right = parse_operand(self)?;
            left = self.finish(
                start,
                ExpressionKind::Binary(*operator, Box::new(left), Box::new(right)),
            )?;
        }
        Ok(left)
    }

    fn parse_sum(&mut self) -> Outcome<Expression> {
        let operators = [("+", BinaryOperator::Add), ("-", BinaryOperator::Subtract)];
        self.parse_binary(&operators, Self::parse_concatenation)
    }

    fn parse_concatenation(&mut self) -> Outcome<Expression> {
        let start = self.span().start;
        let first = self.parse_product()?;
        if !self.is_operator("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_operator("~") {
            parts.push(self.parse_product()?);
        }
        self.finish(start, ExpressionKind::Concat(parts))
    }

    fn parse_product(&mut self) -> Outcome<Expression> {
        let operators = [
            ("*", BinaryOperator::Multiply),
            ("/", BinaryOperator::Divide),
            ("//", BinaryOperator::FloorDivide),
            ("%", BinaryOperator::Remainder),
        ];
        self.parse_binary(&operators, Self::parse_power)
    }

    fn parse_power(&mut self) -> Outcome<Expression> {
        self.parse_binary(&[("**", BinaryOperator::Power)], |parser| {
            parser.parse_unary(true)
        })
    }

    fn parse_unary(&mut self, with_filters: bool) -> Outcome<Expression> {
        let start = self.span().start;
        let node = if self.is_operator("-") || self.is_operator("+") {
            let is_negative = self.is_operator("-");
            self.advance();
            let inner = Box::new(self.nested(|parser| parser.parse_unary(false))?);
            let node = if is_negative {
                ExpressionKind::Negative(inner)
            } else {
                ExpressionKind::Positive(inner)
            };
            self.finish(start, node)?
        } else {
            self.parse_primary()?
        };
        let node = self.parse_postfix(node)?;
        if with_filters {
            self.parse_filters_and_tests(node)
        } else {
            Ok(node)
        }
    }

    fn parse_primary(&mut self) -> Outcome<Expression> {
        let start = self.span().start;
        let node = match self.kind().clone() {
            TokenKind::Name(name) => {
                self.advance();
                match name.as_str() {
                    "true" | "True" => ExpressionKind::Constant(Value::from(true)),
                    "false" | "False" => ExpressionKind::Constant(Value::from(false)),
                    "none" | "None" => ExpressionKind::Constant(Value::from(())),
                    _ => {
                        self.mention(&name, false);
                        ExpressionKind::Name(Name::from(name))
                    }
                }
            }
            TokenKind::Text(mut content) => {
                self.advance();
                while let TokenKind::Text(more) = self.kind() {
                    content.push_str(more);
                    self.advance();
                }
                ExpressionKind::Constant(text(content))
            }
            TokenKind::Integer(number) => {
                self.advance();
                ExpressionKind::Constant(integer(number))
            }
            TokenKind::Float(number) => {
                self.advance();
                ExpressionKind::Constant(Value::from(number))
            }
            TokenKind::Operator("(") => {
                self.advance();
                let inner = self.nested(Parser::parse_parenthesized)?;
                self.expect_operator(")")?;
                return Ok(Expression {
                    span: self.span_from(start),
                    ..inner
                });
            }
            TokenKind::Operator("[") => self.nested(Self::parse_list)?,
            TokenKind::Operator("{") => self.nested(Self::parse_dict)?,
            _ => return self.unexpected("an expression"),
        };
        self.finish(start, node)
    }

    fn parse_parenthesized(&mut self) -> Outcome<Expression> {
        if self.is_operator(")") {
            return self.finish(self.span().start, ExpressionKind::Tuple(Vec::new()));
        }
        self.parse_tuple(true, None)
    }

    /// An expression, or several with commas between them, which make a tuple.
    pub(super) fn parse_tuple(
        &mut self,
        with_conditional: bool,
        end: Option<&str>,
    ) -> Outcome<Expression> {
        let start = self.span().start;
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            let is_end = matches!(self.kind(), TokenKind::BlockEnd | TokenKind::VariableEnd)
                || self.is_operator(")")
                || end.is_some_and(|end| self.is_name(end));
            if is_end {
                break;
            }
            items.push(if with_conditional {
                self.parse_expression()?
            } else {
                self.nested(Self::parse_or)?
            });
            if !self.skip_operator(",") {
                break;
            }
            is_tuple = true;
        }
        if !is_tuple {
            return match items.pop() {
                Some(item) => Ok(item),
                None => self.unexpected("an expression"),
            };
        }
        self.finish(start, ExpressionKind::Tuple(items))
    }

    fn parse_list(&mut self) -> Outcome<ExpressionKind> {
        self.expect_operator("[")?;
        let mut items = Vec::new();
        while !self.is_operator("]") {
            items.push(self.parse_expression()?);
            if !self.is_operator("]") {
                self.expect_operator(",")?;
            }
        }
        self.advance();
        Ok(ExpressionKind::List(items))
    }

    fn parse_dict(&mut self) -> Outcome<ExpressionKind> {
        self.expect_operator("{")?;
        let mut pairs = Vec::new();
        while !self.is_operator("}") {
            let key = self.parse_expression()?;
            self.expect_operator(":")?;
            pairs.push((key, self.parse_expression()?));
            if !self.is_operator("}") {
                self.expect_operator(",")?;
            }
        }
        self.advance();
        Ok(ExpressionKind::Dict(pairs))
    }

    fn parse_postfix(&mut self, mut node: Expression) -> Outcome<Expression> {
        let start = node.span.start;
        loop {
            if self.is_operator(".") {
                self.advance();
                node = self.parse_attribute(node)?;
            } else if self.is_operator("[") {
                self.advance();
                node = self.nested(|parser| parser.parse_item(node))?;
            } else if self.is_operator("(") {
                let arguments = self.nested(Self::parse_arguments)?;
                node = self.finish(start, ExpressionKind::Call(Box::new(node), arguments))?;
            } else {
                return Ok(node);
            }
        }
    }

    fn parse_attribute(&mut self, node: Expression) -> Outcome<Expression> {
        let start = node.span.start;
        let node = match self.kind().clone() {
            TokenKind::Name(name) if name.starts_with("__") && name.ends_with("__") => {
                let message =
                    format!("the attribute `{name}` of Python's objects is not supported");
                return Err(Failure::unsupported(message).at(&self.source.name, &self.span()));
            }
            TokenKind::Name(name) => {
                self.advance();
                ExpressionKind::Attribute(Box::new(node), Name::from(name))
            }
            TokenKind::Integer(number) => {
                let index = self.span();
                self.advance();
                let index = Expression {
                    node: ExpressionKind::Constant(integer(number)),
                    span: index,
                    depth: 1,
                };
                ExpressionKind::Item(Box::new(node), Box::new(index))
            }
            _ => return self.unexpected("the name of an attribute or a number"),
        };
        self.finish(start, node)
    }

    /// What stands in brackets after a value.
    fn parse_item(&mut self, node: Expression) -> Outcome<Expression> {
        let start = node.span.start;
        let inside = self.span().start;
        let mut items = Vec::new();
        while !self.is_operator("]") {
            if !items.is_empty() {
                self.expect_operator(",")?;
            }
            let first = if self.is_operator(":") {
                None
            } else {
                Some(self.parse_expression()?)
            };
            match first {
                Some(first) if !self.is_operator(":") => items.push(first),
                first => {
                    let slice = self.parse_slice(first)?;
                    if !items.is_empty() || !self.is_operator("]") {
                        return self.unexpected("`]` after a slice");
                    }
                    self.advance();
                    return self.finish(
                        start,
                        ExpressionKind::Slice(Box::new(node), Box::new(slice)),
                    );
                }
            }
        }
        let index = match items.len() {
            1 => items.pop(),
            _ => None,
        };
        let index = match index {
            Some(index) => index,
            None => self.finish(inside, ExpressionKind::Tuple(items))?,
        };
        self.advance();
        self.finish(start, ExpressionKind::Item(Box::new(node), Box::new(index)))
    }

    fn parse_slice(&mut self, start: Option<Expression>) -> Outcome<Slice> {
        self.expect_operator(":")?;
        let part = |parser: &mut Self| -> Outcome<Option<Expression>> {
            let is_empty = [":", "]", ","].iter().any(|sign| parser.is_operator(sign));
            if is_empty {
                Ok(None)
            } else {
                parser.parse_expression().map(Some)
            }
        };
        let end = part(self)?;
        let step = if self.skip_operator(":") {
            part(self)?
        } else {
            None
        };
        Ok(Slice { start, end, step })
    }

    fn parse_arguments(&mut self) -> Outcome<Arguments> {
        self.expect_operator("(")?;
        let mut arguments = Arguments::default();
        let mut is_first = true;
        while !self.is_operator(")") {
            if !std::mem::take(&mut is_first) {
                self.expect_operator(",")?;
                if self.is_operator(")") {
                    break;
                }
            }
            self.parse_argument(&mut arguments)?;
        }
        self.advance();
        Ok(arguments)
    }

    fn parse_argument(&mut self, arguments: &mut Arguments) -> Outcome<()> {
        let span = self.span();
        let misplaced = |parser: &Self| {
            Err(parser.failure("this argument cannot stand after those before it", &span))
        };
        if self.skip_operator("*") {
            if arguments.rest.is_some() || arguments.named_rest.is_some() {
                return misplaced(self);
            }
            arguments.rest = Some(Box::new(self.parse_expression()?));
        } else if self.skip_operator("**") {
            if arguments.named_rest.is_some() {
                return misplaced(self);
            }
            arguments.named_rest = Some(Box::new(self.parse_expression()?));
        } else if matches!(self.kind(), TokenKind::Name(_))
            && *self.next_kind() == TokenKind::Operator("=")
        {
            if arguments.named_rest.is_some() {
                return misplaced(self);
            }
            let name = self.expect_name()?;
            self.advance();
            if arguments.named.iter().any(|(other, _)| *other == name) {
                return Err(self.failure(format!("the argument `{name}` is given twice"), &span));
            }
            arguments.named.push((name, self.parse_expression()?));
        } else {
            if arguments.rest.is_some()
                || arguments.named_rest.is_some()
                || !arguments.named.is_empty()
            {
                return misplaced(self);
            }
            arguments.positional.push(self.parse_expression()?);
        }
        Ok(())
    }

    fn parse_filters_and_tests(&mut self, mut node: Expression) -> Outcome<Expression> {
        let start = node.span.start;
        loop {
            if self.is_operator("|") {
                node = match self.parse_filters(Some(node), false)? {
                    Some(node) => node,
                    None => return self.unexpected("a filter"),
                };
            } else if self.is_name("is") {
                node = self.parse_test(node)?;
            } else if self.is_operator("(") {
                let arguments = self.nested(Self::parse_arguments)?;
                node = self.finish(start, ExpressionKind::Call(Box::new(node), arguments))?;
            } else {
                return Ok(node);
            }
        }
    }

    /// A name with dots, as filters and tests of extensions have them.
    fn parse_dotted_name(&mut self) -> Outcome<Name> {
        let mut name = self.expect_name()?.to_string();
        while self.skip_operator(".") {
            name.push('.');
            name.push_str(&self.expect_name()?);
        }
        Ok(Arc::from(name))
    }

    /// Filters in a row; the first one has no `|` before it where a filter block starts.
    pub(super) fn parse_filters(
        &mut self,
        mut node: Option<Expression>,
        mut without_pipe: bool,
    ) -> Outcome<Option<Expression>> {
        let start = node
            .as_ref()
            .map_or_else(|| self.span().start, |node| node.span.start);
        while without_pipe || self.skip_operator("|") {
            without_pipe = false;
            let span = self.span();
            let name = self.parse_dotted_name()?;
            if !self.is_soft && !self.known.has_filter(&name) {
                self.unknown
                    .push((format!("there is no filter `{name}`"), span.clone()));
            }
            let arguments = if self.is_operator("(") {
                self.nested(Self::parse_arguments)?
            } else {
                Arguments::default()
            };
            node = Some(self.finish(
                start,
                ExpressionKind::Filter(node.map(Box::new), name, arguments),
            )?);
        }
        Ok(node)
    }

    fn parse_test(&mut self, node: Expression) -> Outcome<Expression> {
        let start = node.span.start;
        self.advance();
        let is_negated = self.skip_name("not");
        let span = self.span();
        let name = self.parse_dotted_name()?;
        if !self.is_soft && !self.known.has_test(&name) {
            self.unknown
                .push((format!("there is no test `{name}`"), span.clone()));
        }
        let takes_operand = match self.kind() {
            TokenKind::Name(word) => !matches!(word.as_str(), "else" | "or" | "and"),
            TokenKind::Text(_) | TokenKind::Integer(_) | TokenKind::Float(_) => true,
            TokenKind::Operator(operator) => matches!(*operator, "[" | "{"),
            _ => false,
        };
        let mut arguments = Arguments::default();
        if self.is_operator("(") {
            arguments = self.nested(Self::parse_arguments)?;
        } else if takes_operand {
            if self.is_name("is") {
                return Err(self.failure("tests cannot be chained with `is`", &self.span()));
            }
            let operand = self.parse_primary()?;
            arguments.positional.push(self.parse_postfix(operand)?);
        }
        let test = self.finish(start, ExpressionKind::Test(Box::new(node), name, arguments))?;
        if is_negated {
            return self.finish(start, ExpressionKind::Not(Box::new(test)));
        }
        Ok(test)
    }
}
