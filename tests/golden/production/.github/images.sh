#!/usr/bin/env bash
# Prints the images that this tree runs, one a line: those in its manifests, those that its charts render to, and those
# that operators start.
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
        yq '.spec.values // {}' "$release" \
            | helm template "$(yq .metadata.name "$release")" "${chart[@]}" --namespace "$namespace" --values -
    done
}

manifests() {
    find kubernetes -name '*.yaml' -not -name '*.sops.yaml' -not -name helmrelease.yaml -exec cat {} +
}

# Those that operators start, which no manifest and no chart names: the apps' own words.
operators() {
    if [[ -f .github/operator-images.txt ]]; then
        cat .github/operator-images.txt
    fi
}

# An image in a chart's values is a mapping and ends its line, so that only whole references are found.
{
    {
        charts
        manifests
    } | sed --quiet --regexp-extended 's/^[[:space:]]*-?[[:space:]]*image:[[:space:]]*["'\'']?([^"'\''[:space:]#]+).*/\1/p' \
        | grep --fixed-strings --regexp=: --regexp=@
    operators
} | sort --unique
