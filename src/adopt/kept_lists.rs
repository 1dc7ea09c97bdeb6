//! What a `kustomization.yaml` of the user's lists, and the rendered one does not.

use std::collections::BTreeSet;

use kustomize::{KUSTOMIZATION_FILES, join};
use serde_json::Value;

use super::cluster_template;
use super::entry_lines::{EntryLines, only_mapping};
use crate::adopt::codes;
use crate::diagnostic::{Diagnostic, Listed};
use crate::tree::output_path::split;
use crate::tree::{File, Tree};
use crate::yaml::{self, Node};

/// The fields of a kustomization whose entries are what gets to the cluster.
const LISTS: [&str; 3] = ["resources", "bases", "components"];
/// The fields that say what a file is, and nothing of what it does.
const HEADER: [&str; 3] = ["apiVersion", "kind", "metadata"];
/// What opens something in a template.
const DELIMITERS: [&str; 3] = ["#{", "#%", "#|"];

/// What the lists of the user have, and the rendered ones lack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptLists {
    /// What is to be added to the templates of lists, by path.
    pub additions: Vec<ListAddition>,
    /// The lists of which something cannot be kept, each with what that is, if anyone can tell.
    pub unkept: Vec<(String, Option<String>)>,
}

/// What is to be added to the template of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListAddition {
    /// The path of the output.
    pub path: String,
    /// The entries, as they are written, each with the field that it stands in.
    pub entries: Vec<(&'static str, String)>,
    /// The other fields, by name, with their lines.
    pub fields: Vec<(String, String)>,
}

/// Compares the lists on disk with the rendered ones: their entries by where they lead, their other fields by name.
///
/// `existing` reads what is on disk at the path of an output, if that is not Kiln's. What the templates of
/// cluster-template list, and the catalogue has other files for, is none of the user's.
pub fn kept_lists<S>(tree: &Tree<S>, existing: &dyn Fn(&str) -> Option<Vec<u8>>) -> KeptLists {
    let mut kept = KeptLists::default();
    let is_list = |file: &&File| KUSTOMIZATION_FILES.contains(&split(&file.path).1);
    for file in tree.files().filter(is_list) {
        let Some(bytes) = existing(&file.path) else {
            continue;
        };
        match addition(file, &bytes) {
            Some(addition) if addition.is_empty() => {}
            Some(addition) => kept.additions.push(addition),
            None => kept.unkept.push((file.path.clone(), None)),
        }
    }
    kept
}

impl KeptLists {
    /// Takes what is still to be added, once it was, for what cannot be kept.
    #[must_use]
    pub fn after_additions(mut self) -> Self {
        let left = std::mem::take(&mut self.additions).into_iter();
        self.unkept.extend(left.map(|addition| {
            let names: Vec<String> = addition.names().map(|name| format!("`{name}`")).collect();
            (addition.path, Some(names.join(", ")))
        }));
        self
    }

    /// Says of which lists something cannot be kept.
    pub fn problem(&self) -> Option<Diagnostic> {
        let message = match self.unkept.as_slice() {
            [] => return None,
            [(path, None)] => format!("what `{path}` lists cannot be kept"),
            [(path, Some(names))] => format!("{names} of `{path}` cannot be kept"),
            all => format!("what {} lists have cannot be kept", all.len()),
        };
        let mut problem = Diagnostic::error(&codes::LIST_NOT_KEPT, message).with_hint(
            "write each list as a mapping with one key a line, as `kustomize create` does, and no entry that leads nowhere",
        );
        if self.unkept.len() > 1 {
            let listed = self.unkept.iter().map(|(path, names)| Listed {
                path: path.clone(),
                text: names
                    .as_ref()
                    .map_or_else(String::new, |names| format!("has {names}")),
            });
            problem.list = listed.collect();
        }
        Some(problem)
    }
}

/// Finds what a list has and the rendered one lacks; `None` where it cannot be read or taken apart.
fn addition(file: &File, theirs: &[u8]) -> Option<ListAddition> {
    let text = str::from_utf8(theirs).ok()?;
    let theirs = only_mapping(text)?;
    let ours = file.documents.first().map(|document| &document.root);
    let folder = split(&file.path).0;
    let kept: BTreeSet<String> = ours
        .into_iter()
        .flat_map(|ours| entries(folder, ours))
        .map(|(_, place, _)| place)
        .collect();
    let lost = entries(folder, &theirs)
        .filter(|(_, place, _)| !kept.contains(place) && !cluster_template::is_replaced(place));
    let mut found = ListAddition {
        path: file.path.clone(),
        entries: lost
            .map(|(field, _, written)| (field, written.to_owned()))
            .collect(),
        fields: Vec::new(),
    };
    let mut end = 0;
    for entry in theirs.entries()? {
        let lines = EntryLines::of(text, end, entry);
        let is_known = LISTS.iter().chain(&HEADER).any(|known| entry.key == *known);
        let is_ours = ours.is_some_and(|ours| ours.get(&entry.key).is_some());
        if is_known || is_ours || entry.value.is_null() {
            end = lines.map_or(end, |lines| lines.end);
            continue;
        }
        let lines = lines?;
        end = lines.end;
        let written = format!("{}{}{}\n", lines.comment, entry.key, lines.value);
        found.fields.push((entry.key.clone(), written));
    }
    Some(found)
}

/// Lists the entries: the field, where they lead, so that `./a` and `a` are one, and how they are written.
fn entries<'n>(
    folder: &str,
    root: &'n Node,
) -> impl Iterator<Item = (&'static str, String, &'n str)> {
    let items = LISTS.into_iter().flat_map(|field| {
        let items = root.get(field).and_then(Node::items).unwrap_or_default();
        items.iter().map(move |item| (field, item))
    });
    items.filter_map(move |(field, item)| {
        let written = item.text()?;
        let place = join(folder, written).unwrap_or_else(|| written.to_owned());
        Some((field, place, written))
    })
}

impl ListAddition {
    /// Lists the entries as they are written, and the names of the other fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter().map(|(_, entry)| entry.as_str());
        entries.chain(self.fields.iter().map(|(field, _)| field.as_str()))
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.fields.is_empty()
    }

    /// Returns the text of a template of the list with what it lacks: entries at the end of their fields, and the other
    /// fields at the end of the text.
    ///
    /// `is_rendered` says whether the text is rendered, rather than copied, so that signs of the template language have to
    /// be told from it.
    pub fn added_to(&self, text: &str, is_rendered: bool) -> String {
        let mut text = text.to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        for field in LISTS {
            let own = self.entries.iter().filter(|(of, _)| *of == field);
            let written: Vec<&str> = own.map(|(_, written)| written.as_str()).collect();
            if !written.is_empty() {
                add_entries(&mut text, field, &written, is_rendered);
            }
        }
        for (_, lines) in &self.fields {
            text.push_str(&verbatim(lines, is_rendered));
        }
        text
    }
}

/// Adds entries at the end of a list of a template, which need not be YAML.
fn add_entries(text: &mut String, field: &str, entries: &[&str], is_rendered: bool) {
    let block = block_of(text, field);
    let indent = block.as_ref().map_or("  ", |block| {
        let mut lines = text[block.clone()].lines();
        let item = lines.find(|line| line.trim_start().starts_with("- "));
        item.map_or("  ", |item| &item[..item.len() - item.trim_start().len()])
    });
    let lines = entries.iter().map(|entry| {
        let value = yaml::emit(&Value::String((*entry).to_owned()));
        verbatim(&format!("{indent}- {value}"), is_rendered)
    });
    let lines: String = lines.collect();
    if let Some(block) = block {
        text.insert_str(block.end, &lines);
    } else {
        text.push_str(field);
        text.push_str(":\n");
        text.push_str(&lines);
    }
}

/// Finds the lines below a key at the top of a template: those that are indented, or items.
fn block_of(text: &str, field: &str) -> Option<std::ops::Range<usize>> {
    let mut lines = text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    });
    let key = format!("{field}:");
    let (start, line) = lines.find(|(_, line)| line.trim_end() == key)?;
    let below = lines.take_while(|(_, line)| line.starts_with([' ', '-', '\n', '\r']));
    let filled = below.filter(|(_, line)| !line.trim().is_empty());
    let start = start + line.len();
    let end = filled.last().map_or(start, |(at, line)| at + line.len());
    Some(start..end)
}

/// Returns lines so that a template prints them as they are.
fn verbatim(lines: &str, is_rendered: bool) -> String {
    let opens = DELIMITERS.iter().any(|sign| lines.contains(sign));
    let lines = lines.trim_end_matches('\n');
    if is_rendered && opens {
        format!("#% raw %#\n{lines}\n#% endraw %#\n")
    } else {
        format!("{lines}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::super::rendered_tree;
    use super::*;

    const PATH: &str = "apps/default/kustomization.yaml";
    const TEMPLATE: &str = "\
---
kind: Kustomization
components:
  - ../../components/sops
resources:
  - ./namespace.yaml
  #% for name in names %#
  - ./#{ name }#/ks.yaml
  #% endfor %#
";
    const OURS: &str = "\
kind: Kustomization
components:
  - ../../components/sops
resources:
  - ./namespace.yaml
  - ./echo/ks.yaml
";

    fn kept(ours: &str, theirs: &str) -> KeptLists {
        let tree = rendered_tree(&[(PATH, ours)]);
        kept_lists(&tree, &|_| Some(theirs.as_bytes().to_vec()))
    }

    #[test]
    fn entries_and_fields_of_the_user_are_kept() {
        let theirs = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [namespace.yaml, ./mine/ks.yaml, echo/ks.yaml, './we#{ird/ks.yaml']
components: [../../components/sops, ../../components/own]
# mine
patches:
  - path: mine.yaml
    target: {kind: HelmRelease}
namespace:
";
        let kept = kept(OURS, theirs);
        assert_eq!(kept.problem(), None);
        let [addition] = kept.additions.as_slice() else {
            panic!("{kept:?}")
        };
        insta::assert_snapshot!(addition.added_to(TEMPLATE, true), @r"
        ---
        kind: Kustomization
        components:
          - ../../components/sops
          - ../../components/own
        resources:
          - ./namespace.yaml
          #% for name in names %#
          - ./#{ name }#/ks.yaml
          #% endfor %#
          - ./mine/ks.yaml
        #% raw %#
          - ./we#{ird/ks.yaml
        #% endraw %#
        # mine
        patches:
          - path: mine.yaml
            target: {kind: HelmRelease}
        ");
        let left = kept.clone().after_additions().problem().unwrap();
        assert_eq!(
            left.message,
            "`./mine/ks.yaml`, `./we#{ird/ks.yaml`, `../../components/own`, `patches` of `apps/default/kustomization.yaml` cannot be kept"
        );
        let copied = addition.added_to("resources:\n- a\n\n", false);
        insta::assert_snapshot!(copied, @r"
        resources:
        - a
        - ./mine/ks.yaml
        - ./we#{ird/ks.yaml

        components:
          - ../../components/own
        # mine
        patches:
          - path: mine.yaml
            target: {kind: HelmRelease}
        ");
    }

    #[test]
    fn what_the_rendered_list_has_is_no_addition() {
        assert_eq!(kept(OURS, OURS), KeptLists::default());
        let less = "resources:\n- namespace.yaml\n";
        assert_eq!(kept(OURS, less), KeptLists::default());
        // The catalogue has another file for it.
        let own = "kubernetes/apps/network/envoy-gateway/app/envoy.yaml";
        assert!(cluster_template::is_replaced(own));
    }

    #[test]
    fn a_list_that_cannot_be_read_is_told() {
        for torn in [
            "resources: [\n",
            "- a\n",
            "a: 1\n---\nb: 2\n",
            "{patches: [1]}\n",
        ] {
            let kept = kept(OURS, torn);
            assert_eq!(kept.unkept, [(PATH.to_owned(), None)], "{torn}");
            let problem = kept.problem().unwrap();
            assert!(problem.message.contains(PATH), "{problem:?}");
        }
    }
}
