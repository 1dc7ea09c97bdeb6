//! Names by release and values: what the placeholders in a profile's texts stand for.
//!
//! `{release}` is the release's name, `{name}` what Helm's `name` helper gives, `{fullname}` what its
//! `fullname` helper gives, and `{<values path>}` what a value gives that the profile lists among its
//! `overrides`. Where values do not say as plain text what stands there, the name is not seen.

use serde_json::{Map, Value};

use super::profile::{DefaultName, Profile};
use super::values::at;
use std::collections::BTreeMap;

/// The longest name that Helm's `name` and `fullname` helpers give.
pub const LONGEST: usize = 63;
/// The longest name that an object may have.
pub const UNCUT: usize = 253;
/// How deep the defaults of names may refer to one another.
const DEPTH: usize = 8;

/// A release, as far as names go.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseNaming<'n> {
    /// The chart's own name.
    pub chart: &'n str,
    /// What `{fullname}` stands for by default.
    pub fullname: &'n DefaultName,
    /// Whether the chart knows `fullnameOverride`.
    pub overridable: bool,
    /// The values that name things, and what holds without them.
    pub overrides: &'n BTreeMap<String, DefaultName>,
    /// The release's name.
    pub release: &'n str,
    /// Its values.
    pub values: &'n Map<String, Value>,
}

/// A text with its placeholders filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The text; with what the chart has by default where a value is not seen.
    pub text: String,
    /// Whether all of it is seen.
    pub seen: bool,
}

impl<'n> ReleaseNaming<'n> {
    /// Returns the naming of a release of the chart that a profile is about.
    ///
    /// A chart of whose values nobody knows is taken to know `fullnameOverride`.
    pub fn of(profile: &'n Profile, release: &'n str, values: &'n Map<String, Value>) -> Self {
        let known = profile.values.as_ref().and_then(|known| known.keys());
        Self {
            chart: &profile.chart,
            fullname: &profile.fullname,
            overridable: known.is_none_or(|keys| keys.contains_key("fullnameOverride")),
            overrides: &profile.overrides,
            release,
            values,
        }
    }

    /// Fills in the placeholders of a text; braces with anything else in them stay.
    pub fn fill(&self, pattern: &str) -> Filled {
        self.expand(pattern, 0)
    }

    fn expand(&self, pattern: &str, depth: usize) -> Filled {
        let mut filled = Filled {
            text: String::new(),
            seen: depth < DEPTH,
        };
        let mut rest = pattern;
        while let Some((before, behind)) = rest.split_once('{').filter(|_| depth < DEPTH) {
            filled.text.push_str(before);
            let inner = behind.split_once('}');
            let value = inner.and_then(|(key, after)| Some((self.value_of(key, depth)?, after)));
            if let Some((value, after)) = value {
                filled.text.push_str(&value.text);
                filled.seen &= value.seen;
                rest = after;
            } else {
                filled.text.push('{');
                rest = behind;
            }
        }
        filled.text.push_str(rest);
        filled
    }

    /// Returns what a placeholder stands for; `None` for what is none.
    fn value_of(&self, key: &str, depth: usize) -> Option<Filled> {
        match key {
            "release" => Some(Filled {
                text: self.release.to_owned(),
                seen: true,
            }),
            "name" => Some(self.name(depth)),
            "fullname" => {
                let own = self.overridable.then_some("fullnameOverride");
                Some(self.named(own, self.fullname, depth))
            }
            path => {
                let default = self.overrides.get(path)?;
                Some(self.named(Some(path), default, depth))
            }
        }
    }

    /// Returns what Helm's `name` helper gives; few charts have another default than their own name.
    fn name(&self, depth: usize) -> Filled {
        let own = DefaultName {
            otherwise: self.chart.to_owned(),
            contained: None,
            ..DefaultName::default()
        };
        let default = self.overrides.get("nameOverride").unwrap_or(&own);
        self.named(Some("nameOverride"), default, depth)
    }

    /// Returns what a value gives, or else what holds by default.
    fn named(&self, path: Option<&str>, default: &DefaultName, depth: usize) -> Filled {
        let given = path.and_then(|path| self.given(path, default.cut));
        let by_default = || {
            let Some(contained) = &default.contained else {
                let text = self.expand(&default.otherwise, depth + 1);
                return Filled {
                    seen: text.seen,
                    text: cut(&text.text, default.cut),
                };
            };
            let of = self.expand(&default.of, depth + 1);
            let text = if self.release.contains(&of.text) {
                contained
            } else {
                &default.otherwise
            };
            let text = self.expand(text, depth + 1);
            Filled {
                seen: text.seen && of.seen,
                text: cut(&text.text, default.cut),
            }
        };
        match given {
            Some(given) if given.seen => given,
            Some(_) => Filled {
                seen: false,
                ..by_default()
            },
            None => by_default(),
        }
    }

    /// Returns the text at a path; `None` where nothing stands there, which is Helm's default.
    fn given(&self, path: &str, longest: usize) -> Option<Filled> {
        match at(self.values, path)? {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            // Templates in values, and variables that Flux fills in.
            Value::String(text) if !text.contains("{{") && !text.contains("${") => Some(Filled {
                text: cut(text, longest),
                seen: true,
            }),
            _ => Some(Filled {
                text: String::new(),
                seen: false,
            }),
        }
    }
}

/// Cuts a name as Helm's helpers do: `trunc`, and no hyphen at its end.
fn cut(name: &str, longest: usize) -> String {
    let short: String = name.chars().take(longest).collect();
    match short.strip_suffix('-') {
        Some(bare) => bare.to_owned(),
        None => short,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::charts::Profiles;

    const PROFILE: &str = "\
chart: sloth
sources: [oci://a/sloth]
versions: {from: 1.0.0, below: 2.0.0}
fullname: {contained: '{release}', otherwise: 'sloth-{release}', cut: 12}
overrides:
  label: '{name}'
  inner.fullnameOverride: {of: inner, contained: '{release}', otherwise: '{release}-inner'}
";

    fn fill(pattern: &str, release: &str, values: &Value) -> Filled {
        let own = [("x.yaml".to_owned(), PROFILE.to_owned())];
        let profiles = Profiles::load(Vec::new(), &own).unwrap();
        let profile = profiles.iter().next().unwrap();
        ReleaseNaming::of(profile, release, values.as_object().unwrap()).fill(pattern)
    }

    fn seen(pattern: &str, release: &str, values: &Value) -> String {
        let filled = fill(pattern, release, values);
        assert!(filled.seen, "{filled:?}");
        filled.text
    }

    #[test]
    fn a_name_is_by_whether_the_release_contains_that_of_the_chart() {
        let none = json!({});
        assert_eq!(seen("{fullname}-x", "zz", &none), "sloth-zz-x");
        assert_eq!(seen("{fullname}-x", "zz-sloth", &none), "zz-sloth-x");
        let named = json!({"nameOverride": "z"});
        assert_eq!(seen("{fullname} {name}", "zz", &named), "zz z");
        assert_eq!(seen("{inner.fullnameOverride}", "a", &none), "a-inner");
        assert_eq!(seen("{inner.fullnameOverride}", "inner", &none), "inner");
    }

    #[test]
    fn a_value_decides_and_names_are_cut_without_a_hyphen_at_the_end() {
        let whole = json!({"fullnameOverride": "bar", "label": "dns"});
        assert_eq!(seen("{fullname} {label}", "zz", &whole), "bar dns");
        assert_eq!(seen("{label}", "zz", &json!({"nameOverride": "n"})), "n");
        assert_eq!(seen("{fullname}", "abcde-klm", &json!({})), "sloth-abcde");
        assert_eq!(seen("{other} {", "zz", &json!({})), "{other} {");
    }

    #[test]
    fn a_value_that_is_no_plain_text_is_not_seen() {
        for value in [
            json!(1),
            json!({}),
            json!("{{ .Release.Name }}"),
            json!("${A}"),
        ] {
            let filled = fill("{fullname}", "zz", &json!({"nameOverride": value}));
            assert!(!filled.seen, "{filled:?}");
            let filled = fill("{label}", "zz", &json!({"label": value}));
            assert_eq!((filled.text.as_str(), filled.seen), ("sloth", false));
        }
        let empty = json!({"nameOverride": "", "label": null});
        assert_eq!(seen("{label}", "zz", &empty), "sloth");
    }
}
