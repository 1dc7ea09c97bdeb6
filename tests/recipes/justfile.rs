//! As much of just's language as the rendered justfiles use. What is not known here fails the test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One justfile, with all its recipes.
pub(super) struct Justfile {
    /// The name under which the root justfile has it.
    pub(super) module: String,
    pub(super) recipes: Vec<Recipe>,
}

pub(super) struct Recipe {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) parameters: Vec<Parameter>,
    dependencies: Vec<String>,
    folder: PathBuf,
    body: String,
}

pub(super) struct Parameter {
    pub(super) name: String,
    /// Whether a call has to give it.
    pub(super) needed: bool,
    rest: bool,
    default: String,
}

impl Justfile {
    /// Reads a justfile; `root` is the folder of the one at the top.
    pub(super) fn read(path: &Path, root: &Path) -> Self {
        let folder = path.parent().unwrap();
        let module = match folder.strip_prefix(root).unwrap().to_str().unwrap() {
            "" => "root".to_owned(),
            module => module.to_owned(),
        };
        let mut values = BTreeMap::from([
            (
                "justfile_directory()".to_owned(),
                root.display().to_string(),
            ),
            (
                "source_directory()".to_owned(),
                folder.display().to_string(),
            ),
        ]);
        let text = fs::read_to_string(path).unwrap();
        let mut recipes: Vec<Recipe> = Vec::new();
        let mut working = folder.to_owned();
        for line in text.lines() {
            if line.starts_with("    ") || (line.is_empty() && !recipes.is_empty()) {
                let body = &mut recipes.last_mut().unwrap().body;
                writeln!(body, "{}", line.get(4..).unwrap_or_default()).unwrap();
            } else if line.starts_with("set ") || line.starts_with('#') {
            } else if let Some(folder_of) = line.strip_prefix("[working-directory('") {
                working = folder.join(folder_of.trim_end_matches("')]"));
            } else if let Some((name, value)) = line.split_once(" := ") {
                let value = evaluate(value, &values);
                values.insert(name.to_owned(), value);
            } else if let Some((head, dependencies)) = line.split_once(':')
                && head.starts_with(|first: char| first.is_ascii_lowercase())
            {
                recipes.push(Recipe::of(&module, head, dependencies, &working));
                folder.clone_into(&mut working);
            } else {
                let known = ["[", "mod "].iter().any(|start| line.starts_with(start));
                assert!(known || line.is_empty(), "{}: {line}", path.display());
            }
        }
        for recipe in &mut recipes {
            recipe.fill(&values);
        }
        Self { module, recipes }
    }
}

impl Recipe {
    fn of(module: &str, head: &str, dependencies: &str, folder: &Path) -> Self {
        let mut words = head.split(' ');
        Self {
            module: module.to_owned(),
            name: words.next().unwrap().to_owned(),
            parameters: words.map(Parameter::of).collect(),
            dependencies: dependencies.split_whitespace().map(str::to_owned).collect(),
            folder: folder.to_owned(),
            body: String::new(),
        }
    }

    /// Puts values in their places, and marks in those of parameters.
    fn fill(&mut self, values: &BTreeMap<String, String>) {
        let mut values = values.clone();
        for Parameter { name, .. } in &self.parameters {
            values.insert(name.clone(), format!("@@{name}@@"));
        }
        let mut filled = String::new();
        let mut rest = self.body.as_str();
        while let Some((before, after)) = rest.split_once("{{ ") {
            let (expression, after) = after.split_once(" }}").unwrap();
            filled.push_str(before);
            filled.push_str(&evaluate(expression, &values));
            rest = after;
        }
        filled.push_str(rest);
        self.body = filled;
    }

    /// Writes the recipe as the stand-in of `just` reads it. A module goes by the names that it is called by.
    pub(super) fn install(&self, recipes: &Path) {
        let called = [self.module.as_str(), "kube"];
        let names = if self.module == "kubernetes" {
            &called[..]
        } else {
            &called[..1]
        };
        for module in names {
            let folder = recipes.join(module).join(&self.name);
            fs::create_dir_all(&folder).unwrap();
            let mut parameters = String::new();
            for Parameter {
                name,
                rest,
                default,
                ..
            } in &self.parameters
            {
                let kind = if *rest { "rest" } else { "one" };
                writeln!(parameters, "{kind}\t{name}\t{default}").unwrap();
            }
            let mut dependencies = self.dependencies.join("\n");
            if !dependencies.is_empty() {
                dependencies.push('\n');
            }
            for (file, text) in [
                ("parameters", &parameters),
                ("dependencies", &dependencies),
                ("folder", &self.folder.display().to_string()),
                ("body", &self.body),
            ] {
                fs::write(folder.join(file), text).unwrap();
            }
        }
    }
}

impl Parameter {
    fn of(text: &str) -> Self {
        let (name, default) = text.split_once('=').unwrap_or((text, ""));
        let bare = name.trim_start_matches(['+', '*']);
        Self {
            name: bare.to_owned(),
            needed: !name.starts_with('*') && !text.contains('='),
            rest: bare != name,
            default: default.trim_matches('\'').to_owned(),
        }
    }
}

/// Evaluates names, texts, calls, and paths joined by `/`.
fn evaluate(expression: &str, values: &BTreeMap<String, String>) -> String {
    let part = |part: &str| {
        let quoted = part
            .strip_prefix('"')
            .and_then(|part| part.strip_suffix('"'));
        let known = || {
            values
                .get(part)
                .unwrap_or_else(|| panic!("just: {part}"))
                .clone()
        };
        quoted.map_or_else(known, str::to_owned)
    };
    if expression.starts_with('"') {
        return part(expression);
    }
    let parts: Vec<String> = expression
        .split(" / ")
        .map(|text| part(text.trim()))
        .collect();
    parts.join("/")
}
