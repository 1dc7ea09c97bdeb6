//! A packed chart, unpacked in memory.

use std::io::Read as _;

use flate2::read::GzDecoder;

use super::ProfilerError;
use crate::source::MemoryFiles;

/// How much an archive may hold unpacked: beyond it lies no chart.
const LIMIT: u64 = 256 << 20;

/// Unpacks a `.tgz` as Helm packs charts: the folder that everything lies in is left out.
pub(super) fn unpack(path: &str, bytes: &[u8]) -> Result<MemoryFiles, ProfilerError> {
    let wrong = |error: std::io::Error| ProfilerError::BadFile {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut files = MemoryFiles::default();
    let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(LIMIT));
    for entry in archive.entries().map_err(wrong)? {
        let mut entry = entry.map_err(wrong)?;
        let name = entry.path().map_err(wrong)?.to_string_lossy().into_owned();
        let Some((_, name)) = name.trim_start_matches("./").split_once('/') else {
            continue;
        };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = name.to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(wrong)?;
        files.0.insert(name, content);
    }
    Ok(files)
}
