//! Variables, and where each is looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use crate::syntax_tree::Name;
use crate::value::{Entity, Value, View, lock, view};

/// The variables of a body; `None` is one that is not set yet.
#[derive(Debug)]
pub(crate) struct Scope {
    variables: Mutex<BTreeMap<Name, Option<Value>>>,
    outer: Outer,
}

#[derive(Debug, Clone)]
pub(crate) enum Outer {
    Scope(Arc<Scope>),
    Context(Arc<Context>),
}

/// What a lookup finds.
pub(crate) enum Found {
    Value(Value),
    /// A variable that is not set yet.
    Unset,
    Nothing,
}

/// The variables of a template as its blocks and what it includes see them.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// What the template sets at its top level.
    variables: Mutex<BTreeMap<Name, Value>>,
    exported: Mutex<BTreeSet<Name>>,
    /// What an including template had when it included this one.
    inherited: BTreeMap<Name, Value>,
    /// The values that the rendering was started with.
    values: Option<Value>,
}

impl Scope {
    pub(crate) fn within(outer: Outer, unset: &[Name]) -> Arc<Self> {
        let variables = unset.iter().map(|name| (Name::clone(name), None)).collect();
        Arc::new(Self {
            variables: Mutex::new(variables),
            outer,
        })
    }

    pub(crate) fn set(&self, name: &Name, value: Value) {
        lock(&self.variables).insert(Name::clone(name), Some(value));
    }

    /// Makes a variable one that is not set yet.
    pub(crate) fn unset(&self, name: &Name) {
        lock(&self.variables).insert(Name::clone(name), None);
    }

    pub(crate) fn find(&self, name: &str) -> Found {
        let mut scope = self;
        loop {
            if let Some(found) = lock(&scope.variables).get(name) {
                return found.clone().map_or(Found::Unset, Found::Value);
            }
            match &scope.outer {
                Outer::Scope(outer) => scope = outer,
                Outer::Context(context) => {
                    return context.find(name).map_or(Found::Nothing, Found::Value);
                }
            }
        }
    }

    /// A context for a template that sees the variables of this one as they are now.
    pub(crate) fn snapshot(&self) -> Context {
        let mut inherited = BTreeMap::new();
        let mut scope = self;
        let context = loop {
            for (name, value) in lock(&scope.variables).iter() {
                if let Some(value) = value {
                    inherited
                        .entry(Name::clone(name))
                        .or_insert_with(|| value.clone());
                }
            }
            match &scope.outer {
                Outer::Scope(outer) => scope = outer,
                Outer::Context(context) => break context,
            }
        };
        for (name, value) in lock(&context.variables).iter().chain(&context.inherited) {
            inherited
                .entry(Name::clone(name))
                .or_insert_with(|| value.clone());
        }
        Context {
            inherited,
            values: context.values.clone(),
            ..Context::default()
        }
    }

    /// Forgets all variables: a macro in them holds the scope that holds it.
    pub(crate) fn clear(&self) {
        lock(&self.variables).clear();
    }
}

impl Context {
    pub(crate) fn of_values(values: Value) -> Self {
        Self {
            values: Some(values),
            ..Self::default()
        }
    }

    fn find(&self, name: &str) -> Option<Value> {
        if let Some(value) = lock(&self.variables).get(name) {
            return Some(value.clone());
        }
        if let Some(value) = self.inherited.get(name) {
            return Some(value.clone());
        }
        match view(self.values.as_ref()?) {
            View::Entity(Entity::Dict(entries)) => lock(entries).get_text(name).cloned(),
            _ => None,
        }
    }

    /// Sets a variable at the top level; one whose name does not start with `_` is exported if it may be.
    pub(crate) fn set(&self, name: &Name, value: Value, exports: bool) {
        lock(&self.variables).insert(Name::clone(name), value);
        if name.starts_with('_') {
            return;
        }
        if exports {
            lock(&self.exported).insert(Name::clone(name));
        } else {
            lock(&self.exported).remove(name);
        }
    }

    pub(crate) fn exports(&self) -> BTreeMap<Name, Value> {
        let variables = lock(&self.variables);
        let exported = lock(&self.exported);
        exported
            .iter()
            .filter_map(|name| Some((Name::clone(name), variables.get(name)?.clone())))
            .collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.variables).clear();
    }
}
