//! The log of a job, as a terminal and the runner of a workflow read it.

/// The commands that Kiln has for the runner, and their properties.
const COMMANDS: [&str; 3] = ["error", "warning", "notice"];
const PROPERTIES: [&str; 6] = ["file", "line", "col", "endColumn", "endLine", "title"];

/// Lists what is wrong with what was printed, and returns the commands to the runner in it.
pub(super) fn read(text: &str) -> Result<Vec<&str>, String> {
    let mut commands = Vec::new();
    for line in text.split('\n') {
        let seen = without_colour(line);
        if let Some(letter) = seen
            .chars()
            .find(|letter| *letter != '\t' && steers(*letter))
        {
            return Err(format!("{letter:?} in {line:?}"));
        }
        // The runner finds this anywhere in a line.
        if line.contains("##[") || seen.contains("##[") {
            return Err(format!("a marker in {line:?}"));
        }
        let start = seen.trim_start();
        // `::: ` leads to the second file of a message, and is no name of a command.
        if start.starts_with("::") && !start.starts_with("::: ") {
            if !is_own(start) {
                return Err(format!("a command in {line:?}"));
            }
            commands.push(line);
        }
    }
    Ok(commands)
}

/// Returns whether a command is one of Kiln's, and nothing in a property is more than one value.
fn is_own(line: &str) -> bool {
    let Some((command, _)) = line[2..].split_once("::") else {
        return false;
    };
    let (name, properties) = command.split_once(' ').unwrap_or((command, ""));
    let mut pairs = properties.split(',').map(|pair| pair.split_once('='));
    COMMANDS.contains(&name)
        && pairs.all(|pair| {
            pair.is_some_and(|(key, value)| {
                let is_title = key == "title";
                PROPERTIES.contains(&key)
                    && value != "evil"
                    && (!is_title
                        || value
                            .chars()
                            .all(|c| c.is_ascii_alphanumeric() || " -.".contains(c)))
            })
        })
}

/// Returns whether a terminal or a reader is led astray by a character.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
            | '\u{61c}' | '\u{ad}' | '\u{2060}' | '\u{e0000}'..='\u{e007f}')
}

/// Takes away the sequences that only colour.
fn without_colour(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut seen = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit() && letter != ';');
        if let Some(end) = end.filter(|end| part[*end..].starts_with('m')) {
            seen.push_str(&part[end + 1..]);
        } else {
            seen.extend(["\u{1b}[", part]);
        }
    }
    seen
}

#[test]
fn the_reader_sees_what_gets_out() {
    for text in [
        "a\n  ::error::x",
        "::error file=evil::x",
        "\u{1b}[1m::set-env name=a::x",
        "a ##[group]x",
        "\u{1b}[2J",
        "a\u{202e}b",
        "::error title=a::b::c\n::stop-commands::x",
    ] {
        assert!(read(text).is_err(), "{text:?}");
    }
    let own =
        "\u{1b}[1merror\u{1b}[0m: ::x\n::error file=a,line=1,title=a-b::c\n  ::: a.yaml:1:1\n";
    assert_eq!(read(own).unwrap().len(), 1);
}
