"""Publishes one MemberRecorded: ``publish.py '{"record_id": "1042", "version": 7, "name": "Ateliers du Gier"}'``.

Without an argument the fact is read from standard input. Needs pika, and the broker's address in
TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP (amqp://numelink.membership:password@host/traboule).
Exits with 0 only when the broker has confirmed the message.
"""

import hashlib
import json
import os
import sys
import time
from urllib.parse import unquote, urlsplit

import pika
from pika.exceptions import AMQPError

TYPE = "fr.traboule.membership.member-recorded.v1"


def main() -> str | None:
    """Publish, and return what went wrong, or None."""
    url = os.environ["TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP"]
    user = unquote(urlsplit(url).username or "")  # numelink.membership
    source = "/" + user.replace(".", "/", 1)
    fact = json.loads(sys.argv[1] if len(sys.argv) > 1 else sys.stdin.buffer.read())
    # The id comes from the content: publishing the same fact again, after a failure say, is the same event.
    content = json.dumps([source, TYPE, fact], sort_keys=True).encode()
    event_id = hashlib.sha256(content).hexdigest()
    event = {"specversion": "1.0", "id": event_id, "source": source, "type": TYPE, "data": fact}
    try:
        connection = pika.BlockingConnection(pika.URLParameters(url))
        channel = connection.channel()
        channel.confirm_delivery()  # from here on basic_publish waits, and raises what was nacked or returned
        channel.basic_publish(
            exchange="traboule",
            routing_key=f"{user}.member-recorded",
            body=json.dumps(event, ensure_ascii=False).encode(),
            properties=pika.BasicProperties(
                content_type="application/cloudevents+json",
                message_id=event_id,
                user_id=user,
                headers={"timestamp_in_ms": time.time_ns() // 1_000_000},  # tells how long messages take
                delivery_mode=pika.DeliveryMode.Persistent,
            ),
            mandatory=True,
        )
        connection.close()
    except AMQPError as error:
        return f"not published: {error!r}"
    sys.stdout.write(f"{event_id}\n")
    return None


if __name__ == "__main__":
    sys.exit(main())
