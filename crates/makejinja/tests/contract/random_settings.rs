//! Random options from all sources, read by makejinja and here.

use std::fs;
use std::path::Path;

use super::chance::Chance;
use super::judge::{Run, read_settings, settings_of};
use super::served::Oracle;
use super::shown::shown_settings;

/// An option: its key in the file, and what the file, a variable or an argument may give, right or wrong.
struct RandomOption {
    key: &'static str,
    written: &'static [&'static str],
    given: &'static [&'static str],
    spellings: &'static [&'static str],
}

const FLAG: &[&str] = &[
    "true",
    "false",
    "\"yes\"",
    "\"OFF\"",
    "1",
    "0",
    "\"t\"",
    "\"1\"",
    "\"maybe\"",
    "2",
    "[true]",
];
const FLAG_WORDS: &[&str] = &["true", "No", "ON", "0", "F", "maybe", "", "y"];
const TEXT: &[&str] = &[
    "\"#%\"",
    "'<'",
    "5",
    "1.5",
    "1e20",
    "true",
    "2024-01-01",
    "2024-01-01T01:02:03.5Z",
    "07:32:00",
    "\"\"",
];
const TEXT_WORDS: &[&str] = &["#%", "", "a b", "1", ":", "-x", "=y"];
const LIST: &[&str] = &[
    "[\"a\", \"b\"]",
    "\"a:b\"",
    "[1, \"x\"]",
    "[]",
    "\"\"",
    "[\"a:b\"]",
    "[false]",
    "5",
];
const LIST_WORDS: &[&str] = &["a", "a:b", ":", "*.md", "é"];
const PATHS: &[&str] = &[
    "[\"in\", \"in2\"]",
    "\"in:in2\"",
    "[\"./in/\"]",
    "\"in/../in2\"",
    "[\"conf/../in\"]",
    "[5]",
];
const PATH_WORDS: &[&str] = &["in", "in2", "./in", "in/deep/.."];

const RANDOM_OPTIONS: &[RandomOption] = &[
    option("inputs", PATHS, PATH_WORDS, &["-i", "--input"]),
    option("import-paths", PATHS, PATH_WORDS, &["--import-path"]),
    option("keep-empty", FLAG, FLAG_WORDS, &["--keep-empty"]),
    option(
        "copy_metadata",
        FLAG,
        FLAG_WORDS,
        &["-m", "--copy-metadata"],
    ),
    option("force", FLAG, FLAG_WORDS, &["-f", "-qf", "-fm"]),
    option("quiet", FLAG, FLAG_WORDS, &["-q"]),
    option(
        "whitespace.trim-blocks",
        FLAG,
        FLAG_WORDS,
        &["--trim-blocks", "--no-trim-blocks"],
    ),
    option(
        "whitespace.lstrip_blocks",
        FLAG,
        FLAG_WORDS,
        &["--no-lstrip-blocks"],
    ),
    option(
        "whitespace.keep_trailing_newline",
        FLAG,
        FLAG_WORDS,
        &["--keep-trailing-newline", "--strip-trailing-newline"],
    ),
    option(
        "internal.autoescape",
        FLAG,
        FLAG_WORDS,
        &["--internal-autoescape"],
    ),
    option(
        "internal.optimized",
        FLAG,
        FLAG_WORDS,
        &["--no-internal-optimized"],
    ),
    option("jinja_suffix", TEXT, TEXT_WORDS, &["--jinja-suffix"]),
    option(
        "delimiter.block-start",
        TEXT,
        TEXT_WORDS,
        &["--delimiter-block-start"],
    ),
    option(
        "prefix.line_statement",
        TEXT,
        TEXT_WORDS,
        &["--prefix-line-statement"],
    ),
    option(
        "include_patterns",
        LIST,
        LIST_WORDS,
        &["-I", "--include", "--include-pattern"],
    ),
    option(
        "exclude-patterns",
        LIST,
        LIST_WORDS,
        &["-E", "--exclude", "--exclude-pattern"],
    ),
    option(
        "undefined",
        &["\"strict\"", "\"debug\"", "\"loud\"", "\"Strict\""],
        &["chainable", "default", "loud", ""],
        &["--undefined"],
    ),
    option(
        "data_namespace",
        &["\"stem\"", "\"path\"", "\"flat\"", "\"deep\""],
        &["stem", "path", "x"],
        &["--data-namespace"],
    ),
    option(
        "internal.cache-size",
        &["7", "\"8\"", "-1", "\"x\"", "[1]"],
        &["3", " 4 ", "x", "-1", ""],
        &["--internal-cache-size"],
    ),
    option(
        "data_vars",
        &[
            "{a = 1, b = true}",
            "{\"a.b\" = \"x\"}",
            "{a = 1.5, c = 2024-01-01}",
            "{}",
            "[\"a\"]",
            "\"x\"",
        ],
        &["a=1", "b", "c.d=e=f", "=x"],
        &["-D", "--data-var"],
    ),
    option(
        "file-data",
        &[
            "{\"a.j2\" = [\"x.yaml\", \"in/y.yaml\"]}",
            "{a = \"x:y\"}",
            "{}",
            "{a = 5}",
        ],
        &["a=x.yaml", "a=x:y", "b=x,y", "c="],
        &["--file-data"],
    ),
    option("jinja_sufix", &["\"x\""], &[], &["--jinja-sufix", "-x"]),
];

const fn option(
    key: &'static str,
    written: &'static [&'static str],
    given: &'static [&'static str],
    spellings: &'static [&'static str],
) -> RandomOption {
    RandomOption {
        key,
        written,
        given,
        spellings,
    }
}

impl RandomOption {
    fn is_flag(&self) -> bool {
        self.given == FLAG_WORDS
    }

    fn variable(&self) -> String {
        let name = self.key.to_uppercase().replace(['.', '-'], "_");
        format!("MAKEJINJA_{name}")
    }
}

fn written_file(chance: &mut Chance, wrong: bool) -> String {
    let mut text = "[makejinja]\n".to_owned();
    for option in RANDOM_OPTIONS {
        // A mistake hides all else, so most files have none.
        if chance.one_in(4) && (wrong || option.key != "jinja_sufix") {
            let values = if wrong || option.written.len() < 4 {
                option.written
            } else {
                &option.written[..3]
            };
            text.push_str(&format!("{} = {}\n", option.key, chance.pick(values)));
        }
    }
    text
}

fn random_run(chance: &mut Chance, wrong: bool) -> Run {
    let mut run = Run {
        environment: Vec::new(),
        arguments: vec!["-o".to_owned(), "out".to_owned()],
    };
    if chance.one_in(3) {
        let files = chance.pick(&[
            "conf/more.toml",
            "gone.toml:conf/more.toml",
            "conf/more.toml:",
        ]);
        run.environment
            .push(("MAKEJINJA_SETTINGS".to_owned(), files.to_owned()));
    }
    for option in RANDOM_OPTIONS {
        let right = !option.given.is_empty();
        let limit = if wrong {
            option.given.len()
        } else {
            option.given.len().min(3)
        };
        if right
            && chance.one_in(8)
            && (wrong || !option.key.starts_with("data_") && option.key != "file-data")
        {
            let value = option.given[chance.below(limit)];
            run.environment.push((option.variable(), value.to_owned()));
        }
        if !(right || wrong) {
            continue;
        }
        while chance.one_in(6) {
            let spelling = chance.pick(option.spellings);
            if option.is_flag() || !right {
                run.arguments.push(spelling.to_owned());
                continue;
            }
            let value = option.given[chance.below(limit)];
            match chance.below(3) {
                0 if spelling.starts_with("--") => {
                    run.arguments.push(format!("{spelling}={value}"));
                }
                1 if !spelling.starts_with("--") => {
                    run.arguments.push(format!("{spelling}{value}"));
                }
                _ => run
                    .arguments
                    .extend([spelling.to_owned(), value.to_owned()]),
            }
        }
    }
    run
}

fn run_cases(first: u64, count: u64) {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    let kept = oracle.folder.join("kept");
    let mut read_by_both = 0;
    for case in first..first + count {
        let mut chance = Chance::new(case);
        if kept.exists() {
            fs::remove_dir_all(&kept).unwrap();
        }
        for path in [
            "in/deep/a.txt",
            "in2/b.txt",
            "conf/in/c.txt",
            "conf/in2/d.txt",
        ] {
            fs::create_dir_all(kept.join(path).parent().unwrap()).unwrap();
            fs::write(kept.join(path), "").unwrap();
        }
        let wrong = chance.one_in(3);
        fs::write(
            kept.join("makejinja.toml"),
            written_file(&mut chance, wrong),
        )
        .unwrap();
        fs::write(
            kept.join("conf/more.toml"),
            written_file(&mut chance, wrong),
        )
        .unwrap();
        let run = random_run(&mut chance, wrong);
        let answer = oracle.ask_project_copy(&kept, &run);
        let told = || told(&kept, &run);
        match (read_settings(&kept, &run), settings_of(&answer)) {
            (Ok(settings), expected) if expected.is_object() => {
                assert_eq!(
                    shown_settings(&settings.value),
                    expected,
                    "case {case}\n{}",
                    told()
                );
                read_by_both += 1;
            }
            (Ok(_), _) => panic!(
                "case {case} should be refused: {}\n{}",
                answer["error"],
                told()
            ),
            (Err(problems), expected) => {
                assert!(
                    expected.is_null(),
                    "case {case} is refused: {problems:?}\n{}",
                    told()
                );
            }
        }
    }
    assert!(
        read_by_both * 3 > count,
        "only {read_by_both} of {count} are read by both"
    );
}

fn told(folder: &Path, run: &Run) -> String {
    let text = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    let (own, more) = (text("makejinja.toml"), text("conf/more.toml"));
    format!("{own}\n{more}\n{:?}\n{:?}", run.environment, run.arguments)
}

#[test]
fn random_settings_are_read_as_makejinja_does() {
    run_cases(1, 60);
}

/// `KILN_MAKEJINJA_CASES=2000`, `KILN_MAKEJINJA_FROM` being the first.
#[test]
#[ignore = "takes minutes"]
fn many_random_settings_are_read_as_makejinja_does() {
    let (first, count) = Chance::cases(1000, 1000);
    run_cases(first, count);
}
