//! Which file the name of a template means.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

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

impl TemplateSearch {
    /// Returns the spelling of a name that [`list_templates`] lists; `None` for a name that means nothing.
    ///
    /// It has no `.` and no empty part. Where a single template has such a name, `./` before it means the file in a
    /// folder, as single templates go by their exact name only.
    pub fn listed_name(&self, name: &str) -> Option<String> {
        match self.single(name) {
            Some(_) => Some(name.to_owned()),
            None => Some(self.listed_name_below(&plain_name(name)?)),
        }
    }

    fn listed_name_below(&self, relative: &str) -> String {
        match self.single(relative) {
            Some(_) => format!("./{relative}"),
            None => relative.to_owned(),
        }
    }

    /// Returns the path of a single template.
    fn single(&self, name: &str) -> Option<&String> {
        let found = self.files.iter().rfind(|(known, _)| known == name);
        found.map(|(_, path)| path)
    }
}

/// Finds the file of a template's name: a single template of that name, else the first folder that has such a file.
///
/// A name is a path from a folder of `inputs`, with `/`; one with `..` means nothing. Of two single templates with one
/// name, the last one is meant.
///
/// # Errors
/// Which file cannot be read and why, in one sentence without a final period.
pub fn find_template(
    search: &TemplateSearch,
    files: &dyn ProjectFiles,
    name: &str,
) -> Result<Option<String>, String> {
    match (search.single(name), plain_name(name)) {
        (Some(path), _) => Ok(Some(path.clone())),
        (None, Some(relative)) => first_below(&search.folders, files, &relative),
        (None, None) => Ok(None),
    }
}

/// Lists the names of all templates, each with the path that [`find_template`] finds for it.
///
/// Each name is spelled as [`TemplateSearch::listed_name`] spells it. Names that lead through linked folders are listed
/// where [`ProjectFiles::list`] looks into these.
///
/// # Errors
/// Which file or folder cannot be read and why, in one sentence without a final period.
pub fn list_templates(
    search: &TemplateSearch,
    files: &dyn ProjectFiles,
) -> Result<BTreeMap<String, String>, String> {
    let mut listed: BTreeMap<_, _> = search.files.iter().cloned().collect();
    for (index, folder) in search.folders.iter().enumerate() {
        let paths = files.list(folder).map_err(|why| unreadable(folder, &why))?;
        for path in paths {
            let Some(relative) = path::relative_to(&path, folder) else {
                continue;
            };
            if let Entry::Vacant(entry) = listed.entry(search.listed_name_below(relative)) {
                let earlier = first_below(&search.folders[..index], files, relative)?;
                entry.insert(earlier.unwrap_or(path));
            }
        }
    }
    Ok(listed)
}

/// Returns a name without steps that lead nowhere; `None` where it names nothing in a folder.
fn plain_name(name: &str) -> Option<String> {
    let parts: Vec<&str> = path::parts_of(name).collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

/// Returns the path of the first file at a path from each folder.
fn first_below(
    folders: &[String],
    files: &dyn ProjectFiles,
    relative: &str,
) -> Result<Option<String>, String> {
    for folder in folders {
        let path = path::join(folder, relative);
        let kind = files.kind(&path).map_err(|why| unreadable(&path, &why))?;
        if kind == Some(PathKind::File) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn unreadable(path: &str, why: &str) -> String {
    format!("`{path}` cannot be read: {why}")
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

    /// A project whose folder `one/linked` is a link to `target`.
    struct LinkedFiles(MemoryFiles);

    impl LinkedFiles {
        fn target(path: &str) -> String {
            match path.strip_prefix("one/linked/") {
                Some(rest) => format!("target/{rest}"),
                None => path.to_owned(),
            }
        }
    }

    impl ProjectFiles for LinkedFiles {
        fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
            self.0.read(&Self::target(path))
        }

        fn list(&self, folder: &str) -> Result<Vec<String>, String> {
            self.0.list(folder)
        }

        fn kind(&self, path: &str) -> Result<Option<PathKind>, String> {
            self.0.kind(&Self::target(path))
        }
    }

    #[test]
    fn what_is_listed_is_what_is_found() {
        let mut files = MemoryFiles::default();
        for path in [
            "one/a.j2",
            "one/..rc",
            "two/a.j2",
            "two/b/c.j2",
            "two/x.j2",
            "two/linked/d.j2",
            "target/d.j2",
            "target/only.j2",
            "alone/x.j2",
            "other/x.j2",
        ] {
            files.add(path, "");
        }
        let files = LinkedFiles(files);
        let single = |path: &str| ("x.j2".to_owned(), path.to_owned());
        let search = TemplateSearch {
            files: vec![single("alone/x.j2"), single("other/x.j2")],
            folders: vec!["one".to_owned(), "two".to_owned()],
        };
        let listed = list_templates(&search, &files).unwrap();
        let shown: Vec<(&str, &str)> = listed
            .iter()
            .map(|(name, path)| (name.as_str(), path.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("..rc", "one/..rc"),
                ("./x.j2", "two/x.j2"),
                ("a.j2", "one/a.j2"),
                ("b/c.j2", "two/b/c.j2"),
                ("linked/d.j2", "one/linked/d.j2"),
                ("x.j2", "other/x.j2"),
            ]
        );
        for name in [
            "a.j2",
            "./a.j2",
            "/a.j2",
            "..rc",
            "./b//c.j2",
            "b/",
            "x.j2",
            "./x.j2",
            ".//x.j2/",
            "linked/d.j2",
            "linked/none.j2",
            "../one/a.j2",
            "b/../a.j2",
            ".",
            "",
        ] {
            let known = search.listed_name(name).and_then(|name| listed.get(&name));
            let found = find_template(&search, &files, name).unwrap();
            assert_eq!(known, found.as_ref(), "{name}");
        }
        let found = find_template(&search, &files, "linked/only.j2").unwrap();
        assert_eq!(found.as_deref(), Some("one/linked/only.j2"));
        assert!(!listed.contains_key("linked/only.j2"));
    }
}
