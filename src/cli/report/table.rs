//! Tables for people and for pipes: columns of a width, a blank or two between.

use super::shown::Shown;
use super::shown::terminal::{TerminalPage, cell, columns};

/// Writes a table with its head; the last column is not padded, so that no line ends in blanks.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> Shown {
    let head: Vec<String> = head.iter().map(|title| (*title).to_owned()).collect();
    let width = |column: usize| {
        let cells = std::iter::once(&head)
            .chain(rows)
            .filter_map(|row| row.get(column));
        cells
            .map(|text| columns(filled(text)))
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut page = TerminalPage::default();
    if rows.is_empty() {
        return page.finish();
    }
    for row in std::iter::once(&head).chain(rows) {
        let mut line = String::new();
        for (index, text) in row.iter().enumerate() {
            let is_last = index + 1 == row.len();
            let width = if is_last { 0 } else { widths[index] };
            line.push_str(&cell(filled(text), width));
            if !is_last {
                line.push_str("  ");
            }
        }
        page.line(line);
    }
    page.finish()
}

/// Returns what stands in a cell: an empty one would shift the columns for who reads them by blanks.
fn filled(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_no_cell_is_empty() {
        let rows = [
            vec!["a".to_owned(), String::new()],
            vec!["日本\n".to_owned(), "b".to_owned()],
        ];
        assert_eq!(
            table(&["NAME", "X"], &rows).as_str(),
            "NAME    X\na       -\n日本\\n  b\n"
        );
        assert_eq!(table(&["NAME"], &[]).as_str(), "");
    }
}
