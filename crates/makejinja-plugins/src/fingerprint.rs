//! The definitions of the cluster-template family, by their fingerprints.

use crate::family::FamilyFunction::{
    self, AgeKey, AgePrivateKey, AgePublicKey, NthHost, PathName, PathStem, TalosPatches,
    TunnelField, TunnelId, TunnelSecret,
};
use crate::family::{FileText, NetworkLibrary};
use crate::python_definition::{PythonStatement, statements};
use crate::python_line::split_lines;

/// A function on the top level of a plugin file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownDefinition {
    /// One that templates call.
    Function(FamilyFunction),
    /// One that only others call.
    Helper,
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

pub(crate) fn find_definition(fingerprint: &str) -> Option<KnownDefinition> {
    let found = FUNCTIONS.iter().find(|(known, _)| *known == fingerprint);
    let function = found.map(|(_, function)| KnownDefinition::Function(*function));
    function.or_else(|| {
        HELPERS
            .contains(&fingerprint)
            .then_some(KnownDefinition::Helper)
    })
}

pub(crate) fn find_method(fingerprint: &str) -> Option<KnownMethod> {
    let mut known = METHODS.iter();
    let found = known.find(|(known, _)| *known == fingerprint);
    found.map(|(_, method)| *method)
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

const fn patches(folder: &'static str, ending: &'static str) -> FamilyFunction {
    TalosPatches { folder, ending }
}

/// Functions of `onedr0p/cluster-template` from January 2024 to August 2026, and of projects that changed how they are
/// written and not what they do.
const FUNCTIONS: &[(&str, FamilyFunction)] = &[
    (
        "55581a461b1a8e07f83b6406",
        NthHost(NetworkLibrary::Ipaddress),
    ),
    ("724395237319f739643966e8", NthHost(NetworkLibrary::Netaddr)),
    ("5946386afcbec47a208ad4f8", NthHost(NetworkLibrary::Netaddr)),
    ("64dec68dfeb9ddc9b5bda32c", PathStem),
    ("a9812a96b5175572e95c8639", PathName),
    (
        "07d45f31effc92eb40d925c9",
        patches(
            "bootstrap/templates/kubernetes/bootstrap/talos/patches",
            ".yaml",
        ),
    ),
    (
        "3045982ae3e3fec30e423e86",
        patches("bootstrap/templates/kubernetes/bootstrap/talos/patches", ""),
    ),
    (
        "bad50234101723ea8c6a9b90",
        patches(
            "bootstrap/templates/kubernetes/bootstrap/talos/patches",
            ".yaml.j2",
        ),
    ),
    (
        "3b2b03e81f0924a055c43a3a",
        patches(
            "bootstrap/templates/kubernetes/bootstrap/talos/patches",
            ".yaml.j2",
        ),
    ),
    (
        "80e92d651a435876bbec861b",
        patches(
            "templates/config/kubernetes/bootstrap/talos/patches",
            ".yaml.j2",
        ),
    ),
    (
        "18fa3f12f25ed529782226c6",
        patches("templates/config/talos/patches", ".yaml.j2"),
    ),
    (
        "c3a384b88fb04c6706415329",
        patches("template/config/talos/patches", ".yaml.j2"),
    ),
    (
        "1e862f271237ff0868575c56",
        AgeKey {
            post_quantum: false,
        },
    ),
    ("2642fe86d2814b1003397952", AgeKey { post_quantum: true }),
    ("5cd647688ee5475028e458e4", AgeKey { post_quantum: true }),
    (
        "ebff045be02b7eb29cca5024",
        AgeKey {
            post_quantum: false,
        },
    ),
    ("050f9c2067e55d222829e5f3", AgePrivateKey),
    ("e567c52d2f0c3025a10b4d6a", AgePrivateKey),
    ("a683bc8badf1b8af4058e570", AgePrivateKey),
    ("0790ab36911d16490038f087", AgePublicKey),
    ("a1ccfc3a3245855eed5c1a29", AgePublicKey),
    ("db1810e19bd08aebae3f55bd", AgePublicKey),
    (
        "aec2f2fa3fded2f44a7c8ab4",
        TunnelId {
            refuses_empty: false,
        },
    ),
    (
        "e4ed9592315302be34c8d883",
        TunnelId {
            refuses_empty: true,
        },
    ),
    (
        "ce0f7664a40081c3bffd3286",
        TunnelId {
            refuses_empty: true,
        },
    ),
    (
        "45039c1ab5c5af15c2ed92e7",
        TunnelId {
            refuses_empty: false,
        },
    ),
    (
        "80d878e7720b4e49deb05522",
        TunnelSecret {
            refuses_empty: false,
        },
    ),
    (
        "bc0d42785a6a7fae8aba042e",
        TunnelSecret {
            refuses_empty: true,
        },
    ),
    (
        "4b601e55f325c92d1186d3f2",
        TunnelSecret {
            refuses_empty: true,
        },
    ),
    (
        "f511bd04cd349937ba8d2a9d",
        TunnelSecret {
            refuses_empty: false,
        },
    ),
    (
        "933b910f972909a8c0fe7758",
        TunnelField {
            file: "cloudflared.json",
        },
    ),
    (
        "8a6b35cf7befe18f1d2f0fc4",
        TunnelField {
            file: "cloudflare-tunnel.json",
        },
    ),
    ("b79650793c1f4ec92b618e46", refusing_empty("deploy.key")),
    ("5c6422e93374258d0178f75c", refusing_empty("deploy.key")),
    ("f9593fbf9b7c372c8a759fc0", stripped("deploy.key")),
    ("259e2071a37281cbd0ee5d8b", whole("deploy.key")),
    ("437dfe0b875c954a3f769161", whole("deploy.key")),
    (
        "7836cc02b1594dae976a2f22",
        refusing_empty("flux-webhook-token.txt"),
    ),
    (
        "7c2031db91eb458f8f0c70a8",
        refusing_empty("flux-webhook-token.txt"),
    ),
    (
        "f43427c24fc2e1bdb965bfb6",
        stripped("flux-webhook-token.txt"),
    ),
    ("4ed203fcb908ad3a9a3d422c", stripped("github-deploy.key")),
    ("ace6199387eb973d70d95831", stripped("github-deploy.key")),
    ("4bb994ad189b5fc83c529784", fixed("github-deploy.key")),
    (
        "81d782c610894c58248f16b6",
        stripped("github-push-token.txt"),
    ),
    (
        "f228dade5f15240f487da016",
        stripped("github-push-token.txt"),
    ),
    ("c7b7fc5edb59bf48f9eb4c35", fixed("github-push-token.txt")),
    ("bc5a66adab67bc563933fad7", whole("deploy.key")),
    ("c4979c171ceeddcb2d069bb0", whole("github.key")),
    ("8e58ad9802236f8810a96fea", fixed("cloudflare-token.txt")),
];

/// What these call: `_read_stripped`, `_read_json`, `_read_file_cached`, `_read_json_cached` and `import_filter`.
const HELPERS: &[&str] = &[
    "4e47a2b825b60785e3957f76",
    "31b5c913f226f5b63212bb97",
    "517239395cb6204b80ae142a",
    "344bb290fe7e1792a51a6887",
    "8f95b15b3c8a3960b52f7fd3",
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
