//! The filter `urlize`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::arguments::{CallArguments, flag, given, index};
use crate::error::{Failure, Outcome};
use crate::interpreter::Interpreter;
use crate::text::{escape_html, is_space};
use crate::value::{Value, items, text_like, try_html, try_str};

/// What is taken for an address: a scheme or `www.`, a name below a common domain, or a numeric host.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let named = r"(?:https?://|www\.)(?:[\w%-]+\.)*(?:[a-z]{2,63}|xn--[\w%]{2,59})";
    let common = r"(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)";
    let numeric =
        r"https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\])";
    Regex::new(&format!(
        r"(?i)^(?:{named}|{common}|{numeric})(?::\d{{1,5}})?(?:[/?#]\S*)?$"
    ))
    .ok()
});
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\S+@\w[\w.-]*\.\w+$").ok());
static SCHEME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\w.+-]{2,}:/{0,2}$").ok());

fn matches(pattern: &LazyLock<Option<Regex>>, content: &str) -> bool {
    pattern
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(content))
}

pub(super) fn urlize(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let names = [
        "trim_url_limit",
        "nofollow",
        "target",
        "rel",
        "extra_schemes",
    ];
    let [limit, nofollow, target, rel, schemes] = arguments.bind("urlize", names)?;
    let limit = given(limit)
        .map(|limit| index(&limit, "the limit"))
        .transpose()?;
    let mut words: BTreeSet<String> = BTreeSet::from(["noopener".to_owned()]);
    if let Some(rel) = given(rel) {
        words.extend(try_str(&rel)?.split_whitespace().map(str::to_owned));
    }
    if flag(nofollow, false)? {
        words.insert("nofollow".to_owned());
    }
    let rel = words.into_iter().collect::<Vec<_>>().join(" ");
    let mut attributes = format!(" rel=\"{}\"", escape_html(&rel));
    if let Some(target) = given(target) {
        let target = escape_html(&try_str(&target)?);
        attributes = format!("{attributes} target=\"{target}\"");
    }
    let mut extra = Vec::new();
    for scheme in given(schemes)
        .map(|schemes| items(&schemes))
        .transpose()?
        .unwrap_or_default()
    {
        let scheme = try_str(&scheme)?;
        if !matches(&SCHEME, &scheme) {
            let message = "an extra scheme is not the start of an address";
            return Err(Failure::raised("FilterArgumentError", message));
        }
        extra.push(scheme);
    }
    let escaped = try_html(value)?;
    interpreter
        .budget
        .reserve(escaped.len().saturating_mul(4))?;
    let links = Links {
        attributes,
        limit,
        extra,
    };
    let mut linked = String::new();
    let mut rest = escaped.as_str();
    while !rest.is_empty() {
        let end = rest.find(is_space).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        linked.push_str(&links.link(word));
        let blanks = after.len() - after.trim_start_matches(is_space).len();
        let (blank, after) = after.split_at(blanks);
        linked.push_str(blank);
        rest = after;
    }
    Ok(text_like(interpreter.autoescape, linked))
}

struct Links {
    attributes: String,
    limit: Option<i64>,
    extra: Vec<String>,
}

impl Links {
    fn shown(&self, address: &str) -> String {
        match self.limit.and_then(|limit| usize::try_from(limit).ok()) {
            Some(limit) if address.chars().count() > limit => {
                address.chars().take(limit).collect::<String>() + "..."
            }
            _ => address.to_owned(),
        }
    }

    fn link(&self, word: &str) -> String {
        let (head, middle, tail) = split_word(word);
        let attributes = &self.attributes;
        let linked = if matches(&ADDRESS, &middle) {
            let has_scheme = middle.starts_with("https://") || middle.starts_with("http://");
            let scheme = if has_scheme { "" } else { "https://" };
            format!(
                "<a href=\"{scheme}{middle}\"{attributes}>{}</a>",
                self.shown(&middle)
            )
        } else if let Some(address) = middle
            .strip_prefix("mailto:")
            .filter(|address| matches(&EMAIL, address))
        {
            format!("<a href=\"{middle}\">{address}</a>")
        } else if is_email(&middle) {
            format!("<a href=\"mailto:{middle}\">{middle}</a>")
        } else {
            self.extra.iter().fold(middle, |middle, scheme| {
                if middle != *scheme && middle.starts_with(scheme) {
                    format!("<a href=\"{middle}\"{attributes}>{middle}</a>")
                } else {
                    middle
                }
            })
        };
        format!("{head}{linked}{tail}")
    }
}

fn is_email(word: &str) -> bool {
    word.contains('@')
        && !word.starts_with("www.")
        && !word.starts_with('@')
        && !word.contains(':')
        && matches(&EMAIL, word)
}

/// A word without the brackets before it and the punctuation after it.
fn split_word(word: &str) -> (String, String, String) {
    let mut middle = word;
    while let Some(rest) = ["(", "<", "&lt;"]
        .iter()
        .find_map(|start| middle.strip_prefix(start))
    {
        middle = rest;
    }
    let head = word
        .get(..word.len() - middle.len())
        .unwrap_or_default()
        .to_owned();
    let inside = middle;
    while let Some(rest) = [")", ">", ".", ",", "\n", "&gt;"]
        .iter()
        .find_map(|end| middle.strip_suffix(end))
    {
        middle = rest;
    }
    let mut tail = inside.get(middle.len()..).unwrap_or_default().to_owned();
    let mut middle = middle.to_owned();
    for (start, end) in [("(", ")"), ("<", ">"), ("&lt;", "&gt;")] {
        let opened = middle.matches(start).count();
        if opened <= middle.matches(end).count() {
            continue;
        }
        for _ in 0..opened.min(tail.matches(end).count()) {
            let Some(at) = tail.find(end) else { break };
            let rest = tail.split_off(at + end.len());
            middle.push_str(&tail);
            tail = rest;
        }
    }
    (head, middle, tail)
}
