//! Numbers of things.

/// Names a number of things whose plural ends in `s`: `1 template`, `2 templates`.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
