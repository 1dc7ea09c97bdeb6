//! What the codes of the commands that edit the config mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    APP_UNKNOWN {
        code: "app-unknown",
        summary: "There is no app of that name",
        text: "\
`kiln apps` lists the apps of the catalogue and your own.

Take the suggestion.

    kiln apps enable trust-manager",
    }

    APP_NEEDED {
        code: "app-needed",
        summary: "An app cannot be switched off while others that are on need it",
        text: "\
They would wait for it for ever.

Switch them off too, in the same command.

    kiln apps disable cloudnative-pg langfuse litellm",
    }

    APP_WITHOUT_SWITCH {
        code: "app-without-switch",
        summary: "An app has no switch of its own",
        text: "\
It is part of every cluster, or other values of the config decide; the hint shows the condition.

Change these values.

    ingress:
      mode: cloudflare-tunnel         # switches cloudflare-tunnel on",
    }

    APP_OPTION {
        code: "app-option",
        summary: "An option of `kiln apps enable` cannot be set so",
        text: "\
Options are `key=value`, for one app at a time; the key of an option alone asks for its value.

Write it so; dots lead further down.

    kiln apps enable echo --set replicas=2",
    }

    CONFIG_ENCRYPTED {
        code: "config-encrypted",
        summary: "A value cannot be set, as every data file is encrypted",
        text: "\
`kiln apps` sets what is no secret in plain config files, in which git shows what has changed, and there
is none.

Set it in the encrypted file, or keep what is no secret in `cluster.yaml`.

    kiln secrets edit cluster.sops.yaml",
    }

    CONFIG_EDIT {
        code: "config-edit",
        summary: "A value cannot be set in the file as it is written",
        text: "\
What stands there is in a form that cannot be edited without touching the rest, or another value is
in the way.

Set it by hand; the hint names the key.

    apps:
      echo:
        enabled: true",
    }

    CONFIG_NO_SEALED_FILE {
        code: "config-no-sealed-file",
        summary: "A secret cannot be set, as the project names no encrypted data file",
        text: "\
`data` in `kiln.toml` lists the data files, and none of them has `.sops.` in its name.

Add one to the list, and make it.

    data = [\"cluster.yaml\", \"cluster.sops.yaml\"]",
    }

    FILE_UNKNOWN {
        code: "file-unknown",
        summary: "There is no file of that name",
        text: "\
Files that a command names count from the folder that it runs in, or from the one of `-C`.

Check the name; `kiln secrets status` lists what is sealed.

    kiln secrets decrypt kubernetes/apps/default/demo/app/secret.sops.yaml",
    }

    VALUE_UNKNOWN {
        code: "value-unknown",
        summary: "There is nothing at a path",
        text: "\
Dots part the keys, and a path that starts with `/` is a JSON pointer, for keys with dots in them.

Check the path; without it, the whole file is shown by `kiln secrets decrypt`.

    kiln secrets get secret.sops.yaml /stringData/tls.key",
    }

    NO_TYPED_CONFIG {
        code: "no-typed-config",
        summary: "A question is about the typed config, and the project has none",
        text: "\
A makejinja project is rendered by its own settings, data and templates. It has no apps of the catalogue
and no schema of Kiln's.

Ask for what such a project has: `render`, `watch`, `check`, `audit`, `diff` and `explain`.

    kiln explain kubernetes/apps/default/echo/ks.yaml:12",
    }
}
