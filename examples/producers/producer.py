"""Produces usage events with confluent-kafka (pip install confluent-kafka).

Standard input: a line an event, the array's id, a tab, the event as structured CloudEvents JSON.

    python3 producer.py BOOTSTRAP TOPIC < events.tsv
"""

import sys

from confluent_kafka import Producer

failed = 0


def delivered(error, message):
    global failed
    if error is not None:
        failed += 1
        print(f"{message.key().decode()}: {error}", file=sys.stderr)


producer = Producer({
    "bootstrap.servers": sys.argv[1],
    # what Java's client does: with librdkafka's own default most events are in another partition, and are quarantined as misrouted
    "partitioner": "murmur2",
    "acks": "all",
    "enable.idempotence": True,
})
for line in sys.stdin:
    array, event = line.rstrip("\n").split("\t", 1)
    while True:
        try:
            producer.produce(sys.argv[2], key=array, value=event, on_delivery=delivered,
                             headers={"content-type": "application/cloudevents+json"})
            break
        except BufferError:
            producer.poll(1)
    producer.poll(0)
undelivered = producer.flush(60)
# what was not acknowledged is sent again with the same id and time: Plimsoll accepts it once
sys.exit(1 if failed or undelivered else 0)
