//! Values that are not defined.

use crate::error::{ErrorKind, Failure, Outcome};
use crate::syntax::UndefinedMode;
use crate::value::{Entity, Value, View, quote, try_repr, view};

/// What stands for a variable, an attribute or an item that does not exist.
#[derive(Debug, Clone, Default)]
pub(crate) struct Undefined {
    pub(crate) mode: UndefinedMode,
    hint: Option<String>,
    /// The type of what was asked for the attribute, as Jinja2 calls it.
    owner: Option<String>,
    name: Option<Value>,
    /// Whether the name is a value, which may be a secret, and not part of the template.
    is_computed: bool,
}

impl Undefined {
    /// One that nobody named.
    pub(crate) fn plain() -> Self {
        Self::default()
    }

    pub(crate) fn variable(mode: UndefinedMode, name: &str) -> Self {
        Self {
            mode,
            name: Some(Value::from(name)),
            ..Self::default()
        }
    }

    pub(crate) fn hinted(mode: UndefinedMode, hint: impl Into<String>, name: Option<&str>) -> Self {
        Self {
            mode,
            hint: Some(hint.into()),
            name: name.map(Value::from),
            owner: None,
            is_computed: false,
        }
    }

    /// An attribute or item that `owner` does not have.
    pub(crate) fn missing_in(mode: UndefinedMode, owner: &Value, name: Value) -> Self {
        Self {
            mode,
            hint: None,
            owner: Some(kind_of_object(owner)),
            name: Some(name),
            is_computed: false,
        }
    }

    /// The same where the name is computed, so that no message shows it.
    pub(crate) fn computed(mut self) -> Self {
        self.is_computed = true;
        self
    }

    pub(crate) fn into_value(self) -> Value {
        Value::from_object(Entity::Undefined(self))
    }

    /// The name that is not defined.
    pub(crate) fn name(&self) -> Option<String> {
        let name = self.name.as_ref()?;
        match view(name) {
            View::Text(text) => Some(text.to_owned()),
            _ => try_repr(name).ok(),
        }
    }

    fn shown_name(&self) -> String {
        self.name.as_ref().map_or_else(
            || "None".to_owned(),
            |name| try_repr(name).unwrap_or_default(),
        )
    }

    fn message(&self) -> String {
        if let Some(hint) = &self.hint {
            return hint.clone();
        }
        if let (true, Some(owner)) = (self.is_computed, &self.owner) {
            return format!("the {owner} does not have the item that is asked for");
        }
        let name = self.name().unwrap_or_else(|| "a value".to_owned());
        match (&self.owner, &self.name) {
            (None, _) => format!("`{name}` is undefined"),
            (Some(owner), Some(key)) if matches!(view(key), View::Text(_)) => {
                format!("`{name}` is undefined: the {owner} has no such attribute or item")
            }
            (Some(owner), _) => format!("`{name}` is undefined: the {owner} has no such item"),
        }
    }

    /// The error of using it in a way that no mode allows.
    pub(crate) fn failure(&self) -> Box<Failure> {
        let mut failure = Failure::new(ErrorKind::Undefined, "UndefinedError", self.message());
        failure.variable = self.name().filter(|_| !self.is_computed);
        failure
    }

    /// The error of using it as an empty or false value, which only the strict mode forbids.
    pub(crate) fn check_use(&self) -> Outcome<()> {
        match self.mode {
            UndefinedMode::Strict => Err(self.failure()),
            _ => Ok(()),
        }
    }

    /// The error of asking it for an attribute or an item, which only the chainable mode has: itself again.
    pub(crate) fn check_access(&self) -> Outcome<()> {
        match self.mode {
            UndefinedMode::Chainable => Ok(()),
            _ => Err(self.failure()),
        }
    }

    pub(crate) fn printed(&self) -> Outcome<String> {
        match self.mode {
            UndefinedMode::Strict => Err(self.failure()),
            UndefinedMode::Default | UndefinedMode::Chainable => Ok(String::new()),
            UndefinedMode::Debug => Ok(match (&self.hint, &self.owner) {
                (Some(hint), _) => format!("{{{{ undefined value printed: {hint} }}}}"),
                (None, None) => format!(
                    "{{{{ {} }}}}",
                    self.name().unwrap_or_else(|| "None".to_owned())
                ),
                (None, Some(owner)) => {
                    format!("{{{{ no such element: {owner}[{}] }}}}", self.shown_name())
                }
            }),
        }
    }
}

/// What Jinja2's messages call the type of a value.
fn kind_of_object(value: &Value) -> String {
    match view(value) {
        View::None => "None".to_owned(),
        View::Text(_) if value.is_safe() => "markupsafe.Markup object".to_owned(),
        View::Entity(entity) => match entity {
            Entity::Namespace(_) => "jinja2.utils.Namespace object".to_owned(),
            Entity::Cycler { .. } => "jinja2.utils.Cycler object".to_owned(),
            Entity::Joiner { .. } => "jinja2.utils.Joiner object".to_owned(),
            Entity::Loop(_) => "jinja2.runtime.LoopContext object".to_owned(),
            Entity::Macro(_) => "jinja2.runtime.Macro object".to_owned(),
            Entity::Module(_) => "jinja2.environment.TemplateModule object".to_owned(),
            Entity::SelfReference(_) => "jinja2.runtime.TemplateReference object".to_owned(),
            Entity::Block(_) => "jinja2.runtime.BlockReference object".to_owned(),
            Entity::Moment(moment) => format!("datetime.{} object", moment.type_name()),
            _ => format!("{} object", super::type_name(value)),
        },
        _ => format!("{} object", super::type_name(value)),
    }
}

/// A hint that Jinja2 prints in the debug mode, with a name in Python's quotes.
pub(crate) fn quoted_hint(before: &str, name: &str, after: &str) -> String {
    format!("{before}{}{after}", quote(name))
}
