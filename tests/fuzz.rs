//! Input that nobody wrote: mutated texts for every reader, and mutated command lines for the binary.
//!
//! `fuzz/` runs the same targets under libFuzzer, which needs a nightly toolchain.

/// Command lines, made of what clap knows.
mod command_line;
/// How texts are changed.
pub(crate) mod mutator;
/// What must hold of any input.
mod targets;

use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use mutator::{Dice, mutate};
use targets::{TARGETS, Target};

/// How many inputs each target gets; `KILN_FUZZ` asks for more.
const ROUNDS: u64 = 1500;

/// The time in which one input is done, on a machine that has other work as well.
const LIMIT: Duration = Duration::from_secs(20);

fn rounds(usual: u64) -> u64 {
    let asked = std::env::var("KILN_FUZZ").ok();
    asked.map_or(usual, |asked| asked.parse().unwrap())
}

/// Runs a target over mutated seeds, on a stack as compiles have it; an input that fails is shown.
fn hold(target: &'static Target) {
    let thread = std::thread::Builder::new().stack_size(32 << 20);
    let result = thread.spawn(|| hold_here(target)).unwrap().join();
    assert!(result.is_ok(), "see above");
}

fn hold_here(target: &Target) {
    for seed in target.seeds {
        (target.run)(seed);
    }
    for number in 0..rounds(ROUNDS) {
        let input = mutate(&mut Dice(number), target.seeds);
        let start = Instant::now();
        let result = panic::catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        let name = target.name;
        assert!(result.is_ok(), "{name} number {number} fails on {input:?}");
        let took = start.elapsed();
        assert!(
            took < LIMIT,
            "{name} number {number} takes {took:?} on {input:?}"
        );
    }
}

#[test]
fn yaml_holds_on_any_input() {
    hold(targets::target("yaml"));
}

#[test]
fn template_holds_on_any_input() {
    hold(targets::target("template"));
}

#[test]
fn config_holds_on_any_input() {
    hold(targets::target("config"));
}

#[test]
fn expression_holds_on_any_input() {
    hold(targets::target("expression"));
}

#[test]
fn sealed_holds_on_any_input() {
    hold(targets::target("sealed"));
}

#[test]
fn renewal_holds_on_any_input() {
    hold(targets::target("renewal"));
}

#[test]
fn rules_hold_on_any_input() {
    hold(targets::target("rules"));
}

#[test]
fn lock_holds_on_any_input() {
    hold(targets::target("lock"));
}

/// Every target has a test above and a file for libFuzzer.
#[test]
fn every_target_is_run() {
    let here = include_str!("fuzz.rs");
    for target in TARGETS {
        let asked = format!("targets::target(\"{}\")", target.name);
        assert!(here.contains(&asked), "{}", target.name);
        let path = format!(
            "{}/fuzz/fuzz_targets/{}.rs",
            env!("CARGO_MANIFEST_DIR"),
            target.name
        );
        let file = std::fs::read_to_string(path).unwrap();
        assert!(file.contains(&asked), "{}", target.name);
    }
}
