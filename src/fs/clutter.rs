//! Names that editors and systems leave beside the files that people keep.

/// The names, `*` for any text and `?` for one character; capitals do not count.
///
/// A file or folder of such a name is in no listing, and so no template, schema or profile, and starts nothing in
/// `watch`. `docs/templates.md` names them all.
pub const CLUTTER: [&str; 27] = [
    // Vim: swap files, the probe of a folder. Backups and undo files of Vim and of others end in `~`.
    ".*.sw?",
    ".sw?",
    "4913",
    "*~",
    // Emacs: locks, which are symlinks to nothing, and what is saved by itself.
    ".#*",
    "#*#",
    // Kate, GNOME, JetBrains, LibreOffice, Microsoft Office.
    ".*.kate-swp",
    ".goutputstream-*",
    "*___jb_tmp___",
    "*___jb_old___",
    ".~lock.*#",
    "~$*",
    // macOS: folder settings, resource forks, trash, what is saved in two steps.
    ".DS_Store",
    "._*",
    ".AppleDouble",
    ".Spotlight-V100",
    ".Trashes",
    "*.sb-????????-??????",
    // Windows: previews, folder settings.
    "Thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    // Linux: folder settings, trash, files of network disks that are removed and still open.
    ".directory",
    ".Trash-*",
    ".nfs0*",
    ".fuse_hidden*",
    ".smbdelete*",
    // Syncthing: what is under way.
    "*syncthing?*.tmp",
];

/// Returns whether a name is one that editors and systems leave about.
pub fn is_clutter(name: &str) -> bool {
    CLUTTER
        .iter()
        .any(|pattern| matches(pattern.as_bytes(), name.as_bytes()))
}

/// Matches from the last `*` on that was passed, so that the work is bounded by both lengths.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                from += 1;
            }
            Some(byte) if byte.eq_ignore_ascii_case(&name[from]) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((after, start)) = star else {
                    return false;
                };
                star = Some((after, start + 1));
                (at, from) = (after, start + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_clutter_from_files() {
        for name in [
            ".ks.yaml.tera.swp",
            ".a.swo",
            ".swp",
            "4913",
            "ks.yaml~",
            ".ks.yaml.un~",
            ".#ks.yaml",
            "#ks.yaml#",
            ".ks.yaml.kate-swp",
            ".goutputstream-X1Y2Z3",
            "ks.yaml___jb_tmp___",
            ".~lock.a.ods#",
            "~$a.docx",
            ".DS_Store",
            "._ks.yaml",
            "ks.yaml.sb-1a2b3c4d-Xy12Zz",
            "thumbs.db",
            "Desktop.ini",
            ".directory",
            ".Trash-1000",
            ".nfs000000000123abcd00000001",
            ".fuse_hidden0000000100000001",
            ".syncthing.ks.yaml.tmp",
            "~syncthing~ks.yaml.tmp",
        ] {
            assert!(is_clutter(name), "{name}");
        }
        for name in [
            ".sops.yaml",
            ".gitkeep",
            ".github",
            ".gitignore",
            ".env",
            "a.swp",
            "49131",
            "~a",
            "#a",
            "a#",
            ".nfs",
            "_partials",
            "ks.yaml.tera",
            "Thumbs.db.yaml",
            "x.sb-1",
            "ks.yaml.tmp",
        ] {
            assert!(!is_clutter(name), "{name}");
        }
    }

    #[test]
    fn the_docs_name_every_pattern() {
        let docs = include_str!("../../docs/templates.md");
        let missing: Vec<&&str> = CLUTTER
            .iter()
            .filter(|pattern| !docs.contains(&format!("`{pattern}`")))
            .collect();
        assert!(missing.is_empty(), "docs/templates.md lacks {missing:?}");
    }
}
