//! What the codes of adopting mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    CONFIG_NOT_HERE {
        code: "config-not-here",
        summary: "The config of a cluster that is to be adopted is gone",
        text: "\
cluster-template keeps it out of git, and `just template tidy` moves it to a folder with the time in its
name below `.private`. Without it Kiln would have to guess what the cluster is.

Copy it back, and adopt again.

    cp .private/1767225600/cluster.toml .",
    }

    CONFIG_NOT_UPGRADED {
        code: "config-not-upgraded",
        summary: "An older config cannot be given the keys of today",
        text: "\
The config of before May 2026 has no groups. Kiln moves each key with its comment and its value as they are
written, and for that each key has to start a line.

Write one key a line.

    node_cidr: 10.0.0.0/24",
    }

    LIST_NOT_KEPT {
        code: "list-not-kept",
        summary: "A list of the user's cannot be read, so that nobody knows what Flux would lose",
        text: "\
A `kustomization.yaml` lists what gets to the cluster. Where Kiln has one of its own, the entries of yours
are kept, and so are its other fields. That needs one YAML document, a mapping, with each key that Kiln's
version lacks on a line of its own.

Write it so, and adopt again.

    resources:
      - ./mine/ks.yaml
    patches:
      - path: patch.yaml",
    }

    OBJECT_LOST {
        code: "object-lost",
        summary: "An object that Flux applies today would be gone from the cluster",
        text: "\
Kiln's templates have it under another name or not at all, and nothing of yours applies it. Flux removes
from the cluster what is no longer applied: a claim goes with its data, a certificate is ordered anew, an
address is given back.

Keep it by a manifest in a folder of your own, or name each object that may go.

    kiln adopt --drop CiliumLoadBalancerIPPool/pool",
    }

    DROP_UNKNOWN {
        code: "drop-unknown",
        summary: "`--drop` names what is not dropped",
        text: "\
A name that is misspelt lets nothing go, and one of an object that stays would let it go the next time.

Each name is `Kind/namespace/name`, or `Kind/name` for what is in no namespace, as `object-lost` lists them.

    kiln adopt --drop Certificate/network/old",
    }

    NOT_COMPARED {
        code: "not-compared",
        summary: "Flux refuses a part of the tree, so that nobody can tell what a switch does to it",
        text: "\
A folder that Flux cannot build applies nothing, and whether its objects stay cannot be told. `kiln diff`
names such parts under \"Not compared\".

Mend it first; `kiln check` says what is wrong.

    kiln check",
    }

    ADDRESSES_UNKNOWN {
        code: "addresses-unknown",
        summary: "Nobody can tell whether Services of type `LoadBalancer` keep their addresses",
        text: "\
A pool of today names its addresses neither by a network nor from one to another, but by a variable, say. A
Service whose address is in no pool any more loses it.

Name ranges that hold all of them, but none that a machine or a gateway has; the diff shows what the pools
would be.

    apps:
      cilium:
        load_balancer_ranges: [10.0.0.64/26, 10.0.0.130-10.0.0.149]",
    }

    MACHINES_GO_BACK {
        code: "machines-go-back",
        summary: "The machines would be given an older Talos or Kubernetes than they have",
        text: "\
Kiln's templates name the versions that they were tried with, and the repository names newer ones. Neither
Talos nor Kubernetes goes back to an older minor version.

Keep the newer version in a template of your own, before anything is applied.

    kiln catalogue eject talos/topf.yaml.tera",
    }

    MACHINE_PATCHES_REPLACED {
        code: "machine-patches-replaced",
        summary: "Patches of the machines that cluster-template wrote are removed",
        text: "\
topf applies every file of `talos/all`, `talos/control-plane` and `talos/worker` one after another. Left
beside the rendered ones, the older patches would name the same network link twice and switch off what the
others switch on.

What was changed in them by hand goes into a patch with a name of its own.

    git show HEAD:talos/all/40-sysctls.yaml > talos/all/90-sysctls.yaml",
    }

    MACHINE_PATCHES_KEPT {
        code: "machine-patches-kept",
        summary: "Patches of the machines are there that nothing renders",
        text: "\
topf applies them beside the rendered ones, in the order of their names. That is how to add to the
configuration of the machines, and what the rendered patches say as well may differ.

Look at the result before it is applied.

    just talos diff",
    }

    TALHELPER_UNREAD {
        code: "talhelper-unread",
        summary: "Files of talhelper are there that nothing reads any more",
        text: "\
Since July 2026 cluster-template has topf make the configuration of the machines, as Kiln does. The
certificates and tokens go over under another name; patches do not.

Each patch goes into the folder of the machines that it is for.

    git mv talos/patches/global/mine.yaml talos/all/90-mine.yaml",
    }

    NOT_COMMITTED {
        code: "not-committed",
        summary: "A file that would be replaced is not in git as it is",
        text: "\
What adopting writes over or removes can be had back from the last commit, and what is not in it would be lost.

Commit first.

    git add -A && git commit -m \"Before Kiln\"",
    }
}
