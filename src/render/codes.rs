//! What the codes of rendering mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    TEMPLATE_SYNTAX {
        code: "template-syntax",
        summary: "A template cannot be read",
        text: "\
A tag, a statement or an expression is not what the template language takes. Expressions stand in
`#{ … }#`, statements in `#% … %#`, comments in `#| … #|`, so that YAML stays readable; see
docs/templates.md.

Mend it at the place that is shown; for what is never closed, that is where it was opened.

    #% if domain.name %#
    host: #{ domain.name }#
    #% endif %#",
    }

    TEMPLATE_CONSTRUCT {
        code: "template-construct",
        summary: "A template of Jinja2 uses what Kiln does not have",
        text: "\
In a makejinja project, templates are those of Jinja2 3.1. What needs Python inside of a template
cannot be had, nor what prints something else each time. The message names it, before anything is rendered.

Write it another way, or as a function of a plugin.

    {% trans %}Hello{% endtrans %}      # not supported",
    }

    UNDEFINED_VARIABLE {
        code: "undefined-variable",
        summary: "A template asks for a value that does not exist",
        text: "\
An undefined value is an error everywhere, also in a sealed file, where an empty secret would not be
seen by anyone.

Take the suggestion, set the key in the config, or say what to do without it.

    token: #{ dns.token | default(value=\"none\") }#",
    }

    UNKNOWN_FILTER {
        code: "unknown-filter",
        summary: "A template uses a filter that there is not",
        text: "\
Filters come after a `|`. Those of Kiln and of Tera are listed in docs/templates.md.

Take the suggestion.

    #{ domain.name | upper }#",
    }

    UNKNOWN_FUNCTION {
        code: "unknown-function",
        summary: "A template calls a function that there is not",
        text: "\
Functions are called with named arguments; docs/templates.md lists them.

Take the suggestion.

    #{ secret(path=\"deploy.key\") }#",
    }

    UNKNOWN_TEST {
        code: "unknown-test",
        summary: "A template uses a test that there is not",
        text: "\
Tests come after `is`: `defined`, `odd`, `containing` and others.

Take the suggestion.

    #% for node in nodes %##% if node.mtu is defined %##{ node.mtu }##% endif %##% endfor %#",
    }

    UNKNOWN_COMPONENT {
        code: "unknown-component",
        summary: "A template uses a component that is defined nowhere",
        text: "\
Components are defined in templates, and used like tags.

Take the suggestion, or include the template that defines it.

    #% include \"_partials/probes.tera\" %#",
    }

    WRONG_ARGUMENT {
        code: "wrong-argument",
        summary: "A function or filter is called with an argument that it does not take",
        text: "\
Its name is unknown, it is missing, or its value is of another type. The message says which.

Look the call up in docs/templates.md.

    #{ cidr_host(cidr=network.node_cidr, host=10) }#",
    }

    TEMPLATE_FAILED {
        code: "template-failed",
        summary: "A template could not be rendered",
        text: "\
Something went wrong while it ran: a text where a number is needed, an index beyond the end of a
list. The chain of includes that led there is shown.

Mend the expression at the place that is shown.

    #{ nodes[0].name }#",
    }

    ENDLESS_CONDITION {
        code: "endless-condition",
        summary: "The conditions of the apps cost too much",
        text: "\
A macro in a macro multiplies: eight of them over ten items are a hundred million rounds. What the `when`s
of all apps look at is counted, two million values together, so that the same config gives the same answer on
every machine.

Ask for one switch of the config, and let a schema compute it.

    when = 'apps.whoami.enabled'",
    }

    ENDLESS_LOOP {
        code: "endless-loop",
        summary: "The loops and includes of a template take too many rounds",
        text: "\
Loops in loops grow fast, and so do includes in includes; a template that runs for ever would hang every
hook and every CI job that renders it. 250,000 rounds are enough for any cluster; an include, or the call of a
component, is 25.

Loop over less, or do the inner loop once, before the outer one.

    #% set names %##% for node in nodes %##{ node.name }#,#% endfor %##% endset %##{ names }#",
    }

    ENDLESS_VALUE {
        code: "endless-value",
        summary: "A value of a template grows without end",
        text: "\
A text that is doubled in a loop fills the memory within a few dozen rounds.

Print in the loop instead of collecting.

    #% for node in nodes %##{ node.name }#,#% endfor %#",
    }

    ENDLESS_WORK {
        code: "endless-work",
        summary: "A template works through too much text",
        text: "\
A filter in a loop reads all of its value in each round, and a chain of filters can double its text with each
of them. Everything that filters read and make, and that operators copy, compare or search, is counted in
bytes: 64 MiB are enough for any template, and the same template gives the same answer on every machine.

Do it once, before the loop.

    #% set page = file(path=\"page.html\") | escape %#
    #% for node in nodes %##{ page }##% endfor %#",
    }

    OUTPUT_TOO_LONG {
        code: "output-too-long",
        summary: "A template prints more than any manifest holds",
        text: "\
8 MiB are more than Kubernetes takes of any object. It is stopped there, before it fills the disk.

Look for a loop that prints too often, or keep the data elsewhere.

    #{ file(path=\"files/large.json\") }#           # no place for it",
    }

    INCLUDE_CYCLE {
        code: "include-cycle",
        summary: "Templates include one another in a circle",
        text: "\
None of them could ever be finished. The message shows the whole circle.

Move what both need into a third template.

    #% include \"_partials/labels.tera\" %#",
    }

    INCLUDE_DEPTH {
        code: "include-depth",
        summary: "Includes nest too deep",
        text: "\
A chain of this length is a circle that was not meant, or templates that nobody can follow.

Include the parts from one template, side by side.

    #% include \"_partials/a.tera\" %#
    #% include \"_partials/b.tera\" %#",
    }

    UNKNOWN_INCLUDE {
        code: "unknown-include",
        summary: "A template includes one that there is not",
        text: "\
Templates are named by their paths below the folder of templates, with their ending.

Take the suggestion, or make the template.

    #% include \"_partials/common.yaml.tera\" %#",
    }

    MISSING_FILE {
        code: "missing-file",
        summary: "A template reads a file that there is not",
        text: "\
`file` reads texts of the project. Nothing outside of it can be read.

Make the file, or mend the path, which is relative to the folder of the project.

    #{ file(path=\"files/motd.txt\") }#",
    }

    MISSING_SECRET {
        code: "missing-secret",
        summary: "A key file is not there",
        text: "\
Keys are in no repository: after a clone, `age.key`, `deploy.key` and the like have to be brought or
made.

Copy your own keys there. For a trial, `kiln render --keygen` makes new ones. No new `age.key` is made
where secrets are sealed for another one: `kiln secrets rekey` replaces that.

    kiln init                       # makes the keys that are missing",
    }

    EMPTY_SECRET {
        code: "empty-secret",
        summary: "A secret file is there and empty",
        text: "\
An empty secret would be sealed and deployed, and found much later.

Write the secret into the file, or remove the file and let `kiln init` make it.

    printf %s \"$TOKEN\" > flux-webhook-token.txt",
    }

    BROKEN_KEY {
        code: "broken-key",
        summary: "A key file does not hold what it should",
        text: "\
`age.key` has to have a line `AGE-SECRET-KEY-1…`, `cloudflare-tunnel.json` the credentials as
`cloudflared` writes them.

Copy the file again. Its content is not shown, as it is a secret.

    age-keygen -o age.key",
    }

    UNREADABLE_FILE {
        code: "unreadable-file",
        summary: "A template or another file that a template needs cannot be read",
        text: "\
The system refuses it, or it is a symlink that leads out of the project. What cannot be read is
never left out silently.

Mend its rights or the symlink; the message says what the system said.

    chmod -R u+r templates",
    }

    OUTPUT_PATH {
        code: "output-path",
        summary: "The path of a template cannot be the path of an output",
        text: "\
An output has a relative path without `..`, backslashes or control characters, and no output is a
folder of another one. Neither may it be one of Kiln's inputs or keys, `kiln.lock`, `.git`, or what some system
takes for `.git`; nor may two outputs differ in capitals or in the form of their accents alone, as macOS and
Windows keep one of them only.

Every system has to be able to check the path out. So no part of it is the name of a device on Windows (`con`,
`nul.yaml`, `aux`, `com1`), looks like a short name there (`kubern~1`), ends in a dot or a blank, has a
`:` or a character that some system passes over or takes for another, or is longer than 255 bytes.

Rename the template: its path without `.tera` is the path of its output.

    templates/kubernetes/apps/default/echo/ks.yaml.tera",
    }

    OUTPUT_TWICE {
        code: "output-twice",
        summary: "Two templates give the same output",
        text: "\
`a.yaml` and `a.yaml.tera` both give `a.yaml`, and neither is the better one. (A template of yours
takes the place of an embedded one with the same path, which is no conflict.)

Remove one of them.

    rm templates/kubernetes/apps/default/echo/ks.yaml",
    }

    OUTPUT_NOT_YAML {
        code: "output-not-yaml",
        summary: "What a template prints is not YAML",
        text: "\
A value broke the text around it: an unquoted colon, a text of several lines, an indentation that
does not fit. The place is that in the template; what is rendered there is shown unless the file is
a secret.

Put quotes around values, and indent texts of several lines.

    name: \"#{ title }#\"",
    }

    APP_MANIFEST {
        code: "app-manifest",
        summary: "An `app.toml` is not as it should be",
        text: "\
Each app has an `app.toml` with `summary`, and `when`, `tier`, `needs` and what it asks for where they apply
(see docs/apps.md). A key with a typo would switch an app on everywhere.

Mend what is shown.

    summary = \"Answers every request with what it saw\"
    when = 'apps.whoami.enabled'
    tier = \"low\"
    needs = [\"envoy-gateway\"]",
    }

    APP_WITHOUT_MANIFEST {
        code: "app-without-manifest",
        summary: "The folder of an app has no `app.toml`",
        text: "\
Each folder below `kubernetes/apps/<namespace>/` is an app. Nothing says what this one is, nor when
it is on. Where only folders further down have a `ks.yaml`, it is none, and always rendered.

Add the manifest.

    summary = \"What the app does\"",
    }

    APP_TWICE {
        code: "app-twice",
        summary: "Two folders hold an app of the same name",
        text: "\
An app is named by its folder, and options and `needs` find it by that name.

Rename one of the folders.

    templates/kubernetes/apps/default/echo
    templates/kubernetes/apps/network/echo          # the same name",
    }

    APP_NEEDS {
        code: "app-needs",
        summary: "An app needs one that is off, or that there is not",
        text: "\
It would wait for ever: its Kustomization depends on that of the other app.

Turn the other app on, or this one off. `kiln apps enable` does that for all that an app needs.

    kiln apps enable trust-manager",
    }

    APP_CONDITION {
        code: "app-condition",
        summary: "The condition of an app cannot be evaluated, or does not do what was asked",
        text: "\
`when` in `app.toml` is CEL on the config, and gives true or false. `kiln apps enable` and `disable`
say so as well when other parts of the condition keep the app as it was.

Mend the condition, or change the other values that it asks for.

    when = 'apps.whoami.enabled && ingress.mode == \"gateway\"'",
    }

    APP_ASKS {
        code: "app-asks",
        summary: "What an app asks for cannot be had",
        text: "\
An `app.toml` may ask for a place in the bootstrap, for labels of namespaces and for options of other apps.
What it names there must be in this project: an app, a file of its own folder, a namespace in which an app is
on; and releases of the bootstrap must not wait for each other.

Name what there is, or take the word out. docs/apps.md has all of them.

    [bootstrap]
    after = [\"cilium\"]
    secrets = [\"app/secret.sops.yaml\"]",
    }

    APP_ASKS_UNMET {
        code: "app-asks-unmet",
        summary: "The manifest of a namespace has not what an app asks of it",
        text: "\
An app that is on asks for a label or an annotation of the namespace. A template of your own makes the
manifest, and leaves it out.

Include the part that writes it, or write the entry.

    #% include \"_partials/namespace.tera\" %#",
    }
}
