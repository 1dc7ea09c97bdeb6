//! Names that want to be something else, and how they are shown.

use proptest::prelude::*;

/// Each with how it is shown.
pub(super) const NAMES: &[(&str, &str)] = &[
    (
        "x\n\n# Approved by @admin ![b](https://e.example/b.png) [click](https://e.example)",
        r"x\n\n# Approved by @admin ![b](https://e.example/b.png) [click](https://e.example)",
    ),
    (
        "x\r\n::error file=evil,title=evil::y",
        r"x\r\n::error file=evil,title=evil::y",
    ),
    ("::stop-commands::evil", "::stop-commands::evil"),
    ("\n  ::add-mask::evil", r"\n  ::add-mask::evil"),
    ("##[error]evil", r"#\u{23}[error]evil"),
    ("%0A::error::evil", "%0A::error::evil"),
    (
        "\u{85}::error::evil\u{2028}::error::evil\u{2029}",
        r"\u{85}::error::evil\u{2028}::error::evil\u{2029}",
    ),
    (
        "\u{1b}[31m\u{1b}]8;;https://e.example\u{7}\u{9b}2J\u{8}\u{7f}\u{0}",
        r"\u{1b}[31m\u{1b}]8;;https://e.example\u{7}\u{9b}2J\u{8}\u{7f}\u{0}",
    ),
    (
        "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{61c}",
        r"\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{61c}",
    ),
    (
        "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{feff}\u{ad}\u{2060}\u{e0041}",
        r"\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{feff}\u{ad}\u{2060}\u{e0041}",
    ),
    ("\ta\tb", r"\ta\tb"),
    (
        "</code></summary></details><script>alert(1)</script>",
        "</code></summary></details><script>alert(1)</script>",
    ),
    (
        "\" onmouseover=\"alert(1)\" '",
        "\" onmouseover=\"alert(1)\" '",
    ),
    (
        "<img src=x onerror=alert(1)>",
        "<img src=x onerror=alert(1)>",
    ),
    ("&lt;b&gt; &amp;#64;", "&lt;b&gt; &amp;#64;"),
    ("` @admin `` <b> ``` #1", "` @admin `` <b> ``` #1"),
    ("a | b \\| c \\\\| d", "a | b \\| c \\\\| d"),
    ("\n| a |\n| --- |\n| b |", r"\n| a |\n| --- |\n| b |"),
    ("\n- [ ] a\n1. b\n> c\n---", r"\n- [ ] a\n1. b\n> c\n---"),
    (
        "*a* _b_ ~~c~~ **d** $e$ ^f^ [^g]",
        "*a* _b_ ~~c~~ **d** $e$ ^f^ [^g]",
    ),
    (
        "\n\n<!-- kiln-diff -->\n~~~\n",
        r"\n\n<!-- kiln-diff -->\n~~~\n",
    ),
    (
        "www.e.example https://e.example a@e.example GH-1 o/r#1 :smile:",
        "www.e.example https://e.example a@e.example GH-1 o/r#1 :smile:",
    ),
    (
        "{{ name }} {% raw %} #{ name }#",
        "{{ name }} {% raw %} #{ name }#",
    ),
    ("C:\\new\\file", "C:\\new\\file"),
    ("`a`b`c`", "`a`b`c`"),
    ("  ", "  "),
];

/// Any text, most of it of what means something somewhere.
pub(super) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(NAMES).prop_map(|(name, _)| name.to_owned()),
        4 => prop::sample::select(&[
            "\n", "\r", "\n\n", "`", "``", "```", "|", "\\", "<", ">", "&", "#", "@", "[", "](", ")", "!", "*", "_", "~",
            "::", ":", "##", "##[", "]", "- ", "1. ", "> ", "    ", "\t", " ", "\"", "'", "%", "=", "$", "<!--", "-->",
            "http://", "www.", "a", "b c", "1", ".", "\u{1b}[", "m", "\u{feff}", "é", "日本", "🚀",
        ][..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}
