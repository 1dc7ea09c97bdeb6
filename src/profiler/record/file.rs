//! The file of a chart's recorded renders.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RecordedRender;
use super::packing::{SharedObjects, numbered, pack_lines, unpack_lines};

/// Why a file of records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It is not packed as records are, or only in part.
    #[error("cannot unpack `{path}`: {reason}")]
    Packing {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A line is neither an object nor a render.
    #[error("`{path}` has no record in line {line}: {reason}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1, of the unpacked text.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// A render as a line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RenderLine {
    chart: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nearest: Option<String>,
    kubernetes: String,
    chart_digest: String,
    release: String,
    namespace: String,
    values_digest: String,
    post_renderers_digest: String,
    trees: Vec<String>,
    /// The numbers of the objects, which are the lines before all renders, from 0.
    objects: Vec<usize>,
}

/// Packs records: equal ones give equal bytes, and an object of several renders is held once.
pub fn pack(records: &[RecordedRender]) -> Vec<u8> {
    let mut objects = SharedObjects::default();
    let mut renders = Vec::new();
    for record in records {
        let line = RenderLine {
            chart: record.chart.clone(),
            version: record.version.clone(),
            nearest: record.nearest.clone(),
            kubernetes: record.kubernetes.clone(),
            chart_digest: record.chart_digest.clone(),
            release: record.release.clone(),
            namespace: record.namespace.clone(),
            values_digest: record.values_digest.clone(),
            post_renderers_digest: record.post_renderers_digest.clone(),
            trees: record.trees.clone(),
            objects: record
                .objects
                .iter()
                .map(|object| objects.number(object))
                .collect(),
        };
        renders.extend(serde_json::to_string(&line));
    }
    pack_lines(objects.lines.iter().chain(&renders))
}

/// Reads packed records; `path` is for messages.
///
/// # Errors
/// The file is not whole, a line is no JSON of a record, or a render has an object that is not there.
pub fn unpack(path: &str, bytes: &[u8]) -> Result<Vec<RecordedRender>, RecordError> {
    let mut records = Vec::new();
    unpack_lines(path, bytes, |line, objects| {
        let line = serde_json::from_value(line).map_err(|error| error.to_string())?;
        records.push(record(line, objects)?);
        Ok(())
    })?;
    Ok(records)
}

fn record(line: RenderLine, objects: &[Value]) -> Result<RecordedRender, String> {
    Ok(RecordedRender {
        objects: numbered(&line.objects, objects)?,
        chart: line.chart,
        version: line.version,
        nearest: line.nearest,
        kubernetes: line.kubernetes,
        chart_digest: line.chart_digest,
        release: line.release,
        namespace: line.namespace,
        values_digest: line.values_digest,
        post_renderers_digest: line.post_renderers_digest,
        trees: line.trees,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use flate2::read::GzDecoder;
    use flate2::{Compression, GzBuilder};
    use serde_json::json;

    use super::*;

    fn render(release: &str, objects: &[Value]) -> RecordedRender {
        RecordedRender {
            chart: "echo".to_owned(),
            version: "1.2.3".to_owned(),
            nearest: (release == "b").then(|| "1.2.2".to_owned()),
            kubernetes: "1.36.2".to_owned(),
            chart_digest: "c".to_owned(),
            release: release.to_owned(),
            namespace: "default".to_owned(),
            values_digest: "v".to_owned(),
            post_renderers_digest: "p".to_owned(),
            trees: vec!["full with 1 node".to_owned()],
            objects: objects.to_vec(),
        }
    }

    #[test]
    fn what_is_packed_is_read_back_and_equal_records_give_equal_bytes() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "a"}});
        let service = json!({"kind": "Service", "metadata": {"name": "a"}});
        let records = [
            render("a", &[pod.clone(), service.clone()]),
            render("b", &[service, pod]),
        ];
        let packed = pack(&records);
        assert_eq!(packed, pack(&records));
        assert_eq!(unpack("echo.json.gz", &packed).unwrap(), records);
        let mut text = String::new();
        GzDecoder::new(&packed[..])
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text.lines().count(), 4, "each object once: {text}");
    }

    fn packed(text: &str) -> Vec<u8> {
        let mut packer = GzBuilder::new().write(Vec::new(), Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn a_broken_file_is_named_with_the_line() {
        let told = |bytes: &[u8]| {
            unpack("proved/echo.json.gz", bytes)
                .unwrap_err()
                .to_string()
        };
        let whole = pack(&[render("a", &[json!({"kind": "Pod"})])]);
        assert!(
            told(&whole[..whole.len() / 2]).starts_with("cannot unpack `proved/echo.json.gz`: ")
        );
        assert!(told(b"{}").starts_with("cannot unpack `proved/echo.json.gz`: "));
        let line = told(&packed("{\"kind\": \"Pod\"}\n{\"chart\": 1}\n"));
        assert!(
            line.starts_with("`proved/echo.json.gz` has no record in line 2: "),
            "{line}"
        );
        let text = serde_json::to_string(&RenderLine {
            chart: String::new(),
            version: String::new(),
            nearest: None,
            kubernetes: String::new(),
            chart_digest: String::new(),
            release: String::new(),
            namespace: String::new(),
            values_digest: String::new(),
            post_renderers_digest: String::new(),
            trees: Vec::new(),
            objects: vec![3],
        });
        let missing = told(&packed(&text.unwrap()));
        assert!(
            missing.ends_with("line 1: there is no object 3 before it"),
            "{missing}"
        );
    }
}
