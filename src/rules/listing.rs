//! Files that a rule adds beside others: named free of clashes, and listed where those are listed.

use std::collections::BTreeMap;

use kustomize::PathRole;
use serde_json::Value;

use super::plan::{NewFile, Plan, PlannedEdit};
use super::remedy::RemedyScope;
use crate::flux::Kustomization;
use crate::flux::builds::Builds;
use crate::tree::output_path::split;
use crate::yaml::Route;
use crate::yaml::edit::Insertion;

/// Which kustomizations list which files.
pub(super) struct Listings<'t>(BTreeMap<String, Vec<Listing<'t>>>);

/// A line of a kustomization that lists a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Listing<'t> {
    /// The path of the kustomization.
    kustomization: &'t str,
    /// What stands before the file's name: `./app/`.
    lead: &'t str,
}

/// A place for a new file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ListingSpot<'t> {
    folder: String,
    listed_by: Vec<Listing<'t>>,
}

/// What a rule wants to put into a new file.
pub(super) struct NewContent {
    /// The name that it gets when it is free, without `.yaml`.
    pub(super) stem: &'static str,
    /// The text: YAML.
    pub(super) text: String,
    /// The objects in it, one a document, and why each is there.
    pub(super) objects: Vec<(String, String)>,
    /// Why it is listed.
    pub(super) reason: String,
}

impl<'t> Listings<'t> {
    pub(super) fn of(builds: &'t Builds<'t>) -> Self {
        let mut found: BTreeMap<String, Vec<Listing<'t>>> = BTreeMap::new();
        for kustomization in builds.kustomizations.values() {
            for reference in &kustomization.references {
                if let (PathRole::Resource, Some(path)) = (reference.role, &reference.path) {
                    let listing = Listing::of(kustomization, &reference.written);
                    let path = builds.files.seen_from_output(path);
                    found.entry(path).or_default().push(listing);
                }
            }
        }
        Self(found)
    }

    /// Returns the place beside a file: what lists the file will list the new one.
    ///
    /// Flux takes every manifest of a folder that no kustomization is about, so that nothing may have to.
    pub(super) fn beside(&self, path: &str) -> ListingSpot<'t> {
        ListingSpot {
            folder: split(path).0.to_owned(),
            listed_by: self.0.get(path).cloned().unwrap_or_default(),
        }
    }
}

impl<'t> Listing<'t> {
    fn of(kustomization: &'t Kustomization<'t>, written: &'t str) -> Self {
        Self {
            kustomization: &kustomization.file.path,
            lead: &written[..written.rfind('/').map_or(0, |slash| slash + 1)],
        }
    }
}

impl<'t> ListingSpot<'t> {
    /// Returns the place in a folder of the tree, listed by the folder's own kustomization if there is one.
    pub(super) fn inside(builds: &'t Builds<'t>, folder: &str) -> Self {
        let own = builds.kustomizations.get(folder);
        let listing = |kustomization: &'t Kustomization<'t>| {
            let dotted = kustomization
                .references
                .iter()
                .any(|reference| reference.written.starts_with("./"));
            Listing::of(kustomization, if dotted { "./" } else { "" })
        };
        Self {
            folder: builds.files.seen_from_output(folder),
            listed_by: own.map(listing).into_iter().collect(),
        }
    }

    /// Adds a file here, under a name that no file of the author has.
    ///
    /// Nothing is added where a file that is kept by hand would have to list it.
    pub(super) fn add(&self, context: &RemedyScope<'_, '_>, file: NewContent, plan: &mut Plan) {
        let mut listings = self.listed_by.iter();
        if listings.any(|listing| !context.files.contains_key(listing.kustomization)) {
            return;
        }
        let path = |name: &str| {
            if self.folder.is_empty() {
                name.to_owned()
            } else {
                format!("{}/{name}", self.folder)
            }
        };
        let mut name = format!("{}.yaml", file.stem);
        let mut count = 1;
        let taken = |path: &str, plan: &Plan| {
            context.files.contains_key(path) || plan.files.iter().any(|new| new.path == path)
        };
        while taken(&path(&name), plan) {
            count += 1;
            name = format!("{}-{count}.yaml", file.stem);
        }
        for listing in &self.listed_by {
            let item = Value::from(format!("{}{name}", listing.lead));
            plan.edits.push(PlannedEdit {
                wisher: None,
                path: listing.kustomization.to_owned(),
                insertion: Insertion::item(0, Route::parse("resources"), item),
                object: format!("Kustomization {}", listing.kustomization),
                reason: file.reason.clone(),
            });
        }
        plan.files.push(NewFile {
            path: path(&name),
            text: file.text,
            objects: file.objects,
        });
    }
}
