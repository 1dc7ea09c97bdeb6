//! Which values the templates of a chart read, told without rendering them.
//!
//! The templates are walked with what each expression may stand for: a path of values, a mapping that
//! a template made, the root object of a chart. Both branches of every condition are taken, named
//! templates are entered with what they are given. Where a value goes into something that is not
//! understood, it counts as used whole: to take a value for known that is not is the lesser evil.

mod functions;
mod reader;
mod shape;
mod values;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use super::chart::LoadedChart;
use super::known::{LearnedValue, Use};
use reader::ChartReader;

/// What templates read.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    /// The values.
    pub(super) known: LearnedValue,
    /// Those of them that templates read which print workloads or budgets: no other value can make
    /// one come or go.
    pub(super) shaping: LearnedValue,
    /// The same for each of these templates.
    pub(super) files: Vec<LearnedValue>,
    /// The paths that switch whole subcharts.
    pub(super) conditions: BTreeSet<Vec<String>>,
    /// The paths of these templates.
    pub(super) printers: BTreeSet<String>,
    /// The texts that values are compared with.
    pub(super) compared: BTreeMap<Vec<String>, BTreeSet<String>>,
}

/// Finds out which values the templates of a chart and its subcharts read.
pub(super) fn reads(chart: &LoadedChart) -> Reads {
    let charts = chart.all();
    let mut reader = ChartReader::new(&charts);
    // A second round knows what the first one put into the root objects.
    for _ in 0..2 {
        reader.reads.files.clear();
        for (number, chart) in charts.iter().enumerate() {
            reader.chart(number, chart);
        }
    }
    for chart in &charts {
        for sub in &chart.subcharts {
            for condition in &sub.conditions {
                reader.reads.known.mark(condition, Use::Truth);
                reader.reads.shaping.mark(condition, Use::Truth);
                reader.reads.conditions.insert(condition.clone());
            }
            if sub.tagged {
                reader.reads.known.mark(&["tags".to_owned()], Use::Whole);
                reader.reads.shaping.mark(&["tags".to_owned()], Use::Whole);
            }
            let mut global = sub.chart.prefix.clone();
            reader.reads.known.mark(&global, Use::Truth);
            global.push("global".to_owned());
            reader.reads.known.mark(&global, Use::Whole);
        }
    }
    reader.reads.known.mark(&["global".to_owned()], Use::Whole);
    reader.reads
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::profiler::chart::Subchart;
    use crate::profiler::known::split;

    fn chart(templates: &[(&str, &str)]) -> LoadedChart {
        let templates = templates
            .iter()
            .map(|(name, text)| (format!("templates/{name}"), (*text).to_owned()));
        LoadedChart {
            name: "c".to_owned(),
            values: json!({}),
            templates: templates.collect(),
            ..LoadedChart::default()
        }
    }

    /// What the templates know, without `global`, which is always known.
    fn known(templates: &[(&str, &str)]) -> Value {
        without_global(&reads(&chart(templates)))
    }

    fn without_global(reads: &Reads) -> Value {
        let mut value = reads.known.to_value();
        if let Value::Object(map) = &mut value {
            map.shift_remove("global");
        }
        value
    }

    #[test]
    fn tells_values_that_are_tested_from_those_that_are_used_whole() {
        let template = "{{ if and .Values.a.on (not .Values.b) }}{{ .Values.a.x | quote }}{{ end }}\
                        {{ with .Values.c }}{{ .d.e }}{{ end }}{{ toYaml .Values.f }}{{ .Values.f.g }}";
        let expected = json!({
            "a": {"on": null, "x": null}, "b": null, "c": {"d": {"e": null}}, "f": null
        });
        assert_eq!(known(&[("a.yaml", template)]), expected);
    }

    #[test]
    fn follows_values_through_variables_named_templates_and_what_they_are_given() {
        let helpers = "{{ define \"labels\" }}{{ .root.Values.labels.app }}{{ .part.name }}{{ end }}\
                       {{ define \"second\" }}{{ (index . 1).size }}{{ end }}";
        let template = "{{ $v := .Values.deep }}{{ $w := default $v.one $v.two }}{{ $w.three }}\
                        {{ include \"labels\" (dict \"root\" $ \"part\" $v.part) }}\
                        {{ include \"second\" (list . .Values.box) }}";
        let expected = json!({
            "box": {"size": null},
            "deep": {
                "one": {"three": null}, "part": {"name": null}, "two": {"three": null}
            },
            "labels": {"app": null},
        });
        assert_eq!(
            known(&[("_h.tpl", helpers), ("a.yaml", template)]),
            expected
        );
    }

    #[test]
    fn knows_keys_that_are_spelled_out_and_opens_what_is_walked_through() {
        let template = "{{ (index .Values \"a-b\").c }}{{ get .Values.d \"e\" }}\
                        {{ hasKey .Values.f \"g\" }}{{ dig \"h\" \"i\" \"\" .Values.j }}\
                        {{ range $k, $v := .Values.k }}{{ $v }}{{ end }}{{ index .Values.l .Values.m }}\
                        {{ range list \"x\" \"y\" }}{{ index $.Values.n . }}{{ end }}";
        let expected = json!({
            "a-b": {"c": null}, "d": {"e": null}, "f": {"g": null}, "j": {"h": {"i": null}},
            "k": null, "l": null, "m": null, "n": {"x": null, "y": null},
        });
        assert_eq!(known(&[("a.yaml", template)]), expected);
    }

    #[test]
    fn opens_what_goes_into_something_that_is_not_understood() {
        let all = known(&[(
            "a.yaml",
            "{{ someday .Values.a }}{{ toYaml .Values | indent 2 }}",
        )]);
        assert_eq!(all, Value::Null);
        let one = known(&[("a.yaml", "{{ someday .Values.a.b }}{{ .Values.a.c }}")]);
        assert_eq!(one, json!({"a": {"b": null, "c": null}}));
    }

    #[test]
    fn takes_no_hash_of_all_values_for_a_use() {
        let text = "{{ toYaml .Values | sha256sum }}{{ .Values.a }}";
        assert_eq!(known(&[("a.yaml", text)]), json!({"a": null}));
    }

    #[test]
    fn takes_all_that_a_template_mentions_for_used_where_it_cannot_be_read() {
        let broken = "{{ if .Values.a.b }}{{ .Values.c }}";
        assert_eq!(
            known(&[("a.yaml", broken)]),
            json!({"a": {"b": null}, "c": null})
        );
        let helper = "{{ define \"h\" }}{{ .x }}{{ if }}{{ end }}";
        let caller = "{{ include \"h\" .Values.d }}{{ .Values.d.e }}";
        let known = known(&[("_h.tpl", helper), ("a.yaml", caller)]);
        assert_eq!(known, json!({"d": null}));
    }

    #[test]
    fn reads_templates_in_values_and_notes_what_values_are_compared_with() {
        let helper = "{{ define \"kind\" }}{{ .Values.kind }}{{ end }}";
        let template = "{{ $k := include \"kind\" . }}{{ if eq $k \"disk\" }}kind: Pod{{ end }}";
        let mut chart = chart(&[("_h.tpl", helper), ("a.yaml", template)]);
        chart.values = json!({"text": "{{ .Values.inner.part }}"});
        let reads = reads(&chart);
        assert!(reads.known.covers(&split("inner.part")));
        assert!(!reads.known.covers(&split("inner.other")));
        assert!(reads.compared[&split("kind")].contains("disk"));
        assert!(reads.shaping.covers(&split("kind")));
        assert!(!reads.shaping.covers(&split("inner.part")));
    }

    #[test]
    fn puts_the_values_of_a_subchart_below_its_name() {
        let mut outer = chart(&[("a.yaml", "{{ .Values.top }}")]);
        let mut inner = chart(&[("b.yaml", "{{ .Values.own }}{{ .Values.global.shared }}")]);
        inner.prefix = vec!["alias".to_owned()];
        outer.subcharts.push(Subchart {
            conditions: vec![split("alias.on")],
            tagged: false,
            chart: inner,
        });
        let expected = json!({
            "alias": {"global": null, "on": null, "own": null}, "top": null
        });
        assert_eq!(without_global(&reads(&outer)), expected);
    }

    #[test]
    fn ends_where_templates_call_themselves_with_ever_more() {
        let helper =
            "{{ define \"more\" }}{{ include \"more\" (dict \"inner\" . \"v\" .v) }}{{ end }}";
        let template = "{{ include \"more\" (dict \"v\" .Values.a) }}{{ .Values.a.b }}";
        let known = known(&[("_h.tpl", helper), ("a.yaml", template)]);
        assert_eq!(known, json!({"a": null}));
    }
}
