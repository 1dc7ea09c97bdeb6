//! `kiln build`: what reaches the API server.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use kustomize::{BuildOptions, Resource};

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::flux_inputs::{FluxChoices, FluxInputs, applied};
use crate::cli::folder_files::FolderFiles;
use crate::cli::found_in_tree::FoundInTree;
use crate::cli::printer::Printer;
use crate::cli::report::build::{self as report, BuildReport, ListedObject, RefusedBuild};
use crate::cli::report::place_names::PlaceNames;
use crate::cli::report::unseen::{self, UnseenNote};
use crate::cli::repository_tree::RepositoryTree;
use crate::cli::settings::Settings;
use crate::diagnostic::Diagnostic;
use crate::flux::{
    AppliedObject, AppliedObjects, FluxProblem, ObjectKey, TreeFiles, without_secrets,
};
use crate::fs::Disk;

/// The names of a kustomization file.
const KUSTOMIZATION_FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

const MORE: &str = "\
Without DIR, or where it has no kustomization.yaml, it prints what Flux applies of the repository
on disk: from the `FluxInstance` or the files of `flux bootstrap` over all Flux Kustomizations,
their variables filled in, each object under a comment with its owner. It needs no cluster, no
network, no key and no Kiln project. What cannot be told from the files is listed on stderr as
not seen.

With a DIR that has a kustomization.yaml it prints what `kustomize build DIR` prints.

Values of Secrets show as `…`; what is sealed stays ciphertext, and a variable from a Secret
stays `${NAME}`.

Examples:
  kiln build                                     What Flux applies
  kiln build --owner flux-system/apps            What one Flux Kustomization applies
  kiln build --kind Deployment -n default        Some objects
  kiln build -o name                             Their names
  kiln build --origin | grep image:              The file and line of each value
  kiln build kubernetes/apps/default/echo/app    What kustomize makes of a folder";

/// Print what Flux applies, or what kustomize makes of a folder
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct BuildArgs {
    /// The folder to build, or a folder of the repository [default: the current one]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The form of the objects
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: BuildFormat,
    /// Only what a Flux Kustomization applies itself
    #[arg(long = "owner", value_name = "NAMESPACE/NAME", value_parser = owner)]
    owners: Vec<ObjectKey>,
    /// Only objects of a namespace
    #[arg(short, long = "namespace", value_name = "NAMESPACE")]
    namespaces: Vec<String>,
    /// Only objects of a kind
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Tell the file and line that each value comes from
    #[arg(long)]
    origin: bool,
    /// Show the values of Secrets that stand in the open
    #[arg(long)]
    show_secrets: bool,
    /// Which files a kustomization in DIR may name
    #[arg(long, value_enum, value_name = "RULE", default_value_t)]
    load_restrictor: LoadRestrictor,
    #[command(flatten)]
    flux: FluxChoices,
}

/// The form of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum BuildFormat {
    /// YAML documents.
    #[default]
    #[value(help = None)]
    Yaml,
    /// For programs, by `schemas/build.schema.json`.
    #[value(help = None)]
    Json,
    /// Kind, namespace and name, a line each.
    #[value(help = None)]
    Name,
}

/// Which files a kustomization may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LoadRestrictor {
    /// Those in its folder and below.
    #[default]
    #[value(help = None)]
    RootOnly,
    /// All.
    #[value(help = None)]
    None,
}

fn owner(text: &str) -> Result<ObjectKey, String> {
    let (namespace, name) = text.split_once('/').ok_or("there is no `/` in it")?;
    Ok(ObjectKey::new(namespace, name))
}

/// Builds and prints.
pub fn run(
    args: &BuildArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let folder = args.folder.as_deref().unwrap_or(Path::new(""));
    let folder = settings.directory.join(folder);
    let has_kustomization = || {
        let names = KUSTOMIZATION_FILES.iter();
        names
            .map(|name| folder.join(name))
            .any(|file| file.is_file())
    };
    if args.folder.is_some() && has_kustomization() {
        return build_folder(args, &folder, settings, printer);
    }
    let tree = RepositoryTree::find(&folder)?;
    printer.in_project(&tree.root);
    build_tree(args, &tree, settings, printer)
}

impl BuildArgs {
    fn takes(&self, object: &kustomize::Field) -> bool {
        let is_one_of = |wanted: &[String], path: &[&str]| {
            let text = object.find_text(path).unwrap_or_default();
            wanted.is_empty() || wanted.iter().any(|one| one == text)
        };
        is_one_of(&self.namespaces, &["metadata", "namespace"]) && is_one_of(&self.kinds, &["kind"])
    }

    fn built<'b>(&self, object: &'b kustomize::Field) -> ListedObject<'b> {
        ListedObject {
            object: if self.show_secrets {
                std::borrow::Cow::Borrowed(object)
            } else {
                without_secrets(object)
            },
            owner: None,
            remarks: Vec::new(),
            root: None,
        }
    }

    fn print(
        &self,
        built: &BuildReport<'_>,
        problems: &[Diagnostic],
        printer: &mut Printer,
    ) -> Result<CommandOutcome, CommandError> {
        let text = match self.output {
            BuildFormat::Yaml => report::yaml(built),
            BuildFormat::Json => report::json(built),
            BuildFormat::Name => report::names(built),
        };
        printer.data(&text)?;
        printer.report(problems)?;
        if self.output != BuildFormat::Json && !printer.is_quiet() {
            let notes = unseen::list(&built.unseen, printer.is_verbose());
            printer.talk(&notes);
        }
        let failed = problems.iter().any(Diagnostic::is_error);
        Ok(if failed {
            CommandOutcome::Findings
        } else {
            CommandOutcome::Clean
        })
    }
}

fn build_tree(
    args: &BuildArgs,
    tree: &RepositoryTree,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let inputs = FluxInputs::gather(tree, &args.flux, args.show_secrets, settings)
        .map_err(CommandError::unanswered)?;
    let files = tree.files()?;
    let options = inputs.options(tree, &files)?;
    let applied = applied(&files, &options, tree)?;
    let trees: Vec<&TreeFiles<'_>> = [&files]
        .into_iter()
        .chain(options.sources.values())
        .collect();
    let owners = chosen_owners(args, &applied)?;
    let places = PlaceNames::new(str::to_owned);
    let several = applied.roots.len() > 1;
    let taken = applied.objects.iter().filter(|object| {
        owners
            .as_ref()
            .is_none_or(|owners| owners.contains(&object.build))
            && args.takes(&object.field)
    });
    let objects = taken.filter_map(|object| {
        let (root, owner, remarks) = told_of(object, &applied)?;
        Some(ListedObject {
            owner: Some(owner),
            remarks,
            root: several.then_some(root),
            ..args.built(&object.field)
        })
    });
    let found = FoundInTree {
        applied: &applied,
        owners: owners.as_deref(),
    };
    let report = BuildReport {
        objects: objects.collect(),
        refused: found.refused(),
        unseen: found.unseen(&places),
        places: &places,
        origins: args.origin,
    };
    let problems = found.diagnostics(&trees);
    let outcome = args.print(&report, &problems, printer)?;
    printer.status(found.summary(
        report.objects.len(),
        report.refused.len(),
        report.unseen.len(),
    ));
    Ok(outcome)
}

/// Returns the builds that the arguments ask for; `None` for all.
fn chosen_owners(
    args: &BuildArgs,
    applied: &AppliedObjects,
) -> Result<Option<Vec<usize>>, CommandError> {
    if args.owners.is_empty() {
        return Ok(None);
    }
    let mut found = Vec::new();
    for owner in &args.owners {
        let builds = applied.builds.iter().enumerate();
        let before = found.len();
        found.extend(
            builds
                .filter(|(_, build)| build.owner == *owner && build.is_reached())
                .map(|(index, _)| index),
        );
        if found.len() == before {
            let known: Vec<String> = applied
                .builds
                .iter()
                .map(|build| build.owner.to_string())
                .collect();
            let error =
                CommandError::failed(format!("Flux applies no Kustomization `{owner}` here"));
            let near =
                crate::diagnostic::closest(&owner.to_string(), known.iter().map(String::as_str))
                    .map(str::to_owned);
            return Err(match near {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`kiln list kustomizations` lists all"),
            });
        }
    }
    Ok(Some(found))
}

/// Returns the folder of the root of an object, its owner, and what is to be known of that; `None` where no root
/// reaches it.
fn told_of<'a>(
    object: &AppliedObject,
    applied: &'a AppliedObjects,
) -> Option<(&'a str, String, Vec<&'static str>)> {
    let build = applied.build_of(object);
    let root = applied.roots.get(build.root?)?;
    let remarks = [
        (build.suspended, "suspended"),
        (build.elsewhere, "for another cluster"),
    ];
    let remarks = remarks.into_iter().filter(|(holds, _)| *holds);
    Some((
        root.folder.as_str(),
        format!("Kustomization/{}", build.owner),
        remarks.map(|(_, remark)| remark).collect(),
    ))
}

/// Builds a folder as `kustomize build` does.
///
/// Inside of a git repository nothing outside of it is read; elsewhere a base may be anywhere.
fn build_folder(
    args: &BuildArgs,
    folder: &Path,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    if !args.owners.is_empty() || args.flux.is_given() {
        let message = "`--owner`, `--root`, `--source`, `--values` and `--lenient` ask for what Flux applies, and DIR is a folder with a kustomization.yaml";
        return Err(
            CommandError::failed(message).hint("leave DIR out, or name the root of the repository")
        );
    }
    let tree = RepositoryTree::find(folder)?;
    let here = Disk::open(folder)?.root().to_owned();
    let root = if tree.is_repository {
        tree.root.clone()
    } else {
        here.ancestors()
            .last()
            .map_or(tree.root.clone(), Path::to_owned)
    };
    printer.in_project(&root);
    let path = here.strip_prefix(&root).ok().and_then(Path::to_str);
    let path = path.ok_or_else(|| {
        CommandError::failed(format!("the name of `{}` is not Unicode", here.display()))
    })?;
    let files = FolderFiles::new(Disk::open(&root)?);
    let options = BuildOptions {
        files_from_anywhere: args.load_restrictor == LoadRestrictor::None,
    };
    let built = kustomize::build(&files, path, options);
    let shown = |path: &str| shown_path(path, &root, tree.is_repository, settings);
    let places = PlaceNames::new(shown);
    let find = |place: &kustomize::Place| {
        Some(FolderFiles::place(place, &|path| {
            shown_path(path, &root, tree.is_repository, settings)
        }))
    };
    let problems: Vec<FluxProblem> = built
        .findings
        .problems
        .into_iter()
        .map(FluxProblem::of_kustomize)
        .collect();
    let objects = built
        .resources
        .iter()
        .map(|resource: &Resource| &resource.root);
    let refused = (!problems.is_empty()).then(|| RefusedBuild {
        owner: None,
        folder: path.to_owned(),
        problems: problems
            .iter()
            .map(|problem| problem.message.clone())
            .collect(),
    });
    let report = BuildReport {
        objects: objects
            .filter(|object| args.takes(object))
            .map(|object| args.built(object))
            .collect(),
        refused: refused.into_iter().collect(),
        unseen: built
            .findings
            .not_seen
            .iter()
            .map(|part| UnseenNote {
                what: part.what.clone(),
                why: part.why.clone(),
                remedy: String::new(),
                owner: None,
                place: Some(places.line(&part.place)),
            })
            .collect(),
        places: &places,
        origins: args.origin,
    };
    let problems: Vec<Diagnostic> = problems
        .iter()
        .map(|problem| problem.diagnostic(&find, &[]))
        .collect();
    args.print(&report, &problems, printer)
}

/// Names a file below a root for people: relative to where they are, or as a whole.
fn shown_path(path: &str, root: &Path, is_repository: bool, settings: &Settings) -> String {
    if is_repository {
        return path.to_owned();
    }
    let full = root.join(path);
    let here = full.strip_prefix(&settings.directory);
    here.unwrap_or(&full).display().to_string()
}
