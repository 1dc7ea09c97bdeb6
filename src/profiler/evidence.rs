//! What a profile was measured from: the chart's workloads, budgets and names in each variant that was
//! rendered.
//!
//! `measured/<chart>.json.gz` beside the profiles are lines of JSON: the chart, each object once, then each
//! variant with the numbers of its objects. Equal evidence gives equal bytes. Nothing of Kiln reads them but
//! tests.

use serde_json::{Map, Value, json};

use super::record::packing::{SharedObjects, numbered, pack_lines, unpack_lines};
use super::record::{RecordError, reduce};

/// All that a profile is held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The name of the chart.
    pub chart: String,
    /// The version that was rendered.
    pub version: String,
    /// The variants, the chart's defaults first.
    pub variants: Vec<Variant>,
}

/// A chart as one release of it rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// What is special about it: `three replicas`.
    pub about: String,
    /// The name of the release.
    pub release: String,
    /// Its values.
    pub values: Map<String, Value>,
    /// What came out, reduced to what a profile says of it.
    pub objects: Vec<Value>,
}

/// Reduces rendered objects to what a profile says of them: names, labels, selectors, replicas, budgets.
pub(super) fn slim(objects: impl IntoIterator<Item = Value>) -> Vec<Value> {
    reduce(objects).iter().map(slimmed).collect()
}

fn slimmed(object: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or_default();
    let mut metadata = json!({"name": object["metadata"]["name"]});
    let hook = &object["metadata"]["annotations"]["helm.sh/hook"];
    if !hook.is_null() {
        metadata["annotations"] = json!({"helm.sh/hook": hook});
    }
    let mut slim = json!({"kind": kind, "metadata": metadata});
    let template = |pointer: &str| {
        let pod = object.pointer(pointer).unwrap_or(&Value::Null);
        let mut spec = Map::new();
        for list in ["initContainers", "containers"] {
            let names = pod["spec"][list].as_array().into_iter().flatten();
            let names: Vec<Value> = names.map(|one| json!({"name": one["name"]})).collect();
            if !names.is_empty() {
                spec.insert(list.to_owned(), Value::Array(names));
            }
        }
        let account = &pod["spec"]["serviceAccountName"];
        if !account.is_null() {
            spec.insert("serviceAccountName".to_owned(), account.clone());
        }
        json!({"metadata": {"labels": pod["metadata"]["labels"]}, "spec": spec})
    };
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => {
            let spec = &object["spec"];
            slim["spec"] = json!({
                "replicas": spec["replicas"],
                "selector": spec["selector"],
                "template": template("/spec/template"),
            });
        }
        "CronJob" => {
            let template = template("/spec/jobTemplate/spec/template");
            slim["spec"] = json!({"jobTemplate": {"spec": {"template": template}}});
        }
        "Pod" => {
            let pod = template("");
            slim["metadata"]["labels"] = pod["metadata"]["labels"].clone();
            slim["spec"] = pod["spec"].clone();
        }
        "PodDisruptionBudget" => slim["spec"] = object["spec"].clone(),
        "HorizontalPodAutoscaler" => {
            let target = &object["spec"]["scaleTargetRef"];
            let target = json!({"kind": target["kind"], "name": target["name"]});
            slim["spec"] = json!({"scaleTargetRef": target});
        }
        _ => {}
    }
    slim
}

/// Packs evidence: equal evidence gives equal bytes, and an object of several variants is held once.
pub fn pack(evidence: &Evidence) -> Vec<u8> {
    let head = json!({"chart": evidence.chart, "version": evidence.version}).to_string();
    let mut shared = SharedObjects::default();
    let mut variants = Vec::new();
    for variant in &evidence.variants {
        let objects = variant.objects.iter();
        let objects: Vec<usize> = objects.map(|object| shared.number(object)).collect();
        let line = json!({
            "variant": variant.about,
            "release": variant.release,
            "values": variant.values,
            "objects": objects,
        });
        variants.push(line.to_string());
    }
    pack_lines([&head].into_iter().chain(&shared.lines).chain(&variants))
}

/// Reads packed evidence; `path` is for messages.
///
/// # Errors
/// The file is not whole, a line is no JSON of evidence, or a variant has an object that is not there.
pub fn unpack(path: &str, bytes: &[u8]) -> Result<Evidence, RecordError> {
    let mut evidence = Evidence {
        chart: String::new(),
        version: String::new(),
        variants: Vec::new(),
    };
    unpack_lines(path, bytes, |line, objects| {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        if line.get("variant").is_some() {
            evidence.variants.push(Variant {
                about: text("variant"),
                release: text("release"),
                values: line["values"].as_object().cloned().unwrap_or_default(),
                objects: numbered(&numbers(&line["objects"])?, objects)?,
            });
        } else if line.get("chart").is_some() {
            evidence.chart = text("chart");
            evidence.version = text("version");
        } else {
            return Err("it is neither a chart, an object nor a variant".to_owned());
        }
        Ok(())
    })?;
    Ok(evidence)
}

fn numbers(list: &Value) -> Result<Vec<usize>, String> {
    let numbers = list.as_array().into_iter().flatten();
    numbers
        .map(|number| {
            let index = number
                .as_u64()
                .and_then(|index| usize::try_from(index).ok());
            index.ok_or_else(|| format!("{number} is no number of an object"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        let variant = |about: &str, objects: Vec<Value>| Variant {
            about: about.to_owned(),
            release: "klnr".to_owned(),
            values: Map::from_iter([("a".to_owned(), json!(1))]),
            objects,
        };
        let one = json!({"kind": "Secret", "metadata": {"name": "x"}});
        let two = json!({"kind": "Secret", "metadata": {"name": "y"}});
        Evidence {
            chart: "echo".to_owned(),
            version: "1.0.0".to_owned(),
            variants: vec![
                variant("defaults", vec![one.clone(), two.clone()]),
                variant("others", vec![two]),
            ],
        }
    }

    #[test]
    fn what_is_packed_is_read_back() {
        let packed = pack(&evidence());
        assert_eq!(packed, pack(&evidence()));
        assert_eq!(unpack("echo.json.gz", &packed).unwrap(), evidence());
        let cut = unpack("echo.json.gz", &packed[..packed.len() / 2]).unwrap_err();
        assert!(cut.to_string().contains("echo.json.gz"), "{cut}");
    }

    #[test]
    fn holds_no_data_and_no_program() {
        let secret = json!({"kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "b"}});
        let container = json!({"name": "c", "image": "i", "args": ["--x"]});
        let pod = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}});
        let job = json!({"kind": "Job", "metadata": {"name": "j"}, "spec": {"template": pod}});
        let slim = slim([secret, job]);
        let text = Value::Array(slim).to_string();
        for gone in ["--x", "\"data\"", "image"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
    }
}
