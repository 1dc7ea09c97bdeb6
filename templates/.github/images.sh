#!/usr/bin/env bash
# Prints the images that this cluster runs, one a line: those in its manifests, those that its charts render to, those that
# operators start by what these say, and those of the machines.
set -euo pipefail

charts() {
    local release folder namespace
    for release in kubernetes/apps/*/*/*/helmrelease.yaml; do
        folder="$(dirname "$release")"
        namespace="$(cut --delimiter=/ --fields=3 <<< "$release")"
        local chart=()
        if [[ -f "$folder/ocirepository.yaml" ]]; then
            chart+=("$(yq .spec.url "$folder/ocirepository.yaml")")
            chart+=(--version "$(yq .spec.ref.tag "$folder/ocirepository.yaml")")
        else
            chart+=("$(yq .spec.chart.spec.chart "$release")")
            chart+=(--repo "$(yq .spec.url "$folder/helmrepository.yaml")")
            chart+=(--version "$(yq .spec.chart.spec.version "$release")")
        fi
        # With the kinds of Prometheus, for which some charts look.
        yq '.spec.values // {}' "$release" \
            | helm template "$(yq .metadata.name "$release")" "${chart[@]}" --namespace "$namespace" --values - \
                --api-versions monitoring.coreos.com/v1
    done
}

manifests() {
    find kubernetes -name '*.yaml' -not -name '*.sops.yaml' -not -name helmrelease.yaml -exec cat {} +
}

# The operator fetches what this file lists, at the version that the instance names.
flux() {
    local version
    version="$(yq .spec.values.instance.distribution.version kubernetes/apps/flux-system/flux-instance/app/helmrelease.yaml)"
    curl --fail --silent --show-error --location \
        "https://github.com/fluxcd/flux2/releases/download/v$version/install.yaml"
}

machines() {
    local kubernetes talos schematic name
    kubernetes="$(yq .kubernetesVersion talos/topf.yaml)"
    talos="$(yq .talosVersion talos/topf.yaml)"
    # Without one, topf takes that of Talos without extensions.
    schematic="$(yq '.schematicId // "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"' talos/topf.yaml)"
    for name in kube-apiserver kube-controller-manager kube-scheduler; do
        echo "image: registry.k8s.io/$name:$kubernetes"
    done
    echo "image: ghcr.io/siderolabs/kubelet:$kubernetes"
    echo "image: factory.talos.dev/metal-installer/$schematic:$talos"
}

# An image stands in a field, a variable or a setting that speaks of images, or as a whole reference in an argument or in
# the value of a variable. In a chart's values it may be a mapping, which ends its line and is not found.
references() {
    local name='[[:alnum:]_.-]*' value='["'\'']?([[:alnum:]][[:alnum:]._/@:-]*)["'\'']?[[:space:]]*(#.*)?$'
    local whole='["'\'']?([[:alnum:].-]+[.][[:alpha:]]+(:[0-9]+)?/[[:alnum:]._/-]+:([[:alpha:]._-]*[0-9][[:alnum:]._@:-]*|latest))["'\'']?[[:space:]]*$'
    sed --quiet --regexp-extended \
        -e "s%^[[:space:]]*(- )?$name(image|Image|IMAGE)$name:[[:space:]]*$value%\3%p" \
        -e "s%^[[:space:]]*- [\"']?--[[:alnum:]-]+=$whole%\1%p" \
        -e "s%^[[:space:]]*value:[[:space:]]*$whole%\1%p"
}

# Trivy's operator has the name and the tag of the image that it scans with in two settings.
scanner() {
    sed --quiet --regexp-extended 's/^[[:space:]]*trivy[.](repository|tag):[[:space:]]*"?([^"[:space:]]+)"?$/\2/p' \
        | paste --serial --delimiters=':\n' -
}

# Those that operators start, which no manifest and no chart names: the apps' own words.
operators() {
    if [[ -f .github/operator-images.txt ]]; then
        cat .github/operator-images.txt
    fi
}

rendered="$(charts)"
{
    echo "$rendered"
    manifests
    flux
    machines
} | references | cat - <(scanner <<< "$rendered") <(operators) \
    | grep --extended-regexp '^[^:@]+(:[0-9]+/[^:@]+)?(:[^/:@]+|(:[^/:@]+)?@sha256:[0-9a-f]{64})$' \
    | sort --unique
