//! Folders of kustomizations that nobody wrote; the same seed gives the same ones.

use std::fmt::Write as _;

use super::dice::Dice;
use super::object::{OBJECT_KINDS, ObjectKind, SCALARS, STRINGS, WORDS};

/// An object that a folder or one below it makes.
#[derive(Clone)]
struct MadeObject {
    kind: &'static ObjectKind,
    name: String,
}

/// Writes some fields of a kustomization; the objects are those that it has.
type Part = fn(&mut RandomTree, usize, &[MadeObject], &mut String);

/// The parts of a kustomization, and how many of a hundred have each.
const PARTS: [(usize, Part); 11] = [
    (25, RandomTree::write_names),
    (20, RandomTree::write_namespace),
    (30, RandomTree::write_labels),
    (15, RandomTree::write_annotations),
    (30, RandomTree::write_images),
    (20, RandomTree::write_replicas),
    (45, RandomTree::write_patches),
    (20, RandomTree::write_json_patches),
    (15, RandomTree::write_old_patches),
    (25, RandomTree::write_replacements),
    (15, RandomTree::write_options),
];

/// A tree that is being written.
pub(super) struct RandomTree {
    dice: Dice,
    files: Vec<(String, String)>,
}

impl RandomTree {
    /// Makes the files of a tree; the folder to build is `f0`.
    pub(super) fn files(seed: u64) -> Vec<(String, String)> {
        let mut tree = Self {
            dice: Dice(seed),
            files: Vec::new(),
        };
        let count = 1 + tree.dice.below(5);
        let mut made: Vec<Vec<MadeObject>> = vec![Vec::new(); count];
        let parents: Vec<usize> = (1..count).map(|folder| tree.dice.below(folder)).collect();
        let components: Vec<bool> = (0..=count)
            .map(|folder| folder > 0 && folder < count && tree.chance(25))
            .collect();
        let again = (1..count).find(|child| !components[*child] && tree.chance(8));
        // A folder names folders of higher numbers only.
        for folder in (0..count).rev() {
            let mut children: Vec<usize> = (folder + 1..count)
                .filter(|child| parents[child - 1] == folder || tree.chance(2))
                .collect();
            if let Some(base) = again.filter(|_| folder == 0) {
                let text = format!("namePrefix: again-\nresources: [../f{base}]\n");
                tree.write(count, "kustomization.yaml", text);
                children.push(count);
            }
            let below = children
                .iter()
                .filter_map(|child| made.get(*child))
                .flat_map(Clone::clone);
            let mut objects: Vec<MadeObject> = below.collect();
            tree.write_folder(folder, &children, &components, &mut objects);
            made[folder] = objects;
        }
        tree.files
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.dice.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *self.dice.pick(from)
    }

    /// Writes a file, in the place of one of the same path.
    fn write(&mut self, folder: usize, name: &str, text: String) {
        let path = format!("f{folder}/{name}");
        self.files.retain(|(known, _)| *known != path);
        self.files.push((path, text));
    }

    fn write_folder(
        &mut self,
        folder: usize,
        children: &[usize],
        components: &[bool],
        made: &mut Vec<MadeObject>,
    ) {
        let mut text = String::new();
        if components[folder] {
            text.push_str("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n");
        }
        let (parts, mut resources): (Vec<usize>, Vec<usize>) =
            children.iter().partition(|child| components[**child]);
        let mut resources: Vec<String> = resources
            .drain(..)
            .map(|child| format!("../f{child}"))
            .collect();
        for file in 0..=self.dice.below(2) {
            let objects = self.write_objects(folder, file, made);
            let at = self.dice.below(resources.len() + 1);
            resources.insert(at, objects);
        }
        writeln!(text, "resources:\n- {}", resources.join("\n- ")).unwrap();
        if !parts.is_empty() {
            let parts: Vec<String> = parts.iter().map(|child| format!("../f{child}")).collect();
            writeln!(text, "components: [{}]", parts.join(", ")).unwrap();
        }
        if self.chance(45) {
            self.write_generators(folder, made, &mut text);
        }
        for (percent, write) in PARTS {
            if self.chance(percent) {
                write(self, folder, made, &mut text);
            }
        }
        let name = self.pick(&["kustomization.yaml", "kustomization.yml", "Kustomization"]);
        self.write(folder, name, text);
    }

    /// Writes a file of objects, and returns its name.
    fn write_objects(&mut self, folder: usize, file: usize, made: &mut Vec<MadeObject>) -> String {
        let mut documents = Vec::new();
        for number in 0..=self.dice.below(4) {
            let kind = self.dice.pick(OBJECT_KINDS);
            let word = self.pick(&["a", "b", "app", "tier"]);
            let name = if self.chance(5) {
                word.to_owned()
            } else {
                format!("{word}{folder}{file}{number}")
            };
            let object = MadeObject { kind, name };
            documents.push(self.object(&object, made));
            made.push(object);
        }
        if self.chance(6)
            && let Some(text) = documents.first().and_then(|document| json_of(document))
        {
            made.truncate(made.len() + 1 - documents.len());
            let name = format!("objects{file}.json");
            self.write(folder, &name, text);
            return name;
        }
        let text = if self.chance(8) {
            let items: String = documents.iter().map(|document| item_of(document)).collect();
            format!("apiVersion: v1\nkind: List\nitems:\n{items}")
        } else {
            documents.join("---\n")
        };
        let name = format!("objects{file}.yaml");
        self.write(folder, &name, text);
        name
    }

    fn object(&mut self, object: &MadeObject, known: &[MadeObject]) -> String {
        let mut metadata = format!("metadata:\n  name: {}\n", object.name);
        if self.chance(20) {
            let namespace = self.pick(&["default", "apps", "other"]);
            writeln!(metadata, "  namespace: {namespace}").unwrap();
        }
        for key in ["labels", "annotations"] {
            if self.chance(25) {
                writeln!(metadata, "  {key}:\n    WORD: STRING").unwrap();
            }
        }
        let mut text = object.kind.text.replace("METADATA\n", &metadata);
        while let Some(at) = text.find("REF:") {
            let kind: String = text[at + 4..]
                .chars()
                .take_while(char::is_ascii_alphabetic)
                .collect();
            let names = known.iter().filter(|other| other.kind.kind == kind);
            let names: Vec<&str> = names.map(|other| other.name.as_str()).collect();
            let name = if names.is_empty() {
                "nobody"
            } else {
                self.pick(&names)
            };
            text.replace_range(at..at + 4 + kind.len(), name);
        }
        self.filled(&text)
    }

    fn filled(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (mark, from) in [("SCALAR", SCALARS), ("STRING", STRINGS), ("WORD", WORDS)] {
            while let Some(at) = text.find(mark) {
                let value = self.pick(from);
                text.replace_range(at..at + mark.len(), value);
            }
        }
        text
    }

    fn write_generators(&mut self, folder: usize, made: &mut Vec<MadeObject>, text: &mut String) {
        for (key, kind) in [
            ("configMapGenerator", "ConfigMap"),
            ("secretGenerator", "Secret"),
        ] {
            if !self.chance(60) {
                continue;
            }
            let generated = made
                .iter()
                .filter(|other| other.kind.kind == kind && other.name.starts_with("gen"));
            let generated: Vec<String> = generated.map(|other| other.name.clone()).collect();
            let merges = self.chance(50) && !generated.is_empty();
            if merges {
                let name = self.dice.pick(&generated).clone();
                let behavior = self.pick(&["merge", "replace"]);
                writeln!(text, "{key}:\n- name: {name}\n  behavior: {behavior}").unwrap();
            } else {
                writeln!(text, "{key}:\n- name: gen{folder}").unwrap();
                let kind = OBJECT_KINDS.iter().find(|all| all.kind == kind).unwrap();
                let name = format!("gen{folder}");
                made.push(MadeObject { kind, name });
            }
            self.write_pairs(folder, text);
            if self.chance(30) {
                let option = self.pick(&[
                    "disableNameSuffixHash: true",
                    "immutable: true",
                    "labels: {own: label}",
                    "annotations: {own: note}",
                ]);
                writeln!(text, "  options: {{{option}}}").unwrap();
            }
        }
        if self.chance(20) {
            let option = self.pick(&[
                "disableNameSuffixHash: true",
                "labels: {all: shared}",
                "annotations: {all: shared}",
                "immutable: false",
            ]);
            writeln!(text, "generatorOptions: {{{option}}}").unwrap();
        }
    }

    fn write_pairs(&mut self, folder: usize, text: &mut String) {
        text.push_str("  literals:\n");
        for number in 0..=self.dice.below(3) {
            let value = self.pick(&[
                "x",
                "",
                "a=b",
                "'quoted'",
                "\\\"both\\\"",
                "1",
                "true",
                "  space",
            ]);
            let word = self.pick(&["a", "b", "app"]);
            writeln!(text, "  - \"{word}{number}={value}\"").unwrap();
        }
        if self.chance(30) {
            let contents = self.pick(&[
                "text",
                "two\nlines\n",
                " leading",
                "a: b\n",
                "",
                "trailing \nx\n",
            ]);
            let name = format!("file{}.txt", self.dice.below(2));
            let key = self.pick(&["", "key=", "other.key="]);
            writeln!(text, "  files: [\"{key}{name}\"]").unwrap();
            self.write(folder, &name, contents.to_owned());
        }
        if self.chance(20) {
            text.push_str("  envs: [values.env]\n");
            let lines = "# comment\nFIRST=one\nSECOND=\n  THIRD = spaced \n\nQUOTED=\"x\"\n";
            self.write(folder, "values.env", lines.to_owned());
        }
    }

    fn write_names(&mut self, _: usize, _: &[MadeObject], text: &mut String) {
        if self.chance(70) {
            let prefix = self.pick(&["p-", "q", "pre-"]);
            writeln!(text, "namePrefix: {prefix}").unwrap();
        }
        if self.chance(40) {
            let suffix = self.pick(&["-s", "x", "-v1"]);
            writeln!(text, "nameSuffix: {suffix}").unwrap();
        }
    }

    fn write_namespace(&mut self, _: usize, _: &[MadeObject], text: &mut String) {
        let namespace = self.pick(&["apps", "other", "default"]);
        writeln!(text, "namespace: {namespace}").unwrap();
    }

    fn write_labels(&mut self, _: usize, _: &[MadeObject], text: &mut String) {
        let (word, value) = (self.pick(WORDS), self.pick(STRINGS));
        if self.chance(25) {
            writeln!(text, "commonLabels:\n  {word}: {value}").unwrap();
            return;
        }
        writeln!(text, "labels:\n- pairs:\n    {word}: {value}").unwrap();
        for option in ["includeSelectors", "includeTemplates"] {
            if self.chance(30) {
                let value = self.pick(&["true", "false"]);
                writeln!(text, "  {option}: {value}").unwrap();
            }
        }
        if self.chance(20) {
            let path = self.pick(&["spec/extra/labels", "spec/deep", "metadata/labels"]);
            let kind = self.pick(&["Deployment", "Widget"]);
            let create = self.pick(&["true", "false"]);
            let field = format!("{{path: {path}, kind: {kind}, create: {create}}}");
            writeln!(text, "  fields: [{field}]").unwrap();
        }
    }

    fn write_annotations(&mut self, _: usize, _: &[MadeObject], text: &mut String) {
        let (word, value) = (self.pick(WORDS), self.pick(STRINGS));
        writeln!(text, "commonAnnotations:\n  {word}: {value}").unwrap();
    }

    fn write_images(&mut self, _: usize, _: &[MadeObject], text: &mut String) {
        text.push_str("images:\n");
        for _ in 0..=self.dice.below(2) {
            let name = self.pick(&["nginx", "app", "registry:5000/team/app", "ghcr.io/x/y"]);
            writeln!(text, "- name: {name}").unwrap();
            for (percent, key, values) in [
                (15, "newName", ["other", "registry.io/a/b", "localhost:1/x"]),
                (60, "newTag", ["'2'", "v3", "\"1.10\""]),
                (15, "digest", ["sha256:24a0c4b4", "sha256:ab", "sha512:1"]),
                (15, "tagSuffix", ["-x", "'-1'", "-alpine"]),
            ] {
                if self.chance(percent) {
                    let value = self.pick(&values);
                    writeln!(text, "  {key}: {value}").unwrap();
                }
            }
        }
    }

    fn write_replicas(&mut self, _: usize, made: &[MadeObject], text: &mut String) {
        let scaled = made
            .iter()
            .filter(|object| matches!(object.kind.kind, "Deployment" | "StatefulSet"));
        let names: Vec<&str> = scaled.map(|object| object.name.as_str()).collect();
        if !names.is_empty() {
            let (name, count) = (self.pick(&names), self.dice.below(5));
            writeln!(text, "replicas:\n- name: {name}\n  count: {count}").unwrap();
        }
    }

    fn write_patches(&mut self, folder: usize, made: &[MadeObject], text: &mut String) {
        let object = self.dice.pick(made).clone();
        let patch = self.merge(&object);
        text.push_str("patches:\n");
        if self.chance(50) {
            writeln!(text, "- patch: |-\n{}", shifted(&patch)).unwrap();
        } else {
            let name = format!("patch{}.yaml", self.dice.below(2));
            writeln!(text, "- path: {name}").unwrap();
            self.write(folder, &name, patch);
        }
        if self.chance(40) {
            let kind = object.kind.kind;
            let target = match self.dice.below(6) {
                0 => format!("kind: {kind}"),
                1 => format!("kind: {kind}, name: {}", object.name),
                2 => format!("name: {}.*", &object.name[..1]),
                3 => "labelSelector: \"a\"".to_owned(),
                4 => "annotationSelector: \"b in (x, y)\"".to_owned(),
                _ => format!("kind: {kind}|Nothing, namespace: ap.*"),
            };
            writeln!(text, "  target: {{{target}}}").unwrap();
        }
    }

    /// Makes a strategic merge of an object.
    fn merge(&mut self, object: &MadeObject) -> String {
        let MadeObject { kind, name } = object;
        let ObjectKind {
            api, kind, patches, ..
        } = kind;
        let change = self.pick(patches);
        let change = self.filled(change.strip_prefix("metadata:\n").unwrap_or(change));
        format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n{change}")
    }

    fn write_json_patches(&mut self, _: usize, made: &[MadeObject], text: &mut String) {
        let MadeObject { kind, name } = self.dice.pick(made).clone();
        let mut operations = String::new();
        for _ in 0..=self.dice.below(3) {
            let operation = self.pick(kind.operations);
            writeln!(operations, "- {}", self.filled(operation)).unwrap();
        }
        let key = if text.contains("patches:\n") {
            "patchesJson6902"
        } else {
            "patches"
        };
        let target = format!("{{kind: {}, name: {name}}}", kind.kind);
        let patch = shifted(&operations);
        writeln!(text, "{key}:\n- patch: |-\n{patch}\n  target: {target}").unwrap();
    }

    fn write_old_patches(&mut self, folder: usize, made: &[MadeObject], text: &mut String) {
        let object = self.dice.pick(made).clone();
        let patch = self.merge(&object);
        text.push_str("patchesStrategicMerge:\n- old.yaml\n");
        self.write(folder, "old.yaml", patch);
    }

    fn write_replacements(&mut self, _: usize, made: &[MadeObject], text: &mut String) {
        let (from, to) = (self.dice.pick(made).clone(), self.dice.pick(made).clone());
        let path = match from.kind.kind {
            "ConfigMap" if self.chance(50) => "data.a",
            "Deployment" => "spec.template.spec.containers.0.image",
            _ if self.chance(5) => "metadata.labels.a",
            _ => self.pick(&["metadata.name", "kind"]),
        };
        let field = self.pick(to.kind.fields);
        let create = self.pick(&["true", "true", "false"]);
        let part = if self.chance(20) {
            let index = self.pick(&["0", "1", "-1", "5"]);
            format!(", delimiter: \"-\", index: {index}")
        } else {
            String::new()
        };
        let (kind, name, to) = (from.kind.kind, from.name, to.kind.kind);
        writeln!(
            text,
            "replacements:\n- source: {{kind: {kind}, name: {name}, fieldPath: {path}}}\n  targets:\n  \
             - select: {{kind: {to}}}\n    fieldPaths: [\"{field}\"]\n    options: {{create: {create}{part}}}"
        )
        .unwrap();
    }

    fn write_options(&mut self, folder: usize, _: &[MadeObject], text: &mut String) {
        text.push_str(match self.dice.below(5) {
            0 if folder == 0 => "sortOptions: {order: fifo}\n",
            1 if folder == 0 => "sortOptions: {order: legacy}\n",
            2 => "buildMetadata: [originAnnotations]\n",
            3 => "buildMetadata: [managedByLabel, transformerAnnotations]\n",
            _ => "metadata: {name: this}\n",
        });
    }
}

/// Writes a text as the block of a list item's key.
fn shifted(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

/// Writes a document as JSON.
fn json_of(document: &str) -> Option<String> {
    let documents = spanned_yaml::load(document).ok()?;
    let value = documents
        .first()?
        .root
        .to_value(spanned_yaml::Resolver::Kustomize);
    serde_json::to_string_pretty(&value).ok()
}

/// Writes a document as an item of a list.
fn item_of(document: &str) -> String {
    format!("- {}\n", document.trim_end().replace('\n', "\n  "))
}
