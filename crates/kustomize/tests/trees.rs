//! Random trees of bases and components.

use kustomize::{Build, BuildOptions, Files, MemoryFiles, PathEntry, SourceFile, build, to_yaml};
use proptest::prelude::*;

/// One folder: the indices of the folders that it names, and what it makes.
#[derive(Clone, Debug)]
struct TreeFolder {
    bases: Vec<usize>,
    components: Vec<usize>,
    is_component: bool,
    object: Option<u8>,
    generator: Option<(u8, &'static str)>,
    junk: Option<&'static str>,
}

fn folder(count: usize) -> impl Strategy<Value = TreeFolder> {
    let names = prop::collection::vec(0..count, 0..3);
    let behavior = prop::sample::select(vec!["", "create", "merge", "replace", "odd"]);
    let junk = prop::sample::select(vec![
        "namespace: 5\n",
        "a: [\n",
        "- x\n",
        "namePrefix: yes\n",
        "secretGenerator: [{name: x, literals: [a]}]\n",
        "buildMetadata: [originAnnotations, transformerAnnotations]\n",
        "sortOptions: {order: odd}\n",
    ]);
    let object = prop::option::of(0..4_u8);
    let generator = prop::option::of((0..4_u8, behavior));
    (
        (names.clone(), names),
        any::<bool>(),
        object,
        generator,
        prop::option::weighted(0.1, junk),
    )
        .prop_map(
            |((bases, components), is_component, object, generator, junk)| TreeFolder {
                bases,
                components,
                is_component,
                object,
                generator,
                junk,
            },
        )
}

fn tree() -> impl Strategy<Value = Vec<TreeFolder>> {
    (2..7_usize).prop_flat_map(|count| prop::collection::vec(folder(count), count))
}

fn listed(key: &str, folders: &[usize]) -> String {
    let items: Vec<String> = folders
        .iter()
        .map(|folder| format!("../f{folder}"))
        .collect();
    format!("{key}: [{}]\n", items.join(", "))
}

fn files_of(folders: &[TreeFolder]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for (index, folder) in folders.iter().enumerate() {
        let mut text = String::new();
        if folder.is_component {
            text.push_str("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n");
        }
        if let Some(name) = folder.object {
            text.push_str("resources: [object.yaml]\n");
            let object = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{name}}}\n");
            files.push((format!("f{index}/object.yaml"), object));
        }
        text.push_str(&listed("bases", &folder.bases));
        text.push_str(&listed("components", &folder.components));
        if let Some((name, behavior)) = folder.generator {
            text.push_str(&format!(
                "configMapGenerator: [{{name: m{name}, behavior: '{behavior}', literals: [k{index}=v]}}]\n"
            ));
        }
        text.push_str(folder.junk.unwrap_or_default());
        files.push((format!("f{index}/kustomization.yaml"), text));
    }
    files
}

/// A tree that lists the names in its folders the other way round.
struct ReversedFiles(MemoryFiles);

impl Files for ReversedFiles {
    fn entry(&self, path: &str) -> PathEntry {
        self.0.entry(path)
    }

    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        let mut names = self.0.children(folder);
        names.reverse();
        names
    }
}

fn shown(built: &Build) -> String {
    let objects = built.resources.iter();
    let objects: Vec<String> = objects.map(|object| to_yaml(&object.root)).collect();
    format!("{objects:?} {:?}", built.findings)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_builds_or_says_why_whatever_the_order_of_its_files(folders in tree()) {
        let files = files_of(&folders);
        let forwards: MemoryFiles = files.iter().cloned().collect();
        let mut backwards = MemoryFiles::default();
        for (path, text) in files.into_iter().rev() {
            backwards.add(SourceFile::new(path, text.into_bytes()));
        }
        let built = build(&forwards, "f0", BuildOptions::default());
        let again = build(&ReversedFiles(backwards), "f0", BuildOptions::default());
        prop_assert_eq!(shown(&built), shown(&again));
        if !built.findings.problems.is_empty() {
            prop_assert!(built.resources.is_empty());
            prop_assert!(built.findings.problems.iter().all(|problem| problem.place.is_some()));
        }
    }

    #[test]
    fn any_text_is_a_kustomization_or_a_problem(text in "[a-zA-Z:\\-\\[\\]{}&*<, \n'\"|!]{0,80}") {
        let files: MemoryFiles = [("kustomization.yaml".to_owned(), text)].into_iter().collect();
        let built = build(&files, "", BuildOptions::default());
        prop_assert!(built.resources.is_empty());
    }
}
