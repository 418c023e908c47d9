"""Produces usage events with confluent-kafka (pip install confluent-kafka).

Standard input: a line an event, the array's id, a tab, the event as structured CloudEvents JSON.

    python3 producer.py BOOTSTRAP TOPIC < events.tsv
"""

import sys

from confluent_kafka import Producer

acknowledged = 0


def delivered(error, message):
    global acknowledged
    if error is None:
        acknowledged += 1
    else:
        print(f"{message.key().decode()}: {error}", file=sys.stderr)


producer = Producer({
    "bootstrap.servers": sys.argv[1],
    # what Java's client does: with librdkafka's own default most events are in another partition, and are quarantined as misrouted
    "partitioner": "murmur2",
    "acks": "all",
    "enable.idempotence": True,
})
sent = 0
for line in sys.stdin:
    array, event = line.rstrip("\n").split("\t", 1)
    while True:
        try:
            producer.produce(sys.argv[2], key=array, value=event, on_delivery=delivered,
                             headers={"content-type": "application/cloudevents+json"})
            sent += 1
            break
        except BufferError:
            producer.poll(1)
    producer.poll(0)
producer.flush(60)
if acknowledged < sent:
    print(f"{sent - acknowledged} of {sent} events were not acknowledged: send them again with the same id and time, Plimsoll accepts each once",
          file=sys.stderr)
    sys.exit(1)
