"""Reads what Traboule wrote about your members: ``way_back.py members.sqlite``, from cron say; ends when all is read.

Each message holds one member in your own columns. It is kept in a table, whose rows you then take into your system:
replace ``save`` by that. Needs pika, and the broker's address in TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP
(amqp://numelink.membership:password@host/traboule). Exits with 0 when the queue is empty.
"""

import json
import os
import sqlite3
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

import pika
from pika.exceptions import AMQPError

TYPE = "fr.traboule.membership.member-written.v1"
TABLE = "create table if not exists written (record_id text primary key, version integer, told text)"
SAVE = """
    insert into written values (?, ?, ?) on conflict (record_id) do update
    set version = excluded.version, told = excluded.told where excluded.version >= written.version
"""


def save(database: sqlite3.Connection, fact: dict[str, Any]) -> None:
    """Keep the newest version: the same message may come twice, and an older one after a newer."""
    with database:  # commits, so that what is acknowledged is kept
        database.execute(SAVE, (fact["record_id"], fact["version"], json.dumps(fact, ensure_ascii=False)))


def main() -> str | None:
    """Read until the queue is empty, and return what went wrong, or None."""
    url = os.environ["TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP"]
    user = unquote(urlsplit(url).username or "")  # numelink.membership
    sender = "traboule." + user.split(".")[1]  # traboule.membership
    database = sqlite3.connect(sys.argv[1])
    database.execute(TABLE)
    try:
        connection = pika.BlockingConnection(pika.URLParameters(url))
        channel = connection.channel()
        read = 0
        while True:
            got, properties, body = channel.basic_get(f"{user}.way-back")
            if got is None or properties is None or body is None:
                break
            if properties.user_id != sender:  # the broker has checked who sent it; everything else can be forged
                channel.basic_nack(got.delivery_tag, requeue=False)  # Traboule's operators see it, and who it was
                continue
            stated = json.loads(body)
            events = stated if properties.content_type == "application/cloudevents-batch+json" else [stated]
            if any(event["type"] != TYPE for event in events):
                channel.basic_nack(got.delivery_tag, requeue=False)  # they also see what you cannot read
                continue
            for event in events:
                save(database, event["data"])
            channel.basic_ack(got.delivery_tag)  # only now: until then it would come again
            read += len(events)
        connection.close()
    except AMQPError as error:
        return f"not read to the end: {error!r}"
    sys.stdout.write(f"{read}\n")
    return None


if __name__ == "__main__":
    sys.exit(main())
