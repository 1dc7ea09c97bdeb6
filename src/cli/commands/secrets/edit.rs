//! `kiln secrets edit`: a sealed file in the user's editor.

use std::path::PathBuf;

use rand_core::OsRng;
use zeroize::Zeroizing;

use super::sealed_files::SealedFiles;
use crate::cli::editor::UserEditor;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::secret_input;
use crate::cli::settings::Settings;
use crate::pipeline::SealedTree;

const COMMAND: &str = "kiln secrets edit";
const MORE: &str = "\
The editor is that of SOPS_EDITOR, EDITOR or VISUAL, or else vi. It has to wait until you are done, as
`code --wait` does. The plain text is in a folder in memory that only you can read (XDG_RUNTIME_DIR or
/dev/shm), and is overwritten and removed when the editor ends, however it ends. An editor may keep
copies elsewhere, in an undo or backup folder of its own: tell it not to.

What did not change keeps its bytes; the file stays sealed for whom it was sealed. A file that is not
there is made, sealed by the creation rule that matches it.

Examples:
  kiln secrets edit kubernetes/apps/default/demo/app/secret.sops.yaml
  EDITOR='vim -n -i NONE' kiln secrets edit cluster.sops.yaml";

/// Edit the plain text of a sealed file, or make a new one
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct EditArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Opens, lets the user edit, seals, and writes.
pub(super) fn run(
    args: &EditArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let files = SealedFiles::open(settings, KeyUse::WithPlugins, printer)?;
    let path = files.path(&args.file)?;
    let editor = UserEditor::find(settings)?;
    let tree = files.with_keys(std::slice::from_ref(&path))?;
    printer.report(&tree.warnings)?;
    let before = files.disk().peek(&path)?;
    let is_new = before.is_none();
    let original = if is_new {
        beginning(&tree, &path)?
    } else {
        tree.decrypt(&path)?
    };
    if files.is_output(&path) {
        let hint = "Kiln renders this file: it stays as you leave it until you change it in its template or in the config";
        printer.status(hint);
    }
    let name = path.rsplit('/').next().unwrap_or(&path);
    let mut text = original.clone();
    let sealed = loop {
        text = editor.edit(name, &text)?;
        if text == original {
            printer.status("nothing was changed");
            return Ok(CommandOutcome::Clean);
        }
        let sealed = if is_new {
            tree.create(&path, &text, &mut OsRng).map(Some)
        } else {
            tree.edit(&path, &text, &mut OsRng)
        };
        match sealed.map_err(CommandError::from) {
            Ok(sealed) => break sealed,
            Err(CommandError::Problems(problems)) if settings.interactive => {
                printer.report(&problems)?;
                if !editor.in_between(|| secret_input::confirm("edit it again?")) {
                    return Err(CommandError::failed("nothing was changed"));
                }
            }
            Err(error) => return Err(error),
        }
    };
    let Some(sealed) = sealed else {
        printer.status("nothing was changed");
        return Ok(CommandOutcome::Clean);
    };
    let claimed = files.claim(settings, COMMAND)?;
    if files.disk().peek(&path)? != before {
        let message = format!(
            "`{path}` was changed by somebody else in the meantime, and nothing was written"
        );
        return Err(CommandError::failed(message).hint("edit it again"));
    }
    files.write(vec![(path, sealed)], "sealed", printer)?;
    drop(claimed);
    Ok(CommandOutcome::Clean)
}

/// What a new file starts with.
fn beginning(tree: &SealedTree<'_>, path: &str) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    if !tree.has_rule(path) {
        let message = format!("there is no file `{path}`, and no creation rule for it");
        return Err(CommandError::failed(message)
            .hint("check the name, or add a rule with a `path_regex` for it to `.sops.yaml`"));
    }
    Ok(Zeroizing::new(if path.ends_with(".json") {
        b"{}\n".to_vec()
    } else {
        Vec::new()
    }))
}
