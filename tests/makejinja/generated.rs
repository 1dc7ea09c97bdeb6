//! Random templates over the constructs that projects use.

use super::both::{by_kiln, by_makejinja, difference};
use super::grammar::{DATA, Grammar, SYNTAXES};
use crate::support::{Sandbox, oracle};

/// How many templates each project has.
const TEMPLATES: u64 = 150;

/// One project for each of the ways to write templates, and for each treatment of white space.
#[test]
fn random_templates_come_out_as_makejinja_makes_them() {
    let Some(makejinja) = oracle("makejinja") else {
        return;
    };
    for (number, syntax) in SYNTAXES.iter().enumerate() {
        for (round, whitespace) in ["", "trim_blocks = false\nlstrip_blocks = false\n"]
            .iter()
            .enumerate()
        {
            let seed = u64::try_from(number * 10 + round).unwrap() << 32;
            let [theirs, ours] = [(); 2].map(|()| Sandbox::new());
            for project in [&theirs, &ours] {
                project.write("data.yaml", DATA);
                project.write(
                    "makejinja.toml",
                    format!(
                        "[makejinja]\ninputs = [\"in\"]\noutput = \"out\"\ndata = [\"data.yaml\"]\njinja_suffix = \".j2\"\nundefined = \"{}\"\n\n{}\n[makejinja.whitespace]\n{whitespace}",
                        syntax.undefined,
                        syntax.table(),
                    ),
                );
                project.write("in/_macros/lib.j2", syntax.library());
                for template in 0..TEMPLATES {
                    let mut grammar = Grammar::new(seed + template, syntax);
                    project.write(&format!("in/{template}.yaml.j2"), grammar.template());
                }
            }
            let theirs = by_makejinja(&makejinja, &theirs, "out").unwrap();
            let ours = by_kiln(&ours, "out").unwrap();
            let told = difference(&theirs, &ours);
            assert!(told.is_empty(), "syntax {number}, seed {seed}:\n{told}");
            assert!(theirs.len() > 100);
        }
    }
}
