//! Secrets as manifests write them: in a document of their own or as items of a `List`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::reference;
use crate::yaml::{Entry, Node, Route, Step};

/// The fields of a Secret that hold its values.
const FIELDS: [&str; 2] = ["stringData", "data"];

/// A Secret in a document.
#[derive(Clone, Debug)]
pub struct SecretManifest<'n> {
    /// The Secret.
    pub node: &'n Node,
    /// The way to it from the document's root; empty where it is the document.
    pub route: Route,
}

/// A value of a Secret.
#[derive(Clone, Copy, Debug)]
pub struct SecretValue<'n> {
    /// The field: `data` or `stringData`.
    pub field: &'static str,
    /// The key and what stands there.
    pub entry: &'n Entry,
}

/// Lists an object and, if it is a `List`, all that it holds at any depth, each with the way to it.
pub fn with_items(root: &Node) -> Vec<(Route, &Node)> {
    let mut found = vec![(Route::default(), root)];
    let mut next = 0;
    while let Some((route, node)) = found.get(next).cloned() {
        next += 1;
        let is_list = node
            .find_text("kind")
            .is_some_and(|kind| kind.ends_with("List"));
        let items = node.get("items").filter(|_| is_list).and_then(Node::items);
        let below = route.then("items");
        for (index, item) in items.unwrap_or_default().iter().enumerate() {
            found.push((below.then(index), item));
        }
    }
    found
}

impl<'n> SecretManifest<'n> {
    /// Lists the Secrets of a document, in the order written.
    pub fn all(root: &'n Node) -> Vec<Self> {
        let objects = with_items(root);
        let is_secret = |route: &Route, node: &Node| match node.find_text("kind") {
            Some(kind) => kind == "Secret" && group(node).is_empty(),
            // The items of a typed list need not say what they are.
            None => parent(root, route).is_some_and(|list| {
                list.find_text("kind") == Some("SecretList") && group(list).is_empty()
            }),
        };
        objects
            .into_iter()
            .filter(|(route, node)| is_secret(route, node))
            .map(|(route, node)| Self { node, route })
            .collect()
    }

    /// Returns the name as written; empty when there is none.
    pub fn name(&self) -> &'n str {
        self.node.find_text("metadata.name").unwrap_or_default()
    }

    /// Lists its values, those of `stringData` first.
    pub fn values(&self) -> impl Iterator<Item = SecretValue<'n>> + use<'n> {
        let node = self.node;
        FIELDS.into_iter().flat_map(move |field| {
            let entries = node.get(field).and_then(Node::entries).unwrap_or_default();
            entries
                .iter()
                .map(move |entry| SecretValue { field, entry })
        })
    }

    /// Returns the first value that would be readable for everyone who reads the file.
    pub fn literal(&self) -> Option<SecretValue<'n>> {
        self.values().find(SecretValue::is_literal)
    }
}

impl SecretValue<'_> {
    /// Returns whether something is told here: neither nothing, nor a mere reference to where it is.
    pub fn is_literal(&self) -> bool {
        is_literal(self.field, &self.entry.value)
    }
}

/// Returns whether a value of a field of a Secret tells something: it is neither nothing, nor a mere reference
/// to where it is.
///
/// `data` is decoded before it is judged.
pub fn is_literal(field: &str, value: &Node) -> bool {
    let Some(text) = value.text() else {
        return true;
    };
    let tells = |text: &str| !text.is_empty() && !reference::is_reference(text);
    if value.is_null() || !tells(text) {
        return false;
    }
    match decoded(text).filter(|_| field == "data") {
        Some(bytes) => tells(&String::from_utf8_lossy(&bytes)),
        None => true,
    }
}

/// Decodes a value of `data`.
pub fn decoded(text: &str) -> Option<Vec<u8>> {
    let packed: String = text.split_whitespace().collect();
    STANDARD.decode(packed).ok()
}

fn group(node: &Node) -> &str {
    let version = node.find_text("apiVersion").unwrap_or_default();
    version.split_once('/').map_or("", |(group, _)| group)
}

/// Returns the list that holds an item.
fn parent<'n>(root: &'n Node, route: &Route) -> Option<&'n Node> {
    match route.0.as_slice() {
        [above @ .., Step::Key(_), Step::Index(_)] => root.at(&Route(above.to_vec())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(text: &str) -> Vec<String> {
        let documents = crate::yaml::load(text).unwrap();
        let all = documents
            .iter()
            .flat_map(|document| SecretManifest::all(&document.root));
        all.filter(|secret| secret.literal().is_some())
            .map(|secret| format!("{} {}", secret.route, secret.name()))
            .collect()
    }

    #[test]
    fn finds_secrets_in_documents_and_in_lists_of_lists() {
        let secret = |name: &str| {
            format!(
                "{{apiVersion: v1, kind: Secret, metadata: {{name: {name}}}, data: {{a: eA==}}}}"
            )
        };
        let text = format!(
            "{}\n---\n{{kind: List, items: [{}, {{kind: List, items: [{}]}}]}}\n---\n\
             {{apiVersion: v1, kind: SecretList, items: [{{metadata: {{name: d}}, stringData: {{a: x}}}}]}}\n",
            secret("a"),
            secret("b"),
            secret("c")
        );
        let expected = [" a", "items[0] b", "items[1].items[0] c", "items[0] d"];
        assert_eq!(literals(&text), expected);
    }

    #[test]
    fn takes_no_other_kind_and_nothing_that_is_empty_for_a_secret() {
        let text = "{apiVersion: example.com/v1, kind: Secret, data: {a: eA==}}\n---\n\
                    {apiVersion: v1, kind: ConfigMap, data: {a: x}}\n---\n\
                    {apiVersion: v1, kind: Secret, data: {a: '', b: , c: b3A6Ly92L2kvZg==}, stringData: {d: '${D}'}}\n---\n\
                    {apiVersion: v1, kind: ConfigMapList, items: [{data: {a: x}}]}\n";
        assert_eq!(literals(text), [""; 0]);
    }
}
