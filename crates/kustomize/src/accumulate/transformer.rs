//! Transformers, validators, and generators with an object of their own.

use super::super::config::TransformerConfig;
use super::super::field::Field;
use super::super::generate::{
    GeneratedKind, GeneratorEntry, append_hashes, generate_service_account,
};
use super::super::inline::inline_documents;
use super::super::kustomization::{
    CONFIG_MAP_GENERATOR, IAM_POLICY_GENERATOR, SECRET_GENERATOR, Strictness, bring_into_shape,
};
use super::super::object::read_objects;
use super::super::patch::{apply_json_patches, apply_patches, apply_strategic_merges};
use super::super::problem::{Findings, Problem, ProblemKind};
use super::super::provenance::ObjectMaker;
use super::super::reference::fix_name_references;
use super::super::replacement::apply_replacements;
use super::super::resource::Resource;
use super::super::resources::Resources;
use super::super::transform::{
    add_annotations, add_common_labels, add_labels, add_prefix, add_suffix, run_builtin,
    set_images, set_namespace, set_replicas,
};
use super::variable::resolve_variables;
use super::{Accumulation, BuildSession, FolderBuild};

type BuiltInTransform = fn(&mut Resources, &Field, &mut Findings, &TransformerConfig);

/// The fields that transform, with kustomize's name for each: those that it runs between patches of both kinds.
const TRANSFORMERS: [(&str, &str, BuiltInTransform); 6] = [
    ("namespace", "NamespaceTransformer", set_namespace),
    ("namePrefix", "PrefixTransformer", add_prefix),
    ("nameSuffix", "SuffixTransformer", add_suffix),
    ("labels", "LabelTransformer", add_labels),
    ("commonLabels", "LabelTransformer", add_common_labels),
    (
        "commonAnnotations",
        "AnnotationsTransformer",
        add_annotations,
    ),
];

/// The ones that it runs after all patches.
const LATE_TRANSFORMERS: [(&str, &str, BuiltInTransform); 2] = [
    ("replicas", "ReplicaCountTransformer", set_replicas),
    ("images", "ImageTagTransformer", set_images),
];

const PATCH_TRANSFORMERS: [&str; 4] = [
    "PatchTransformer",
    "PatchStrategicMergeTransformer",
    "PatchJson6902Transformer",
    "ReplacementTransformer",
];

impl FolderBuild<'_> {
    /// Runs the transformers, in kustomize's order.
    pub(super) fn run_transformers(
        &self,
        session: &mut BuildSession,
        accumulation: &mut Accumulation,
    ) {
        let before = session.mark();
        let config = session.config_of(accumulation);
        let gaps = accumulation.gaps;
        let resources = &mut accumulation.resources;
        let said = |name: &str| {
            let field = self.kustomization.get(name);
            field.filter(|field| !field.items().is_some_and(<[_]>::is_empty))
        };
        if let Some(field) = said("patchesStrategicMerge") {
            apply_strategic_merges(resources, field, &self.loader, &mut session.findings);
            self.note(
                "PatchStrategicMergeTransformer",
                field,
                1,
                session,
                resources,
            );
        }
        if let Some(field) = said("patches") {
            apply_patches(resources, field, &self.loader, &mut session.findings);
            let count = field.items().map_or(0, <[_]>::len);
            self.note("PatchTransformer", field, count, session, resources);
        }
        let run = |transformers: &[(&str, &str, BuiltInTransform)],
                   session: &mut BuildSession,
                   resources: &mut Resources| {
            for (name, plugin, transform) in transformers {
                if let Some(field) = said(name) {
                    transform(resources, field, &mut session.findings, &config);
                    let count = field.items().map_or(1, <[_]>::len);
                    // kustomize runs one for `commonLabels` also where there are `labels` alone.
                    let count =
                        count + usize::from(*name == "labels" && said("commonLabels").is_none());
                    self.note(plugin, field, count, session, resources);
                }
            }
        };
        run(&TRANSFORMERS, session, resources);
        if let Some(field) = said("patchesJson6902") {
            apply_json_patches(resources, field, &self.loader, &mut session.findings);
            let count = field.items().map_or(0, <[_]>::len);
            self.note("PatchJson6902Transformer", field, count, session, resources);
        }
        run(&LATE_TRANSFORMERS, session, resources);
        if let Some(field) = said("replacements") {
            apply_replacements(resources, field, &self.loader, &mut session.findings);
            self.note("ReplacementTransformer", field, 1, session, resources);
        }
        for object in self.plugin_objects("transformers", session) {
            self.run_transformer(&object, session, resources);
            resources.drop_empty();
            if session.notes_provenance {
                note_transformer(&plugin_maker(&object), resources);
            }
        }
        session.excuse_since(before, gaps);
    }

    /// Drops what a transformer left empty, and notes that it ran.
    fn note(
        &self,
        plugin: &str,
        field: &Field,
        times: usize,
        session: &BuildSession,
        resources: &mut Resources,
    ) {
        resources.drop_empty();
        if session.notes_provenance {
            let maker = self.builtin_maker(plugin, field);
            for _ in 0..times {
                note_transformer(&maker, resources);
            }
        }
    }

    /// Runs the validators: transformers that may change nothing but the label that says so.
    pub(super) fn run_validators(
        &self,
        session: &mut BuildSession,
        accumulation: &mut Accumulation,
    ) {
        let objects = self.plugin_objects("validators", session);
        if objects.is_empty() {
            return;
        }
        let resources = &mut accumulation.resources;
        for object in objects {
            let original: Vec<_> = resources
                .list
                .iter()
                .map(Resource::without_validation)
                .collect();
            self.run_transformer(&object, session, resources);
            resources.drop_empty();
            let now: Vec<_> = resources
                .list
                .iter()
                .map(Resource::without_validation)
                .collect();
            if original != now {
                let message = format!("the validator {} changes objects", object.id().shown());
                let place = object.name_place();
                let problem = Problem::new(ProblemKind::Refused, message, place);
                session
                    .findings
                    .refuse(problem.with_help("Move it to `transformers`"));
            }
        }
    }

    /// Reads the objects that configure generators or transformers: in the list itself, in files, in folders.
    pub(super) fn plugin_objects(&self, name: &str, session: &mut BuildSession) -> Vec<Resource> {
        let mut gathered = Accumulation::default();
        let mut paths = Vec::new();
        for item in self.kustomization.items(name) {
            let inline = inline_documents(item)
                .and_then(|documents| read_objects(documents, &mut Findings::default()));
            match inline {
                Some(mut objects) => {
                    if session.notes_provenance {
                        let path = self.path_of(&self.kustomization.file_name);
                        for object in &mut objects {
                            let maker = ObjectMaker::file(path.clone(), item.origin.clone());
                            object.provenance.maker = Some(maker);
                        }
                    }
                    gathered.resources.list.append(&mut objects);
                }
                None => paths.push(item.clone()),
            }
        }
        let place = self.place();
        gathered
            .resources
            .refuse_duplicates(place, &mut session.findings);
        self.add_resources(&paths, session, &mut gathered);
        for object in &mut gathered.resources.list {
            object.root.write_timestamps();
        }
        gathered.resources.list
    }

    /// Runs a generator that has an object of its own.
    pub(super) fn run_generator(
        &self,
        object: &Resource,
        session: &mut BuildSession,
    ) -> Option<Resource> {
        if !is_builtin(object, session) {
            return None;
        }
        let (kind, shape) = match object.kind() {
            "ConfigMapGenerator" => (GeneratedKind::ConfigMap, &CONFIG_MAP_GENERATOR),
            "SecretGenerator" => (GeneratedKind::Secret, &SECRET_GENERATOR),
            "IAMPolicyGenerator" => return generate_account(object, session),
            "HelmChartInflationGenerator" => {
                let what = format!("what {} makes", object.id().shown());
                let why = "only helm can render it";
                session.findings.not_seen(what, why, object.name_place());
                return None;
            }
            kind => {
                let message = format!("`{kind}` is no generator of kustomize");
                let place = object.name_place();
                let problem = Problem::new(ProblemKind::Refused, message, place);
                session.findings.refuse(problem);
                return None;
            }
        };
        let mut fields = object.root.clone();
        for key in ["name", "namespace"] {
            let own = fields.find_text(&[key]).unwrap_or_default();
            if own.is_empty()
                && let Some(named) = object.root.find(&["metadata", key])
            {
                fields.set(key, named.clone());
            }
        }
        let path = object.kind();
        let lenient = Strictness::Lenient;
        if !bring_into_shape(&mut fields, shape, lenient, path, &mut session.findings) {
            return None;
        }
        let entry = GeneratorEntry {
            kind,
            fields: &fields,
            shared_options: None,
            with_env: false,
        };
        self.generated(&entry, || plugin_maker(object), session)
    }

    fn run_transformer(
        &self,
        object: &Resource,
        session: &mut BuildSession,
        resources: &mut Resources,
    ) {
        if !is_builtin(object, session) {
            return;
        }
        let kind = object.kind();
        let findings = &mut session.findings;
        if kind == "HashTransformer" {
            append_hashes(resources, findings);
            return;
        }
        if PATCH_TRANSFORMERS.contains(&kind) {
            self.run_patch_transformer(object, findings, resources);
            return;
        }
        if !run_builtin(resources, &object.root, &self.loader, findings) {
            let message = format!("`{kind}` is no transformer of kustomize");
            let place = object.name_place();
            findings.refuse(Problem::new(ProblemKind::Refused, message, place));
        }
    }

    /// Runs a transformer that patches, as the field of a kustomization that stands for it.
    fn run_patch_transformer(
        &self,
        object: &Resource,
        findings: &mut Findings,
        resources: &mut Resources,
    ) {
        let root = &object.root;
        let pick = |names: &[(&str, &str)]| {
            let mut picked = Field::mapping(root.origin.clone());
            for (from, to) in names {
                if let Some(field) = root.get(from) {
                    picked.set(to, field.clone());
                }
            }
            let mut list = Field::sequence(root.origin.clone());
            if let Some(items) = list.items_mut() {
                items.push(picked);
            }
            list
        };
        let loader = &self.loader;
        match object.kind() {
            "PatchTransformer" => {
                let same = ["path", "patch", "target", "options"].map(|name| (name, name));
                apply_patches(resources, &pick(&same), loader, findings);
            }
            "PatchJson6902Transformer" => {
                let names = [("path", "path"), ("jsonOp", "patch"), ("target", "target")];
                apply_json_patches(resources, &pick(&names), loader, findings);
            }
            "ReplacementTransformer" => {
                if let Some(list) = root.get("replacements") {
                    apply_replacements(resources, list, loader, findings);
                }
            }
            _ => {
                let mut list = Field::sequence(root.origin.clone());
                let paths = root.get("paths").and_then(Field::items).unwrap_or_default();
                let inline = root
                    .get("patches")
                    .filter(|field| field.as_text().is_some());
                if let Some(items) = list.items_mut() {
                    items.extend(paths.iter().cloned());
                    items.extend(inline.cloned());
                }
                apply_strategic_merges(resources, &list, loader, findings);
            }
        }
    }

    /// Puts the hashes into names, follows all names that changed, and puts in the `vars`.
    pub(crate) fn finish_names(session: &mut BuildSession, accumulation: &mut Accumulation) {
        let config = session.config_of(accumulation);
        append_hashes(&mut accumulation.resources, &mut session.findings);
        fix_name_references(&mut accumulation.resources, &mut session.findings, &config);
        let before = session.mark();
        resolve_variables(accumulation, &config, &mut session.findings);
        session.excuse_since(before, accumulation.gaps);
    }
}

/// Returns whether kustomize has the generator or transformer built in; others are programs, and not seen.
fn is_builtin(object: &Resource, session: &mut BuildSession) -> bool {
    let builtin = object.group().is_empty() && object.version() == "builtin";
    if !builtin {
        let what = format!("what {} does", object.id().shown());
        let why = "it is a program, and programs are not run";
        session.findings.not_seen(what, why, object.name_place());
    }
    builtin
}

fn generate_account(object: &Resource, session: &mut BuildSession) -> Option<Resource> {
    let mut fields = object.root.clone();
    let shape = &IAM_POLICY_GENERATOR;
    let findings = &mut session.findings;
    if !bring_into_shape(
        &mut fields,
        shape,
        Strictness::Lenient,
        object.kind(),
        findings,
    ) {
        return None;
    }
    let mut made = generate_service_account(&fields, findings)?;
    if session.notes_provenance {
        made.provenance.maker = Some(plugin_maker(object));
    }
    Some(made)
}

fn plugin_maker(object: &Resource) -> ObjectMaker {
    let file = object.provenance.maker.as_ref().map(ObjectMaker::path);
    let version = object.root.find_text(&["apiVersion"]).unwrap_or_default();
    ObjectMaker::plugin(
        file.unwrap_or_default().to_owned(),
        [version, object.kind(), object.name(), object.namespace()],
        object.root.origin.clone(),
    )
}

/// Notes a transformer on each object; on one without a maker, the transformer has made it.
fn note_transformer(maker: &ObjectMaker, resources: &mut Resources) {
    for resource in &mut resources.list {
        if resource.provenance.maker.is_none() {
            resource.provenance.maker = Some(maker.clone());
        } else {
            resource.provenance.transformers.push(maker.clone());
        }
    }
}

impl Resource {
    /// Returns what a validator may not change: everything but the label that says that it ran.
    fn without_validation(&self) -> serde_json::Value {
        let mut value = self.root.to_json();
        if let Some(labels) = value.pointer_mut("/metadata/labels")
            && let Some(labels) = labels.as_object_mut()
        {
            labels.shift_remove("validated-by");
        }
        if value
            .pointer("/metadata/labels")
            .is_some_and(|labels| labels.as_object().is_some_and(serde_json::Map::is_empty))
            && let Some(metadata) = value.pointer_mut("/metadata")
            && let Some(metadata) = metadata.as_object_mut()
        {
            metadata.shift_remove("labels");
        }
        value
    }
}
