#!/usr/bin/env bash
# Fetches tools that only tests use: the real Prometheus with promtool, kcat, a browser with its driver, a Python client of Kafka, linters of
# deploy/. Nothing is installed into the system: Debian's packages are unpacked, and wheels put into a virtual environment, below the cache.
# Prints the directory that holds the programs; all else goes to stderr. A second run finds the directory and is done.
#
#   scripts/fetch-tools.sh prometheus    Debian's prometheus (and promtool), or the ones on PATH
#   scripts/fetch-tools.sh kcat          Debian's kcat with its libraries, or the one on PATH
#   scripts/fetch-tools.sh chromium      Debian's chromium and chromedriver with their libraries, or the ones on PATH
#   scripts/fetch-tools.sh python        python3 with confluent-kafka
#   scripts/fetch-tools.sh lint          python3 with hadolint, kubernetes-validate, compose-spec, PyYAML
#   PLIMSOLL_CACHE=/some/dir             where to keep them (default: $XDG_CACHE_HOME/plimsoll, else ~/.cache/plimsoll)
#
# Exit code 3: not to be had on this machine, and the last line says why. Tests that need it say so and are passed over.
set -euo pipefail

# Longest wait for another fetch that holds the lock, in seconds.
readonly LOCK_WAIT=300

say() { echo "fetch-tools: $*" >&2; }
cannot() { say "$*"; exit 3; }
have() { command -v "$1" > /dev/null 2>&1; }

lists=$(cd "$(dirname "${BASH_SOURCE[0]}")/../parts" && pwd)
name=${1:-}
cache=${PLIMSOLL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/plimsoll}/tools

case $name in
    prometheus) programs="prometheus promtool" ;;
    kcat) programs="kcat" ;;
    chromium) programs="chromium chromedriver" ;;
    python | lint) programs="" ;;
    *) say "usage: scripts/fetch-tools.sh prometheus|kcat|chromium|python|lint"; exit 1 ;;
esac

on_path() {
    local program
    [ -n "$programs" ] || return 1
    for program in $programs; do have "$program" || return 1; done
}
if on_path; then
    dirname "$(command -v "${programs%% *}")"
    exit 0
fi

packages=$(awk -v set="$name" '$1 == set { $1 = ""; print }' "$lists/tools.txt")
version=$(echo "$name $packages" | sha256sum | cut -c1-12)
home=$cache/$name-$version
if [ -e "$home/complete" ]; then
    echo "$home/bin"
    exit 0
fi

have flock || cannot "flock is missing; scripts/need.sh says how to get it"
mkdir -p "$cache"
exec 9> "$cache/lock"
flock -w "$LOCK_WAIT" 9 || cannot "another fetch still holds $cache/lock after $LOCK_WAIT s"
if [ -e "$home/complete" ]; then
    echo "$home/bin"
    exit 0
fi
rm -rf "$home"
mkdir -p "$home/bin" "$home/deb"
trap '[ -e "$home/complete" ] || rm -rf "$home"' EXIT

# Downloads packages as this system's apt verifies them, and unpacks them below $home/root.
unpack() {
    (cd "$home/deb" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "$@") >&2 9>&- || return 1
    local package
    for package in "$home"/deb/*.deb; do dpkg-deb -x "$package" "$home/root"; done
    rm -rf "$home/deb"
}

# A program that finds the libraries unpacked beside it.
wrap() {
    local file=$home/root/usr/bin/$1
    # Debian's own start script of the browser looks for it where an installation would have put it
    if [ -x "$home/root/usr/lib/$1/$1" ]; then file=$home/root/usr/lib/$1/$1; fi
    local libraries=
    if [ -d "$home/root/usr/lib" ]; then libraries=$(find "$home/root/usr/lib" -name '*.so*' -printf '%h\n' | sort -u | paste -sd :); fi
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec %s "$@"\n' \
        "$libraries" "$file" > "$home/bin/$1"
    chmod +x "$home/bin/$1"
}

# What a person installs where nothing can be fetched.
how() {
    case $name in
        kcat) echo "install kcat: apt-get install kcat (Debian, Ubuntu), brew install kcat (macOS), else https://github.com/edenhill/kcat" ;;
        chromium) echo "install $programs: apt-get install chromium chromium-driver (Debian), or with this system's own means" ;;
        *) echo "install $programs: apt-get install $name (Debian, Ubuntu), or with this system's own means" ;;
    esac
}

# What apt would install for packages: themselves and the libraries that are not here yet.
absent() { apt-get install -s --no-install-recommends "$@" 2> /dev/null | awk '$1 == "Inst" { print $2 }'; }

fetch_debian() {
    { have apt-get && have dpkg-deb; } || cannot "no $name on PATH, and this is not Debian; $(how)"
    local missing
    case $name in
        # the server alone: what it recommends and how it is started as a service is no matter of tests
        prometheus) missing=prometheus ;;
        chromium) missing=$(absent chromium chromium-driver) ;;
        *) missing=$(absent "$name") ;;
    esac
    [ -n "$missing" ] || cannot "no $name on PATH, and apt knows no such package: as root, apt-get update may help; $(how)"
    # shellcheck disable=SC2086 # a list of package names
    unpack $missing || cannot "no $name on PATH, and Debian's package could not be downloaded; $(how)"
    local program
    for program in $programs; do wrap "$program"; done
}

fetch_wheels() {
    have python3 || cannot "no python3"
    python3 -m venv "$home" >&2 9>&- || cannot "python3 cannot make a virtual environment (Debian: python3-venv)"
    # shellcheck disable=SC2086 # a list of package names
    "$home/bin/pip" install -q --disable-pip-version-check --only-binary :all: $packages >&2 9>&- \
        || cannot "PyPI has no wheels of $packages for this machine, or cannot be reached"
}

say "fetching $name"
if [ -n "$programs" ]; then fetch_debian; else fetch_wheels; fi
touch "$home/complete"
echo "$home/bin"
