//! What is built anew once files have changed, and that nothing of what was before is left in it.

use std::collections::BTreeMap;

use kiln::flux::{
    AppliedObjects, BuildMemory, BuildStart, FollowOptions, TreeFiles, follow, follow_again,
};
use kiln::source::MemoryFiles;
use kustomize::{Field, Place};
use proptest::prelude::*;

use super::{FLUX_INSTANCE, config_map, kustomization};

/// A tree that is edited, and followed with one memory.
struct EditedTree {
    files: BTreeMap<String, String>,
    memory: BuildMemory,
}

impl EditedTree {
    fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter();
        Self {
            files: files
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
            memory: BuildMemory::default(),
        }
    }

    fn edit(&mut self, path: &str, text: Option<&str>) {
        match text {
            Some(text) => self.files.insert(path.to_owned(), text.to_owned()),
            None => self.files.remove(path),
        };
    }

    fn texts(&self) -> MemoryFiles {
        let bytes = |(path, text): (&String, &String)| (path.clone(), text.as_bytes().to_vec());
        MemoryFiles(self.files.iter().map(bytes).collect())
    }

    /// Makes an edit, and counts the builds that it takes.
    fn count_built(&mut self, path: &str, text: Option<&str>) -> usize {
        let before = self.memory.count_built();
        self.edit(path, text);
        let texts = self.texts();
        let tree = TreeFiles::of_repository(&texts, "").unwrap();
        follow_again(&tree, &FollowOptions::default(), &self.memory);
        self.memory.count_built() - before
    }
}

const COMPONENT: &str =
    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [map.yaml]\n";

#[test]
fn an_edit_leads_to_builds_of_what_reads_it_and_of_nothing_else() {
    let with_component = "resources: [map.yaml]\ncomponents: [../../shared]\n";
    let mut tree = EditedTree::new(&[
        ("instance.yaml", FLUX_INSTANCE),
        ("cluster/a.yaml", &kustomization("a", "./apps/a", "")),
        ("cluster/b.yaml", &kustomization("b", "./apps/b", "")),
        ("cluster/c.yaml", &kustomization("c", "./apps/c", "")),
        ("cluster/d.yaml", &kustomization("d", "./apps/d", "")),
        ("apps/a/kustomization.yaml", with_component),
        ("apps/a/map.yaml", &config_map("a", "1")),
        ("apps/b/kustomization.yaml", with_component),
        ("apps/b/map.yaml", &config_map("b", "1")),
        ("apps/c/kustomization.yaml", "resources: [map.yaml]\n"),
        ("apps/c/map.yaml", &config_map("c", "1")),
        ("apps/d/map.yaml", &config_map("d", "1")),
        ("shared/kustomization.yaml", COMPONENT),
        ("shared/map.yaml", &config_map("shared", "1")),
        ("lost/kustomization.yaml", "resources: [map.yaml]\n"),
        ("lost/map.yaml", &config_map("lost", "1")),
    ]);
    let map = config_map("c", "2");
    let moved = format!("# moved\n{}", kustomization("c", "./apps/c", ""));
    let scanned = format!("# moved\n{}", kustomization("d", "./apps/d", ""));
    let renamed = config_map("shared", "2");
    let edits: [(&str, Option<&str>, usize, &str); 12] = [
        ("README.md", Some("x"), 6, "all folders at first"),
        ("README.md", Some("y"), 0, "a file that no build reads"),
        ("apps/c/map.yaml", Some(&map), 1, "a file of one folder"),
        ("apps/c/map.yaml", Some(&map), 0, "the same text again"),
        (
            "shared/map.yaml",
            Some(&renamed),
            2,
            "a file of a component of two",
        ),
        (
            "apps/c/other.yaml",
            Some(&renamed),
            0,
            "a file that no list names",
        ),
        (
            "apps/d/other.yaml",
            Some(&renamed),
            1,
            "a file that a folder without a list takes in",
        ),
        (
            "cluster/c.yaml",
            Some(&moved),
            1,
            "a Kustomization that adds nothing to its folder",
        ),
        (
            "cluster/d.yaml",
            Some(&scanned),
            2,
            "a Kustomization whose path names what is listed",
        ),
        (
            "lost/map.yaml",
            Some(&map),
            1,
            "a file that no root reaches",
        ),
        ("shared/map.yaml", None, 2, "a file that is listed and gone"),
        (
            "shared/map.yaml",
            Some(&renamed),
            2,
            "a file that is there again",
        ),
    ];
    for (path, text, count, what) in edits {
        assert_eq!(tree.count_built(path, text), count, "{what}: {path}");
    }
}

#[test]
fn two_kustomizations_of_one_folder_share_a_build_and_not_their_variables() {
    let variables = |value: &str| format!("\x20 postBuild: {{substitute: {{X: {value}}}}}\n");
    let files = [
        ("instance.yaml", FLUX_INSTANCE),
        (
            "cluster/a.yaml",
            &kustomization("a", "./apps", &variables("one")),
        ),
        (
            "cluster/b.yaml",
            &kustomization("b", "./apps", &variables("two")),
        ),
        ("apps/kustomization.yaml", "resources: [map.yaml]\n"),
        ("apps/map.yaml", &config_map("shared", "${X}")),
    ];
    let mut tree = EditedTree::new(&files);
    tree.count_built("README.md", Some("x"));
    let texts = tree.texts();
    let files = TreeFiles::of_repository(&texts, "").unwrap();
    let built = tree.memory.count_built();
    let applied = follow_again(&files, &FollowOptions::default(), &tree.memory);
    assert_eq!(tree.memory.count_built(), built);
    let maps = applied.of_kind("", "ConfigMap");
    let values = maps.map(|map| map.field.find_text(&["data", "x"]).unwrap().to_owned());
    assert_eq!(values.collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn the_same_bytes_on_another_line_are_another_place() {
    let spec = "\x20 targetNamespace: web\n  commonMetadata: {labels: {team: x}}\n  postBuild: {substitute: {X: one}}\n";
    let texts = [
        ("cluster/a.yaml", kustomization("a", "./apps/a", spec)),
        (
            "apps/a/kustomization.yaml",
            "resources: [map.yaml]\nnamePrefix: my-\n".to_owned(),
        ),
        ("apps/a/map.yaml", config_map("a", "${X}")),
    ];
    for (moved, _) in &texts {
        let mut tree = EditedTree::new(&[("instance.yaml", FLUX_INSTANCE)]);
        for (path, text) in &texts {
            tree.edit(path, Some(&format!("#a\n#b\n{text}")));
        }
        tree.count_built("README.md", Some("x"));
        let text = tree.files[*moved].replace("#a\n#b", "#a_#b");
        tree.edit(moved, Some(&text));
        let files = tree.texts();
        let files = TreeFiles::of_repository(&files, "").unwrap();
        let options = FollowOptions::default();
        let remembered = follow_again(&files, &options, &tree.memory);
        let anew = follow(&files, &options);
        assert_eq!(anew.of_kind("", "ConfigMap").count(), 1, "{moved}");
        assert_eq!(tell(&remembered), tell(&anew), "{moved}");
    }
}

/// The texts that a manifest may have.
fn maps(name: &str) -> Vec<String> {
    let plain = config_map(name, "1");
    vec![
        plain.clone(),
        // The same bytes below, on another line.
        format!("#a\n#b\n{plain}"),
        format!("#a_#b\n{plain}"),
        config_map(name, "${X}"),
        config_map(name, "${UNDEFINED}"),
        config_map("same", "1"),
        format!("{plain}---\n{}", config_map("second", "${X:=d}")),
        "a: [\n".to_owned(),
    ]
}

/// The texts that a Flux Kustomization may have.
fn kustomizations(name: &str) -> Vec<String> {
    let folder = format!("./apps/{name}");
    let of = |spec: &str| kustomization(name, &folder, spec);
    let patch = "\x20 patches:\n    - target: {kind: ConfigMap}\n      patch: |\n        - {op: add, path: /data/y, value: z}\n";
    vec![
        of(""),
        format!("#a\n#b\n{}", of("\x20 targetNamespace: web\n")),
        format!("#a_#b\n{}", of("\x20 targetNamespace: web\n")),
        of("\x20 targetNamespace: abc\n  namePrefix: my-\n"),
        of("\x20 components: [../../shared]\n  commonMetadata: {labels: {team: x}}\n"),
        of("\x20 commonMetadata: {labels: {team: y}}\n  postBuild: {substitute: {X: one}}\n"),
        of("\x20 postBuild: {substitute: {X: two}}\n"),
        of("\x20 postBuild: {substituteFrom: [{kind: ConfigMap, name: values}]}\n"),
        of(patch),
        kustomization(name, "./apps/b", ""),
        kustomization(name, "./nowhere", ""),
    ]
}

/// The texts that the kustomization of a folder may have.
fn folders() -> Vec<String> {
    let all = "resources: [map.yaml]\n";
    vec![
        all.to_owned(),
        format!("#a\n#b\n{all}namespace: web\n"),
        format!("#a_#b\n{all}namespace: web\n"),
        format!("{all}components: [../../shared]\n"),
        format!("{all}configMapGenerator: [{{name: made, files: [text.txt]}}]\n"),
        format!("{all}patches: [{{path: patch.yaml, target: {{kind: ConfigMap}}}}]\n"),
        format!(
            "{all}replacements: [{{source: {{kind: ConfigMap, fieldPath: data.x}}, targets: [{{select: {{kind: Secret}}, fieldPaths: [data.y]}}]}}]\n"
        ),
        "resources: [map.yaml, ../b]\n".to_owned(),
        "unknown: 1\n".to_owned(),
    ]
}

/// The files of the generated tree, each with the texts that it may have.
fn variants() -> Vec<(&'static str, Vec<String>)> {
    let patch = |value: &str| format!("- {{op: add, path: /data/y, value: {value}}}\n");
    let values = |value: &str| {
        let name = "name: values, namespace: flux-system";
        let map = config_map("values", "1").replace("name: values", name);
        format!("{map}  X: {value}\n")
    };
    let moved = format!("# moved\n{}", values("w"));
    let suffixed = format!("{COMPONENT}nameSuffix: -x\n");
    vec![
        ("cluster/a.yaml", kustomizations("a")),
        ("cluster/b.yaml", kustomizations("b")),
        ("cluster/values.yaml", vec![values("v"), values("w"), moved]),
        ("apps/a/kustomization.yaml", folders()),
        ("apps/a/kustomization.yml", folders()),
        ("apps/a/map.yaml", maps("a")),
        ("apps/a/patch.yaml", vec![patch("p"), patch("q")]),
        ("apps/a/text.txt", vec!["t".to_owned(), "u".to_owned()]),
        ("apps/b/kustomization.yaml", folders()),
        ("apps/b/map.yaml", maps("b")),
        ("apps/b/more/map.yaml", maps("more")),
        (
            "apps/b/gotk-components.yaml",
            vec!["# to be filled\n".to_owned(), config_map("gotk", "1")],
        ),
        (
            "shared/kustomization.yaml",
            vec![COMPONENT.to_owned(), suffixed],
        ),
        ("shared/map.yaml", maps("shared")),
        ("lost/kustomization.yaml", folders()),
        ("lost/map.yaml", maps("lost")),
    ]
}

/// One edit: the file, and the text that it gets; none takes the file away.
fn edits() -> impl Strategy<Value = Vec<(&'static str, Option<String>)>> {
    let files = variants().into_iter().map(|(path, texts)| {
        let text = prop_oneof![
            1 => Just(None),
            5 => prop::sample::select(texts).prop_map(Some),
        ];
        text.prop_map(move |text| (path, text)).boxed()
    });
    prop::collection::vec(prop::strategy::Union::new(files), 1..40)
}

/// Tells a place with the text of the line that it is in.
fn told(place: &Place) -> String {
    let text = place.file.text().unwrap_or_default();
    let (line, _) = place.line_column();
    let line = text.lines().nth(line - 1).unwrap_or_default();
    format!("{place:?} {} {:?} in {line}", place.document, place.span)
}

fn tell_field(field: &Field, into: &mut Vec<String>) {
    let places = [field.place()].into_iter().chain(field.origin.shaped_by());
    let places: Vec<String> = places.map(told).collect();
    into.push(format!("{:?} {places:?}", field.as_scalar()));
    for entry in field.entries().unwrap_or_default() {
        into.push(entry.key.clone());
        tell_field(&entry.value, into);
    }
    for item in field.items().unwrap_or_default() {
        tell_field(item, into);
    }
}

/// Tells everything that is known of what is applied, with the text of every place.
fn tell(applied: &AppliedObjects) -> Vec<String> {
    let mut all = vec![format!("{:?}", applied.roots)];
    for build in &applied.builds {
        all.push(format!("{build:?}"));
        if let BuildStart::Kustomization(flux) = &build.start {
            tell_field(flux, &mut all);
        }
    }
    for object in &applied.objects {
        all.push(format!("{} {:?}", object.build, object.way));
        tell_field(&object.field, &mut all);
    }
    for problem in &applied.problems {
        all.push(format!("{problem:?}"));
        let places = [&problem.place, &problem.related];
        all.extend(places.into_iter().flatten().map(told));
    }
    for part in &applied.unseen {
        all.push(format!("{part:?}"));
        all.extend(part.place.as_ref().map(told));
    }
    for target in &applied.targets {
        all.push(format!("{target:?}"));
        tell_field(&target.note.field, &mut all);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_applied_is_the_same_with_a_memory_and_without(edits in edits()) {
        let files = variants();
        let first: Vec<(&str, &str)> = files.iter().map(|(path, texts)| (*path, &*texts[0])).collect();
        let mut tree = EditedTree::new(&first);
        tree.edit("instance.yaml", Some(FLUX_INSTANCE));
        tree.edit("apps/a/kustomization.yml", None);
        for (path, text) in [("README.md", None)].into_iter().chain(edits) {
            tree.edit(path, text.as_deref());
            let texts = tree.texts();
            let files = TreeFiles::of_repository(&texts, "").unwrap();
            let options = FollowOptions::default();
            let remembered = follow_again(&files, &options, &tree.memory);
            prop_assert_eq!(tell(&remembered), tell(&follow(&files, &options)));
        }
    }
}
