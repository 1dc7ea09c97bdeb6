//! The file formats that SOPS knows.

use crate::diagnostic::Diagnostic;

/// A file format, told by the name of the file as SOPS does.
///
/// YAML is the one that Kiln seals. Another one becomes possible with an
/// [`Outline`](super::outline::Outline) of its own: what is encrypted, hashed and compared is the
/// same for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    Yaml,
    Json,
    Dotenv,
    Ini,
    Binary,
}

impl Store {
    pub(super) fn of(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            Some("env") => Self::Dotenv,
            Some("ini") => Self::Ini,
            _ => Self::Binary,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::Dotenv => "dotenv",
            Self::Ini => "INI",
            Self::Binary => "binary",
        }
    }

    /// Says that a file cannot be sealed in this format.
    pub(super) fn unsupported(self, path: &str) -> Diagnostic {
        let message = format!(
            "`{path}` is a {} file, and Kiln seals only YAML files as yet",
            self.name()
        );
        Diagnostic::error("unsupported-secret-format", message)
            .with_hint("put the content into a `*.sops.yaml` file; if it is no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it")
    }
}
