//! A diff for programs, by `schemas/diff.schema.json`.

use serde_json::{Value, json};

use crate::diff::{
    Bump, ChangeCause, ChangeKind, ChangedField, ComparisonGap, Danger, DiffReport, FieldEdit,
    Hunk, LineMark, OutputLine, ReportedChange, SettingChange, Subject,
};

/// The version of the format; raised when a field goes or changes its meaning.
pub const VERSION: u32 = 2;

/// Renders a diff as one object.
pub fn render(report: &DiffReport) -> Value {
    let count = |kind: ChangeKind| (kind.word().to_owned(), Value::from(report.count(kind)));
    let mut summary: serde_json::Map<String, Value> =
        ChangeKind::ALL.into_iter().map(count).collect();
    summary.insert("settings".to_owned(), report.settings.len().into());
    summary.insert("dangers".to_owned(), report.dangers.len().into());
    summary.insert("hidden".to_owned(), report.hidden.into());
    json!({
        "version": VERSION,
        "before": report.before,
        "after": report.after,
        "summary": summary,
        "dangers": report.dangers.iter().map(danger).collect::<Vec<_>>(),
        "changes": report.changes.iter().map(change).collect::<Vec<_>>(),
        "notCompared": report.gaps.iter().map(gap).collect::<Vec<_>>(),
        "settings": report.settings.iter().map(setting).collect::<Vec<_>>(),
        "images": report.images.iter().map(bump).collect::<Vec<_>>(),
        "charts": report.charts.iter().map(bump).collect::<Vec<_>>(),
    })
}

fn danger(danger: &Danger) -> Value {
    json!({
        "code": danger.code(),
        "object": subject(&danger.subject),
        "also": danger.also.iter().map(subject).collect::<Vec<_>>(),
        "route": danger.route,
        "message": danger.message,
        "why": danger.why,
        "place": danger.spot.as_ref().map(spot),
    })
}

fn gap(gap: &ComparisonGap) -> Value {
    json!({
        "side": gap.side,
        "what": gap.what,
        "why": gap.why,
        "refused": gap.refused,
        "objects": gap.objects,
        "place": gap.spot.as_ref().map(spot),
    })
}

fn setting(setting: &SettingChange) -> Value {
    json!({
        "file": setting.file,
        "setting": setting.setting,
        "before": setting.before,
        "after": setting.after,
    })
}

fn subject(subject: &Subject) -> Value {
    json!({
        "group": subject.group,
        "kind": subject.kind,
        "namespace": subject.namespace,
        "name": subject.name,
        "cluster": subject.cluster,
    })
}

fn spot(spot: &OutputLine) -> Value {
    json!({"path": spot.path, "line": spot.line})
}

fn change(change: &ReportedChange) -> Value {
    json!({
        "kind": change.kind.word(),
        "object": subject(&change.subject),
        "also": change.also.iter().map(subject).collect::<Vec<_>>(),
        "was": change.was.as_ref().map(subject),
        "before": change.before.as_ref().map(spot),
        "after": change.after.as_ref().map(spot),
        "places": change.places.iter().map(spot).collect::<Vec<_>>(),
        "fields": change.fields.iter().map(field).collect::<Vec<_>>(),
        "body": change.body,
        "note": change.note,
        "causes": change.causes.iter().map(cause).collect::<Vec<_>>(),
    })
}

fn cause(cause: &ChangeCause) -> Value {
    let versions;
    let (kind, name) = match cause {
        ChangeCause::Config(key) => ("config", key.as_str()),
        ChangeCause::Template(path) => ("template", path.as_str()),
        ChangeCause::Rule(code) => ("rule", *code),
        ChangeCause::Kiln { from, to } => {
            versions = format!("{from} → {to}");
            ("kiln", versions.as_str())
        }
        ChangeCause::Edit => ("edit", ""),
    };
    json!({"type": kind, "name": name})
}

fn field(field: &ChangedField) -> Value {
    let route = field.route.to_string();
    match &field.edit {
        FieldEdit::Added(value) => json!({"route": route, "edit": "added", "after": value}),
        FieldEdit::Removed(value) => json!({"route": route, "edit": "removed", "before": value}),
        FieldEdit::Changed(old, new) => {
            json!({"route": route, "edit": "changed", "before": old, "after": new})
        }
        FieldEdit::Items { removed, added } => {
            json!({"route": route, "edit": "items", "removed": removed, "added": added})
        }
        FieldEdit::Reordered(old, new) => {
            json!({"route": route, "edit": "reordered", "before": old, "after": new})
        }
        FieldEdit::Text(hunks) => {
            let hunks: Vec<Value> = hunks.iter().map(hunk).collect();
            json!({"route": route, "edit": "text", "hunks": hunks})
        }
        FieldEdit::Secret(secrecy) => {
            json!({"route": route, "edit": "secret", "secret": secrecy.word()})
        }
    }
}

fn hunk(hunk: &Hunk) -> Value {
    let mark = |mark: LineMark| match mark {
        LineMark::Same => "same",
        LineMark::Added => "added",
        LineMark::Removed => "removed",
    };
    let lines = hunk.lines.iter();
    let lines = lines.map(|line| json!({"mark": mark(line.mark), "text": line.text}));
    json!({"before": hunk.before, "after": hunk.after, "lines": lines.collect::<Vec<_>>()})
}

fn bump(bump: &Bump) -> Value {
    json!({
        "object": subject(&bump.subject),
        "route": bump.route,
        "name": bump.name,
        "before": bump.before,
        "after": bump.after,
        "leap": bump.leap.word(),
    })
}
