//! Prints the fingerprints of the functions and methods in Python files, for the table in `src/fingerprint.rs`.

#![expect(clippy::print_stdout, reason = "it is what this is for")]
#![expect(
    clippy::disallowed_methods,
    reason = "it reads the files that it is given"
)]

use std::{env, fs, io};

fn main() -> io::Result<()> {
    for file in env::args().skip(1) {
        for (name, fingerprint) in makejinja_plugins::fingerprints(&fs::read_to_string(&file)?) {
            println!("{fingerprint} {name} {file}");
        }
    }
    Ok(())
}
