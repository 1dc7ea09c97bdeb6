//! Objects and what speaks of them as packed lines of JSON, as records and evidence are kept.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde_json::Value;

use super::RecordError;

/// How much a file may hold unpacked: beyond it lies no record.
const LIMIT: u64 = 64 << 20;

/// Objects as lines, each of them once.
#[derive(Default)]
pub(in crate::profiler) struct SharedObjects {
    numbers: BTreeMap<String, usize>,
    pub(in crate::profiler) lines: Vec<String>,
}

impl SharedObjects {
    /// Returns the number of an object, which is added where it is new.
    pub(in crate::profiler) fn number(&mut self, object: &Value) -> usize {
        let text = object.to_string();
        let lines = &mut self.lines;
        *self.numbers.entry(text.clone()).or_insert_with(|| {
            lines.push(text);
            lines.len() - 1
        })
    }
}

/// Returns the objects of these numbers, among those that stand before.
pub(in crate::profiler) fn numbered(
    numbers: &[usize],
    objects: &[Value],
) -> Result<Vec<Value>, String> {
    let object = |number: &usize| {
        let missing = || format!("there is no object {number} before it");
        objects.get(*number).cloned().ok_or_else(missing)
    };
    numbers.iter().map(object).collect()
}

/// Packs lines: equal ones give equal bytes.
pub(in crate::profiler) fn pack_lines<'l>(lines: impl IntoIterator<Item = &'l String>) -> Vec<u8> {
    // No name, no time and no system: they would make other bytes of the same lines.
    let mut packer = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::best());
    for line in lines {
        // Memory takes it all.
        drop(writeln!(packer, "{line}"));
    }
    packer.finish().unwrap_or_default()
}

/// Unpacks the lines of the file at a path: objects are kept, and `take` gets every other line with the objects before it.
///
/// # Errors
/// The file is not whole, a line is no JSON, or `take` refuses one; the error names the line.
pub(in crate::profiler) fn unpack_lines(
    path: &str,
    bytes: &[u8],
    mut take: impl FnMut(Value, &[Value]) -> Result<(), String>,
) -> Result<(), RecordError> {
    let mut objects = Vec::new();
    for (index, line) in unpack_text(path, bytes)?.lines().enumerate() {
        let read = serde_json::from_str::<Value>(line).map_err(|error| error.to_string());
        let taken = read.and_then(|value| {
            if value.get("kind").is_some() {
                objects.push(value);
                return Ok(());
            }
            take(value, &objects)
        });
        taken.map_err(|reason| RecordError::Line {
            path: path.to_owned(),
            line: index + 1,
            reason,
        })?;
    }
    Ok(())
}

/// Unpacks the text of the file at a path, which is for messages.
fn unpack_text(path: &str, bytes: &[u8]) -> Result<String, RecordError> {
    let packing = |reason: String| RecordError::Packing {
        path: path.to_owned(),
        reason,
    };
    let mut text = String::new();
    let read = GzDecoder::new(bytes)
        .take(LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|error| packing(error.to_string()))?;
    if read as u64 > LIMIT {
        return Err(packing(format!("it holds more than {LIMIT} bytes")));
    }
    Ok(text)
}
