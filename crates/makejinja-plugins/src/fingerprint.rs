//! The definitions of the cluster-template family, by their fingerprints.

use crate::family::{FamilyFunction, FileText, NetworkLibrary};
use crate::python_definition::{PythonStatement, statements};
use crate::python_line::split_lines;

/// A function on the top level of a plugin file.
#[derive(Debug)]
pub(crate) struct KnownDefinition {
    fingerprint: &'static str,
    pub(crate) name: &'static str,
    /// What it does; none for one that only others call.
    pub(crate) function: Option<FamilyFunction>,
    /// The names that it uses.
    pub(crate) uses: &'static [&'static str],
}

/// A method of a plugin class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownMethod {
    Constructor { folder_filters: bool },
    PathFilters,
    PathFilter,
}

impl KnownMethod {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Constructor { .. } => "__init__",
            Self::PathFilters => "path_filters",
            Self::PathFilter => "_mjfilter_func",
        }
    }
}

/// Returns the functions and methods of a Python source, each with its fingerprint: what it takes to teach Kiln another
/// variant.
pub fn fingerprints(source: &str) -> Vec<(String, String)> {
    fn add(statements: &[PythonStatement<'_>], found: &mut Vec<(String, String)>) {
        for statement in statements {
            if let Some(name) = statement.defines("def") {
                found.push((name.to_owned(), statement.fingerprint()));
            } else if statement.defines("class").is_some() {
                add(&statement.body(), found);
            }
        }
    }
    let lines = split_lines(source).unwrap_or_default();
    let mut found = Vec::new();
    add(&statements(&lines), &mut found);
    found
}

pub(crate) fn find_definition(fingerprint: &str) -> Option<&'static KnownDefinition> {
    let mut known = DEFINITIONS.iter();
    known.find(|known| known.fingerprint == fingerprint)
}

pub(crate) fn find_method(fingerprint: &str) -> Option<KnownMethod> {
    let mut known = METHODS.iter();
    let found = known.find(|(known, _)| *known == fingerprint);
    found.map(|(_, method)| *method)
}

const fn define(
    fingerprint: &'static str,
    name: &'static str,
    function: Option<FamilyFunction>,
    uses: &'static [&'static str],
) -> KnownDefinition {
    KnownDefinition {
        fingerprint,
        name,
        function,
        uses,
    }
}

/// A file that the caller can name, without white space around it.
const fn stripped(file: &'static str) -> FamilyFunction {
    FamilyFunction::FileText(FileText {
        file,
        takes_file: true,
        strips: true,
        refuses_empty: false,
    })
}

/// The same, and it must not be empty.
const fn refusing_empty(file: &'static str) -> FamilyFunction {
    FamilyFunction::FileText(FileText {
        file,
        takes_file: true,
        strips: true,
        refuses_empty: true,
    })
}

/// A file that the caller cannot name, without white space around it.
const fn fixed(file: &'static str) -> FamilyFunction {
    FamilyFunction::FileText(FileText {
        file,
        takes_file: false,
        strips: true,
        refuses_empty: false,
    })
}

/// A file that the caller cannot name, as it is.
const fn whole(file: &'static str) -> FamilyFunction {
    FamilyFunction::FileText(FileText {
        file,
        takes_file: false,
        strips: false,
        refuses_empty: false,
    })
}

/// Functions of `onedr0p/cluster-template` from January 2024 to August 2026, and of projects that changed how they are
/// written and not what they do.
const DEFINITIONS: &[KnownDefinition] = &[
    define(
        "55581a461b1a8e07f83b6406",
        "nthhost",
        Some(FamilyFunction::NthHost(NetworkLibrary::Ipaddress)),
        &["ValueError", "ipaddress", "str"],
    ),
    define(
        "724395237319f739643966e8",
        "nthhost",
        Some(FamilyFunction::NthHost(NetworkLibrary::Netaddr)),
        &["IPNetwork", "ValueError", "int", "str"],
    ),
    define(
        "5946386afcbec47a208ad4f8",
        "nthhost",
        Some(FamilyFunction::NthHost(NetworkLibrary::Netaddr)),
        &["ValueError", "int", "netaddr", "str"],
    ),
    define(
        "64dec68dfeb9ddc9b5bda32c",
        "basename",
        Some(FamilyFunction::PathStem),
        &["Path"],
    ),
    define(
        "a9812a96b5175572e95c8639",
        "basename",
        Some(FamilyFunction::PathName),
        &["Path"],
    ),
    define(
        "07d45f31effc92eb40d925c9",
        "talos_patches",
        Some(FamilyFunction::TalosPatches {
            folder: "bootstrap/templates/kubernetes/bootstrap/talos/patches",
            ending: ".yaml",
        }),
        &["Path", "str"],
    ),
    define(
        "3045982ae3e3fec30e423e86",
        "talos_patches",
        Some(FamilyFunction::TalosPatches {
            folder: "bootstrap/templates/kubernetes/bootstrap/talos/patches",
            ending: "",
        }),
        &["Path", "str"],
    ),
    define(
        "bad50234101723ea8c6a9b90",
        "talos_patches",
        Some(FamilyFunction::TalosPatches {
            folder: "bootstrap/templates/kubernetes/bootstrap/talos/patches",
            ending: ".yaml.j2",
        }),
        &["Path", "str"],
    ),
    define(
        "3b2b03e81f0924a055c43a3a",
        "talos_patches",
        Some(FamilyFunction::TalosPatches {
            folder: "bootstrap/templates/kubernetes/bootstrap/talos/patches",
            ending: ".yaml.j2",
        }),
        &["Path", "sorted", "str"],
    ),
    define(
        "80e92d651a435876bbec861b",
        "talos_patches",
        Some(FamilyFunction::TalosPatches {
            folder: "templates/config/kubernetes/bootstrap/talos/patches",
            ending: ".yaml.j2",
        }),
        &["Path", "sorted", "str"],
    ),
    define(
        "18fa3f12f25ed529782226c6",
        "talos_patches",
        Some(FamilyFunction::TalosPatches {
            folder: "templates/config/talos/patches",
            ending: ".yaml.j2",
        }),
        &["Path", "sorted", "str"],
    ),
    define(
        "c3a384b88fb04c6706415329",
        "talos_patches",
        Some(FamilyFunction::TalosPatches {
            folder: "template/config/talos/patches",
            ending: ".yaml.j2",
        }),
        &["Path", "sorted", "str"],
    ),
    define(
        "1e862f271237ff0868575c56",
        "age_key",
        Some(FamilyFunction::AgeKey {
            post_quantum: false,
        }),
        &[
            "Exception",
            "FileNotFoundError",
            "RuntimeError",
            "ValueError",
            "open",
            "re",
        ],
    ),
    define(
        "2642fe86d2814b1003397952",
        "age_key",
        Some(FamilyFunction::AgeKey { post_quantum: true }),
        &[
            "Exception",
            "FileNotFoundError",
            "RuntimeError",
            "ValueError",
            "open",
            "re",
        ],
    ),
    define(
        "5cd647688ee5475028e458e4",
        "age_key",
        Some(FamilyFunction::AgeKey { post_quantum: true }),
        &["ValueError", "_read_stripped", "re"],
    ),
    define(
        "ebff045be02b7eb29cca5024",
        "age_key",
        Some(FamilyFunction::AgeKey {
            post_quantum: false,
        }),
        &[
            "Exception",
            "FileNotFoundError",
            "RuntimeError",
            "ValueError",
            "_read_file_cached",
            "re",
        ],
    ),
    define(
        "050f9c2067e55d222829e5f3",
        "age_private_key",
        Some(FamilyFunction::AgePrivateKey),
        &["FileNotFoundError", "ValueError", "open", "re"],
    ),
    define(
        "e567c52d2f0c3025a10b4d6a",
        "age_private_key",
        Some(FamilyFunction::AgePrivateKey),
        &["FileNotFoundError", "ValueError", "open", "re"],
    ),
    define(
        "a683bc8badf1b8af4058e570",
        "age_private_key",
        Some(FamilyFunction::AgePrivateKey),
        &["ValueError", "open", "re"],
    ),
    define(
        "0790ab36911d16490038f087",
        "age_public_key",
        Some(FamilyFunction::AgePublicKey),
        &["FileNotFoundError", "ValueError", "open", "re"],
    ),
    define(
        "a1ccfc3a3245855eed5c1a29",
        "age_public_key",
        Some(FamilyFunction::AgePublicKey),
        &["FileNotFoundError", "ValueError", "open", "re"],
    ),
    define(
        "db1810e19bd08aebae3f55bd",
        "age_public_key",
        Some(FamilyFunction::AgePublicKey),
        &["ValueError", "open", "re"],
    ),
    define(
        "aec2f2fa3fded2f44a7c8ab4",
        "cloudflare_tunnel_id",
        Some(FamilyFunction::TunnelId {
            refuses_empty: false,
        }),
        &[
            "Exception",
            "FileNotFoundError",
            "KeyError",
            "RuntimeError",
            "ValueError",
            "json",
            "open",
        ],
    ),
    define(
        "e4ed9592315302be34c8d883",
        "cloudflare_tunnel_id",
        Some(FamilyFunction::TunnelId {
            refuses_empty: true,
        }),
        &[
            "Exception",
            "FileNotFoundError",
            "KeyError",
            "RuntimeError",
            "ValueError",
            "json",
            "open",
        ],
    ),
    define(
        "ce0f7664a40081c3bffd3286",
        "cloudflare_tunnel_id",
        Some(FamilyFunction::TunnelId {
            refuses_empty: true,
        }),
        &["KeyError", "ValueError", "_read_json"],
    ),
    define(
        "45039c1ab5c5af15c2ed92e7",
        "cloudflare_tunnel_id",
        Some(FamilyFunction::TunnelId {
            refuses_empty: false,
        }),
        &[
            "Exception",
            "FileNotFoundError",
            "KeyError",
            "RuntimeError",
            "ValueError",
            "_read_json_cached",
            "json",
        ],
    ),
    define(
        "80d878e7720b4e49deb05522",
        "cloudflare_tunnel_secret",
        Some(FamilyFunction::TunnelSecret {
            refuses_empty: false,
        }),
        &[
            "Exception",
            "FileNotFoundError",
            "KeyError",
            "RuntimeError",
            "ValueError",
            "base64",
            "json",
            "open",
        ],
    ),
    define(
        "bc0d42785a6a7fae8aba042e",
        "cloudflare_tunnel_secret",
        Some(FamilyFunction::TunnelSecret {
            refuses_empty: true,
        }),
        &[
            "Exception",
            "FileNotFoundError",
            "KeyError",
            "RuntimeError",
            "ValueError",
            "base64",
            "json",
            "open",
        ],
    ),
    define(
        "4b601e55f325c92d1186d3f2",
        "cloudflare_tunnel_secret",
        Some(FamilyFunction::TunnelSecret {
            refuses_empty: true,
        }),
        &["KeyError", "ValueError", "_read_json", "base64", "json"],
    ),
    define(
        "f511bd04cd349937ba8d2a9d",
        "cloudflare_tunnel_secret",
        Some(FamilyFunction::TunnelSecret {
            refuses_empty: false,
        }),
        &[
            "Exception",
            "FileNotFoundError",
            "KeyError",
            "RuntimeError",
            "ValueError",
            "_read_json_cached",
            "base64",
            "json",
        ],
    ),
    define(
        "933b910f972909a8c0fe7758",
        "cloudflare_tunnel",
        Some(FamilyFunction::TunnelField {
            file: "cloudflared.json",
        }),
        &["FileNotFoundError", "ValueError", "json", "open"],
    ),
    define(
        "8a6b35cf7befe18f1d2f0fc4",
        "cloudflare_tunnel",
        Some(FamilyFunction::TunnelField {
            file: "cloudflare-tunnel.json",
        }),
        &["FileNotFoundError", "ValueError", "json", "open"],
    ),
    define(
        "b79650793c1f4ec92b618e46",
        "deploy_key",
        Some(refusing_empty("deploy.key")),
        &["_read_stripped"],
    ),
    define(
        "5c6422e93374258d0178f75c",
        "deploy_key",
        Some(refusing_empty("deploy.key")),
        &[
            "Exception",
            "FileNotFoundError",
            "RuntimeError",
            "ValueError",
            "open",
        ],
    ),
    define(
        "f9593fbf9b7c372c8a759fc0",
        "deploy_key",
        Some(stripped("deploy.key")),
        &["Exception", "FileNotFoundError", "RuntimeError", "open"],
    ),
    define(
        "259e2071a37281cbd0ee5d8b",
        "deploy_key",
        Some(whole("deploy.key")),
        &["FileNotFoundError", "open"],
    ),
    define(
        "437dfe0b875c954a3f769161",
        "deploy_key",
        Some(whole("deploy.key")),
        &["FileNotFoundError", "open"],
    ),
    define(
        "7836cc02b1594dae976a2f22",
        "webhook_token",
        Some(refusing_empty("flux-webhook-token.txt")),
        &["_read_stripped"],
    ),
    define(
        "7c2031db91eb458f8f0c70a8",
        "webhook_token",
        Some(refusing_empty("flux-webhook-token.txt")),
        &[
            "Exception",
            "FileNotFoundError",
            "RuntimeError",
            "ValueError",
            "open",
        ],
    ),
    define(
        "f43427c24fc2e1bdb965bfb6",
        "webhook_token",
        Some(stripped("flux-webhook-token.txt")),
        &["Exception", "FileNotFoundError", "RuntimeError", "open"],
    ),
    define(
        "4ed203fcb908ad3a9a3d422c",
        "github_deploy_key",
        Some(stripped("github-deploy.key")),
        &["Exception", "FileNotFoundError", "RuntimeError", "open"],
    ),
    define(
        "ace6199387eb973d70d95831",
        "github_deploy_key",
        Some(stripped("github-deploy.key")),
        &[
            "Exception",
            "FileNotFoundError",
            "RuntimeError",
            "_read_file_cached",
        ],
    ),
    define(
        "4bb994ad189b5fc83c529784",
        "github_deploy_key",
        Some(fixed("github-deploy.key")),
        &["FileNotFoundError", "open"],
    ),
    define(
        "81d782c610894c58248f16b6",
        "github_push_token",
        Some(stripped("github-push-token.txt")),
        &["Exception", "FileNotFoundError", "RuntimeError", "open"],
    ),
    define(
        "f228dade5f15240f487da016",
        "github_push_token",
        Some(stripped("github-push-token.txt")),
        &[
            "Exception",
            "FileNotFoundError",
            "RuntimeError",
            "_read_file_cached",
        ],
    ),
    define(
        "c7b7fc5edb59bf48f9eb4c35",
        "github_push_token",
        Some(fixed("github-push-token.txt")),
        &["FileNotFoundError", "open"],
    ),
    define(
        "bc5a66adab67bc563933fad7",
        "github_private_key",
        Some(whole("deploy.key")),
        &["FileNotFoundError", "open"],
    ),
    define(
        "c4979c171ceeddcb2d069bb0",
        "github_private_key",
        Some(whole("github.key")),
        &["FileNotFoundError", "open"],
    ),
    define(
        "8e58ad9802236f8810a96fea",
        "cloudflare_token",
        Some(fixed("cloudflare-token.txt")),
        &["FileNotFoundError", "open"],
    ),
    define(
        "4e47a2b825b60785e3957f76",
        "_read_stripped",
        None,
        &["FileNotFoundError", "Path", "ValueError"],
    ),
    define(
        "31b5c913f226f5b63212bb97",
        "_read_json",
        None,
        &["ValueError", "_read_stripped", "json"],
    ),
    define(
        "517239395cb6204b80ae142a",
        "_read_file_cached",
        None,
        &["lru_cache", "open"],
    ),
    define(
        "344bb290fe7e1792a51a6887",
        "_read_json_cached",
        None,
        &["lru_cache", "open"],
    ),
    define(
        "8f95b15b3c8a3960b52f7fd3",
        "import_filter",
        None,
        &["Path", "importlib", "str", "sys"],
    ),
];

/// Methods, likewise. Constructors that check the data or the network are not among them.
const METHODS: &[(&str, KnownMethod)] = &[
    (
        "9bb1aca2dae6ebf5020e5499",
        KnownMethod::Constructor {
            folder_filters: false,
        },
    ),
    (
        "da0a90945da3671b8c64339a",
        KnownMethod::Constructor {
            folder_filters: true,
        },
    ),
    ("86c94eae82da01b4dcd00d25", KnownMethod::PathFilters),
    ("4dfe558c6e050d06d04cb115", KnownMethod::PathFilter),
];
