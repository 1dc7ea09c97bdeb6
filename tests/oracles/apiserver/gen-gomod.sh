#!/bin/sh
# gen-gomod.sh 1.36.3: writes go.mod and go.sum for a kube-apiserver of that version.
#
# The published module k8s.io/kubernetes replaces its staging modules by ./staging, which does not hold in a module
# that requires it: each is replaced by its tag of the same minor and patch instead. The version of etcd follows.
set -eu
version=${1:?a version of Kubernetes without v, such as 1.36.3}
cd "$(dirname "$0")"
gomod=$(cd "${TMPDIR:-/tmp}" && go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)",*$/\1/p')
{
  printf 'module kiln/oracles/apiserver\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v%s\n\nreplace (\n' "$version"
  sed -n 's#^.*\(k8s\.io/[a-z0-9-]*\) => \./staging/.*#\1#p' "$gomod" | sort -u | while read -r module; do
    printf '\t%s => %s v0.%s\n' "$module" "$module" "${version#1.}"
  done
  echo ')'
} > go.mod.new
mv go.mod.new go.mod
rm -f go.sum
go mod tidy
