#!/usr/bin/env bash
# build.sh OUTDIR: kustomize's own tests of whole builds, with the builder under test replaced by a command.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) out=$1
work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
cd "$work"
cp "$here/go.mod" "$here/go.sum" .
cp -r "$(go list -m -f '{{.Dir}}' sigs.k8s.io/kustomize/api)" api
chmod -R u+w api
mkdir -p plugin/builtin
go mod edit -replace sigs.k8s.io/kustomize/api=./api
sed 's/\bKustomizer\b/OwnKustomizer/g; s/\bMakeKustomizer\b/MakeOwnKustomizer/g' api/krusty/kustomizer.go > api/krusty/own.go
cp "$here/kustomizer.go" api/krusty/kustomizer.go
cp "$here/compare.go" api/testutils/kusttest/hasgett.go
GOFLAGS=-mod=mod go test -c -trimpath -buildvcs=false -ldflags='-s -w' -o "$out/krusty" sigs.k8s.io/kustomize/api/krusty
# The tests look for kustomize's repository around the folder that they run in.
mkdir -p "$out/plugin/builtin" "$out/api/krusty"
cp -r api/krusty/testdata "$out/api/krusty"
