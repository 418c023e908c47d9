#!/usr/bin/env bash
# Fetches the real parts that Plimsoll is tried on (the Kafka broker's jars by Maven, the ClickHouse engine as one shared
# library by npm), compares every file with the checksums in parts/, and puts them under the cache in one rename.
# Prints the directory that holds them; all else goes to stderr. A second run finds the directory and is done.
#
#   scripts/fetch-parts.sh            fetch if need be, print the directory
#   PLIMSOLL_CACHE=/some/dir          where to keep them (default: $XDG_CACHE_HOME/plimsoll, else ~/.cache/plimsoll)
#   PLIMSOLL_PARTS_LISTS=/some/dir    where pom and checksums are (default: parts/ beside this script's directory)
set -euo pipefail

# Longest wait for another fetch that holds the lock, in seconds.
readonly LOCK_WAIT=900

say() { echo "fetch-parts: $*" >&2; }
die() { say "$*"; exit 1; }

lists=${PLIMSOLL_PARTS_LISTS:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../parts" && pwd)}
cache=${PLIMSOLL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/plimsoll}/parts

# The name says what is inside: another version or checksum is another directory.
version=$(cd "$lists" && cat pom.xml kafka.sha256 engine.txt engine.sha256 | sha256sum | cut -c1-16)
home=$cache/$version

if [ -e "$home/complete" ]; then
    echo "$home"
    exit 0
fi

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] \
    || die "the ClickHouse engine is only pinned for Linux on x86_64, not for $(uname -s) on $(uname -m); point plimsoll at a server instead"
for tool in mvn npm java flock sha256sum tar; do
    command -v "$tool" > /dev/null || die "$tool is missing; run scripts/need.sh, which says how to get it"
done

mkdir -p "$cache"
exec 9> "$cache/lock"
flock -n 9 || { say "another fetch is under way, waiting for it"; flock -w "$LOCK_WAIT" 9 || die "the other fetch still holds $cache/lock after $LOCK_WAIT s"; }
if [ -e "$home/complete" ]; then
    echo "$home"
    exit 0
fi

# Under the lock nobody else is fetching: what lies here is from a fetch that was killed.
rm -rf "$cache"/incoming.*
work=$(mktemp -d "$cache/incoming.XXXXXX")
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fetch_kafka() {
    mkdir -p "$work/pom"
    cp "$lists/pom.xml" "$work/pom/"
    mvn -B -q -f "$work/pom/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/parts/kafka"
}

fetch_engine() {
    mkdir -p "$work/npm" "$work/parts/engine"
    (cd "$work/npm" && npm pack --loglevel=error "$(cat "$lists/engine.txt")")
    tar -xzf "$work"/npm/*.tgz -C "$work/parts/engine" --strip-components=1 package/libchdb.so
    rm -rf "$work/npm"
}

# Every listed file must match, and nothing unlisted may lie beside it: Kafka's class path takes all jars.
verify() {
    local name=$1
    (cd "$work/parts/$name" && sha256sum --quiet --strict -c "$lists/$name.sha256") >&2 \
        || die "a file of $name is not the one in parts/$name.sha256 (see above); nothing was kept. If it came from a local Maven or npm cache, remove it there and try again"
    local extra
    extra=$(comm -13 <(awk '{print $2}' "$lists/$name.sha256" | sort) <(ls "$work/parts/$name" | sort))
    [ -z "$extra" ] || die "$name came with files that parts/$name.sha256 does not list; nothing was kept:" $extra
}

say "fetching Kafka (43 MB, Maven) and the ClickHouse engine (178 MB, npm)"
started=$SECONDS
for name in kafka engine; do
    ( trap - EXIT; "fetch_$name" ) > "$work/$name.log" 2>&1 9>&- < /dev/null &
    pids+=("$!")
done
failed=
for index in 0 1; do
    name=$([ "$index" = 0 ] && echo kafka || echo engine)
    if ! wait "${pids[$index]}"; then
        failed=1
        say "fetching $name failed:"
        tail -n 15 "$work/$name.log" >&2
    fi
done
pids=()
[ -z "$failed" ] || die "nothing was kept; check the network (or the clients' settings for Maven and npm) and try again"

verify kafka
verify engine
date -u +%Y-%m-%dT%H:%M:%SZ > "$work/parts/complete"
rm -rf "$home"
mv "$work/parts" "$home"
say "fetched and verified in $((SECONDS - started)) s"
echo "$home"
