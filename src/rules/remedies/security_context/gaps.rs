//! What keeps a workload from `restricted` after all, and why it is not added.

use super::SecurityContextPlan;
use super::wishes::{User, needs_node};
use crate::pod_security::{Level, Violation, evaluate};
use crate::rules::remedy::RemedyScope;
use crate::tree::Gap;
use crate::workload::Workload;
use crate::workload::standing::told;
use crate::yaml::Route;

/// Lists one gap for each control that a workload does not satisfy.
pub(super) fn of(
    context: &RemedyScope<'_, '_>,
    workload: &Workload<'_>,
    plan: &SecurityContextPlan,
) -> Vec<Gap> {
    let version = context.policy().kubernetes;
    let mut gaps = Vec::new();
    let mut gap = |violation: &Violation, reason: String| {
        gaps.push(Gap {
            rule: context.rule,
            path: workload.member.path(),
            object: workload.label(),
            route: route(violation),
            reason,
        });
    };
    let of_node = by_control(needs_node(&workload.pod, version));
    for (first, rest) in &of_node {
        let more = if *rest > 0 {
            format!(" and {rest} more like it")
        } else {
            String::new()
        };
        let what = told(workload, first);
        gap(
            first,
            format!("{what}{more}, and what needs the node is left as it is"),
        );
    }
    if of_node.is_empty() {
        let by_node = context.node_defaults().gives_seccomp;
        let is_lacking = |violation: &Violation| {
            !by_node || violation.explicit || violation.control != "seccompProfile"
        };
        let violations = evaluate(&plan.applied(workload), version);
        for violation in violations.into_iter().filter(is_lacking) {
            let reason = match violation.keeps_from {
                Level::Restricted => why(workload, plan, &violation),
                _ => told(workload, &violation),
            };
            gap(&violation, reason);
        }
    }
    gaps
}

/// Returns the first violation of each control, and how many more there are.
fn by_control(violations: Vec<Violation>) -> Vec<(Violation, usize)> {
    let mut found: Vec<(Violation, usize)> = Vec::new();
    for violation in violations {
        match found
            .iter_mut()
            .find(|(first, _)| first.control == violation.control)
        {
            Some((_, more)) => *more += 1,
            None => found.push((violation, 0)),
        }
    }
    found
}

/// Names the field as [`crate::workload::PodField`] does: containers by name.
fn route(violation: &Violation) -> String {
    let steps = &violation.route.0;
    match &violation.container {
        // `spec.containers[0].securityContext.…`
        Some(name) if steps.len() > 3 => {
            let rest = Route(steps[3..].to_vec());
            format!("containers[{name}].{rest}")
        }
        _ => Route(steps[1..].to_vec()).to_string(),
    }
}

fn why(workload: &Workload<'_>, plan: &SecurityContextPlan, violation: &Violation) -> String {
    let mut all = workload.containers();
    let container = all.find(|item| Some(item.name) == violation.container.as_deref());
    let user = container.map_or(User::Unknown, |container| User::of(workload, container));
    let shared = violation
        .container
        .as_ref()
        .and_then(|name| plan.shared.get(name));
    if let Some(other) = shared.filter(|_| !violation.explicit && user != User::Root) {
        return format!(
            "the value that reaches it reaches {other} too, for which it may not be right"
        );
    }
    let explicit = violation.explicit;
    let text = match (violation.control, user) {
        ("volumes", _) => "`restricted` allows no volume of this kind",
        ("runAsNonRoot" | "runAsUser", _) if explicit => "it may run as root, as it is written",
        ("allowPrivilegeEscalation", _) if explicit => "it may gain privileges, as it is written",
        ("capabilities", _) if explicit => "it keeps or adds capabilities, as it is written",
        ("runAsNonRoot", User::Unknown) => {
            "nobody knows whether its image runs as another user than root"
        }
        ("allowPrivilegeEscalation", User::Unknown) => {
            "nobody knows whether its image gains privileges"
        }
        ("capabilities", User::Unknown) => "nobody knows which capabilities its image needs",
        (_, User::Root) => "it runs as root, as it is written",
        ("runAsNonRoot", User::Other(_)) => "its pod may run as root, as it is written",
        ("allowPrivilegeEscalation", User::Other(_)) => {
            "it adds capabilities, which it may gain from a file"
        }
        _ => return told(workload, violation),
    };
    text.to_owned()
}
