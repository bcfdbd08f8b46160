"""pika and psycopg, nothing between: one transaction and one acknowledgement for each message."""

import os
from typing import Any

import pika
import psycopg

from tests.benchmarks.others import rows, statements

_ADMIT = "insert into inbox (message, digest) values (%s, %s) on conflict do nothing returning message"
_VALUES = ", ".join(f"%({name})s::{rows.CASTS.get(name, 'text')}" for name in rows.COLUMNS)
_UPSERT = f"insert into invoices as held ({', '.join(rows.COLUMNS)}) values ({_VALUES}) {rows.NEWER}"
_ANNOUNCE = f"insert into outbox ({', '.join(rows.OUTBOX)}) values (%s, %s, %s, %s, %s, %s)"


def main() -> None:
    """Consume until killed."""
    database = psycopg.connect(os.environ["BENCH_DATABASE_URL"])
    channel = pika.BlockingConnection(pika.URLParameters(os.environ["BENCH_BROKER_URL"])).channel()
    channel.basic_qos(prefetch_count=int(os.environ["BENCH_PREFETCH"]))

    def record(_channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        event = statements.loads(body)
        with database.transaction(), database.cursor() as cursor:
            if cursor.execute(_ADMIT, (rows.inbox_key(event), rows.digest(event))).fetchone() is not None:
                row = rows.invoice(event)
                cursor.execute(_UPSERT.encode(), row)
                message_id, announced = rows.announcement(event, row["cluster"])
                cursor.execute(_ANNOUNCE, (rows.EXCHANGE, rows.KEY, message_id, rows.SINGLE, "{}", announced))
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(os.environ["BENCH_QUEUE"], record)
    channel.start_consuming()


if __name__ == "__main__":
    main()
