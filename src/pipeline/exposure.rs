//! What of a rendering everybody can read although it depends on a secret, and what nothing here knows.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rayon::prelude::*;
use serde_json::Value;

use super::World;
use crate::config::cluster::Cluster;
use crate::diagnostic::{Diagnostic, StageResult};
use crate::render::{
    self, Context, Library, OtherInputs, OtherRendering, Rendering, ReplacedFiles,
};
use crate::rules::{Leak, find_leaks};
use crate::seal::{self, Rules};
use crate::secret::KEY_FILES;
use crate::tree::{Rendered, Tree};
use crate::validate::{self, Schema};

/// What depends on secrets and is open.
#[derive(Default)]
pub(super) struct Exposure {
    pub(super) leaks: Vec<Leak>,
    /// What fails with other secrets.
    pub(super) failures: Vec<Diagnostic>,
    /// The same tree with other values made up, if some are made up.
    pub(super) unseen: Option<Tree<Rendered>>,
}

impl Exposure {
    /// Takes the other renderings, and finds what is open and depends on a secret: by the first, in which all secrets are
    /// others. The second, if there is one, is that of what is made up.
    ///
    /// `named` are the files that a rule names, in every rendering.
    pub(super) fn of(rendering: &mut Rendering, rules: &Rules, named: &BTreeSet<String>) -> Self {
        let mut others = std::mem::take(&mut rendering.others).into_iter();
        let Some(OtherRendering { tree, failures }) = others.next() else {
            return Self::default();
        };
        let tree = tree.with_secrets(named);
        let open_part = |file: &_| seal::open_part(file, rules);
        Self {
            leaks: find_leaks(&rendering.tree, &tree, &open_part),
            failures,
            unseen: others.next().map(|other| other.tree.with_secrets(named)),
        }
    }
}

/// What renderings of a project are made from.
#[derive(Clone, Copy)]
pub(super) struct Renderer<'r> {
    pub(super) world: &'r World<'r>,
    pub(super) schema: &'r Schema,
    pub(super) cluster: &'r Cluster,
    pub(super) library: &'r Library,
}

/// The config with other values in some places; nothing is computed where nothing is replaced.
fn other_values<'v>(
    renderer: Renderer<'v>,
    pointers: impl IntoIterator<Item = &'v String>,
) -> Cow<'v, Value> {
    let mut pointers = pointers.into_iter().map(String::as_str).peekable();
    if pointers.peek().is_none() {
        return Cow::Borrowed(&renderer.cluster.values);
    }
    Cow::Owned(validate::other_values(
        renderer.cluster,
        renderer.schema,
        pointers,
    ))
}

impl<'r> Renderer<'r> {
    /// Renders, renders again with other secrets, and with other values in the place of those that are made up, if some
    /// are.
    pub(super) fn render(self) -> StageResult<Rendering> {
        let cluster = self.cluster;
        let values = other_values(self, &cluster.secret_pointers);
        let keys = KEY_FILES.map(str::to_owned).into_iter();
        let secret = OtherInputs {
            values: &values,
            files: ReplacedFiles::AllSecret(keys.chain(cluster.secret_files.clone()).collect()),
        };
        let unseen = other_values(self, cluster.made_up.keys());
        let mut rendering = self.render_with(&|number| match number {
            0 => Some(secret.clone()),
            1 => self.made_up(&unseen),
            _ => None,
        })?;
        let unproved = validate::warn_of_unproved(cluster, &values);
        rendering.warnings.extend(unproved);
        Ok(rendering)
    }

    /// Returns what to render from where some values or files are made up; which files are is known once all are read.
    fn made_up(self, values: &Value) -> Option<OtherInputs<'_>> {
        let files = self.world.files.made_up();
        let is_any = !files.is_empty() || !self.cluster.made_up.is_empty();
        is_any.then_some(OtherInputs {
            values,
            files: ReplacedFiles::MadeUp(files),
        })
    }

    fn render_with<'o>(
        self,
        others: &'o (dyn Fn(usize) -> Option<OtherInputs<'o>> + Sync),
    ) -> StageResult<Rendering>
    where
        'r: 'o,
    {
        let context = Context {
            others,
            ..self.cluster.into()
        };
        render::render(context, self.library, &self.world.files)
    }

    /// Renders once more for other inputs.
    fn render_others(self, others: &[OtherInputs<'_>]) -> Vec<OtherRendering> {
        let rendering = self.render_with(&|number| others.get(number).cloned());
        rendering.map_or_else(|_| Vec::new(), |rendering| rendering.value.others)
    }

    /// Finds what is open and depends on a secret, and on which; see [`Exposure::of`].
    pub(super) fn expose(
        self,
        rendering: &mut Rendering,
        rules: &Rules,
        named: &BTreeSet<String>,
    ) -> Exposure {
        let mut exposure = Exposure::of(rendering, rules, named);
        if !exposure.leaks.is_empty() {
            self.name_origins(rendering, (rules, named), &mut exposure.leaks);
        }
        exposure
    }

    /// Replaces one source of secrets after the other, and sees which leaks move.
    fn name_origins(
        self,
        rendering: &Rendering,
        (rules, named): (&Rules, &BTreeSet<String>),
        leaks: &mut [Leak],
    ) {
        let pointers = self.cluster.secret_pointers.iter();
        let read = rendering.secret_files.iter();
        let files: BTreeSet<&String> = read.chain(&self.cluster.secret_files).collect();
        let values = pointers
            .clone()
            .map(|pointer| other_values(self, [pointer]));
        let values: Vec<Cow<'_, Value>> = values.collect();
        let origins = pointers.map(|pointer| pointer.trim_start_matches('/').replace('/', "."));
        let origins = origins.chain(files.iter().map(|path| (*path).clone()));
        let by_config = values.iter().map(|values| OtherInputs {
            values,
            files: ReplacedFiles::Secret(BTreeSet::new()),
        });
        let by_file = files.iter().map(|path| OtherInputs {
            values: &self.cluster.values,
            files: ReplacedFiles::Secret(BTreeSet::from([(*path).clone()])),
        });
        let others: Vec<OtherInputs<'_>> = by_config.chain(by_file).collect();
        let open_part = |file: &_| seal::open_part(file, rules);
        let others = self.render_others(&others).into_iter();
        let others: Vec<Tree<Rendered>> =
            others.map(|other| other.tree.with_secrets(named)).collect();
        let found: Vec<Vec<Leak>> = others
            .par_iter()
            .map(|other| find_leaks(&rendering.tree, other, &open_part))
            .collect();
        for (origin, moved) in origins.zip(&found) {
            let moved: BTreeSet<_> = moved.iter().map(Leak::spot).collect();
            for leak in leaks.iter_mut().filter(|leak| moved.contains(&leak.spot())) {
                leak.origins.insert(origin.clone());
            }
        }
    }
}
