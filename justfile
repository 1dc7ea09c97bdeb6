# What people do in this repository; `just ci` is what has to pass.

[private]
default:
    @just --list

# Run everything that has to pass before a change lands
ci:
    .ci/run

# Run all tests
test *ARGS:
    cargo test {{ ARGS }}

# Format the code
fmt:
    cargo fmt

# Look for mistakes
lint:
    cargo clippy --all-targets -- -D warnings

# Build the program as it is handed on, into target/dist/dist: without paths of this machine
release:
    .ci/release

# Look for misspelled words; a word that is right goes into typos.toml
spell:
    "$(.ci/tool typos)"

# Check licences, duplicates, sources and, with the network, advisories of dependencies
deny:
    "$(.ci/tool cargo-deny)" check

# Compare what the README's first command compiles with a peer that is compiled in the same run
first-run:
    .ci/first-run

# Compare a whole render with the chain that it replaces, side by side
bench *ARGS:
    cargo bench --bench chain -- {{ ARGS }}

# Time hardening and checking of 100 and 1,000 releases
bench-releases:
    cargo bench --bench releases

# Time `kiln watch` from a save to the tree on disk
bench-watch:
    cargo bench --bench watch

# Time `kiln build` of generated trees, beside kustomize's library and Flux' packages
bench-trees:
    cargo bench --bench trees

# Build all oracles of the tests, or say why one cannot be had
oracles:
    tests/oracles/install --all

# Write the expected trees of the examples anew, and what Flux applies of them, after a wanted change of output
golden:
    KILN_BLESS=1 cargo test --test main -- golden flux_applies

# Write the generated files anew (docs/{rules,diagnostics,audit-checks,catalogue}.md), and
# the pictures of the tour, with the times of an optimised build
docs:
    cargo build --release
    KILN_RELEASE="$PWD/target/release/kiln" KILN_BLESS=1 cargo test generated

# Take the picture of the page of a diff (docs/diff.png)
picture:
    cargo test picture_of_the_page -- --ignored

# Look at the HTML of `kiln diff` in a real browser; screenshots go to target/screenshots
browser:
    mkdir -p target/screenshots
    KILN_SCREENSHOTS=$PWD/target/screenshots cargo test browser

# Render every release of the examples by the real helm, record it and judge it: `just prove --charts DIR [FILTER]`
prove *ARGS:
    KILN_PROVE='{{ ARGS }}' cargo test --test main laboratory::prove::every -- --ignored --nocapture

# Hold `kiln build` of public trees against Flux' own packages: `just trees DIR…`, each the clone of a repository; with
# KILN_RELEASE, that binary
trees *DIRS:
    KILN_TREES='{{ DIRS }}' cargo test --test main laboratory::flux_build::trees::public -- --ignored --nocapture

# Harden public trees, and hold what Flux' own packages build of them before and after against each other:
# `just harden-trees DIR…`, each the clone of a repository
harden-trees *DIRS:
    KILN_TREES='{{ DIRS }}' cargo test --test main laboratory::flux_build::trees::hardened -- --ignored --nocapture

# Render projects of makejinja with makejinja and with Kiln, hold both against each other, and write the report:
# `just makejinja NAME=FOLDER NAME=FOLDER:TARGET:CONFIG…`, with KILN_MAKEJINJA_COMMAND and KILN_RELEASE
makejinja *PROJECTS:
    KILN_MAKEJINJA='{{ PROJECTS }}' cargo test --test main makejinja::projects -- --ignored --nocapture

# Hold the machine configuration for Talos 1.14 against its machinery, which no registry has, and write the report:
# `just machines DIR TAG`, the clone of Talos and one of its tags
machines DIR TAG:
    KILN_TALOS='{{ DIR }}' KILN_TALOS_REVISION='{{ TAG }}' cargo test --test main laboratory::machines::newer::talos_1_14 -- --ignored --nocapture

# Hold the crates that replace makejinja against Python: random templates, random projects, plugins of the family
contract:
    JINJA_ORACLE_PYTHON="$(tests/oracles/install python)" cargo test -p jinja -- --ignored
    cargo test -p makejinja -- --ignored
    cargo test -p makejinja-plugins --test host originals -- --ignored --nocapture

# Run a target of fuzz/ under libFuzzer; needs a nightly toolchain and cargo-fuzz
fuzz TARGET *ARGS:
    cargo +nightly fuzz run {{ TARGET }} -- {{ ARGS }}

# Run 50,000 mutated command lines
fuzz-cli:
    KILN_FUZZ=50000 cargo test --test main fuzz::command_line -- --nocapture
