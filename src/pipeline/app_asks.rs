//! What apps ask of other stages: options of other apps, levels of namespaces, and what is known of operators' pods.

use super::Configured;
use super::failure::{CompileFailure, Warnings};
use crate::charts::Profiles;
use crate::config::AskedValue;
use crate::config::cluster::Cluster;
use crate::diagnostic::{self, Diagnostic, Warned};
use crate::pod_security::Level;
use crate::render::{self, AskedOption, Context, Library, PodAsks};
use crate::rules::Policy;
use crate::validate::{self, Schema};

/// Lays the options that apps ask of other apps beneath the config.
///
/// # Errors
/// What contradicts, and what an app's schema does not take.
pub(super) fn with_asked_options(
    configured: Configured,
    library: &Library,
    warnings: &mut Warnings,
) -> Result<(Cluster, Schema), CompileFailure> {
    let Configured {
        cluster,
        schema,
        mut merged,
    } = configured;
    // What is wrong with manifests is told where the templates are rendered.
    if !library.asks_options() || library.has_problems() {
        return Ok((cluster, schema));
    }
    let asked =
        render::asked_options((&cluster).into(), library).map_err(CompileFailure::Problems)?;
    if asked.is_empty() {
        return Ok((cluster, schema));
    }
    let dependent = Dependent {
        cluster: &cluster,
        schema: &schema,
        library,
        asked: &asked,
    };
    let secret = dependent.on(cluster.secret_pointers.iter());
    merged.secret_pointers.extend(secret);
    let seed = cluster.made_up.values().next().cloned().unwrap_or_default();
    let made_up = dependent.on(cluster.made_up.keys());
    let made_up = made_up.into_iter().map(|pointer| (pointer, seed.clone()));
    merged.made_up.extend(made_up);
    let asked = asked.into_iter().map(|option| AskedValue {
        pointer: option.pointer,
        value: option.value,
        by: option.by,
        place: option.place,
    });
    let problems = merged.lay_under(asked.collect());
    warnings.keep(Warned::unless_errors((), problems))?;
    // What the first validation warned of is told already.
    let validated = validate::validate(merged, &schema).map_err(CompileFailure::Problems)?;
    let cluster = Cluster {
        versions: cluster.versions,
        ..validated.value
    };
    Ok((cluster, schema))
}

/// Options that apps ask for, of which some are computed from values of the config.
struct Dependent<'d> {
    cluster: &'d Cluster,
    schema: &'d Schema,
    library: &'d Library,
    asked: &'d [AskedOption],
}

impl Dependent<'_> {
    /// Lists the options that are other ones where some values are: what is computed from a secret is one.
    fn on<'p>(&self, pointers: impl Iterator<Item = &'p String>) -> Vec<String> {
        let mut pointers = pointers.map(String::as_str).peekable();
        if pointers.peek().is_none() {
            return Vec::new();
        }
        let values = validate::other_values(self.cluster, self.schema, pointers);
        let context = Context {
            values: &values,
            ..self.cluster.into()
        };
        // An expression that fails with other values depends on them.
        let others = render::asked_options(context, self.library).unwrap_or_default();
        let differs = |option: &&AskedOption| {
            let mut same = others.iter();
            !same.any(|other| other.pointer == option.pointer && other.value == option.value)
        };
        let dependent = self.asked.iter().filter(differs);
        dependent.map(|option| option.pointer.clone()).collect()
    }
}

/// Takes over what apps say of pods: the levels that namespaces need become wishes, as those of the config are, and what
/// operators make of custom resources is known.
pub(super) fn take_over(
    asks: &PodAsks,
    policy: &mut Policy,
    profiles: &mut Profiles,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (namespace, needed) in &asks.levels {
        let Some(level) = Level::parse(&needed.level) else {
            continue;
        };
        match policy.pod_security.get(namespace) {
            None => {
                let wish = (level, Some(needed.place.clone()));
                policy.pod_security.insert(namespace.clone(), wish);
            }
            Some((wished, place)) if *wished > level => {
                let message = format!(
                    "`security.pod_security` wishes for `{wished}` in namespace `{namespace}`, and `{}` needs `{level}`",
                    needed.app
                );
                problems.push(
                    Diagnostic::error(&diagnostic::codes::APP_ASKS_CONTRADICT, message)
                        .at_place_if(place.as_ref())
                        .with_related(needed.place.clone(), "needed here")
                        .with_hint(format!("wish for `{level}`, or turn `{}` off", needed.app)),
                );
            }
            Some(_) => {}
        }
    }
    for pods in &asks.operator_pods {
        problems.extend(profiles.add_operator_pods(&pods.source, &pods.entry));
    }
    problems
}
