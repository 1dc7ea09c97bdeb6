//! The host process with a real `python3`.

#![expect(
    clippy::disallowed_methods,
    reason = "tests write the projects that they start, and read the environment"
)]
#![expect(
    clippy::print_stdout,
    reason = "a comparison says how much it compared"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod failures;
mod loading;
mod originals;
mod project;
mod values;
