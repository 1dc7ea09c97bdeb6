//! Renders all templates of a folder: `render FOLDER DATA.json OPTIONS.json OUT`.
//!
//! The data are the variables, the options `syntax` and `undefined` as in the cases of the tests. For each file of the
//! folder the text goes to the same path below OUT, or the class of the error to that path with `.error`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jinja::{CallError, Engine, Loader, Syntax, UndefinedMode, Value, value};
use serde_json::Value as Json;

fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::from(number),
            None => number.as_f64().map_or_else(Value::default, Value::from),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => value::list(items.iter().map(value_of).collect()),
        Json::Object(entries) => {
            let pairs = entries.iter().map(|(key, inner)| (Value::from(key.as_str()), value_of(inner)));
            value::dict(pairs.collect())
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, data, options, out] = arguments.as_slice() else {
        return Err("render FOLDER DATA.json OPTIONS.json OUT".into());
    };
    let folder = PathBuf::from(folder);
    let data: Json = serde_json::from_str(&fs::read_to_string(data)?)?;
    let options: Json = serde_json::from_str(&fs::read_to_string(options)?)?;
    let pair = |key: &str| {
        let text = |at: usize| options["syntax"][key][at].as_str().unwrap_or_default().to_owned();
        (text(0), text(1))
    };
    let syntax = Syntax {
        block: pair("block"),
        variable: pair("variable"),
        comment: pair("comment"),
        trim_blocks: true,
        lstrip_blocks: true,
        keep_trailing_newline: true,
        ..Syntax::default()
    };
    let undefined =
        if options["undefined"] == "strict" { UndefinedMode::Strict } else { UndefinedMode::Chainable };
    let root = folder.clone();
    let loader: Loader = Arc::new(move |name| fs::read_to_string(root.join(name)).ok().map(Arc::from));
    let mut engine = Engine::new(syntax, undefined, loader);
    for name in options["functions"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        let owned = name.to_owned();
        let callable = Arc::new(move |args: &[Value], _: &[(String, Value)]| -> Result<Value, CallError> {
            let shown: Vec<String> = args.iter().map(value::repr).collect();
            Ok(Value::from(format!("{owned}({})", shown.join(", "))))
        });
        engine.add_function(name, Arc::clone(&callable) as Arc<dyn jinja::Callable>);
        engine.add_filter(name, callable);
    }
    for (name, inner) in data.as_object().into_iter().flatten() {
        engine.add_global(name, value_of(inner));
    }
    let mut paths = Vec::new();
    files(&folder, &mut paths)?;
    let started = std::time::Instant::now();
    for path in paths {
        let name = path.strip_prefix(&folder)?.to_string_lossy().into_owned();
        let target = Path::new(out).join(&name);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        match engine.render(&name, &value::dict(Vec::new())) {
            Ok(printed) => fs::write(target, printed.text)?,
            Err(error) => fs::write(format!("{}.error", target.display()), error.exception)?,
        }
    }
    eprintln!("{:?}", started.elapsed());
    Ok(())
}
