//! Jinja2's filters.

mod json;
mod link;
mod markup;
mod number;
mod pretty;
mod selection;
mod sequence;
mod text;
mod wrapping;

use crate::arguments::CallArguments;
use crate::error::{Failure, Outcome};
use crate::interpreter::Interpreter;
use crate::value::{Value, try_str};

pub(crate) type Filter = fn(&mut Interpreter<'_>, &Value, CallArguments) -> Outcome<Value>;

/// The filter of a name.
pub(crate) fn find(name: &str) -> Option<Filter> {
    let filter: Filter = match name {
        "abs" => number::abs,
        "filesizeformat" => number::filesizeformat,
        "float" => number::float,
        "int" => number::int,
        "round" => number::round,
        "sum" => number::sum,
        "escape" | "e" => markup::escape,
        "forceescape" => markup::forceescape,
        "safe" => markup::safe,
        "striptags" => markup::striptags,
        "urlencode" => markup::urlencode,
        "urlize" => link::urlize,
        "xmlattr" => markup::xmlattr,
        "tojson" => json::tojson,
        "pprint" => pretty::pprint,
        "wordwrap" => wrapping::wordwrap,
        "random" => |_, _, _| {
            Err(Failure::unsupported(
                "the filter `random` is not supported: it gives something else each time",
            ))
        },
        _ => return find_text(name).or_else(|| find_sequence(name)),
    };
    Some(filter)
}

fn find_text(name: &str) -> Option<Filter> {
    let filter: Filter = match name {
        "capitalize" => text::capitalize,
        "center" => text::center,
        "format" => text::format,
        "indent" => text::indent,
        "lower" => text::lower,
        "replace" => text::replace,
        "string" => text::string,
        "title" => text::title,
        "trim" => text::trim,
        "truncate" => text::truncate,
        "upper" => text::upper,
        "wordcount" => text::wordcount,
        _ => return None,
    };
    Some(filter)
}

fn find_sequence(name: &str) -> Option<Filter> {
    let filter: Filter = match name {
        "attr" => selection::attr,
        "default" | "d" => selection::default,
        "map" => selection::map,
        "select" => selection::select,
        "reject" => selection::reject,
        "selectattr" => selection::selectattr,
        "rejectattr" => selection::rejectattr,
        "groupby" => selection::groupby,
        "batch" => sequence::batch,
        "dictsort" => sequence::dictsort,
        "first" => sequence::first,
        "items" => sequence::items_of,
        "join" => sequence::join,
        "last" => sequence::last,
        "length" | "count" => sequence::length_of,
        "list" => sequence::list_of,
        "max" => sequence::max,
        "min" => sequence::min,
        "reverse" => sequence::reverse,
        "slice" => sequence::slice,
        "sort" => sequence::sort,
        "unique" => sequence::unique,
        _ => return None,
    };
    Some(filter)
}

/// The text of a value, and whether it is safe.
fn soft_text(value: &Value) -> Outcome<(String, bool)> {
    Ok((try_str(value)?, value.is_safe()))
}
