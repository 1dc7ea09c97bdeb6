//! What apps ask of the machines that they run on.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::AskCondition;
use super::claims::Claims;
use super::field_value::{FieldAsk, FieldKind, claims};
use crate::diagnostic::Diagnostic;
use crate::render::apps::AppManifest;
use crate::render::condition::Conditions;
use crate::yaml::decode::Table;

/// The fields, by what may stand in them. They say what a machine has to be like and not how Talos spells it, which
/// differs by its version.
const FIELDS: [(&str, FieldKind); 6] = [
    ("external_cloud_provider", FieldKind::Flag),
    ("kernel_modules", FieldKind::Texts),
    ("kubelet_args", FieldKind::TextTable),
    ("node_labels", FieldKind::TextTable),
    ("sysctls", FieldKind::TextTable),
    ("talos_api_roles", FieldKind::Texts),
];
/// The field that is about the namespace of the app and the API of the control planes.
const API_ROLES: &str = "talos_api_roles";
const ROLES: [&str; 2] = ["control-plane", "worker"];

/// One `[[machine]]` of an app.
#[derive(Clone, Debug)]
pub(super) struct MachineAsk {
    when: Option<AskCondition>,
    /// The only role of the machines; none for all.
    role: Option<String>,
    fields: Vec<FieldAsk>,
}

impl MachineAsk {
    pub(super) fn decode(table: &mut Table<'_>) -> Self {
        table.call("`[[machine]]`");
        let fields = FIELDS.iter();
        Self {
            when: AskCondition::decode(table),
            role: table.word("role", &ROLES).map(|(role, _)| role),
            fields: fields
                .flat_map(|(field, kind)| kind.decode(field, table))
                .collect(),
        }
    }
}

/// What the machines have to be like, by role.
#[derive(Debug, Default)]
pub(super) struct AskedMachines {
    all: Claims,
    control_plane: Claims,
    worker: Claims,
    /// The namespaces whose pods may call the API of Talos.
    api_namespaces: BTreeSet<String>,
}

impl AskedMachines {
    /// Brings together what apps ask for.
    pub(super) fn of(
        asking: &[&AppManifest],
        conditions: &Conditions<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut machines = Self::default();
        // What a machine is asked for with its role and without; a contradiction may be between the two.
        let mut each = [Claims::default(), Claims::default()];
        for manifest in asking {
            for ask in &manifest.asks.machine {
                if AskCondition::holds(ask.when.as_ref(), manifest, conditions, problems) {
                    machines.add(manifest, ask, &mut each, conditions, problems);
                }
            }
        }
        machines.control_plane.without(&machines.all);
        machines.worker.without(&machines.all);
        machines
    }

    fn add(
        &mut self,
        manifest: &AppManifest,
        ask: &MachineAsk,
        each: &mut [Claims; 2],
        conditions: &Conditions<'_>,
        problems: &mut Vec<Diagnostic>,
    ) {
        let name = &manifest.app.name;
        for claim in claims(&ask.fields, conditions, &manifest.source, problems) {
            if claim.field == API_ROLES {
                let namespace = manifest.app.namespace.clone();
                self.api_namespaces.insert(namespace);
            }
            for (role, claims) in ROLES.iter().zip(each.iter_mut()) {
                if ask.role.as_ref().is_none_or(|only| only == role) {
                    claims.add(name, claim.clone(), " of the machines", problems);
                }
            }
            let own = match ask.role.as_deref() {
                None => &mut self.all,
                Some("worker") => &mut self.worker,
                Some(_) => &mut self.control_plane,
            };
            // What contradicts is told above.
            own.add(name, claim, "", &mut Vec::new());
        }
    }

    /// Returns what templates see.
    pub(super) fn to_json(&self) -> Json {
        let roles: Vec<&str> = [&self.all, &self.control_plane, &self.worker]
            .into_iter()
            .flat_map(|claims| claims.texts(API_ROLES))
            .collect();
        let roles: BTreeSet<&str> = roles.into_iter().collect();
        json!({
            "all": fields(&self.all),
            "control_plane": fields(&self.control_plane),
            "worker": fields(&self.worker),
            "talos_api": {"roles": roles, "namespaces": self.api_namespaces},
        })
    }
}

/// Returns the fields of machines, those that nobody asks for empty.
fn fields(claims: &Claims) -> Json {
    let own = FIELDS.iter().filter(|(field, _)| *field != API_ROLES);
    let fields = own.map(|(field, kind)| {
        let value = match kind {
            FieldKind::Flag => Json::from(claims.flag(field)),
            FieldKind::Texts => Json::from(claims.texts(field)),
            FieldKind::TextTable => Json::from(claims.table(field)),
        };
        ((*field).to_owned(), value)
    });
    Json::Object(fields.collect())
}
