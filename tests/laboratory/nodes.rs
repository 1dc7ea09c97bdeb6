//! The examples on another number of nodes than their own.

use kiln::yaml::{self, Resolver};
use serde_json::{Value, json};

use crate::examples::example;
use crate::support::Sandbox;

/// The examples, and how the addresses of their nodes start.
pub(super) const ADDRESSES: [(&str, &str); 3] = [
    ("full", "10.30.0.1"),
    ("homelab", "192.168.1.1"),
    ("production", "10.20.0.1"),
];

/// Takes the nodes out of a data file, where it has them.
pub(super) fn without_nodes(text: &str) -> String {
    if let Some((before, _)) = text.split_once("[[nodes]]") {
        return before.to_owned();
    }
    let mut config = yaml::load(text).unwrap()[0].root.to_value(Resolver::Core);
    config.as_object_mut().unwrap().remove("nodes");
    yaml::emit(&config)
}

/// Writes the `nodes.yaml` of an example with one controller, a controller and a worker, or three controllers.
pub(super) fn nodes_file(example: &str, count: usize) -> String {
    let (_, addresses) = *ADDRESSES.iter().find(|(name, _)| *name == example).unwrap();
    let nodes = (1..=count).map(|number| {
        json!({
            "name": format!("node-{number}"),
            "address": format!("{addresses}{number}"),
            "controller": number == 1 || count == 3,
            "disk": "/dev/sda",
            "mac_addr": format!("02:00:00:00:09:1{number}"),
        })
    });
    yaml::emit(&json!({"nodes": nodes.collect::<Vec<Value>>()}))
}

/// Copies an example into a sandbox, with this many nodes in place of its own.
pub(super) fn example_with_nodes(name: &str, count: usize) -> Sandbox {
    let sandbox = example(name);
    for file in sandbox.files() {
        if file.starts_with("cluster.") && !file.contains("schema") {
            sandbox.write(&file, without_nodes(&sandbox.read(&file)));
        }
    }
    let settings = sandbox.read("kiln.toml");
    let settings = settings.lines().filter(|line| !line.starts_with("data = "));
    sandbox.write("kiln.toml", settings.collect::<Vec<_>>().join("\n"));
    sandbox.write("nodes.yaml", nodes_file(name, count));
    sandbox
}
