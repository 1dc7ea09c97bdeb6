//! A tree whose sealed files are worked on one by one, by the hand of their owner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_core::CryptoRngCore;
use serde_json::Value;
use sops_age::RULE_FILE;
use sops_age::keys::PluginAccess;
use zeroize::Zeroizing;

use super::failure::Warnings;
use super::inputs::{self, in_project};
use super::{CompileFailure, World};
use crate::diagnostic::Diagnostic;
use crate::pipeline::codes;
use crate::seal::{self, FileSealer, Keyring, NewKeys, Rules, SealReview};
use crate::secret::{AGE_KEY, Secrets};
use crate::source::{Files, Source, Span};
use crate::tree::secret_manifest::SecretManifest;
use crate::tree::{File, is_secret_path, is_yaml_path};
use crate::yaml::{self, Resolver, Route};

/// What the names of templates end in: their `.sops.` is said of what comes out of them.
const TEMPLATE_ENDINGS: [&str; 6] = [".tera", ".j2", ".jinja", ".jinja2", ".tmpl", ".tpl"];

/// A longer file is no manifest, and no secret that anybody sealed.
const LONGEST: usize = 16 << 20;

/// The files of a tree, the creation rules above some of them, and the private keys at hand.
pub struct SealedTree<'t> {
    /// What was found strange on the way.
    pub warnings: Vec<Diagnostic>,
    files: &'t dyn Files,
    rules: Rules,
    keyring: Keyring,
    plugins: PluginAccess,
    known: crate::secret::KnownSecrets,
    now: String,
}

/// A file that is sealed, or that should be.
pub struct ReviewedFile {
    /// Its path in the tree.
    pub path: String,
    /// What can be seen of it.
    pub review: SealReview,
}

impl<'t> SealedTree<'t> {
    /// Opens a tree for work on some of its files: with the rules of each `.sops.yaml` in a folder of theirs or above, and
    /// with the keys of the world, which is that of the project in it, if there is one.
    ///
    /// # Errors
    /// A broken rule file, `kiln.toml` or key file.
    pub fn open<'p>(
        world: &World<'_>,
        files: &'t dyn Files,
        paths: impl IntoIterator<Item = &'p str>,
    ) -> Result<Self, CompileFailure> {
        let mut warnings = Warnings::default();
        let project = super::opened_project(world, None, &mut warnings)?;
        let keyring = warnings.keep(inputs::keyring(world, &project))?;
        let rules = warnings.keep(Rules::read(rule_files(files, paths)?, ""))?;
        Ok(Self {
            warnings: warnings.list,
            files,
            rules: rules.with_plugins(&world.plugins()),
            keyring,
            plugins: world.plugins(),
            known: world.known().clone(),
            now: world.now.clone(),
        })
    }

    /// Returns whether a rule matches a file.
    pub fn has_rule(&self, path: &str) -> bool {
        self.rules.covers(path)
    }

    /// Returns the plain text of a sealed file; its values count as secrets that nothing may print.
    ///
    /// # Errors
    /// There is no such file, or it cannot be opened.
    pub fn decrypt(&self, path: &str) -> Result<Zeroizing<Vec<u8>>, CompileFailure> {
        let source = self.sealed(path)?;
        let plain = self.sealer().open(&source).map_err(one)?;
        if let Ok(text) = std::str::from_utf8(&plain) {
            self.note(&source, text);
        }
        Ok(plain)
    }

    /// Returns the value at a route in a sealed YAML or JSON file.
    ///
    /// # Errors
    /// As of [`decrypt`](Self::decrypt), and nothing at the route.
    pub fn value(&self, path: &str, route: &Route) -> Result<Value, CompileFailure> {
        let plain = self.decrypt(path)?;
        let text = std::str::from_utf8(&plain).ok();
        let documents = text
            .and_then(|text| yaml::load(text).ok())
            .unwrap_or_default();
        let mut found = documents
            .iter()
            .filter_map(|document| document.root.at(route));
        match found.next() {
            Some(node) => Ok(node.to_value(Resolver::Core)),
            None => Err(one(nothing_at(route, &format!("`{path}`")))),
        }
    }

    /// Seals a file that is in plain text; `None` where it is sealed already.
    ///
    /// # Errors
    /// There is no such file, no rule for it, or it cannot be sealed.
    pub fn encrypt(
        &self,
        path: &str,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<Option<String>, CompileFailure> {
        let plain = Zeroizing::new(self.bytes(path)?);
        let text = std::str::from_utf8(&plain).unwrap_or_default();
        if let Some(review) = self.sealer().review(&Source::sensitive(path, text)) {
            return if review.terms.is_some() {
                Ok(None)
            } else {
                Err(CompileFailure::Problems(review.problems))
            };
        }
        self.create(path, &plain, entropy).map(Some)
    }

    /// Seals a plain text that becomes a new file.
    ///
    /// # Errors
    /// As of [`encrypt`](Self::encrypt).
    pub fn create(
        &self,
        path: &str,
        plain: &[u8],
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<String, CompileFailure> {
        let sealed = self.sealer().seal(path, plain, None, &self.now, entropy);
        sealed.map_err(CompileFailure::Problems)
    }

    /// Seals a changed text in the place of a sealed file; `None` where nothing has changed.
    ///
    /// # Errors
    /// The file cannot be opened, or the text cannot be sealed.
    pub fn edit(
        &self,
        path: &str,
        plain: &[u8],
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<Option<String>, CompileFailure> {
        let source = self.sealed(path)?;
        let sealed = self.sealer().edit(&source, plain, &self.now, entropy);
        sealed.map_err(CompileFailure::Problems)
    }

    /// Seals a file with a new data key and every ciphertext anew.
    ///
    /// # Errors
    /// The file cannot be opened or sealed.
    pub fn rotate(
        &self,
        path: &str,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<String, CompileFailure> {
        let source = self.sealed(path)?;
        let sealed = self.sealer().rotate(&source, &self.now, entropy);
        sealed.map_err(CompileFailure::Problems)
    }

    /// Wraps the data key of a file for the recipients of its rule; `None` where that is so already.
    ///
    /// # Errors
    /// The file cannot be opened, or no rule matches it.
    pub fn update_keys(&self, path: &str) -> Result<Option<NewKeys>, CompileFailure> {
        let source = self.sealed(path)?;
        let sealed = self.sealer().update_keys(&source);
        sealed.map_err(CompileFailure::Problems)
    }

    /// Lists those of some files that are sealed.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn sealed_among<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p str>,
    ) -> Result<Vec<String>, CompileFailure> {
        let mut found = Vec::new();
        for path in paths {
            let text = self.text(path)?;
            if text.is_some_and(|text| seal::is_sealed(&text)) {
                found.push(path.to_owned());
            }
        }
        Ok(found)
    }

    /// Looks at those of some files that are sealed or that should be: what a rule names, what has a `.sops.` in its
    /// name, and Secrets of Kubernetes with values in them. Templates are left alone.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn review<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p str>,
    ) -> Result<Vec<ReviewedFile>, CompileFailure> {
        let mut found = BTreeMap::new();
        let mut plain = Vec::new();
        for path in paths {
            let is_template = TEMPLATE_ENDINGS.iter().any(|ending| path.ends_with(ending));
            let Some(text) = self.text(path)?.filter(|_| !is_template) else {
                continue;
            };
            let source = Source::new(path, text);
            match self.sealer().review(&source) {
                Some(review) => drop(found.insert(path.to_owned(), review)),
                None => plain.push(plain_file(source)),
            }
        }
        let named = self.rules.named(plain.iter());
        for file in &plain {
            if let Some((span, why)) = reason_to_seal(file, &named) {
                let review = self
                    .sealer()
                    .review_plain(&file.source.keys_only(), span, &why);
                found.insert(file.path.clone(), review);
            }
        }
        let files = found.into_iter();
        Ok(files
            .map(|(path, review)| ReviewedFile { path, review })
            .collect())
    }

    fn sealer(&self) -> FileSealer<'_> {
        FileSealer::new(&self.rules, &self.keyring, self.plugins.clone())
    }

    fn bytes(&self, path: &str) -> Result<Vec<u8>, CompileFailure> {
        let bytes = self.files.read_output(path)?;
        bytes.ok_or_else(|| one(no_file(path)))
    }

    fn sealed(&self, path: &str) -> Result<Arc<Source>, CompileFailure> {
        let bytes = self.bytes(path)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            let message = format!("`{path}` is not a file that SOPS sealed");
            one(Diagnostic::error(&seal::codes::NOT_SEALED, message).with_hint("it is no text"))
        })?;
        Ok(Source::sensitive(path, text))
    }

    /// Reads a file that may be looked at; `None` for what is no text, or too long to be one that was sealed.
    fn text(&self, path: &str) -> Result<Option<String>, CompileFailure> {
        let bytes = self.files.read_output(path)?.unwrap_or_default();
        Ok(String::from_utf8(bytes)
            .ok()
            .filter(|text| text.len() <= LONGEST))
    }

    /// Notes what was encrypted: the rest everybody can read.
    fn note(&self, sealed: &Source, plain: &str) {
        let (sealed_roots, roots) = (loaded(&sealed.text), loaded(plain));
        let mut secrets = Secrets::default();
        for (root, plain) in sealed_roots.iter().zip(&roots) {
            root.each_scalar(&mut |pointer, scalar| {
                let value = plain
                    .at(&Route::from_pointer(pointer))
                    .and_then(yaml::Node::text);
                if let Some(value) = value.filter(|_| scalar.text.starts_with("ENC[")) {
                    secrets.insert(value, format!("{} {pointer}", sealed.path));
                }
            });
        }
        self.known.note(secrets);
    }
}

fn loaded(text: &str) -> Vec<yaml::Node> {
    let documents = yaml::load(text).unwrap_or_default().into_iter();
    documents.map(|document| document.root).collect()
}

fn one(problem: Diagnostic) -> CompileFailure {
    CompileFailure::Problems(vec![problem])
}

/// Says that there is no file of that name.
pub(super) fn no_file(path: &str) -> Diagnostic {
    Diagnostic::error(&codes::FILE_UNKNOWN, format!("there is no file `{path}`"))
        .with_hint("paths count from the folder that `kiln` runs in")
}

/// Says that a route leads to nothing.
pub(super) fn nothing_at(route: &Route, holder: &str) -> Diagnostic {
    Diagnostic::error(
        &codes::VALUE_UNKNOWN,
        format!("there is no `{route}` in {holder}"),
    )
    .with_hint(
        "dots part the keys, as in `dns.token`; for a key with a dot in it, write `/dns/token`",
    )
}

/// Reads the rule files in the folders of some files, and in those above.
pub(super) fn rule_files<'p>(
    files: &dyn Files,
    paths: impl IntoIterator<Item = &'p str>,
) -> Result<Vec<(String, Arc<Source>)>, CompileFailure> {
    let mut folders = BTreeSet::from([String::new()]);
    for path in paths {
        let above = path.match_indices('/').map(|(at, _)| path[..at].to_owned());
        folders.extend(above);
    }
    let mut found = Vec::new();
    for folder in folders {
        let path = in_project(&folder, RULE_FILE);
        if let Some(bytes) = files.read_output(&path)? {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            found.push((folder, Source::new(path, text)));
        }
    }
    Ok(found)
}

fn plain_file(source: Arc<Source>) -> File {
    let documents = if is_yaml_path(&source.path) {
        yaml::load(&source.text).unwrap_or_default()
    } else {
        Vec::new()
    };
    File {
        path: source.path.clone(),
        source,
        documents: Arc::new(documents),
        origins: Vec::new(),
        executable: false,
        binary: None,
    }
}

/// Says why a file should be sealed, and where that shows.
fn reason_to_seal(file: &File, named: &BTreeSet<String>) -> Option<(Span, String)> {
    let top = file.source.line_span(1);
    if is_secret_path(&file.path) {
        return Some((top, "its name says that it is sealed".to_owned()));
    }
    if named.contains(&file.path) {
        return Some((top, "a rule names it".to_owned()));
    }
    let mut roots = file.documents.iter().map(|document| &document.root);
    roots.find_map(|root| {
        let secrets = SecretManifest::all(root);
        let told = |secret: &SecretManifest<'_>| {
            let value = secret.literal()?;
            let why = format!("it holds values of Secret `{}`", secret.name());
            Some((value.entry.key_span, why))
        };
        secrets.iter().find_map(told)
    })
}

/// Returns the public half of the project's own key.
pub(super) fn own_recipient(keyring: &Keyring) -> Option<String> {
    keyring.recipients_from(AGE_KEY).into_iter().next()
}

/// Reads a path to a value: keys with dots between them, or a JSON pointer (RFC 6901).
pub fn value_route(text: &str) -> Route {
    if text.starts_with('/') {
        Route::from_pointer(text)
    } else {
        Route::parse(text)
    }
}

/// Lists the folders of a project whose files are templates.
pub fn template_folders(world: &World<'_>) -> Result<Vec<String>, CompileFailure> {
    let project = Warnings::default().keep(inputs::project(world))?;
    Ok(project.templates)
}
