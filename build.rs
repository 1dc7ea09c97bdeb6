//! Rebuilds when the catalogue changes: `include_dir` does not tell cargo about new files.

fn main() {
    println!("cargo:rerun-if-changed=templates");
    println!("cargo:rerun-if-changed=schemas");
}
