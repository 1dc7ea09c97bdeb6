//! What the crate makes of a project, in the form of `oracle.py`.

use makejinja::{Data, DataNamespace, LoadedData, Selection, Settings, UndefinedMode};
use serde_json::{Value, json};

/// Writes a value with its Python type.
pub(crate) fn tagged(data: &Data) -> Value {
    let value = match data {
        Data::Null => json!("None"),
        Data::Bool(flag) => json!(if *flag { "True" } else { "False" }),
        Data::Integer(text) | Data::Text(text) => json!(text),
        Data::Float(number) => json!(python_float(*number)),
        Data::Bytes(bytes) => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            json!(digits.collect::<Vec<_>>().concat())
        }
        Data::Date(day) => json!(day.to_string()),
        Data::Time(time) => json!(time.to_string()),
        Data::DateTime(time) => json!(time.to_string()),
        Data::List(items) | Data::Tuple(items) => items.iter().map(tagged).collect(),
        Data::Set(items) => {
            let mut items: Vec<Value> = items.iter().map(tagged).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        Data::Map(entries) => pairs(entries.iter().map(|(key, value)| (key, value))),
    };
    json!({"type": data.type_name(), "value": value})
}

fn pairs<'d>(entries: impl Iterator<Item = (&'d Data, &'d Data)>) -> Value {
    entries
        .map(|(key, value)| json!([tagged(key), tagged(value)]))
        .collect()
}

/// Writes a float as Python does, by another way than the crate: with all digits that tell it from others.
fn python_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap();
        let exponent: i32 = exponent.parse().unwrap();
        return format!("{mantissa}e{exponent:+03}");
    }
    format!("{number:?}")
}

pub(crate) fn shown_data(data: &LoadedData) -> Value {
    let entries = data.entries.iter().map(|entry| (&entry.key, &entry.value));
    json!({"type": "dict", "value": pairs(entries)})
}

pub(crate) fn shown_settings(settings: &Settings) -> Value {
    let namespace = match settings.data_namespace {
        DataNamespace::Flat => "flat",
        DataNamespace::Stem => "stem",
        DataNamespace::Path => "path",
    };
    let undefined = match settings.undefined {
        UndefinedMode::Default => "default",
        UndefinedMode::Chainable => "chainable",
        UndefinedMode::Debug => "debug",
        UndefinedMode::Strict => "strict",
    };
    json!({
        "inputs": settings.inputs,
        "output": settings.output,
        "include_patterns": settings.include_patterns,
        "exclude_patterns": settings.exclude_patterns,
        "jinja_suffix": settings.jinja_suffix,
        "keep_jinja_suffix": settings.keep_jinja_suffix,
        "keep_empty": settings.keep_empty,
        "copy_metadata": settings.copy_metadata,
        "data": settings.data,
        "data_namespace": namespace,
        "data_vars": settings.data_vars,
        "file_data": settings.file_data,
        "plugins": settings.plugins,
        "import_paths": settings.import_paths,
        "extensions": settings.extensions,
        "undefined": undefined,
        "exec_pre": settings.exec_pre,
        "exec_post": settings.exec_post,
        "clean": settings.clean,
        "force": settings.force,
        "quiet": settings.quiet,
        "delimiter": {
            "block_start": settings.delimiter.block_start,
            "block_end": settings.delimiter.block_end,
            "variable_start": settings.delimiter.variable_start,
            "variable_end": settings.delimiter.variable_end,
            "comment_start": settings.delimiter.comment_start,
            "comment_end": settings.delimiter.comment_end,
        },
        "prefix": {
            "line_statement": settings.prefix.line_statement,
            "line_comment": settings.prefix.line_comment,
        },
        "whitespace": {
            "trim_blocks": settings.whitespace.trim_blocks,
            "lstrip_blocks": settings.whitespace.lstrip_blocks,
            "newline_sequence": settings.whitespace.newline_sequence.as_str(),
            "keep_trailing_newline": settings.whitespace.keep_trailing_newline,
        },
        "internal": {
            "optimized": settings.internal.optimized,
            "autoescape": settings.internal.autoescape,
            "cache_size": settings.internal.cache_size,
            "auto_reload": settings.internal.auto_reload,
            "enable_async": settings.internal.enable_async,
        },
    })
}

pub(crate) fn shown_outputs(selection: &Selection) -> Vec<Value> {
    let outputs = selection.outputs.iter().map(|output| {
        let path = match selection.folder.as_str() {
            "" => output.path.clone(),
            folder => format!("{folder}/{}", output.path),
        };
        let kind = if output.is_template {
            "template"
        } else {
            "static"
        };
        json!({"path": path, "input": output.input, "name": output.name, "kind": kind})
    });
    outputs.collect()
}
