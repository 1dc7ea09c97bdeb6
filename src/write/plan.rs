//! What would change on disk, decided before anything does.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::fs::{self, Claim, Folder, FolderEntry, parents};
use crate::source::Source;
use crate::tree::output_path::{LOCK_FILE, folded};
use crate::tree::{Sealed, SealedFile, Tree};
use crate::write::apply::{self, Interruption, Observer, WriteStep};
use crate::write::digest::Digest;
use crate::write::foreign::{self, ForeignFile};
use crate::write::journal::{FileChange, JOURNAL, Recovery, UNDO};
use crate::write::lock::{self, KILN, List, Owned};
use crate::write::report::WriteReport;
use crate::write::stage::{self, Pending};
use crate::write::{HOME, Target, WriteError, problem};

/// An output folder with the exclusive right to change it, held until this or the plan made with it is dropped.
#[derive(Debug)]
pub struct ClaimedFolder {
    pub(super) folder: Folder,
    pub(super) claim: Claim,
    pub(super) recovery: Recovery,
}

/// How to plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlanOptions {
    /// Overwrites and removes outputs that were edited by hand; never files that are not Kiln's.
    pub force: bool,
    /// Changes nothing on disk, neither now nor on [`WritePlan::apply`]; needs no permission to write.
    pub dry_run: bool,
}

/// What would change on disk, with the exclusive right to change it.
#[derive(Debug)]
pub struct WritePlan<'t> {
    folder: Folder,
    /// `None` for a dry run, and where there is nothing to do.
    claim: Option<Claim>,
    pending: Vec<Pending<'t>>,
    report: WriteReport,
}

impl WritePlan<'_> {
    /// Returns what will be done.
    pub fn report(&self) -> &WriteReport {
        &self.report
    }

    /// Makes the changes, all or none, and returns what was done; for a dry run, what would be.
    ///
    /// Outputs that someone changed after they were planned are kept and reported as edited.
    pub fn apply(self) -> Result<WriteReport, WriteError> {
        self.apply_with(&mut |_| Ok(()))
    }

    /// Does as [`apply`](Self::apply), with an observer that is called after each step and can
    /// interrupt, so that tests can show what a crash leaves.
    pub fn apply_with(
        mut self,
        observer: &mut dyn FnMut(WriteStep<'_>) -> Result<(), Interruption>,
    ) -> Result<WriteReport, WriteError> {
        if self.claim.is_none() || self.pending.is_empty() {
            return Ok(self.report);
        }
        let mut observer = Observer(observer);
        // Since the plan was made, others may have put a symlink where a folder was.
        let folder = self.folder.anew();
        let journal = stage::stage(&folder, &self.pending, &mut observer)?;
        for path in apply::complete(&folder, &journal, &mut observer)? {
            let shown = folder.shown(&path);
            let report = &mut self.report;
            for list in [
                &mut report.created,
                &mut report.changed,
                &mut report.removed,
            ] {
                list.retain(|other| *other != shown);
            }
            report.edited.push(shown);
        }
        self.report.edited.sort_unstable();
        Ok(self.report)
    }
}

/// Compares a tree with the output folder and decides what to do.
///
/// Unless it is a dry run or there is nothing to do, claims the folder until the plan is dropped or applied,
/// and completes an earlier run that was killed. The warnings are outputs edited by hand; the errors, on which
/// nothing may be written, are files that are not Kiln's, places where no output can go, and a
/// `kiln.lock` that cannot be read.
pub fn plan<'t>(
    tree: &'t Tree<Sealed>,
    target: &Target<'_>,
    options: PlanOptions,
) -> Result<StageResult<WritePlan<'t>>, WriteError> {
    let folder = target.folder()?;
    if options.dry_run {
        if folder.entry(JOURNAL)? != FolderEntry::Missing
            || folder.entry(UNDO)? != FolderEntry::Missing
        {
            return Ok(Err(vec![problem::interrupted(&folder.shown("."))]));
        }
        return compare(tree, folder, target, options);
    }
    // Where nobody is at work and nothing is left, that there is nothing to do is seen without a claim.
    if folder.entry(HOME)? == FolderEntry::Missing {
        let planned = compare(tree, folder.anew(), target, options)?;
        if !matches!(&planned, Ok(planned) if !planned.value.pending.is_empty()) {
            return Ok(planned);
        }
    }
    super::claim(target)?.plan(tree, target, options)
}

impl ClaimedFolder {
    /// Does as [`fn@plan`], under this claim, which the plan takes over; the target is that of the claim.
    pub fn plan<'t>(
        self,
        tree: &'t Tree<Sealed>,
        target: &Target<'_>,
        options: PlanOptions,
    ) -> Result<StageResult<WritePlan<'t>>, WriteError> {
        // Since the folder was claimed, others may have put a symlink where a folder was.
        let compared = compare(tree, self.folder.anew(), target, options)?;
        Ok(compared.map(|mut planned| {
            planned.value.claim = Some(self.claim);
            planned.value.report.recovery = self.recovery;
            planned
        }))
    }
}

/// Compares a tree with the folder as it is.
fn compare<'t>(
    tree: &'t Tree<Sealed>,
    folder: Folder,
    target: &Target<'_>,
    options: PlanOptions,
) -> Result<StageResult<WritePlan<'t>>, WriteError> {
    let text = folder.read(LOCK_FILE)?;
    let List {
        kiln,
        outputs: owned,
    } = match &text {
        None => List::default(),
        Some(bytes) => {
            let source = Source::new(folder.shown(LOCK_FILE), String::from_utf8_lossy(bytes));
            match lock::parse(&source, &target.reserved) {
                Ok(list) => list,
                Err(problems) => return Ok(Err(problems)),
            }
        }
    };
    let mut planner = Planner {
        tree,
        folder: &folder,
        target,
        owned: &owned,
        force: options.force,
        adopts: options.force && text.is_none(),
        refused: BTreeSet::new(),
        next: Owned::new(),
        removals: BTreeSet::new(),
        pending: Vec::new(),
        problems: Vec::new(),
        foreign: Vec::new(),
        report: WriteReport::default(),
    };
    planner.check_paths();
    planner.plan_removals()?;
    planner.plan_outputs()?;
    planner.name_foreign();
    planner.order();
    planner.plan_lock(text.as_deref(), kiln.as_deref());
    let Planner {
        pending,
        problems,
        report,
        ..
    } = planner;
    let plan = WritePlan {
        folder,
        claim: None,
        pending,
        report,
    };
    Ok(Warned::unless_errors(plan, problems))
}

/// What is to be done with one output.
enum OutputFate {
    Create,
    Change(Digest),
    /// As [`Change`](Self::Change), of a file that was somebody else's.
    TakeOver(Digest),
    Keep,
    /// It is as it should be, and somebody else's.
    Leave,
    Edited(Digest),
    /// It is not as it should be, and somebody else's.
    Foreign,
    /// As [`Foreign`](Self::Foreign), and stays so.
    LeftOut,
    Problem(Diagnostic),
}

struct Planner<'t, 'p> {
    tree: &'t Tree<Sealed>,
    folder: &'p Folder,
    target: &'p Target<'p>,
    owned: &'p Owned,
    force: bool,
    /// Whether files that are just as they should be become Kiln's: only where the list is lost, and on request.
    adopts: bool,
    /// Outputs whose paths cannot be those of outputs.
    refused: BTreeSet<&'t str>,
    /// What the lock lists afterwards.
    next: Owned,
    /// Outputs to remove.
    removals: BTreeSet<String>,
    pending: Vec<Pending<'t>>,
    problems: Vec<Diagnostic>,
    /// Files that are not Kiln's, in the places of outputs.
    foreign: Vec<ForeignFile<'t>>,
    report: WriteReport,
}

impl<'t> Planner<'t, '_> {
    fn check_paths(&mut self) {
        // As a disk knows them that tells no capitals apart: the tree may be checked out on one.
        let mut places: BTreeMap<Cow<'_, str>, &str> = BTreeMap::new();
        for (path, _) in self.tree.outputs() {
            if let Some(reason) = self.target.reserved.refuse(path) {
                self.problems
                    .push(problem::bad_path(self.tree, path, &reason));
                self.refused.insert(path);
            } else if let Some(twin) = places.insert(folded(path), path) {
                self.problems.push(problem::one_file(self.tree, path, twin));
            }
        }
        for (place, path) in &places {
            if let Some(parent) = parents(place).find_map(|parent| places.get(parent)) {
                self.problems
                    .push(problem::file_and_folder(self.tree, path, parent));
            }
        }
    }

    /// Looks at the outputs of earlier runs that the tree has no more, and at what it replaces under another name. One
    /// that is gone, or has made way for something that is no file, is forgotten.
    fn plan_removals(&mut self) -> Result<(), fs::DiskError> {
        let outputs: BTreeSet<&str> = self.tree.outputs().map(|(path, _)| path).collect();
        let own = self.owned.iter().map(|(path, owned)| (path, Some(*owned)));
        let foreign = self.target.taken_over.superseded.iter();
        let foreign = foreign.filter(|path| !self.owned.contains_key(*path));
        let foreign = foreign.filter(|path| self.target.reserved.refuse(path).is_none());
        for (path, owned) in own
            .chain(foreign.map(|path| (path, None)))
            .filter(|(path, _)| !outputs.contains(path.as_str()))
        {
            let Ok(bytes) = self.folder.read_or_entry(path)? else {
                continue;
            };
            let shown = self.folder.shown(path);
            let found = Digest::of(&bytes);
            if let Some(owned) = owned
                && found != owned
                && !self.force
            {
                self.problems.push(problem::edited_stale(&shown));
                self.report.edited.push(shown);
                self.next.insert(path.clone(), owned);
                continue;
            }
            self.report.removed.push(shown);
            self.removals.insert(path.clone());
            self.pending.push(Pending {
                change: FileChange {
                    path: path.clone(),
                    before: Some(found),
                    after: None,
                },
                content: None,
                executable: false,
            });
        }
        Ok(())
    }

    fn plan_outputs(&mut self) -> Result<(), fs::DiskError> {
        let outputs: Vec<(&'t str, &'t SealedFile)> = self
            .tree
            .outputs()
            .filter(|(path, _)| !self.refused.contains(path))
            .collect();
        let fates: Vec<(Digest, OutputFate)> = outputs
            .par_iter()
            .map(|(path, file)| Ok((Digest::of(&file.bytes), self.fate(path, file)?)))
            .collect::<Result<_, fs::DiskError>>()?;
        for ((path, file), (after, fate)) in outputs.into_iter().zip(fates) {
            let shown = self.folder.shown(path);
            let (before, list) = match fate {
                OutputFate::Create => (None, &mut self.report.created),
                OutputFate::Change(before) => (Some(before), &mut self.report.changed),
                OutputFate::TakeOver(before) => {
                    self.report.taken_over.push(shown.clone());
                    (Some(before), &mut self.report.changed)
                }
                OutputFate::Keep => {
                    self.next.insert(path.to_owned(), after);
                    self.report.unchanged.push(shown);
                    continue;
                }
                OutputFate::Leave => {
                    self.report.unchanged.push(shown);
                    continue;
                }
                OutputFate::LeftOut => {
                    self.report.left_out.push(shown);
                    continue;
                }
                OutputFate::Foreign => {
                    self.foreign.push(ForeignFile { path, shown });
                    continue;
                }
                OutputFate::Edited(owned) => {
                    self.problems.push(problem::edited(self.tree, path, &shown));
                    self.next.insert(path.to_owned(), owned);
                    self.report.edited.push(shown);
                    continue;
                }
                OutputFate::Problem(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            list.push(shown);
            self.next.insert(path.to_owned(), after);
            self.pending.push(Pending {
                change: FileChange {
                    path: path.to_owned(),
                    before,
                    after: Some(after),
                },
                content: Some(Cow::Borrowed(&file.bytes)),
                executable: file.executable,
            });
        }
        self.report.edited.sort_unstable();
        Ok(())
    }

    fn fate(&self, path: &str, file: &SealedFile) -> Result<OutputFate, fs::DiskError> {
        let bytes = match self.folder.read_or_entry(path)? {
            Ok(bytes) => bytes,
            Err(found) if self.has_room(path, &found)? => return Ok(OutputFate::Create),
            Err(found) => {
                let shown = self.folder.shown(path);
                let problem = problem::in_the_way(self.tree, path, &shown, &found);
                return Ok(OutputFate::Problem(problem));
            }
        };
        let owned = self.owned.get(path);
        if bytes == file.bytes {
            let is_own = owned.is_some() || self.adopts || self.is_taken_over(path);
            return Ok(match self.folder.has_mode(path, file.executable)? {
                _ if !is_own => OutputFate::Leave,
                true => OutputFate::Keep,
                false => OutputFate::Change(Digest::of(&bytes)),
            });
        }
        let before = Digest::of(&bytes);
        Ok(match owned {
            None if self.is_taken_over(path) => OutputFate::TakeOver(before),
            None if self.target.left.contains(path) => OutputFate::LeftOut,
            None => OutputFate::Foreign,
            Some(owned) if *owned == before || self.force => OutputFate::Change(before),
            Some(owned) => OutputFate::Edited(*owned),
        })
    }

    fn is_taken_over(&self, path: &str) -> bool {
        self.target.taken_over.outputs.contains(path)
    }

    /// Names all files that are not Kiln's at once: one cause, one message.
    fn name_foreign(&mut self) {
        self.problems
            .extend(foreign::problem(self.tree, &self.foreign));
    }

    /// Whether nothing is in the way of a new file, or nothing will be once the removals are made.
    fn has_room(&self, path: &str, found: &FolderEntry) -> Result<bool, fs::DiskError> {
        match found {
            FolderEntry::Missing => Ok(true),
            FolderEntry::Below { parent, symlink } => {
                Ok(!symlink && self.removals.contains(parent))
            }
            FolderEntry::Folder => self.will_vanish(path),
            FolderEntry::File | FolderEntry::Symlink | FolderEntry::Special => Ok(false),
        }
    }

    /// Whether a folder holds nothing but outputs that will be removed, and so goes with them.
    fn will_vanish(&self, folder: &str) -> Result<bool, fs::DiskError> {
        let children = self.folder.children(folder)?;
        for (path, entry) in &children {
            let vanishes = match entry {
                FolderEntry::File => self.removals.contains(path),
                FolderEntry::Folder => self.will_vanish(path)?,
                _ => false,
            };
            if !vanishes {
                return Ok(false);
            }
        }
        Ok(!children.is_empty())
    }

    /// Puts the removals last, so that what replaces a file comes before it goes, but for those
    /// that make room: a file where a folder is to be, or the other way round.
    fn order(&mut self) {
        let contents: BTreeSet<String> = self
            .pending
            .iter()
            .filter(|pending| pending.content.is_some())
            .map(|pending| pending.change.path.clone())
            .collect();
        let makes_room = |removal: &str| {
            let inside = format!("{removal}/");
            let below = contents
                .range(inside.clone()..)
                .next()
                .is_some_and(|path| path.starts_with(&inside));
            below || parents(removal).any(|parent| contents.contains(parent))
        };
        self.pending.sort_by_key(
            |Pending {
                 change, content, ..
             }| match content {
                None if makes_room(&change.path) => 0,
                Some(_) => 1,
                None => 2,
            },
        );
    }

    /// Lists the outputs anew, as the last change; under the name of another Kiln only if there is a
    /// change, so that a new Kiln that renders the same has nothing to write.
    fn plan_lock(&mut self, text: Option<&[u8]>, kiln: Option<&str>) {
        if text.is_none() && self.next.is_empty() {
            return;
        }
        if text == Some(lock::format(kiln, &self.next).as_bytes()) {
            return;
        }
        let next = lock::format(Some(KILN), &self.next).into_bytes();
        self.report.lock_changed = true;
        self.pending.push(Pending {
            change: FileChange {
                path: LOCK_FILE.to_owned(),
                before: text.map(Digest::of),
                after: Some(Digest::of(&next)),
            },
            content: Some(Cow::Owned(next)),
            executable: false,
        });
    }
}
