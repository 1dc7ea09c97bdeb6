//! What the codes of following Flux mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    FLUX_PATH {
        code: "flux-path",
        summary: "A Flux Kustomization points at a folder that is not there",
        text: "\
The `spec.path` of a Flux Kustomization is a folder of its source, counted from the root of the repository. If
there is none, Flux reports that the path is not found, and whatever depends on the Kustomization waits for
ever.

Take the suggestion, or remove the Kustomization with the folder.

    spec:
      path: ./kubernetes/apps/default/echo/app",
    }

    RESOURCE_MISSING {
        code: "resource-missing",
        summary: "A kustomization names a file or folder that is not in the tree",
        text: "\
kustomize refuses to build a kustomization whose `resources`, `components`, `patches` or generator inputs are
not there, and Flux then stops reconciling everything it lists. The usual reasons are a typing error, and an
app that is switched off but still listed.

A folder among the `resources` needs a `kustomization.yaml` of kind `Kustomization`, one among the
`components` one of kind `Component`. What lies on other machines is not looked at. In a folder that nothing
builds it is a warning.

    resources:
      - helmrelease.yaml     # a file beside the kustomization
      - ../common            # a folder with a kustomization of its own",
    }

    RESOURCE_IGNORED {
        code: "resource-ignored",
        summary: "A kustomization names a file that is there, and that Flux does not get",
        text: "\
Flux gets the files that git keeps, without those that its source-controller leaves out: symlinks, images,
archives, `.github` and what a `.sourceignore` file or the `spec.ignore` of the source names. On the machine
of whoever wrote the kustomization `kustomize build` works, and in the cluster it fails.

Let git take the file (`git add --force`), mend the `.gitignore` or `.sourceignore`, or take the entry out.

    # .gitignore
    *.log
    !kubernetes/apps/default/echo/app/example.log",
    }

    DUPLICATE_OBJECT {
        code: "duplicate-object",
        summary: "Two manifests of one build define the same object",
        text: "\
kustomize refuses a build in which two manifests have the same group, kind, namespace and name, and the whole
Flux Kustomization fails. Names and namespaces count as they are at that point of the build, so that two
manifests can collide that do not look alike.

Remove one of them, or rename it.

    resources:
      - configmap.yaml
      - more/configmap.yaml  # the same kind and name: rename one of them",
    }

    KUSTOMIZATION_UNKNOWN_KEY {
        code: "kustomization-unknown-key",
        summary: "A kustomization has a key that kustomize does not know",
        text: "\
kustomize refuses such a file. But the `kustomization.yaml` at the `spec.path` of a Flux Kustomization is read
leniently: Flux passes over the key without a word, and deploys nothing of what it was to list. With `prune:
true` it then removes what was deployed before.

Mend the key, or remove it.

    resource:          # `resources` is meant: nothing here is deployed
      - helmrelease.yaml",
    }

    KUSTOMIZATION_EMPTY {
        code: "kustomization-empty",
        summary: "A kustomization that Flux builds lists nothing",
        text: "\
kustomize refuses a kustomization without content. Flux builds it all the same and applies nothing, and with
`prune: true` it removes what the folder held before.

List what is to be applied, or remove the Flux Kustomization with the folder.

    resources:         # every line below is commented out
      - helmrelease.yaml",
    }

    KUSTOMIZE_NO_TARGET {
        code: "kustomize-no-target",
        summary: "A patch, replacement or generator finds no object, or more than one",
        text: "\
A strategic merge patch without `target` is for the object of its own group, kind, namespace and name. A
generator with `behavior: merge` or `replace` needs an object of its name, and one without must not find any.
kustomize refuses the build where that does not hold, and Flux applies nothing of it.

Mend the name, or give the patch a `target`.

    patches:
      - path: patch.yaml
        target: {kind: Deployment, name: echo}",
    }

    KUSTOMIZE_REFUSED {
        code: "kustomize-refused",
        summary: "kustomize refuses to build a kustomization",
        text: "\
What stands there is not what kustomize takes, so Flux applies nothing of the whole build.

Mend what the message names; `kustomize build` on the folder says the same without the line.

    configMapGenerator:
      - name: settings
        literals: [COLOR=red]   # `KEY=VALUE`",
    }

    VARIABLE_UNDEFINED {
        code: "variable-undefined",
        summary: "Nothing gives a variable a value that a build asks for",
        text: "\
Flux fills `${NAME}` in after a build, from `postBuild.substitute` and the ConfigMaps and Secrets of
`substituteFrom`. Since Flux 2.9 a variable without a value and without a default fails the whole
Kustomization; before, it became nothing.

Scripts are filled in too. Where the shell is meant, write two dollar signs, or switch substitution off for
the object with the annotation `kustomize.toolkit.fluxcd.io/substitute: disabled`.

    host: ${DOMAIN:=example.com}
    script: echo $${HOME}",
    }

    VARIABLE_MALFORMED {
        code: "variable-malformed",
        summary: "A variable, or an expression with one, is none that Flux reads",
        text: "\
Names are letters, digits and `_`, values are texts, and an expression in `${…}` uses one of the functions
that Flux knows. Flux refuses the whole build otherwise, also where the object is no YAML any more with the
values in it.

Put values into quotes; where no variable is meant, write two dollar signs.

    substitute:
      PORT: \"8080\"",
    }
}
