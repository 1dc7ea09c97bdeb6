#![no_main]
//! Runs the target `renewal` of `tests/fuzz/targets.rs` under libFuzzer.

#[path = "../../tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &str| (targets::target("renewal").run)(input));
