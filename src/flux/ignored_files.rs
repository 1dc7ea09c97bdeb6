//! What Flux' source-controller leaves out of the files that it hands on.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// The file that says what is left out of a folder.
pub(super) const IGNORE_FILE: &str = ".sourceignore";
/// What is always left out, unless a pattern takes it in again.
const OF_GIT: [&str; 4] = [".git/", ".gitignore", ".gitmodules", ".gitattributes"];
/// What is left out where nobody says anything.
const BY_DEFAULT: [&str; 20] = [
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

/// Patterns in order: the last one that matches a file, or a folder above it, decides.
///
/// Other than git, the source-controller asks of each file alone, so that one below a folder that is left out can be
/// taken in again.
pub(super) struct IgnorePatterns {
    globs: GlobSet,
    /// Whether each of the globs leaves out what it matches.
    leaves_out: Vec<bool>,
}

impl IgnorePatterns {
    /// Takes the ignore files of a source, each with its folder, and then what the source itself says.
    ///
    /// Any pattern takes the place of all that is left out by default.
    pub(super) fn new<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t str)>,
        of_source: Option<&str>,
    ) -> Self {
        let mut written = Vec::new();
        for (folder, text) in files {
            written.extend(pattern_lines(text).map(|line| (folder, line)));
        }
        let of_source = of_source.unwrap_or_default();
        written.extend(pattern_lines(of_source).map(|line| ("", line)));
        let defaults: &[&str] = if written.is_empty() { &BY_DEFAULT } else { &[] };
        let own = OF_GIT.iter().chain(defaults).map(|line| ("", *line));
        let mut builder = GlobSetBuilder::new();
        let mut leaves_out = Vec::new();
        for (folder, line) in own.chain(written) {
            let (is_taken_in, globs) = globs_of(folder, line);
            for glob in globs {
                let glob = GlobBuilder::new(&glob).literal_separator(true).build();
                // What is no pattern matches nothing.
                if let Ok(glob) = glob {
                    builder.add(glob);
                    leaves_out.push(!is_taken_in);
                }
            }
        }
        Self {
            globs: builder.build().unwrap_or_else(|_| GlobSet::empty()),
            leaves_out,
        }
    }

    /// Returns whether a file is left out.
    pub(super) fn leave_out(&self, path: &str) -> bool {
        let last = self.globs.matches(path).into_iter().max();
        last.is_some_and(|last| self.leaves_out.get(last) == Some(&true))
    }
}

fn pattern_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

/// Returns whether a pattern takes files in, and the globs of the files that it is about.
fn globs_of(folder: &str, line: &str) -> (bool, Vec<String>) {
    let (is_taken_in, pattern) = match line.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let pattern = if pattern.ends_with("\\ ") {
        pattern
    } else {
        pattern.trim_end_matches(' ')
    };
    let (folders_only, pattern) = match pattern.strip_suffix('/') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let mut steps: Vec<&str> = pattern.split('/').filter(|step| !step.is_empty()).collect();
    if pattern.contains('/') {
        if steps.last() == Some(&"**") {
            steps.pop();
        }
        if steps
            .iter()
            .any(|step| *step != "**" && step.contains("**"))
        {
            return (is_taken_in, Vec::new());
        }
    } else {
        // A name alone is looked for at any depth.
        steps = vec!["**", if pattern == "**" { "*" } else { pattern }];
    }
    if steps.iter().all(|step| *step == "**" || step.is_empty()) {
        return (is_taken_in, Vec::new());
    }
    let steps = steps
        .iter()
        .map(|step| step.replace('{', "\\{").replace('}', "\\}"));
    let above = folder.split('/').filter(|step| !step.is_empty());
    let all: Vec<String> = above.map(globset::escape).chain(steps).collect();
    let whole = all.join("/");
    let below = format!("{whole}/**");
    let globs = if folders_only {
        vec![below]
    } else {
        vec![whole, below]
    };
    (is_taken_in, globs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out<'p>(patterns: &IgnorePatterns, paths: &[&'p str]) -> Vec<&'p str> {
        let paths = paths.iter().filter(|path| patterns.leave_out(path));
        paths.copied().collect()
    }

    #[test]
    fn leaves_out_what_no_cluster_needs() {
        let patterns = IgnorePatterns::new([], None);
        let paths = [
            "apps/a.yaml",
            "apps/logo.png",
            ".github/x/a.yaml",
            "apps/.github/a.yaml",
            ".sops.yaml",
            "apps/.sops.yaml",
            "apps/a.sops.yaml",
            ".gitignore",
            "github/a.yaml",
        ];
        let expected = [paths[1], paths[2], paths[3], paths[4], paths[5], paths[7]];
        assert_eq!(left_out(&patterns, &paths), expected);
    }

    #[test]
    fn a_pattern_takes_the_place_of_the_defaults_but_for_git() {
        let patterns = IgnorePatterns::new([("", "# images\n\n*.md\n")], None);
        let paths = ["a.png", ".github/a.yaml", "x/README.md", ".gitattributes"];
        assert_eq!(left_out(&patterns, &paths), [paths[2], paths[3]]);
    }

    #[test]
    fn the_last_pattern_decides_also_below_a_folder() {
        let text = "/*\n!/deploy\n/deploy/**/*.md\n/deploy/old/\n!/deploy/old/keep.yaml\n";
        let patterns = IgnorePatterns::new([], Some(text));
        let paths = [
            "apps/a.yaml",
            "deploy/a.yaml",
            "deploy/x/y/b.md",
            "deploy/c.md",
            "deploy/old/a.yaml",
            "deploy/old/keep.yaml",
        ];
        assert_eq!(
            left_out(&patterns, &paths),
            [paths[0], paths[2], paths[3], paths[4]]
        );
    }

    #[test]
    fn a_file_speaks_for_its_folder() {
        let patterns = IgnorePatterns::new([("a{b", "/x.yaml\nlogs/\n"), ("c", "logs\n")], None);
        let paths = [
            "x.yaml",
            "a{b/x.yaml",
            "a{b/y/x.yaml",
            "a{b/y/logs/z",
            "a{b/logs",
            "c/d/logs",
        ];
        assert_eq!(left_out(&patterns, &paths), [paths[1], paths[3], paths[5]]);
    }

    #[test]
    fn odd_patterns_match_as_the_source_controller_has_it() {
        for (pattern, path, expected) in [
            ("/**", "a.yaml", false),
            ("**", "a.yaml", true),
            ("a**b/c", "axb/c", false),
            ("a/**", "a/b/c.yaml", true),
            ("a/**/c", "a/c", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            ("a  ", "a", true),
            ("[", "[", false),
            ("/", "a", false),
        ] {
            let patterns = IgnorePatterns::new([("", pattern)], None);
            assert_eq!(patterns.leave_out(path), expected, "{pattern} {path}");
        }
    }
}
