//! What a template says, as the parser reads it.

use std::ops::Range;
use std::sync::Arc;

use crate::value::Value;

/// A statement and the bytes that it is.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) node: StatementKind,
    pub(crate) span: Range<usize>,
}

pub(crate) type Name = Arc<str>;

/// A text of a template that is printed as it stands.
#[derive(Debug)]
pub(crate) struct Text {
    /// The text with the line breaks that are printed.
    pub(crate) content: String,
    /// The line that it starts on.
    pub(crate) line: usize,
}

#[derive(Debug)]
pub(crate) enum StatementKind {
    Text(Text),
    Print(Expression, usize),
    If {
        branches: Vec<(Expression, Vec<Statement>)>,
        otherwise: Vec<Statement>,
    },
    For(Arc<ForLoop>),
    Set {
        target: Target,
        value: Expression,
    },
    SetBlock {
        target: Target,
        filter: Option<Expression>,
        body: Frame,
    },
    With {
        bindings: Vec<(Target, Expression)>,
        body: Frame,
    },
    Macro(Arc<MacroDefinition>),
    CallBlock {
        call: Expression,
        caller: Arc<MacroDefinition>,
    },
    FilterBlock {
        filter: Expression,
        body: Frame,
    },
    Block {
        name: Name,
        is_scoped: bool,
        is_required: bool,
    },
    Extends(Expression),
    Include {
        template: Expression,
        ignores_missing: bool,
        with_context: bool,
    },
    Import {
        template: Expression,
        target: Name,
        with_context: bool,
    },
    FromImport {
        template: Expression,
        names: Vec<(Name, Name)>,
        with_context: bool,
    },
    Autoescape {
        value: Expression,
        body: Frame,
    },
    Do(Expression),
    Break,
    Continue,
}

/// A body with variables of its own.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) body: Vec<Statement>,
    /// Variables that the body sets before it reads them; until then they are undefined, whatever is outside.
    pub(crate) unset: Vec<Name>,
}

#[derive(Debug)]
pub(crate) struct ForLoop {
    pub(crate) target: Target,
    pub(crate) iterable: Expression,
    pub(crate) condition: Option<Expression>,
    pub(crate) is_recursive: bool,
    /// Whether the variable `loop` exists in it.
    pub(crate) has_loop_variable: bool,
    pub(crate) body: Frame,
    pub(crate) otherwise: Option<Frame>,
}

#[derive(Debug)]
pub(crate) struct MacroDefinition {
    /// `None` for what a call block hands over.
    pub(crate) name: Option<Name>,
    pub(crate) parameters: Vec<(Name, Option<Expression>)>,
    pub(crate) takes_caller: bool,
    pub(crate) takes_kwargs: bool,
    pub(crate) takes_varargs: bool,
    pub(crate) body: Frame,
}

/// What is assigned to.
#[derive(Debug)]
pub(crate) enum Target {
    Name(Name),
    Attribute {
        namespace: Name,
        attribute: Name,
        span: Range<usize>,
    },
    Tuple(Vec<Self>, Range<usize>),
}

/// An expression, the bytes that it is, and how many expressions are inside of one another in it.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) node: ExpressionKind,
    pub(crate) span: Range<usize>,
    pub(crate) depth: u32,
}

#[derive(Debug)]
pub(crate) enum ExpressionKind {
    Constant(Value),
    Name(Name),
    List(Vec<Expression>),
    Tuple(Vec<Expression>),
    Dict(Vec<(Expression, Expression)>),
    Attribute(Box<Expression>, Name),
    Item(Box<Expression>, Box<Expression>),
    Slice(Box<Expression>, Box<Slice>),
    Call(Box<Expression>, Arguments),
    /// A filter; `None` is the text of the block that it is applied to.
    Filter(Option<Box<Expression>>, Name, Arguments),
    Test(Box<Expression>, Name, Arguments),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Positive(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    Concat(Vec<Expression>),
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    Conditional {
        condition: Box<Expression>,
        then: Box<Expression>,
        otherwise: Option<Box<Expression>>,
        line: usize,
    },
}

impl ExpressionKind {
    /// Whether it is made of nothing but literals.
    pub(crate) fn is_literal(&self) -> bool {
        let is_made_of_its_children = matches!(
            self,
            Self::Constant(_)
                | Self::List(_)
                | Self::Tuple(_)
                | Self::Dict(_)
                | Self::Slice(..)
                | Self::Negative(_)
                | Self::Positive(_)
                | Self::Not(_)
                | Self::And(..)
                | Self::Or(..)
                | Self::Binary(..)
                | Self::Concat(_)
                | Self::Compare(..)
                | Self::Test(..)
                | Self::Filter(Some(_), ..)
                | Self::Conditional { .. }
        );
        is_made_of_its_children && self.children().iter().all(|child| child.node.is_literal())
    }

    /// The expressions right inside of it.
    pub(crate) fn children(&self) -> Vec<&Expression> {
        match self {
            Self::Constant(_) | Self::Name(_) => Vec::new(),
            Self::List(items) | Self::Tuple(items) | Self::Concat(items) => items.iter().collect(),
            Self::Dict(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
            Self::Attribute(inner, _)
            | Self::Not(inner)
            | Self::Negative(inner)
            | Self::Positive(inner) => {
                vec![inner]
            }
            Self::Item(left, right)
            | Self::And(left, right)
            | Self::Or(left, right)
            | Self::Binary(_, left, right) => {
                vec![left, right]
            }
            Self::Slice(inner, slice) => {
                let parts = [&slice.start, &slice.end, &slice.step]
                    .into_iter()
                    .flatten();
                std::iter::once(&**inner).chain(parts).collect()
            }
            Self::Call(inner, arguments) | Self::Test(inner, _, arguments) => {
                std::iter::once(&**inner)
                    .chain(arguments.values())
                    .collect()
            }
            Self::Filter(inner, _, arguments) => inner
                .iter()
                .map(|inner| &**inner)
                .chain(arguments.values())
                .collect(),
            Self::Compare(first, others) => std::iter::once(&**first)
                .chain(others.iter().map(|(_, other)| other))
                .collect(),
            Self::Conditional {
                condition,
                then,
                otherwise,
                ..
            } => [&**condition, &**then]
                .into_iter()
                .chain(otherwise.iter().map(|otherwise| &**otherwise))
                .collect(),
        }
    }
}

/// The parts of `[start:end:step]`.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) start: Option<Expression>,
    pub(crate) end: Option<Expression>,
    pub(crate) step: Option<Expression>,
}

#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Expression>,
    pub(crate) named: Vec<(Name, Expression)>,
    pub(crate) rest: Option<Box<Expression>>,
    pub(crate) named_rest: Option<Box<Expression>>,
}

impl Arguments {
    fn values(&self) -> impl Iterator<Item = &Expression> {
        let named = self.named.iter().map(|(_, value)| value);
        let rest = self.rest.iter().chain(&self.named_rest).map(|rest| &**rest);
        self.positional.iter().chain(named).chain(rest)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// A block that a template that extends this one may replace.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) name: Name,
    pub(crate) frame: Frame,
}

/// A whole template.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) root: Frame,
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) references: Vec<Reference>,
}

/// The name of another template that is written as a text.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    /// Whether the other template may be missing.
    pub(crate) may_miss: bool,
}
