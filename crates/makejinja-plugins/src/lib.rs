//! Python plugins of a makejinja project, in a host process and without makejinja.
//!
//! makejinja lets a project add functions, filters, tests, data and path filters by Python classes. This crate runs
//! them: [`PluginHost::start`] starts a Python, gives it stand-ins of the modules `makejinja` and, where it is not
//! installed, `jinja2`, and loads the plugins by the rules of makejinja 2.9; [`Offered`] says what they registered, and
//! [`PluginHost::call`] calls it. Values are copied, objects that have no counterpart stay in Python as [`Handle`]s.
//!
//! Most projects have the plugin of `onedr0p/cluster-template`, or one made from it. [`known_plugin()`] reads a plugin
//! file without running it and says what of it is known; [`family`] does the same in Rust, so that no Python is needed.
//!
//! Nothing is written to the disk, and nothing that plugins print gets into the protocol.

mod data_hook;
mod error;
pub mod family;
mod fingerprint;
mod host;
mod known_plugin;
mod offered;
mod process;
mod python_definition;
mod python_line;
mod reads;
mod token_cursor;
mod value;
mod wire;

pub use error::{PluginError, PluginErrorKind, PluginFrame};
pub use fingerprint::fingerprints;
pub use host::{HostSpec, PluginHost};
pub use known_plugin::{KnownPlugin, UnknownPart, known_plugin};
pub use offered::{Callee, Offer, Offered, PassedArgument};
pub use reads::PluginReads;
pub use value::{Handle, HandleKind, PluginValue};
