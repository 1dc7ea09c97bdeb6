//! What the codes of several stages mean, which do not see each other, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    UNREADABLE_CONFIG {
        code: "unreadable-config",
        summary: "A file of the config is there and cannot be read",
        text: "\
The system refuses it: the rights of the file, a folder in its place, or a symlink that leads out of
the project or in a circle. A file that is skipped would be a config that silently lacks its keys,
so the run stops.

Mend the file or its rights; the message says what the system said.

    chmod u+r cluster.yaml",
    }

    NOT_UTF8 {
        code: "not-utf8",
        summary: "A file that has to be text is not in UTF-8",
        text: "\
Config files, templates and files that templates read are texts, as are YAML, JSON and TOML among the
templates. What an editor saved in another encoding would come out garbled in the cluster. Any other
file among the templates, such as a picture, is copied byte for byte.

Save the file as UTF-8.

    iconv --from-code latin1 --to-code utf-8 cluster.yaml > new.yaml",
    }

    APP_ASKS_CONTRADICT {
        code: "app-asks-contradict",
        summary: "Two apps, or an app and the config, want different values of one thing",
        text: "\
Apps may ask for machine configuration, labels of namespaces, Pod Security levels and options of other apps.
A machine has one value of a sysctl and an app one value of an option, so that one of the two would get what
it does not work with.

Turn one of the apps off, remove the value from the config, or put an `app.toml` of your own in the place of
one of them.

    [[machine]]
    sysctls = { \"vm.max_map_count\" = \"262144\" }      # and 65530 in another app",
    }

    MISSING_IDENTITY {
        code: "missing-identity",
        summary: "There is no age identity to open a sealed file with",
        text: "\
An identity is the private half of an age key. Kiln looks for it in `age.key` of the project, in the
files that `[seal] identities` names in `kiln.toml`, and where SOPS looks: `SOPS_AGE_KEY`,
`SOPS_AGE_KEY_FILE`, `SOPS_AGE_KEY_CMD`, `~/.config/sops/age/keys.txt`, and for keys of SSH
`SOPS_AGE_SSH_PRIVATE_KEY_FILE`, `SOPS_AGE_SSH_PRIVATE_KEY_CMD`, `~/.ssh/id_ed25519`.

Bring the key to one of these places. In CI, hand it over as a variable.

    SOPS_AGE_KEY=\"$(cat age.key)\" kiln render",
    }

    YAML_SYNTAX {
        code: "yaml-syntax",
        summary: "A sealed or rendered file is not valid YAML",
        text: "\
It cannot be opened, sealed or compared. The place is that of the first thing that cannot be read.

Restore it, or mend the template that makes it.

    git checkout -- secret.sops.yaml",
    }

    UNKNOWN_KEY {
        code: "unknown-key",
        summary: "A key is known to nobody",
        text: "\
A key with a typo would do nothing, and its option would keep its default. The schemas know all keys
of the config, `kiln.toml` all of its own.

Take the suggestion, or look up the options: `kiln apps`, docs/catalogue.md, or the completion of
your editor by `cluster.schema.json`. Options of your own apps are declared in
`schemas/apps/<app>.schema.json`.

    apps:
      echo:
        replicsa: 2         # did you mean `replicas`?",
    }

    MAKEJINJA_NO_EFFECT {
        code: "makejinja-no-effect",
        summary: "An option of makejinja is accepted and has no effect",
        text: "\
Kiln keeps what it renders in memory until all of it is checked and sealed, removes only files that it
wrote itself, and runs commands only if it is told to. The message says which option that is about.

Remove the option, or keep it for makejinja.

    kiln render --yes        # runs the commands of exec_pre and exec_post",
    }

    FILE_UNSEALED {
        code: "file-unsealed",
        summary: "A file is in plain text and should be sealed",
        text: "\
`kiln secrets status` found it: a creation rule names the file, its name says that it is sealed, or it
holds values of a Secret. Whoever can read the repository can read it.

Seal it, and change what stands in it at its source if the file was committed before.

    kiln secrets encrypt kubernetes/apps/default/demo/app/secret.sops.yaml",
    }
}
