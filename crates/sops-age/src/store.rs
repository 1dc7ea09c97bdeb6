//! The file formats that SOPS knows.

use crate::json;
use crate::outline::Notation;
use crate::reader::BINARY_KEY;

/// A file format, told by the name of the file as SOPS does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// `.yaml`, `.yml`: one or more mappings.
    Yaml,
    /// `.json`: one object.
    Json,
    /// `.env`; this crate does not seal it.
    Dotenv,
    /// `.ini`; this crate does not seal it.
    Ini,
    /// Anything else: the bytes of the file are one value, in an object of JSON.
    Binary,
}

impl Store {
    /// Tells the format by the end of a path.
    pub fn of(path: &str) -> Self {
        match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("yaml" | "yml") => Self::Yaml,
            Some("json") => Self::Json,
            Some("env") => Self::Dotenv,
            Some("ini") => Self::Ini,
            _ => Self::Binary,
        }
    }

    /// Tells the format of a sealed file, which may be another than its name says where the name says nothing.
    pub fn of_sealed(path: &str, text: &str) -> Self {
        let store = Self::of(path);
        if store != Self::Binary {
            return store;
        }
        match json::load(text) {
            Ok(document) => match document.root.entries().unwrap_or_default() {
                [one, other] if [&one.key, &other.key].iter().all(|key| is_binary_key(key)) => {
                    Self::Binary
                }
                _ => Self::Json,
            },
            Err(_) => Self::Yaml,
        }
    }

    /// Returns what people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::Dotenv => "dotenv",
            Self::Ini => "INI",
            Self::Binary => "binary",
        }
    }

    /// Returns how a sealed file of this format is written; `None` for the formats that this crate does not know.
    pub fn notation(self) -> Option<Notation> {
        match self {
            Self::Yaml => Some(Notation::Yaml),
            Self::Json | Self::Binary => Some(Notation::Json),
            Self::Dotenv | Self::Ini => None,
        }
    }
}

fn is_binary_key(key: &str) -> bool {
    key == BINARY_KEY || key == "sops"
}
