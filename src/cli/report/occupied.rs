//! What became of files in the places of outputs.

use crate::cli::codes;
use crate::diagnostic::Diagnostic;
use crate::write::WriteReport;

/// Says which files that Kiln had not written were replaced, and which stayed.
pub fn describe(report: &WriteReport) -> Vec<Diagnostic> {
    let told = [
        (
            &report.taken_over,
            "replaced",
            "`force = true` in `makejinja.toml` asks for it; version control has what they were",
        ),
        (
            &report.left_out,
            "left as it was",
            "with `force = true` in `makejinja.toml`, outputs take their places",
        ),
    ];
    let told = told.into_iter().filter(|(paths, ..)| !paths.is_empty());
    let told = told.map(|(paths, what, hint)| {
        let message = match paths.as_slice() {
            [one] => format!("`{one}`, which Kiln had not written, is {what}"),
            all => format!(
                "each of {} files that Kiln had not written is {what}",
                all.len()
            ),
        };
        let told = Diagnostic::warning(&codes::MAKEJINJA_OVERWRITTEN, message).with_hint(hint);
        match paths.as_slice() {
            [_] => told,
            _ => told.with_files(paths),
        }
    });
    told.collect()
}
