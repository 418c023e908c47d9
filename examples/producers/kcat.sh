#!/usr/bin/env bash
# Produces usage events with kcat. Standard input: a line an event, the array's id, a tab, the event as structured CloudEvents JSON.
#   kcat.sh BOOTSTRAP TOPIC < events.tsv
set -euo pipefail

if ! command -v kcat > /dev/null; then
    echo "kcat.sh: kcat is missing; install it: apt-get install kcat (Debian, Ubuntu), brew install kcat (macOS), else https://github.com/edenhill/kcat" >&2
    exit 127
fi

# murmur2 is what Java's client does: without it most events are in a partition that is not their array's, and are quarantined as misrouted.
exec kcat -P -b "$1" -t "$2" -K '\t' \
    -X topic.partitioner=murmur2 -X acks=all -X enable.idempotence=true \
    -H content-type=application/cloudevents+json
