//! What linters ask and the text of a tree does not tell.

use crate::diagnostic::Meaning;
use crate::rules::Category;

/// A check of the field that cannot be decided here.
pub struct Undecidable {
    /// What would hold, and why it is not decided.
    pub meaning: Meaning,
    /// The category it would be in.
    pub category: Category,
}

/// What is not decided; the scorecard names each.
pub static UNDECIDABLE: &[Undecidable] = &[
    Undecidable {
        meaning: Meaning {
            code: "image-cve",
            summary: "Images have no known vulnerabilities",
            text: "it takes the images and a database: run trivy or grype",
        },
        category: Category::Images,
    },
    Undecidable {
        meaning: Meaning {
            code: "registry-allow",
            summary: "Images come from registries of a list",
            text: "there is no list that fits every project",
        },
        category: Category::Images,
    },
    Undecidable {
        meaning: Meaning {
            code: "schema",
            summary: "Objects follow their schemas",
            text: "Kiln has no schemas of Kubernetes' objects yet: run kubeconform",
        },
        category: Category::Hygiene,
    },
    Undecidable {
        meaning: Meaning {
            code: "cis",
            summary: "Nodes and the control plane follow the CIS benchmark",
            text: "Talos decides nearly all of it, and the rest needs the running nodes: run kube-bench",
        },
        category: Category::Hygiene,
    },
];
