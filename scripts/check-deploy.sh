#!/usr/bin/env bash
# Lints deploy/ and holds it against the binary: Containerfile by hadolint, manifests by their schemas, units by systemd-analyze, commands,
# keys and ports by scripts/check_deploy.py. None of it is run here: that takes a container engine, a cluster, an init system.
#   scripts/check-deploy.sh target/debug/plimsoll
# Exit code 3: the linters are not to be had on this machine, and the last line says why.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=$(realpath "${1:?the plimsoll binary}")
tools=$(scripts/fetch-tools.sh lint)

"$tools/hadolint" --failure-threshold info deploy/Containerfile
bash -n deploy/probe.sh
"$tools/python" scripts/check_deploy.py "$binary"

if command -v systemd-analyze > /dev/null; then
    # where the units expect binary and probe
    place=$(mktemp -d)
    trap 'rm -rf "$place"' EXIT
    for unit in deploy/systemd/*.service; do
        sed "s|/usr/local/bin/plimsoll|$binary|; s|/usr/local/lib/plimsoll/probe.sh|$PWD/deploy/probe.sh|" \
            "$unit" > "$place/${unit##*/}"
    done
    # a unit with a fault that systemd only warns of would start all the same, without what was meant
    said=$(systemd-analyze verify --man=no "$place"/*.service 2>&1) || { echo "$said"; exit 1; }
    said=$(grep "$place" <<< "$said" || true)
    [ -z "$said" ] || { echo "$said"; exit 1; }
else
    echo "check-deploy: no systemd-analyze here, the units were not checked" >&2
fi
