//! What an audit is divided into.

/// A category of checks; a scorecard has one line for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Probes.
    Probes,
    /// Replicas, budgets, spread and priority.
    Availability,
    /// Requests, limits and quotas.
    Resources,
    /// The Pod Security Standards.
    PodSecurity,
    /// What containers may do beyond those.
    Containers,
    /// Images, charts and their signatures.
    Images,
    /// Network policies, services and TLS.
    Network,
    /// RBAC, secrets and configuration.
    Access,
    /// API versions, labels and namespaces.
    Hygiene,
    /// Flux and Helm.
    Flux,
}

impl Category {
    /// All categories, in the order of the scorecard.
    pub const ALL: [Self; 10] = [
        Self::Probes,
        Self::Availability,
        Self::Resources,
        Self::PodSecurity,
        Self::Containers,
        Self::Images,
        Self::Network,
        Self::Access,
        Self::Hygiene,
        Self::Flux,
    ];

    /// Returns the stable kebab-case name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Probes => "probes",
            Self::Availability => "availability",
            Self::Resources => "resources",
            Self::PodSecurity => "pod-security",
            Self::Containers => "containers",
            Self::Images => "images",
            Self::Network => "network",
            Self::Access => "access",
            Self::Hygiene => "hygiene",
            Self::Flux => "flux",
        }
    }

    /// Returns the title for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Probes => "Probes",
            Self::Availability => "Availability",
            Self::Resources => "Resources",
            Self::PodSecurity => "Pod Security",
            Self::Containers => "Container hardening",
            Self::Images => "Images and supply chain",
            Self::Network => "Network",
            Self::Access => "RBAC and secrets",
            Self::Hygiene => "API and namespaces",
            Self::Flux => "Flux and Helm",
        }
    }

    /// Reads a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|category| category.code() == code)
    }
}
