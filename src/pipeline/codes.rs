//! What the codes of the commands that edit the config mean, for `kiln explain`.

use crate::diagnostic::Meaning;

/// Every code, in the order in which they are listed.
pub static CODES: &[Meaning] = &[
    Meaning {
        code: "app-unknown",
        summary: "There is no app of that name",
        text: "\
`kiln apps` lists the apps of the catalogue and your own.

Take the suggestion.

    kiln apps enable trust-manager",
    },
    Meaning {
        code: "app-needed",
        summary: "An app cannot be switched off while others that are on need it",
        text: "\
They would wait for it for ever.

Switch them off too, in the same command.

    kiln apps disable cloudnative-pg langfuse litellm",
    },
    Meaning {
        code: "app-without-switch",
        summary: "An app has no switch of its own",
        text: "\
It is part of every cluster, or other values of the config decide; the hint shows the condition.

Change these values.

    ingress:
      mode: cloudflare-tunnel         # switches cloudflare-tunnel on",
    },
    Meaning {
        code: "app-option",
        summary: "An option of `kiln apps enable` cannot be set so",
        text: "\
Options are `key=value`, for one app at a time.

Write it so; dots lead further down.

    kiln apps enable echo --set replicas=2",
    },
    Meaning {
        code: "config-encrypted",
        summary: "A value cannot be set, as every data file is encrypted",
        text: "\
Kiln edits plain config files in place and keeps your comments; into encrypted ones it does not
write.

Set it with `sops`, or keep what is no secret in `cluster.yaml`.

    sops edit cluster.sops.yaml",
    },
    Meaning {
        code: "config-edit",
        summary: "A value cannot be set in the file as it is written",
        text: "\
What stands there is in a form that cannot be edited without touching the rest, or another value is
in the way.

Set it by hand; the hint names the key.

    apps:
      echo:
        enabled: true",
    },
];
