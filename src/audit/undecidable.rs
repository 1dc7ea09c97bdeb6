//! What linters ask and the text of a tree does not tell.

use crate::rules::Category;

/// A check of the field that cannot be decided here.
pub struct Undecidable {
    /// Its code.
    pub code: &'static str,
    /// The category it would be in.
    pub category: Category,
    /// What would hold.
    pub summary: &'static str,
    /// Why it is not decided.
    pub why: &'static str,
}

/// What is not decided; the scorecard names each.
pub static UNDECIDABLE: &[Undecidable] = &[
    Undecidable {
        code: "image-cve",
        category: Category::Images,
        summary: "Images have no known vulnerabilities",
        why: "it takes the images and a database: run trivy or grype",
    },
    Undecidable {
        code: "registry-allow",
        category: Category::Images,
        summary: "Images come from registries of a list",
        why: "there is no list that fits every project",
    },
    Undecidable {
        code: "schema",
        category: Category::Hygiene,
        summary: "Objects follow their schemas",
        why: "Kiln has no schemas of Kubernetes' objects yet: run kubeconform",
    },
    Undecidable {
        code: "cis",
        category: Category::Hygiene,
        summary: "Nodes and the control plane follow the CIS benchmark",
        why: "Talos decides nearly all of it, and the rest needs the running nodes: run kube-bench",
    },
];
