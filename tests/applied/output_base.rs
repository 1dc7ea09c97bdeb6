//! From where the paths of Flux count, for a tree that is rendered into a folder of its repository.

use kiln::flux::find_output_base;
use kiln::tree::File;

use super::{config_map, kustomization};
use crate::harden::trees;

fn base<'b>(files: &[(&str, String)], candidates: &[&'b str]) -> &'b str {
    let files: Vec<File> = files
        .iter()
        .map(|(path, text)| trees::file(path, text))
        .collect();
    find_output_base(files.iter(), candidates)
}

/// A tree whose Flux objects name folders below another one.
fn tree(below: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "flux/apps.yaml",
            kustomization("apps", &format!("./{below}apps"), ""),
        ),
        ("apps/a.yaml", config_map("a", "1")),
    ]
}

#[test]
fn the_folder_that_the_paths_name_holds_the_tree() {
    let candidates = ["", "out", "clusters/home"];
    assert_eq!(base(&tree(""), &candidates), "");
    assert_eq!(base(&tree("out/"), &candidates), "out");
    assert_eq!(base(&tree("clusters/home/"), &candidates), "clusters/home");
    assert_eq!(base(&tree("elsewhere/"), &candidates), "");
    assert_eq!(base(&[("a.yaml", config_map("a", "1"))], &candidates), "");
}

#[test]
fn most_of_the_paths_decide_and_the_first_of_several_wins() {
    let mut files = tree("home/");
    files.push(("flux/more.yaml", kustomization("more", "./apps", "")));
    assert_eq!(base(&files, &["", "home"]), "");
    files.push(("flux/third.yaml", kustomization("third", "./home/flux", "")));
    assert_eq!(base(&files, &["", "home"]), "home");
}

#[test]
fn a_sync_names_a_folder_as_well() {
    let instance = super::FLUX_INSTANCE.replace("path: cluster", "path: home/flux");
    let files = [
        ("instance.yaml", instance),
        ("flux/a.yaml", config_map("a", "1")),
    ];
    assert_eq!(base(&files, &["", "home"]), "home");
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: flux}\n\
                   spec: {values: {instance: {sync: {path: ./home/flux}}}}\n";
    let files = [
        ("release.yaml", release.to_owned()),
        ("flux/a.yaml", config_map("a", "1")),
    ];
    assert_eq!(base(&files, &["", "home"]), "home");
}
