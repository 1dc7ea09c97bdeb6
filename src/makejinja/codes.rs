//! What the codes of makejinja projects mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    MAKEJINJA_OPTION {
        code: "makejinja-option",
        summary: "An option of makejinja is unknown, missing or of the wrong kind",
        text: "\
Options come from `makejinja.toml`, from variables of the environment named `MAKEJINJA_…`, and from the
command line behind `--`. makejinja refuses them as well.

Correct the option where the message points.

    [makejinja]
    inputs = [\"./templates\"]
    output = \"./\"",
    }

    MAKEJINJA_INPUT {
        code: "makejinja-input",
        summary: "An input of makejinja cannot become an output",
        text: "\
makejinja makes folders only for what its patterns name, so that some inputs have no folder to go to,
and one path cannot be a file and a folder.

Name the folder in `include_patterns`, or leave the input out.

    exclude_patterns = [\"drafts/*\"]",
    }

    MAKEJINJA_MISSING {
        code: "makejinja-missing",
        summary: "A file or folder that makejinja's settings name is not there",
        text: "\
Inputs and data files have to exist. In a clone, data files that git ignores are missing.

Add the file, or correct the path; paths in `makejinja.toml` count from its folder.

    cp cluster.sample.toml cluster.toml",
    }

    MAKEJINJA_DATA {
        code: "makejinja-data",
        summary: "A data file cannot be read as makejinja reads it",
        text: "\
YAML is read by the rules of YAML 1.1, as PyYAML does, TOML and JSON by their own. Every document is a
mapping. No value of the file is shown, as data may hold secrets.

Correct the place that the message names.

    ports: \"0755\"            # a text; without quotes it is the number 493",
    }

    PLUGIN_FAILED {
        code: "plugin-failed",
        summary: "A Python plugin raised an exception, or gave no answer",
        text: "\
Plugins run as makejinja runs them, in a process of their own. The message is that of the exception, and
the place is the line of the project's own code that it went through last.

Correct the plugin or what it reads. Modules that it imports have to be installed for the Python that
runs it.

    [makejinja]              # in kiln.toml
    python = [\"uv\", \"run\", \"python\"]
    timeout = 120",
    }

    PLUGIN_NOT_RUN {
        code: "plugin-not-run",
        summary: "A Python plugin is not run, so that nothing can be rendered",
        text: "\
A plugin is a program of whoever wrote the change. It is not run for a change that nobody has read yet,
nor for a revision that is not on disk, unless that is asked for. Plugins of which Kiln knows every
function need no Python.

Look through the plugin, and ask for it.

    kiln diff --with-plugins",
    }
}
