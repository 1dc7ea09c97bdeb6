//! What the codes of loading mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    MISSING_CONFIG {
        code: "missing-config",
        summary: "A data file of the project is not there",
        text: "\
Kiln reads `cluster.yaml`, `.yml`, `.toml` or `.json`, `nodes.*` and `cluster.sops.*` beside
`kiln.toml`, or just the files that `data` names there. Without any of them there is nothing to
compile.

Make the file, or mend its name in `kiln.toml`. `kiln init` in a new folder writes a config to start
from.

    # kiln.toml
    data = [\"cluster.yaml\", \"nodes.yaml\"]",
    }

    CONFIG_SYNTAX {
        code: "config-syntax",
        summary: "A data file is not valid YAML, TOML or JSON",
        text: "\
The place is that of the first thing that cannot be read; the mistake is there or just before. A key
that is set twice in one mapping counts as well, as the readers of the field disagree about which of
the two wins.

Look for a tab in the indentation, a missing colon or quote, or a second key of the same name.

    domain:
      name: example.com
      name: example.org     # set twice",
    }

    CONFIG_SHAPE {
        code: "config-shape",
        summary: "A data file holds something else than keys and values",
        text: "\
At its top, a data file is a mapping, as the files of a project are merged by their keys.

Put a name above what is there.

    nodes:                  # not a bare list
      - name: controller-1",
    }

    SET_TWICE {
        code: "set-twice",
        summary: "Two data files set the same key",
        text: "\
Data files are merged, and none of them overrules another: which one wins would depend on the order
of reading. Mappings are merged key by key, everything else has one home.

Remove one of the two; both places are shown.

    # cluster.yaml and cluster.sops.yaml
    dns:
      token: …              # in one of them only",
    }

    MISSING_REFERENCE {
        code: "missing-reference",
        summary: "A value is to come from a file or a variable that is not there",
        text: "\
`{ fromFile: … }` and `{ fromEnv: … }` keep values out of the config. An empty value in their place
would be rendered and sealed without anyone noticing.

Make the file, or set the variable where Kiln runs; what only looks (`kiln check`, `diff`, `render --check`)
does without. Paths are relative to the project. The value is a secret, unless a variable is said to be
`public: true`; files and the variables that hold age keys cannot be public.

    dns:
      token: { fromEnv: CLOUDFLARE_TOKEN }
    domain:
      name: { fromEnv: DOMAIN, public: true }",
    }

    YAML_1_1_SCALAR {
        code: "yaml-1.1-scalar",
        summary: "A plain word means one thing here and another to older readers of YAML",
        text: "\
`yes`, `on`, `012` or `1:30` are texts in YAML 1.2 and truth values or numbers in YAML 1.1, which
much of the field still reads. Kiln reads the file as it says in the message and goes on.

Write what you mean: put a text in quotes, a number in decimal, a truth value as `true` or `false`.

    tag: \"012\"",
    }

    KILN_TOML {
        code: "kiln-toml",
        summary: "A setting in `kiln.toml` has a value that it cannot have",
        text: "\
The message names the setting and what it takes. Settings decide where Kiln reads and writes, so
that none is guessed.

Mend the value as the message says.

    output = \".\"            # a folder in the project
    data = [\"cluster.yaml\"] # a list of files",
    }

    VERSIONS_SHAPE {
        code: "versions-shape",
        summary: "`versions.yaml` holds something that is no version",
        text: "\
`versions.yaml` sets the versions of charts, images, tools and actions by group and name, and those of
Talos and Kubernetes. A key that nothing reads would leave the version of the catalogue in place without
a word.

Write it as the message says. An entry holds `version`, and if need be `source`, `digest` and `verify`.

    charts:
      cert-manager:
        # renovate: datasource=docker depName=quay.io/jetstack/charts/cert-manager
        version: v1.19.2",
    }

    VERSION_UNKNOWN {
        code: "version-unknown",
        summary: "`versions.yaml` sets a version that Kiln's templates do not have",
        text: "\
Entries go over those of the catalogue by their names. One whose name is misspelt, or whose app this
Kiln has no more, would change nothing. Charts and images of your own apps may be there as well: they
say where they come from.

Mend or remove the name, or add the `source` of a chart or an image of your own.

    images:
      whoami:
        source: ghcr.io/traefik/whoami
        # renovate: datasource=docker depName=ghcr.io/traefik/whoami
        version: v1.11.0",
    }

    VERSION_INVALID {
        code: "version-invalid",
        summary: "A version or a digest in `versions.yaml` is none",
        text: "\
A version names one release: all numbers of a chart, with the `v` where its publisher writes one; a tag
with a number for an image. Ranges, branches and tags that move are none, since what runs would change
without a change in the repository. A digest is `sha256:` and 64 digits, that of an action its commit.

Write the version as the publisher has it; a digest may be left out.

    kubernetes:
      version: v1.36.4        # not 1.36",
    }

    VERSION_TOO_OLD {
        code: "version-too-old",
        summary: "`versions.yaml` holds a version back that the catalogue's files do not fit",
        text: "\
The files of a Kiln are written for the versions that it has, and for some older ones. With a still older
one, a value or a field would have no effect, or be refused by the cluster. The message says which is the
oldest.

Raise the version: `kiln apps outdated --write` takes over what this Kiln has, and so does an entry that is
removed. To stay with the old one, stay with the Kiln that had it.

    talos:
      version: v1.13.7        # not v1.9.0",
    }
}
