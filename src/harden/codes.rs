//! What the codes of hardening, besides those of its rules, mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    EDIT_REFUSED {
        code: "edit-refused",
        summary: "A default could not be added to a file without changing something else",
        text: "\
Kiln adds lines and never rewrites what is there. Where an anchor is shared, or a mapping stands in
braces over several lines, a line cannot be added without meaning something else.

Set the value by hand, or write the mapping in block form.

    resources:
      limits: { memory: 64Mi }",
    }
}
