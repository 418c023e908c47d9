#!/usr/bin/env bash
# Checks for the tools that building and trying Plimsoll takes: Rust, a C toolchain, OpenSSL's headers, Java, Maven, npm.
# As root on Debian or Ubuntu what is missing is announced and installed; as anyone else the command is printed and
# nothing is touched; on other systems the list is printed. Silent and quick when nothing is missing.
#
#   scripts/need.sh            check, install if root on Debian or Ubuntu
#   scripts/need.sh --check    only check, never install
set -euo pipefail

# The oldest Java that Kafka 4 runs on. Any of these packages will do; the first that the system offers is taken.
readonly JAVA_LEAST=17
readonly JAVA_PACKAGES="openjdk-17-jdk-headless openjdk-21-jdk-headless openjdk-25-jdk-headless default-jdk-headless"

say() { echo "need: $*" >&2; }
have() { command -v "$1" > /dev/null 2>&1; }

# 17 for `openjdk version "17.0.15"`, 1 for `java version "1.8.0"`, 0 without any.
java_major() {
    have java || { echo 0; return; }
    local line
    line=$(java -version 2>&1 | grep -m1 ' version "' || true)
    line=${line#*\"}
    line=${line%%[!0-9]*}
    echo "${line:-0}"
}

is_debian() { [ -r /etc/os-release ] && (. /etc/os-release; case " ${ID:-} ${ID_LIKE:-} " in *" debian "* | *" ubuntu "*) exit 0 ;; esac; exit 1); }

# One line a tool: what is missing, and the Debian package that has it.
missing_tools() {
    { have cc && have make; } || echo "a C compiler and make|build-essential"
    have pkg-config || echo "pkg-config|pkg-config"
    { have pkg-config && pkg-config --exists openssl; } || echo "OpenSSL's headers|libssl-dev"
    [ "$(java_major)" -ge "$JAVA_LEAST" ] || echo "Java $JAVA_LEAST or newer|JAVA"
    have mvn || echo "Maven|maven"
    have npm || echo "npm|npm"
    have flock || echo "flock|util-linux"
    [ -e /etc/ssl/certs/ca-certificates.crt ] || ! is_debian || echo "the root certificates|ca-certificates"
}

java_package() {
    local package
    for package in $JAVA_PACKAGES; do
        if apt-cache show --no-all-versions "$package" > /dev/null 2>&1; then
            echo "$package"
            return
        fi
    done
    echo "${JAVA_PACKAGES%% *}"
}

packages_of() {
    local package
    while IFS='|' read -r _ package; do
        [ "$package" = JAVA ] && package=$(java_package)
        printf '%s ' "$package"
    done <<< "$1"
}

require_rust() {
    have cargo && have rustc && return
    say "Rust is missing, and is not installed by this script: get a stable toolchain (1.90 or newer) with rustup, then try again"
    exit 1
}

install() {
    say "installing with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || say "apt-get update failed; trying with the package lists that are there"
    local packages
    # Asked again: which Java there is may only be known after the update.
    packages=$(packages_of "$1")
    # shellcheck disable=SC2086 # a list of package names
    apt-get install -y -qq --no-install-recommends $packages > /dev/null
}

main() {
    local missing
    require_rust
    missing=$(missing_tools)
    if [ -n "$missing" ]; then
        say "missing: $(cut -d'|' -f1 <<< "$missing" | paste -sd ',' | sed 's/,/, /g')"
        if ! is_debian || ! have apt-get; then
            say "this is neither Debian nor Ubuntu: install the above with this system's own means, then try again"
            exit 1
        fi
        if [ "${1:-}" = --check ] || [ "$(id -u)" != 0 ]; then
            say "nothing was touched; as root, run: apt-get update && apt-get install -y --no-install-recommends $(packages_of "$missing")"
            exit 1
        fi
        install "$missing"
        missing=$(missing_tools)
        [ -z "$missing" ] || { say "still missing after the installation: $missing"; exit 1; }
    fi
}

main "$@"
