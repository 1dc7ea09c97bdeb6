#!/usr/bin/env bash
# upgrade-plan.sh BASE   prints, as Markdown, what a change of versions since the commit BASE does to the nodes. Fails where Talos
# or Kubernetes would skip a minor version or go back to an older one, which neither supports.
set -euo pipefail

topf=talos/topf.yaml
before="$(mktemp)"
trap 'rm -f "$before"' EXIT
git show "$1:$topf" > "$before"

# Says how many minor versions lie between two versions; fails where there is a text that is none.
minors() {
    local from="$1" to="$2" number='^v([0-9]+)\.([0-9]+)\.([0-9]+)'
    [[ "$from" =~ $number ]] || { echo "$from is no version" >&2; return 1; }
    local major="${BASH_REMATCH[1]}" minor="${BASH_REMATCH[2]}" patch="${BASH_REMATCH[3]}"
    [[ "$to" =~ $number ]] || { echo "$to is no version" >&2; return 1; }
    if ((BASH_REMATCH[1] != major)); then
        echo 99
    elif ((BASH_REMATCH[2] == minor && BASH_REMATCH[3] < patch)); then
        echo -1
    else
        echo $((BASH_REMATCH[2] - minor))
    fi
}

status=0
# Prints one row, and says what is wrong with it.
step() {
    local name="$1" key="$2" how="$3" from to between
    from="$(yq ".$key" "$before")"
    to="$(yq ".$key" "$topf")"
    if [[ "$from" == "$to" ]]; then
        echo "| $name | $from | | stays |"
        return
    fi
    between="$(minors "$from" "$to")"
    if ((between < 0)); then
        how="**goes back**"
    elif ((between > 1)); then
        how="**skips a minor version**"
    fi
    echo "| $name | $from | $to | $how |"
    if ((between < 0 || between > 1)); then
        echo "::error file=$topf::$name goes from $from to $to: take one minor version at a time, and none back" >&2
        status=1
    fi
}

echo "| | from | to | |"
echo "| --- | --- | --- | --- |"
step Talos talosVersion "$(yq '.nodes | length' "$topf") nodes reboot, one at a time"
step Kubernetes kubernetesVersion "the control plane and each kubelet restart"
exit "$status"
