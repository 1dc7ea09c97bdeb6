#![no_main]
//! Runs the target `sealed` of `tests/fuzz/targets.rs` under libFuzzer.

#[path = "../../tests/fuzz/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &str| (targets::target("sealed").run)(input));
