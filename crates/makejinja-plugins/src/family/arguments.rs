//! The arguments of a call, by the parameters of a function.

use super::FamilyError;
use crate::value::PluginValue;

/// Arguments in the order of the parameters.
pub(super) struct Arguments<'a> {
    parameters: &'static [&'static str],
    values: Vec<Option<&'a PluginValue>>,
}

impl<'a> Arguments<'a> {
    pub(super) fn bind(
        parameters: &'static [&'static str],
        arguments: &'a [PluginValue],
        named: &'a [(String, PluginValue)],
    ) -> Result<Self, FamilyError> {
        let mut values: Vec<Option<&PluginValue>> = arguments.iter().map(Some).collect();
        if values.len() > parameters.len() {
            let most = parameters.len();
            let message = format!(
                "there are {} arguments, and {most} at most are known",
                values.len()
            );
            return Err(FamilyError::new(message));
        }
        values.resize(parameters.len(), None);
        for (name, value) in named {
            let at = parameters.iter().position(|parameter| parameter == name);
            let at =
                at.ok_or_else(|| FamilyError::new(format!("there is no argument `{name}`")))?;
            if values[at].replace(value).is_some() {
                return Err(FamilyError::new(format!(
                    "the argument `{name}` is given twice"
                )));
            }
        }
        Ok(Self { parameters, values })
    }

    pub(super) fn required(&self, at: usize) -> Result<&'a PluginValue, FamilyError> {
        let name = self.parameters.get(at).copied().unwrap_or_default();
        let value = self.values.get(at).copied().flatten();
        value.ok_or_else(|| FamilyError::new(format!("the argument `{name}` is missing")))
    }

    pub(super) fn text(&self, at: usize) -> Result<&'a str, FamilyError> {
        let value = self.required(at)?;
        value.as_text().ok_or_else(|| {
            let name = self.parameters.get(at).copied().unwrap_or_default();
            let kind = value.type_name();
            FamilyError::new(format!(
                "the argument `{name}` is of type `{kind}`, and a text is needed"
            ))
        })
    }

    pub(super) fn text_or(&self, at: usize, default: &'a str) -> Result<&'a str, FamilyError> {
        match self.values.get(at).copied().flatten() {
            Some(_) => self.text(at),
            None => Ok(default),
        }
    }
}
