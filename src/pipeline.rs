//! A stub until the owner's pipeline lands.
use crate::diagnostic::Diagnostic;
use crate::secret::Secret;
use crate::source::{Files, MemoryFiles, ReadError};
use crate::tree::{App, Sealed, Tree};
use rand_core::CryptoRngCore;
use std::collections::BTreeMap;

/// A stub.
pub struct World<'w> {
    /// A stub.
    pub files: &'w dyn Files,
    /// A stub.
    pub catalogue: &'w dyn Files,
    /// A stub.
    pub env: &'w (dyn Fn(&str) -> Option<String> + Sync),
    /// A stub.
    pub identities: Vec<(String, Secret)>,
    /// A stub.
    pub now: String,
}
/// A stub.
#[derive(Debug)]
pub struct Compiled {
    /// A stub.
    pub tree: Tree<Sealed>,
    /// A stub.
    pub warnings: Vec<Diagnostic>,
    /// A stub.
    pub templates: usize,
}
/// A stub.
#[derive(Debug)]
pub enum Failure {
    /// A stub.
    Problems(Vec<Diagnostic>),
    /// A stub.
    Read(ReadError),
}
/// A stub.
pub fn compile(_: &World<'_>, _: &mut dyn CryptoRngCore) -> Result<Compiled, Failure> {
    let tree = Tree::rendered([], Vec::new())
        .hardened([], Vec::new())
        .checked()
        .sealed(BTreeMap::new());
    Ok(Compiled {
        tree,
        warnings: Vec::new(),
        templates: 0,
    })
}
/// A stub.
pub fn schema(_: &World<'_>) -> Result<serde_json::Value, Failure> {
    Ok(serde_json::json!({"type": "object"}))
}
/// A stub.
pub fn apps(_: &World<'_>) -> Result<Vec<App>, Failure> {
    Ok(Vec::new())
}
/// A stub.
pub struct Layout {
    /// A stub.
    pub templates: Vec<String>,
    /// A stub.
    pub output: String,
}
/// A stub.
pub fn layout(_: &World<'_>) -> Result<Layout, Failure> {
    Ok(Layout {
        templates: vec!["templates".to_owned()],
        output: ".".to_owned(),
    })
}
/// A stub.
pub struct Explanation {
    /// A stub.
    pub code: &'static str,
    /// A stub.
    pub summary: &'static str,
    /// A stub.
    pub text: &'static str,
}
/// A stub.
pub fn explanations() -> Vec<Explanation> {
    Vec::new()
}
/// A stub.
pub fn catalogue() -> impl Files + 'static {
    MemoryFiles::default()
}
