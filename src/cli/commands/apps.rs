//! `kiln apps`: what can be deployed, and what is.

use serde_json::json;

use crate::cli::error::{CommandError, Outcome};
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::settings::Settings;
use crate::pipeline;
use crate::tree::App;

const MORE: &str = "\
Examples:
  kiln apps
  kiln apps --enabled
  kiln apps --message-format json | jq -r .name";

/// List the apps of the catalogue and the project, and which of them are on
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct AppsArgs {
    /// Only those that are on
    #[arg(long)]
    enabled: bool,
}

/// Lists the apps by namespace and name.
pub fn run(
    args: &AppsArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<Outcome, CommandError> {
    let session = Session::open(settings, printer)?;
    let mut apps = pipeline::apps(&session.world())?;
    apps.retain(|app| app.enabled || !args.enabled);
    if printer.is_json() {
        for app in &apps {
            printer.line(object(app))?;
        }
    } else {
        printer.data(&table(&apps))?;
    }
    Ok(Outcome::Clean)
}

fn object(app: &App) -> serde_json::Value {
    json!({
        "name": app.name,
        "namespace": app.namespace,
        "summary": app.summary,
        "tier": app.tier,
        "needs": app.needs,
        "enabled": app.enabled,
    })
}

/// Lays out apps in columns that are as wide as their widest word.
fn table(apps: &[App]) -> String {
    let width = |column: fn(&App) -> &str| {
        apps.iter()
            .map(|app| column(app).chars().count())
            .max()
            .unwrap_or_default()
    };
    let names = width(|app| &app.name);
    let namespaces = width(|app| &app.namespace);
    let rows = apps.iter().map(|app| {
        let state = if app.enabled { "on " } else { "off" };
        format!(
            "{state}  {:namespaces$}  {:names$}  {}\n",
            app.namespace, app.name, app.summary
        )
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_up_columns() {
        let app = |namespace: &str, name: &str, enabled| App {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            summary: "Does a thing".to_owned(),
            tier: "low".to_owned(),
            needs: Vec::new(),
            enabled,
        };
        let table = table(&[
            app("default", "echo", true),
            app("network", "unifi-dns", false),
        ]);
        insta::assert_snapshot!(table, @r"
        on   default  echo       Does a thing
        off  network  unifi-dns  Does a thing
        ");
    }
}
