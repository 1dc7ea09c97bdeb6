//! `kiln apps`: what can be deployed, and what is.

mod outdated;

use clap::Subcommand;
use rand_core::OsRng;
use serde_json::json;
use zeroize::Zeroizing;

use super::replacement::{Replacement, open_claimed};
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::terminal::{TerminalPage, cell, columns};
use crate::cli::secret_input;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::pipeline::{self, ConfigChange, InstalledChart, VERSIONS_FILE};
use crate::secret::Secret;
use crate::tree::App;
use outdated::OutdatedArgs;

const COMMAND: &str = "kiln apps";
const MORE: &str = "\
Examples:
  kiln apps
  kiln apps --enabled
  kiln apps enable trust-manager
  kiln apps enable unifi-dns --set host=https://192.168.1.1 --set api_key
  kiln apps disable echo
  kiln apps outdated
  kiln apps --message-format json | jq -r .name";

/// List the apps of the catalogue and the project, and switch them on and off
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct AppsArgs {
    /// Only those that are on
    #[arg(long)]
    enabled: bool,
    #[command(subcommand)]
    verb: Option<AppsVerb>,
}

#[derive(Debug, Subcommand)]
enum AppsVerb {
    /// Switch apps on in the config, with the apps that they need; comments stay
    Enable {
        /// The apps, as `kiln apps` names them
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        /// An option of the app; a dotted key reaches into groups of options. Without a value, asks for it. A secret one
        /// goes into `cluster.sops.yaml`
        #[arg(long, value_name = "KEY[=VALUE]")]
        set: Vec<String>,
    },
    /// Switch apps off in the config; comments stay
    Disable {
        /// The apps, as `kiln apps` names them
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// List the versions in `versions.yaml` that are older than those of this Kiln
    Outdated(OutdatedArgs),
}

/// Lists the apps by namespace and name, switches some, or compares versions.
pub fn run(
    args: &AppsArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let session = ProjectSession::open(settings, KeyUse::WithCommands, printer)?;
    match &args.verb {
        Some(AppsVerb::Outdated(args)) if args.writes() => outdated::write(settings, printer),
        Some(AppsVerb::Outdated(args)) => outdated::list(args, &session, printer),
        None => list(args.enabled, &session, printer),
        Some(AppsVerb::Enable { names, set }) => {
            let change = ConfigChange {
                names: names.clone(),
                on: true,
                options: with_values(names, set, &session, settings)?,
            };
            switch(&change, settings, printer)
        }
        Some(AppsVerb::Disable { names }) => {
            let change = ConfigChange {
                names: names.clone(),
                on: false,
                options: Vec::new(),
            };
            switch(&change, settings, printer)
        }
    }
}

/// Asks for the values of options that come without one; what is no option stays as it is, for a problem to tell.
fn with_values(
    names: &[String],
    set: &[String],
    session: &ProjectSession,
    settings: &Settings,
) -> Result<Vec<Secret>, CommandError> {
    let (Some(app), true) = (
        names.first(),
        set.iter().any(|option| !option.contains('=')),
    ) else {
        return Ok(set
            .iter()
            .map(|option| Secret::new(option.as_str()))
            .collect());
    };
    let schema = pipeline::schema(&session.world())?;
    let is_option = |key: &str| {
        let way = format!(
            "/properties/apps/properties/{app}/properties/{}",
            key.replace('.', "/properties/")
        );
        !key.contains('=') && schema.pointer(&way).is_some()
    };
    let asked = set.iter().filter(|option| is_option(option)).count();
    if asked > 1 && !settings.interactive {
        return Err(CommandError::failed(
            "several options come without a value, and stdin has one at most",
        )
        .hint("run it once for each of them"));
    }
    let value = |option: &String| {
        if !is_option(option) {
            return Ok(Secret::new(option.as_str()));
        }
        let question = format!("{option} of {app}");
        let value = secret_input::read(settings, &question, false)?;
        let both = Zeroizing::new(format!("{option}={}", value.expose()));
        Ok(Secret::new(both.as_str()))
    };
    set.iter().map(value).collect()
}

fn switch(
    change: &ConfigChange,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let (session, claimed) = open_claimed(settings, printer, COMMAND)?;
    let switched = pipeline::switch(&session.world(), change, &mut OsRng)?;
    printer.report(&switched.warnings)?;
    let files = switched.files.iter();
    let files = files.map(|(path, text)| (path.clone(), text.clone()));
    drop(Replacement::make(&session.disk, files)?);
    let completed = complete_versions(change, settings, printer)?;
    drop(claimed);
    let state = if change.on { "on" } else { "off" };
    for app in &switched.apps {
        if printer.is_json() {
            printer.json(&json!({
                "name": app.name,
                "namespace": app.namespace,
                "enabled": change.on,
            }))?;
        } else {
            let name = &app.name;
            printer.status(format!("switched {state} {name}: {}", app.summary));
        }
    }
    if switched.apps.is_empty() && switched.files.is_empty() {
        printer.status(format!("nothing to do: already {state}"));
    }
    let completed = completed.then_some(VERSIONS_FILE);
    let changed = switched.files.keys().map(String::as_str);
    for path in changed.chain(completed) {
        printer.status(format!("changed {path}; `kiln render` writes the tree"));
    }
    Ok(CommandOutcome::Clean)
}

/// Adds the versions that apps need which are on now, for Renovate to see; returns whether any was missing.
fn complete_versions(
    change: &ConfigChange,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<bool, CommandError> {
    if !change.on {
        return Ok(false);
    }
    let session = ProjectSession::open(settings, KeyUse::WithCommands, printer)?;
    let report = pipeline::compare_versions(&session.world())?;
    let Some(text) = report.completed()? else {
        return Ok(false);
    };
    drop(Replacement::make(
        &session.disk,
        [(VERSIONS_FILE.to_owned(), text)],
    )?);
    Ok(true)
}

fn list(
    only_enabled: bool,
    session: &ProjectSession,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let mut apps = pipeline::apps(&session.world())?;
    apps.retain(|(app, _)| app.enabled || !only_enabled);
    if printer.is_json() {
        for (app, charts) in &apps {
            printer.json(&object(app, charts))?;
        }
    } else {
        printer.data(&table(&apps))?;
    }
    Ok(CommandOutcome::Clean)
}

fn object(app: &App, charts: &[InstalledChart]) -> serde_json::Value {
    let charts: Vec<_> = charts
        .iter()
        .map(|chart| json!({ "name": chart.name, "version": chart.version }))
        .collect();
    json!({
        "name": app.name,
        "namespace": app.namespace,
        "summary": app.summary,
        "tier": app.tier,
        "when": app.when,
        "needs": app.needs,
        "charts": charts,
        "enabled": app.enabled,
    })
}

/// Lays out apps in columns that are as wide as their widest word.
fn table(apps: &[(App, Vec<InstalledChart>)]) -> Shown {
    let versions: Vec<String> = apps.iter().map(|(_, charts)| versions(charts)).collect();
    let width =
        |words: &mut dyn Iterator<Item = &str>| words.map(columns).max().unwrap_or_default();
    let names = width(&mut apps.iter().map(|(app, _)| app.name.as_str()));
    let namespaces = width(&mut apps.iter().map(|(app, _)| app.namespace.as_str()));
    let charts = width(&mut versions.iter().map(String::as_str));
    let mut page = TerminalPage::default();
    for ((app, _), version) in apps.iter().zip(&versions) {
        let state = if app.enabled { "on " } else { "off" };
        let needs = match app.needs.as_slice() {
            [] => String::new(),
            needs => format!(" (needs {})", needs.join(", ")),
        };
        page.line(format_args!(
            "{state}  {}  {}  {}  {}{needs}",
            cell(&app.namespace, namespaces),
            cell(&app.name, names),
            cell(version, charts),
            app.summary
        ));
    }
    page.finish()
}

fn versions(charts: &[InstalledChart]) -> String {
    let versions: Vec<&str> = charts.iter().map(|chart| chart.version.as_str()).collect();
    versions.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_up_columns() {
        let app = |namespace: &str, name: &str, needs: &[&str]| App {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            summary: "Does a thing".to_owned(),
            tier: "low".to_owned(),
            when: None,
            needs: needs.iter().map(|&need| need.to_owned()).collect(),
            enabled: needs.is_empty(),
        };
        let chart = InstalledChart {
            name: "external-dns".to_owned(),
            version: "1.20.0".to_owned(),
        };
        let table = table(&[
            (app("default", "echo", &[]), Vec::new()),
            (app("network", "unifi-dns", &["echo"]), vec![chart]),
        ]);
        insta::assert_snapshot!(table, @r"
        on   default  echo               Does a thing
        off  network  unifi-dns  1.20.0  Does a thing (needs echo)
        ");
    }
}
