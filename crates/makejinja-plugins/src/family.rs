//! What the plugins of the cluster-template family do, without Python.
//!
//! `onedr0p/cluster-template` and the projects made from it share some functions, in a few variants each.
//! [`known_plugin()`](crate::known_plugin()) says which of them a plugin has. The results are those of the originals to
//! the byte; errors mean the same in our own words.

mod arguments;
mod defaults;
mod folder_filter;
mod key_file;
mod network;
mod path;

use zeroize::Zeroizing;

use crate::value::PluginValue;
use arguments::Arguments;

pub use defaults::{DataDefaults, defaults};
pub(crate) use defaults::{DataMapping, DataPlace, DefaultStep, DefaultValue};
pub use folder_filter::folder_filter;

/// The files that functions of the family read, below the folder of the project.
pub trait KeyFiles {
    /// Reads a text file; none if it is not there.
    ///
    /// # Errors
    ///
    /// Says in a few words why a file that is there cannot be read: `it is not UTF-8`.
    fn read_secret(&self, path: &str) -> Result<Option<Zeroizing<String>>, String>;

    /// Lists the names of the files that stand directly in a folder, links followed; none if there is no such folder.
    ///
    /// # Errors
    ///
    /// Says in a few words why the folder cannot be listed.
    fn list_files(&self, folder: &str) -> Result<Option<Vec<String>>, String>;
}

/// Why a function of the family has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FamilyError {
    /// What is wrong, without a text that was read.
    pub message: String,
}

impl FamilyError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// A function of the family, in one of its variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyFunction {
    /// `nthhost(network, n)`: the nth address of a network; `False` if there is none.
    NthHost(NetworkLibrary),
    /// `basename(path)`: the last part of a path without its last suffix.
    PathStem,
    /// `basename(path)` of 2024: the last part of a path.
    PathName,
    /// `talos_patches(role)`: the paths of the files in a folder of the template, sorted.
    TalosPatches {
        /// The folder that the folders of the roles stand in.
        folder: &'static str,
        /// How the names of the files end.
        ending: &'static str,
    },
    /// `age_key("public" or "private")`.
    AgeKey {
        /// Whether the private key can be a post-quantum one.
        post_quantum: bool,
    },
    /// `age_public_key()`.
    AgePublicKey,
    /// `age_private_key()`.
    AgePrivateKey,
    /// `cloudflare_tunnel_id()`.
    TunnelId {
        /// Whether an empty one is refused.
        refuses_empty: bool,
    },
    /// `cloudflare_tunnel_secret()`: account, tunnel and secret as the token with which `cloudflared` runs a tunnel.
    TunnelSecret {
        /// Whether an empty part is refused.
        refuses_empty: bool,
    },
    /// `cloudflare_tunnel(field)` of early 2025.
    TunnelField {
        /// The file, which cannot be named by the caller.
        file: &'static str,
    },
    /// A function that returns what a file holds: `deploy_key`, `webhook_token` and others.
    FileText(FileText),
}

/// How a function returns what a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileText {
    /// The file that is read if the caller names none.
    pub file: &'static str,
    /// Whether the caller can name another one.
    pub takes_file: bool,
    /// Whether white space around the text is left out.
    pub strips: bool,
    /// Whether a file without a text is refused.
    pub refuses_empty: bool,
}

/// The library by which a plugin reads networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkLibrary {
    /// `ipaddress` of Python: what is no network gives `False`.
    Ipaddress,
    /// `netaddr`: what is no network is an error, and where there is no nth host, the network is the result.
    Netaddr,
}

impl FamilyFunction {
    /// Calls the function with the arguments of a template.
    ///
    /// # Errors
    ///
    /// Fails where the original raises an exception, and if an argument is of a type that only Python can handle.
    pub fn call(
        self,
        files: &dyn KeyFiles,
        arguments: &[PluginValue],
        named: &[(String, PluginValue)],
    ) -> Result<PluginValue, FamilyError> {
        let parameters = self.parameters();
        let arguments = Arguments::bind(parameters, arguments, named)?;
        match self {
            Self::NthHost(library) => {
                network::nth_host(library, arguments.required(0)?, arguments.required(1)?)
            }
            Self::PathStem => Ok(path::stem(arguments.text(0)?).into()),
            Self::PathName => Ok(path::name(arguments.text(0)?).into()),
            Self::TalosPatches { folder, ending } => {
                path::list(files, &format!("{folder}/{}", arguments.text(0)?), ending)
            }
            Self::AgeKey { post_quantum } => {
                let kind = arguments.text(0)?;
                let file = arguments.text_or(1, AGE_KEY)?;
                key_file::age_key(files, file, kind, post_quantum)
            }
            Self::AgePublicKey => key_file::age_key(files, AGE_KEY, "public", false),
            Self::AgePrivateKey => key_file::age_key(files, AGE_KEY, "private", false),
            Self::TunnelId { refuses_empty } => {
                key_file::tunnel_id(files, arguments.text_or(0, TUNNEL)?, refuses_empty)
            }
            Self::TunnelSecret { refuses_empty } => {
                key_file::tunnel_secret(files, arguments.text_or(0, TUNNEL)?, refuses_empty)
            }
            Self::TunnelField { file } => key_file::tunnel_field(files, file, arguments.text(0)?),
            Self::FileText(how) => {
                let file = arguments.text_or(0, how.file)?;
                key_file::file_text(files, file, how.strips, how.refuses_empty)
            }
        }
    }

    /// Tells whether the result of a call is a secret. What the family reads of key files is one, besides the public
    /// key and the id of the tunnel.
    pub fn gives_secret(self, arguments: &[PluginValue], named: &[(String, PluginValue)]) -> bool {
        let first = Arguments::bind(self.parameters(), arguments, named);
        let first = first
            .ok()
            .and_then(|bound| bound.text(0).ok().map(str::to_owned));
        match self {
            Self::NthHost(_)
            | Self::PathStem
            | Self::PathName
            | Self::TalosPatches { .. }
            | Self::AgePublicKey
            | Self::TunnelId { .. } => false,
            Self::AgeKey { .. } => first.as_deref() != Some("public"),
            Self::TunnelField { .. } => first.as_deref() != Some("TunnelID"),
            Self::AgePrivateKey | Self::TunnelSecret { .. } | Self::FileText(_) => true,
        }
    }

    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::NthHost(_) => &["value", "query"],
            Self::PathStem
            | Self::PathName
            | Self::TalosPatches { .. }
            | Self::TunnelField { .. } => &["value"],
            Self::AgeKey { .. } => &["key_type", "file_path"],
            Self::AgePublicKey | Self::AgePrivateKey => &[],
            Self::TunnelId { .. } | Self::TunnelSecret { .. } => &["file_path"],
            Self::FileText(FileText { takes_file, .. }) => {
                if takes_file {
                    &["file_path"]
                } else {
                    &[]
                }
            }
        }
    }
}

const AGE_KEY: &str = "age.key";
const TUNNEL: &str = "cloudflare-tunnel.json";
