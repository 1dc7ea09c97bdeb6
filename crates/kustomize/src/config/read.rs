//! Field specs out of files of `configurations`, and out of kustomizations.

use super::{NameReferences, TransformerConfig};
use crate::field::Field;
use crate::field_spec::{FieldSpec, KindSelector};
use crate::problem::Findings;
use crate::setting::{SettingMap, SettingMode};

const FIELD_SPEC_KEYS: &[&str] = &["group", "version", "kind", "path", "create"];

const NAME_REFERENCE_KEYS: &[&str] = &["group", "version", "kind", "fieldSpecs"];

const CONFIG_KEYS: &[&str] = &[
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "volumeClaimTemplateLabels",
    "commonAnnotations",
    "varReference",
    "images",
    "replicas",
    "nameReference",
];

impl TransformerConfig {
    /// Reads a file of `configurations`; what kustomize does not accept in one is a problem.
    pub(crate) fn read(field: &Field, findings: &mut Findings) -> Self {
        let mut config = Self::empty();
        let mode = SettingMode::Configuration;
        let name = "the transformer configuration";
        let Some(map) = SettingMap::read(field, name, CONFIG_KEYS, mode, findings) else {
            return config;
        };
        for (list, key) in config.lists().into_iter().zip(CONFIG_KEYS) {
            *list = read_field_specs(map.items(key, findings), mode, findings);
        }
        for item in map.items("nameReference", findings) {
            config
                .name_references
                .extend(read_name_references(item, findings));
        }
        config.sort();
        config
    }
}

fn read_name_references(field: &Field, findings: &mut Findings) -> Option<NameReferences> {
    let mode = SettingMode::Configuration;
    let name = "the name reference";
    let map = SettingMap::read(field, name, NAME_REFERENCE_KEYS, mode, findings)?;
    Some(NameReferences {
        target: read_selector(map, findings),
        referrers: read_field_specs(map.items("fieldSpecs", findings), mode, findings),
    })
}

/// Reads a list of field specs.
pub(crate) fn read_field_specs(
    items: &[Field],
    mode: SettingMode,
    findings: &mut Findings,
) -> Vec<FieldSpec> {
    let mut specs = Vec::new();
    for item in items {
        specs.extend(read_field_spec(item, mode, findings));
    }
    specs
}

fn read_field_spec(field: &Field, mode: SettingMode, findings: &mut Findings) -> Option<FieldSpec> {
    let map = SettingMap::read(field, "the field spec", FIELD_SPEC_KEYS, mode, findings)?;
    let path = map.text("path", findings);
    Some(FieldSpec::new(
        read_selector(map, findings),
        path.map(|path| path.text).unwrap_or_default(),
        map.flag("create", findings),
        Some(field.place().clone()),
    ))
}

fn read_selector(map: SettingMap<'_>, findings: &mut Findings) -> KindSelector {
    let mut text = |key| match map.text(key, findings) {
        Some(text) => text.text,
        None => String::new(),
    };
    KindSelector {
        group: text("group"),
        version: text("version"),
        kind: text("kind"),
    }
}
