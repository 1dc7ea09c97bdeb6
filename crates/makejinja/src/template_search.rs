//! Which file the name of a template means.

use crate::files::{PathKind, ProjectFiles};
use crate::path;

/// Where the templates of a project are looked for, in `include`, `import`, `extends` and for outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateSearch {
    /// Single templates of `inputs`: the name, which is that of the file, and the path. They come first.
    pub files: Vec<(String, String)>,
    /// Folders of `inputs`, in order. Exclude patterns and path filters hide nothing here.
    pub folders: Vec<String>,
}

/// Finds the file of a template's name: a single template of that name, else the first folder that has such a file.
///
/// A name is a path from a folder of `inputs`, with `/`; one with `..` means nothing. Of two single templates with one
/// name, the last one is meant.
///
/// # Errors
/// Why a file cannot be read, as of [`ProjectFiles`].
pub fn find_template(
    search: &TemplateSearch,
    files: &dyn ProjectFiles,
    name: &str,
) -> Result<Option<String>, String> {
    let single = search.files.iter().rfind(|(known, _)| known == name);
    if let Some((_, path)) = single {
        return Ok(Some(path.clone()));
    }
    if path::parts_of(name).any(|part| part == "..") || path::parts_of(name).next().is_none() {
        return Ok(None);
    }
    let relative = path::parts_of(name).collect::<Vec<_>>().join("/");
    for folder in &search.folders {
        let path = path::join(folder, &relative);
        if files.kind(&path)? == Some(PathKind::File) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryFiles;

    #[test]
    fn a_name_means_a_single_template_then_the_first_folder() {
        let mut files = MemoryFiles::default();
        for path in [
            "one/a.j2",
            "two/a.j2",
            "two/b/c.j2",
            "alone/a.j2",
            "other/x.j2",
        ] {
            files.add(path, "");
        }
        let mut search = TemplateSearch {
            files: vec![("x.j2".to_owned(), "other/x.j2".to_owned())],
            folders: vec!["one".to_owned(), "two".to_owned()],
        };
        let find =
            |search: &TemplateSearch, name: &str| find_template(search, &files, name).unwrap();
        assert_eq!(find(&search, "a.j2").as_deref(), Some("one/a.j2"));
        assert_eq!(find(&search, "b/c.j2").as_deref(), Some("two/b/c.j2"));
        assert_eq!(find(&search, "./b//c.j2").as_deref(), Some("two/b/c.j2"));
        assert_eq!(find(&search, "x.j2").as_deref(), Some("other/x.j2"));
        assert_eq!(find(&search, "b"), None);
        assert_eq!(find(&search, "../one/a.j2"), None);
        assert_eq!(find(&search, ""), None);
        search
            .files
            .push(("a.j2".to_owned(), "alone/a.j2".to_owned()));
        assert_eq!(find(&search, "a.j2").as_deref(), Some("alone/a.j2"));
    }
}
