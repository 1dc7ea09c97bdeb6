//! How git is started: so that nothing in a work tree or in a repository's config is run.

use std::path::Path;
use std::process::Command;

/// What git is told on its command line, which wins over every file of settings.
///
/// A folder that looks like a bare repository is none unless it is named: `git add` takes such a folder, and its
/// `config` with it. The rest names programs that git would run, each replaced by one that does nothing. Git passes over
/// names that it does not know, so that older versions take newer names.
const SETTINGS: &[&str] = &[
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=false",
    "core.askPass=",
    "core.editor=false",
    "core.gitProxy=none",
    "core.pager=cat",
    "core.sshCommand=false",
    "credential.helper=",
    "diff.external=",
    "gpg.program=false",
    "gpg.openpgp.program=false",
    "gpg.ssh.program=false",
    "gpg.ssh.defaultKeyCommand=false",
    "gpg.x509.program=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "sequence.editor=false",
    "submodule.recurse=false",
];

/// What the environment of the caller may not say: another repository, other settings, programs, and files to trace to.
///
/// Hooks get some of these, relative to the root of the worktree; the folder finds its repository itself. Where the
/// settings of the user and of the system are (`GIT_CONFIG_GLOBAL`, `GIT_CONFIG_SYSTEM`, `GIT_CONFIG_NOSYSTEM`) and how
/// far to look upwards (`GIT_CEILING_DIRECTORIES`, `GIT_DISCOVERY_ACROSS_FILESYSTEM`) stays the caller's word.
const REMOVED: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ASKPASS",
    "GIT_ATTR_SOURCE",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DEFAULT_HASH",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_EDITOR",
    "GIT_EXEC_PATH",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PAGER",
    "GIT_PREFIX",
    "GIT_PROXY_COMMAND",
    "GIT_QUARANTINE_PATH",
    "GIT_REDIRECT_STDERR",
    "GIT_REDIRECT_STDIN",
    "GIT_REDIRECT_STDOUT",
    "GIT_REF_PARANOIA",
    "GIT_REPLACE_REF_BASE",
    "GIT_SEQUENCE_EDITOR",
    "GIT_SHALLOW_FILE",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_TEMPLATE_DIR",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE2_PARENT_SID",
    "GIT_TRACE2_PERF",
    "GIT_TRACE_BARE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_FSMONITOR",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_PACKFILE",
    "GIT_TRACE_PACK_ACCESS",
    "GIT_TRACE_PERFORMANCE",
    "GIT_TRACE_REFS",
    "GIT_TRACE_SETUP",
    "GIT_TRACE_SHALLOW",
    "GIT_WORK_TREE",
    "PAGER",
    "SSH_ASKPASS",
];

/// Starts every git that Kiln runs, in a folder.
///
/// Besides what [`SETTINGS`] and [`REMOVED`] say: no transport is allowed, whatever `protocol.*.allow` of the
/// repository says, so that objects that a partial clone lacks are not fetched, and nobody is asked for a password.
/// Callers use plumbing alone, which knows no aliases and no pager. Drivers that attributes name (`filter`, `textconv`,
/// `command`) have names of their own, which no list can hold: no command that would run one is used, but for
/// `update-index`, whose paths are looked at first.
pub(super) fn git(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    for name in REMOVED {
        command.env_remove(name);
    }
    // What git says is read here: it must be said in the words that are known.
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0");
    // The variable wins over `protocol.ext.allow` of a repository, which `protocol.allow` does not.
    command.env("GIT_ALLOW_PROTOCOL", "");
    command
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0");
    command.arg("--no-pager");
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.arg("-C").arg(folder).args(arguments);
    command
}
