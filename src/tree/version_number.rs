//! The numbers in a version of a chart, an image or a tool.

use semver::Version;

/// Reads a version of one to three numbers, with or without `v` before and a digest behind; `None` for what has no order,
/// such as a branch.
pub fn version_number(text: &str) -> Option<Version> {
    let text = text.split('@').next()?.trim_start_matches('v');
    let (numbers, rest) = match text.find(['-', '+']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() > 3 || text.is_empty() {
        return None;
    }
    let trimmed = |part: &str| part.parse::<u64>().ok();
    let mut filled = Vec::new();
    parts.resize(3, "0");
    for part in parts {
        filled.push(trimmed(part)?.to_string());
    }
    Version::parse(&format!("{}{rest}", filled.join("."))).ok()
}
