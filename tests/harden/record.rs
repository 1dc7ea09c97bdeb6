//! The record of what was added, and where each line came from.

use kiln::rules::REMEDIES;
use kiln::source::Span;
use kiln::tree::Origin;

use super::{hardened, trees};

#[test]
fn every_line_knows_whether_a_template_or_a_rule_wrote_it() {
    let mut lines_of_rules = 0;
    for rule in REMEDIES {
        for folder in trees::folders(&trees::fixtures("harden").join(rule.meaning.code)) {
            let Ok(done) = hardened(&folder) else {
                continue;
            };
            let tree = done.value;
            for file in tree.files() {
                let spans: Vec<(Span, &str)> = tree
                    .injections()
                    .iter()
                    .filter(|injection| injection.path == file.path)
                    .map(|injection| (injection.span, injection.rule))
                    .collect();
                let mut start = 0;
                for (index, line) in file.source.text.split_inclusive('\n').enumerate() {
                    let whole = Span::new(start, start + line.trim_end_matches(['\r', '\n']).len());
                    start += line.len();
                    let by = spans
                        .iter()
                        .find(|(span, _)| span.start <= whole.start && whole.start < span.end);
                    match (&file.origins[index], by) {
                        (Origin::Rule(code), Some((_, rule))) => {
                            assert_eq!(code, rule);
                            lines_of_rules += 1;
                        }
                        (
                            Origin::Template {
                                template,
                                line: number,
                            },
                            None,
                        ) => {
                            let behind = template.line_span(*number);
                            let before = &template.text[behind.start..behind.end];
                            let now = &file.source.text[whole.start..whole.end];
                            // Inside braces, a rule adds to a line that a template wrote.
                            let inside = spans
                                .iter()
                                .any(|(span, _)| whole.start < span.start && span.end < whole.end);
                            // In JSON, a comma ends the line above.
                            let above = now.strip_suffix(',') == Some(before);
                            assert!(
                                before == now || inside || above,
                                "{}: {before:?} is now {now:?}",
                                file.path
                            );
                        }
                        other => panic!("{}:{}: {other:?}", file.path, index + 1),
                    }
                }
            }
        }
    }
    assert!(lines_of_rules > 50);
}

#[test]
fn spans_of_injections_hold_what_they_name() {
    for rule in REMEDIES {
        for folder in trees::folders(&trees::fixtures("harden").join(rule.meaning.code)) {
            let Ok(done) = hardened(&folder) else {
                continue;
            };
            for injection in done.value.injections() {
                let file = done.value.get(&injection.path).unwrap();
                let added = &file.source.text[injection.span.start..injection.span.end];
                // The last key of the route, or what only the added file or item holds.
                let last = injection
                    .route
                    .rsplit(['.', ' '])
                    .next()
                    .unwrap_or_default();
                let expected = match injection.rule {
                    "pod-security" => "pod-security.kubernetes.io/",
                    _ if injection.route == "resources" => ".yaml",
                    _ if injection.route.is_empty() => "kind: ",
                    _ => last,
                };
                // Several keys at once are named by the mapping that gains them.
                let several = [
                    "runAsNonRoot",
                    "allowPrivilegeEscalation",
                    "NET_BIND_SERVICE",
                ];
                let held = added.contains(expected)
                    || (expected.ends_with("ecurityContext")
                        && several.iter().any(|key| added.contains(key)));
                assert!(held, "{injection:?}: {added:?}");
                // A patch in a kustomization names what it is for.
                let names_release = injection.route.starts_with("patches: ");
                assert!(
                    names_release || !added.contains("HelmRelease"),
                    "{injection:?}: {added:?}"
                );
            }
        }
    }
}

#[test]
fn secret_files_are_never_edited() {
    let folder = trees::fixtures("harden").join("priority-class/left-alone");
    let done = hardened(&folder).unwrap();
    let secret = done.value.files().find(|file| file.is_secret()).unwrap();
    assert_eq!(
        secret.source.text,
        trees::texts(&folder.join("in"))[&secret.path]
    );
}
