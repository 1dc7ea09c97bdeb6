//! A project of makejinja, rendered: its settings, its data, its plugins and its templates.
//!
//! The contract is that of makejinja 2.9 (`crates/makejinja`), the templates are those of Jinja2 3.1 (`crates/jinja`),
//! and plugins run in a Python of their own (`crates/makejinja-plugins`), unless every function of theirs is one that
//! Kiln has itself.

pub mod codes;
mod family;
mod keyed_files;
mod plugin_object;
mod plugins;
mod problem;
mod rendering;
mod settings;
mod template_sources;
mod values;

pub use plugins::{PluginRequest, PluginStart, PluginStarter, SourceReader, StartedPlugins};
pub use rendering::{MakejinjaInputs, MakejinjaRendering, render};
pub use settings::{MakejinjaLayout, MakejinjaOutside, layout, settings};
