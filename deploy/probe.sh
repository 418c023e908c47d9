#!/usr/bin/env bash
# Asks a Plimsoll process how it is, without curl: exit code 0 if it answers 200, else 1 with what it said.
#   probe.sh livez [HOST:PORT]             it runs (default 127.0.0.1:9464, metrics.listen)
#   probe.sh readyz [HOST:PORT]            it reaches ClickHouse
#   probe.sh livez [HOST:PORT] SECONDS     tries again for so long
set -uo pipefail

path=${1:?livez or readyz}
address=${2:-127.0.0.1:9464}
patience=${3:-0}

ask() {
    exec 3<> "/dev/tcp/${address%:*}/${address##*:}" || return 1
    printf 'GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$path" "$address" >&3
    answer=$(timeout 5 cat <&3)
    exec 3>&-
    [[ $answer == HTTP/1.1\ 200* ]]
}

answer=
until ask 2> /dev/null; do
    if [ "$SECONDS" -ge "$patience" ]; then
        echo "$path at $address: ${answer:-no answer}" >&2
        exit 1
    fi
    sleep 1
done
