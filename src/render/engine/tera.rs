//! Tera, with a dialect of ours: limits, a map of lines, and functions that read the project.

mod callable;
mod environment;
mod filters;
mod functions;
mod meter;
mod parsed;
mod prepass;
mod report;
mod scan;
pub(in crate::render) mod sealed_text;
mod session;
mod sourcemap;
mod template;
mod tera_engine;
mod undefined;
mod variables;

pub use callable::{Filter, Flow, Function};
pub use filters::FILTERS;
pub use functions::FUNCTIONS;
pub use session::{CALL_STEPS, MAX_OUTPUT, MAX_STEPS, MAX_WEIGHT, MAX_WORK};
pub use template::MAX_DEPTH;

pub(in crate::render) use environment::{Other, TemplateEnvironment};
pub(in crate::render) use template::PreparedTemplate;
pub(in crate::render) use tera_engine::{Surroundings, TeraEngine, TeraTemplates, TeraView};
pub(in crate::render) use variables::TemplateVariables;
