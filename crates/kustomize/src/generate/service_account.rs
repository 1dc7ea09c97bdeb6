//! Service accounts that stand for one of a cloud.

use super::super::field::{Field, FieldScalar, FieldValue};
use super::super::problem::{Findings, Problem, ProblemKind};
use super::super::resource::Resource;

/// Makes the `ServiceAccount` of an `IAMPolicyGenerator`, whose fields are in shape.
pub(crate) fn generate_service_account(
    fields: &Field,
    findings: &mut Findings,
) -> Option<Resource> {
    let text = |path: &[&str]| fields.find_text(path).unwrap_or_default();
    if text(&["cloud"]) != "gke" {
        let place = fields.get("cloud").unwrap_or(fields).place();
        let message = "kustomize knows no cloud but `gke`";
        findings.refuse(Problem::new(ProblemKind::Refused, message, place));
        return None;
    }
    let maker = &fields.origin;
    let named = |path: &[&str]| {
        let origin = fields.find(path).map_or(maker, |field| &field.origin);
        Field {
            value: FieldValue::Scalar(FieldScalar::read(text(path), true)),
            origin: origin.clone(),
        }
    };
    let (account, project) = (["serviceAccount", "name"], ["serviceAccount", "projectId"]);
    let address = format!(
        "{}@{}.iam.gserviceaccount.com",
        text(&account),
        text(&project)
    );
    let origin = named(&account).origin.and(named(&project).place());
    let mut annotations = Field::mapping(maker.clone());
    annotations.set(
        "iam.gke.io/gcp-service-account",
        Field::text(address, origin),
    );
    let mut metadata = Field::mapping(maker.clone());
    metadata.set("annotations", annotations);
    metadata.set("name", named(&["kubernetesService", "name"]));
    let namespace = ["kubernetesService", "namespace"];
    if !text(&namespace).is_empty() {
        metadata.set("namespace", named(&namespace));
    }
    let mut root = Field::mapping(maker.clone());
    root.set("apiVersion", Field::text("v1", maker.clone()));
    root.set("kind", Field::text("ServiceAccount", maker.clone()));
    root.set("metadata", metadata);
    Some(Resource::new(root))
}
