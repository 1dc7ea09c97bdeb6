//! A kustomization at work in its folder.

use std::sync::Arc;

use super::super::config::TransformerConfig;
use super::super::field::Field;
use super::super::files::{PathEntry, join};
use super::super::generate::{GeneratedKind, GeneratorEntry, generate};
use super::super::kustomization::Kustomization;
use super::super::loader::{Loader, documents_of, is_below, settings_of};
use super::super::object::read_objects;
use super::super::place::{Place, SourceFile};
use super::super::problem::{Findings, Problem, ProblemKind};
use super::super::provenance::ObjectMaker;
use super::super::refused_key::{refused_key, refused_key_problem};
use super::super::remote::{is_remote_file, is_repository, shown_address};
use super::super::resource::Resource;
use super::super::resources::ResourceAppender;
use super::session::DEEPEST_NESTING;
use super::variable::add_variables;
use super::{Accumulation, BuildSession};

/// A kustomization and the folder it lies in.
pub(crate) struct FolderBuild<'f> {
    pub(super) loader: Loader<'f>,
    pub(super) kustomization: Kustomization,
    /// The folders of the kustomizations that lead here, the outermost first, this one last.
    folders: Arc<[String]>,
    /// The path from the folder that is built, as kustomize writes it.
    path: String,
}

/// What an entry of `resources` or `components` names.
enum NamedThing {
    File(Arc<SourceFile>),
    Folder(String),
    /// Something on another machine.
    Remote,
}

/// The version of Kubernetes' API that kustomize has built in.
const BUILT_IN_OPENAPI: &str = "v1.21.2";

/// The fields that hold generators, with what they make and the names of kustomize's own generators.
const GENERATORS: [(&str, GeneratedKind, &str); 2] = [
    (
        "configMapGenerator",
        GeneratedKind::ConfigMap,
        "ConfigMapGenerator",
    ),
    ("secretGenerator", GeneratedKind::Secret, "SecretGenerator"),
];

impl<'f> FolderBuild<'f> {
    /// Starts at the kustomization that is built.
    pub(crate) fn root(loader: Loader<'f>, kustomization: Kustomization) -> Self {
        let folders = Arc::from([loader.folder.clone()]);
        Self {
            loader,
            kustomization,
            folders,
            path: String::new(),
        }
    }

    /// Adds everything that the kustomization brings, and transforms it.
    ///
    /// A component adds to what its parent has, and so transforms that as well.
    pub(crate) fn accumulate(&self, session: &mut BuildSession, accumulation: &mut Accumulation) {
        let kustomization = &self.kustomization;
        self.note_schema(session);
        self.add_resources(kustomization.items("resources"), session, accumulation);
        self.add_configs(session, accumulation);
        self.run_generators(session, accumulation);
        self.add_components(session, accumulation);
        self.run_transformers(session, accumulation);
        self.run_validators(session, accumulation);
        self.add_own_variables(session, accumulation);
    }

    /// Says that a schema of the user's own, which decides how lists are merged, is not looked at.
    fn note_schema(&self, session: &mut BuildSession) {
        let openapi = |key: &str| self.kustomization.root.find(&["openapi", key]);
        let path = openapi("path");
        if let Some(version) = openapi("version")
            && (path.is_some() || !matches!(version.as_text(), Some("" | BUILT_IN_OPENAPI)))
        {
            let message = "kustomize does not have the version of `openapi`";
            session.findings.refuse(
                Problem::new(ProblemKind::Refused, message, version.place()).with_help(format!(
                    "Write `{BUILT_IN_OPENAPI}` or leave it out; it cannot stand beside `path`"
                )),
            );
        }
        let Some(written) = path else {
            return;
        };
        if self.loader.read(written, &mut session.findings).is_some() {
            let why = "lists are merged by the schema of Kubernetes' own kinds alone";
            let place = written.place();
            session
                .findings
                .not_seen("the schema of `openapi`", why, place);
        }
    }

    /// Adds the objects of files and folders.
    pub(super) fn add_resources(
        &self,
        items: &[Field],
        session: &mut BuildSession,
        accumulation: &mut Accumulation,
    ) {
        let Accumulation {
            resources,
            config,
            variables,
            gaps,
        } = accumulation;
        let mut appender = ResourceAppender::new(resources);
        for item in items {
            match self.locate(item, session) {
                None => gaps.broken = true,
                Some(NamedThing::Remote) => gaps.unseen = true,
                Some(NamedThing::File(file)) => match self.objects_of(&file, item, session) {
                    Some(objects) => {
                        for object in objects {
                            appender.append(object, item.place(), &mut session.findings);
                        }
                    }
                    None => gaps.broken = true,
                },
                Some(NamedThing::Folder(folder)) => {
                    match self.enter(item, folder, false, session) {
                        Some(below) => {
                            let mut gathered = Accumulation::default();
                            below.accumulate(session, &mut gathered);
                            for object in gathered.resources.list {
                                appender.append(object, item.place(), &mut session.findings);
                            }
                            if let Some(below) = &gathered.config {
                                session.add_config(config, Some(below), item.place());
                            }
                            add_variables(variables, gathered.variables, &mut session.findings);
                            gaps.add(gathered.gaps);
                        }
                        None => gaps.broken = true,
                    }
                }
            }
        }
    }

    fn objects_of(
        &self,
        file: &Arc<SourceFile>,
        item: &Field,
        session: &mut BuildSession,
    ) -> Option<Vec<Resource>> {
        let documents = documents_of(file, &mut session.findings)?;
        refuse_keys(file, &mut session.findings);
        let mut objects = read_objects(documents, &mut session.findings)?;
        for object in &mut objects {
            object.way = Arc::clone(&self.folders);
        }
        if session.notes_provenance {
            let path = self.path_of(item.as_text().unwrap_or_default());
            for object in &mut objects {
                let maker = ObjectMaker::file(path.clone(), item.origin.clone());
                object.provenance.maker = Some(maker);
            }
        }
        Some(objects)
    }

    /// Finds what an entry names; what is remote is noted as not seen.
    fn locate(&self, item: &Field, session: &mut BuildSession) -> Option<NamedThing> {
        let text = item.as_text().unwrap_or_default();
        let at_hand = join(&self.loader.folder, text)
            .map_or(PathEntry::Missing, |path| self.loader.files.entry(&path));
        let is_file = matches!(at_hand, PathEntry::File(_));
        if is_remote_file(text) || (!is_file && is_repository(text)) {
            let what = format!("the resource `{}`", shown_address(text));
            let why = "it lies on another machine";
            session.findings.not_seen(what, why, item.place());
            return Some(NamedThing::Remote);
        }
        if text.is_empty() {
            let problem = Problem::new(ProblemKind::Malformed, "the entry is empty", item.place());
            session.findings.refuse(problem);
            return None;
        }
        if let PathEntry::Missing = at_hand
            && let Some(path) = self.loader.resolve(item, &mut session.findings)
        {
            let message = format!("there is no file or folder `{text}`");
            let mut problem = Problem::new(ProblemKind::Missing, message, item.place());
            if path != text {
                problem = problem.with_help(format!("It would be `{path}`"));
            }
            session.findings.refuse(problem);
            return None;
        }
        let PathEntry::Folder = at_hand else {
            let file = self.loader.read(item, &mut session.findings)?;
            return Some(NamedThing::File(file));
        };
        if let Some(step) = text.split('/').find(|step| is_ambiguous(step)) {
            let message = format!("`{step}` in the path looks like two entries of the list");
            session.findings.refuse(
                Problem::new(ProblemKind::Malformed, message, item.place())
                    .with_help("Indent the entries of the list alike"),
            );
            return None;
        }
        let folder = self.loader.resolve(item, &mut session.findings)?;
        Some(NamedThing::Folder(folder))
    }

    /// Opens the kustomization of a folder that this one names.
    fn enter(
        &self,
        item: &Field,
        folder: String,
        as_component: bool,
        session: &mut BuildSession,
    ) -> Option<Self> {
        let place = item.place();
        let text = item.as_text().unwrap_or_default();
        let refuse = |session: &mut BuildSession, kind, message: String, help: &str| {
            let problem = Problem::new(kind, message, place).with_help(help);
            session.findings.refuse(problem);
        };
        if self
            .folders
            .iter()
            .any(|visited| *visited == folder || is_below(&folder, visited))
        {
            let message = format!("`{text}` leads back to a kustomization that names this one");
            let help = "Name folders that lie beside or below this one, and do not name it in turn";
            refuse(session, ProblemKind::Circle, message, help);
            return None;
        }
        if self.folders.len() >= DEEPEST_NESTING {
            let message = format!("kustomizations nest deeper than {DEEPEST_NESTING} folders");
            refuse(
                session,
                ProblemKind::Circle,
                message,
                "Look for symlinks that lead upwards",
            );
            return None;
        }
        if !session.enters_folder(place) {
            return None;
        }
        let loader = self.loader.at(folder);
        let kustomization = Kustomization::find(&loader, Some(place), &mut session.findings)?;
        if kustomization.is_component != as_component {
            let (message, help) = if as_component {
                let message = format!("`{text}` is no Component");
                (
                    message,
                    "Move it to `resources`, or give it `kind: Component`",
                )
            } else {
                (
                    format!("`{text}` is a Component"),
                    "Move it to `components`",
                )
            };
            refuse(session, ProblemKind::Refused, message, help);
            return None;
        }
        let above = self.folders.iter().cloned();
        let folders = above.chain([loader.folder.clone()]).collect();
        Some(Self {
            loader,
            kustomization,
            folders,
            path: self.path_of(text),
        })
    }

    /// Adds the field specs that are built in, with those of `configurations`, then those of `crds`.
    fn add_configs(&self, session: &mut BuildSession, accumulation: &mut Accumulation) {
        let place = self.place();
        let custom = self.read_configs("configurations", TransformerConfig::read, session);
        let config = &mut accumulation.config;
        if let Some(custom) = custom {
            let mut own = None;
            session.add_config(&mut own, None, place);
            session.add_config(&mut own, Some(&custom), place);
            session.add_config(config, own.as_ref(), place);
        } else {
            session.add_config(config, None, place);
        }
        let types = self.read_configs("crds", TransformerConfig::read_definitions, session);
        if types.is_some() {
            session.add_config(config, types.as_ref(), place);
        }
    }

    fn read_configs(
        &self,
        name: &str,
        read: fn(&Field, &mut Findings) -> TransformerConfig,
        session: &mut BuildSession,
    ) -> Option<Arc<TransformerConfig>> {
        let mut all = None;
        for item in self.kustomization.items(name) {
            let file = self.loader.read(item, &mut session.findings);
            let root = file.and_then(|file| settings_of(&file, &mut session.findings));
            if let Some(root) = root {
                let config = Arc::new(read(&root, &mut session.findings));
                session.add_config(&mut all, Some(&config), item.place());
            }
        }
        all
    }

    fn run_generators(&self, session: &mut BuildSession, accumulation: &mut Accumulation) {
        let before = session.mark();
        let objects = self.plugin_objects("generators", session);
        let Accumulation {
            resources, gaps, ..
        } = accumulation;
        let mut appender = ResourceAppender::new(resources);
        let shared_options = self.kustomization.root.get("generatorOptions");
        for (name, kind, plugin) in GENERATORS {
            for fields in self.kustomization.items(name) {
                let entry = GeneratorEntry {
                    kind,
                    fields,
                    shared_options,
                    with_env: true,
                };
                let maker = || self.builtin_maker(plugin, fields);
                match self.generated(&entry, maker, session) {
                    Some(made) => appender.absorb(made, &mut session.findings),
                    None => gaps.unseen = true,
                }
            }
        }
        for name in ["helmCharts", "helmChartInflationGenerator"] {
            for chart in self.kustomization.items(name) {
                let key = if name == "helmCharts" {
                    "name"
                } else {
                    "chartName"
                };
                let shown = chart.find_text(&[key]).unwrap_or_default();
                let what = format!("the chart `{shown}`");
                let place = chart.place();
                session
                    .findings
                    .not_seen(what, "only helm can render it", place);
                gaps.unseen = true;
            }
        }
        for object in objects {
            match self.run_generator(&object, session) {
                Some(made) => appender.absorb(made, &mut session.findings),
                None => gaps.unseen = true,
            }
        }
        session.excuse_since(before, *gaps);
    }

    /// Makes the object of a generator, with its provenance.
    pub(super) fn generated(
        &self,
        entry: &GeneratorEntry<'_>,
        maker: impl FnOnce() -> ObjectMaker,
        session: &mut BuildSession,
    ) -> Option<Resource> {
        let mut made = generate(entry, &self.loader, &mut session.findings)?;
        made.way = Arc::clone(&self.folders);
        if session.notes_provenance {
            made.provenance.maker = Some(maker());
        }
        Some(made)
    }

    fn add_components(&self, session: &mut BuildSession, accumulation: &mut Accumulation) {
        for item in self.kustomization.items("components") {
            let component = match self.locate(item, session) {
                None => None,
                Some(NamedThing::Remote) => {
                    accumulation.gaps.unseen = true;
                    continue;
                }
                Some(NamedThing::Folder(folder)) => self.enter(item, folder, true, session),
                Some(NamedThing::File(_)) => {
                    let text = item.as_text().unwrap_or_default();
                    let message = format!("`{text}` is a file, not the folder of a Component");
                    let place = item.place();
                    let problem = Problem::new(ProblemKind::Malformed, message, place);
                    session.findings.refuse(problem);
                    None
                }
            };
            match component {
                Some(component) => {
                    component.accumulate(session, accumulation);
                    accumulation
                        .resources
                        .refuse_duplicates(item.place(), &mut session.findings);
                }
                None => accumulation.gaps.broken = true,
            }
        }
    }

    /// Returns the path of something in this folder, from the folder that is built.
    pub(super) fn path_of(&self, written: &str) -> String {
        let mut steps: Vec<&str> = self
            .path
            .split('/')
            .filter(|step| !step.is_empty())
            .collect();
        for step in written.split('/') {
            match step {
                "" | "." => {}
                ".." if steps.last().is_some_and(|last| *last != "..") => {
                    steps.pop();
                }
                step => steps.push(step),
            }
        }
        steps.join("/")
    }

    /// Describes one of kustomize's own generators or transformers, as this kustomization asks for it.
    pub(super) fn builtin_maker(&self, kind: &str, field: &Field) -> ObjectMaker {
        let file = self.path_of(&self.kustomization.file_name);
        ObjectMaker::builtin(file, kind, field.origin.clone())
    }

    /// Returns the place of the kustomization.
    pub(super) fn place(&self) -> &Place {
        self.kustomization.root.place()
    }
}

/// Returns whether a step of a path holds `..` between other letters, as two list entries in one line make it.
fn is_ambiguous(step: &str) -> bool {
    !matches!(step, "." | "..") && step.contains("..")
}

/// Refuses the keys in a file that kustomize cannot write as JSON.
fn refuse_keys(file: &Arc<SourceFile>, findings: &mut Findings) {
    let Ok(documents) = file.documents() else {
        return;
    };
    for (index, document) in documents.iter().enumerate() {
        if let Some((span, kind)) = refused_key(&document.root, file.bytes()) {
            findings.refuse(refused_key_problem(kind, &Place::new(file, index, span)));
        }
    }
}
