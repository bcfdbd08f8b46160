"""The limit: a bare aiormq consumer, set-based asyncpg, one acknowledgement for many. No validation, nothing else."""

import asyncio
import os
from hashlib import blake2b
from typing import Any

import aiormq
import asyncpg
import orjson
import uvloop

from tests.benchmarks.others import rows

TOGETHER = 500
_ADMIT = """
    insert into inbox (message, digest) select * from unnest($1::text[], $2::bytea[])
    on conflict do nothing returning message
"""
_UPSERT = (
    f"insert into invoices as held ({', '.join(rows.COLUMNS)}) select "
    + ", ".join(f"{name}::{rows.CASTS.get(name, 'text')}" for name in rows.COLUMNS)
    + " from unnest("
    + ", ".join(
        f"${n}::{rows.CASTS[name] if name in ('version', 'digest') else 'text'}[]"
        for n, name in enumerate(rows.COLUMNS, 1)
    )
    + f") as n ({', '.join(rows.COLUMNS)}) {rows.NEWER}"
)
_ANNOUNCE = f"insert into outbox ({', '.join(rows.OUTBOX)}) values ($1, $2, $3, $4, $5, $6)"


async def main() -> None:
    """Consume until killed."""
    database = await asyncpg.connect(os.environ["BENCH_DATABASE_URL"])
    connection = await aiormq.connect(os.environ["BENCH_BROKER_URL"])
    channel = await connection.channel()
    await channel.basic_qos(prefetch_count=int(os.environ["BENCH_PREFETCH"]))
    incoming: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(message: Any) -> None:
        incoming.put_nowait(message)

    await channel.basic_consume(os.environ["BENCH_QUEUE"], receive)
    while True:
        messages = [await incoming.get()]
        events = _events(messages[0])
        while len(events) < TOGETHER:
            if incoming.empty():
                await asyncio.sleep(0.003)
                if incoming.empty():
                    break
            messages.append(incoming.get_nowait())
            events += _events(messages[-1])
        await _write(database, events)
        await channel.basic_ack(messages[-1].delivery.delivery_tag, multiple=True, wait=False)


def _events(message: Any) -> list[dict[str, Any]]:
    tree = orjson.loads(message.body)
    return tree if isinstance(tree, list) else [tree]


async def _write(database: Any, events: list[dict[str, Any]]) -> None:
    by_key = {rows.inbox_key(event): event for event in events}
    document = {key: rows.invoice(event) for key, event in by_key.items()}
    async with database.transaction():
        new = {
            row[0] for row in await database.fetch(_ADMIT, list(by_key), [row["digest"] for row in document.values()])
        }
        fresh = [event for key, event in by_key.items() if key in new]
        invoices = [row for key, row in document.items() if key in new]
        await database.execute(_UPSERT, *([row[name] for row in invoices] for name in rows.COLUMNS))
        announcements = [rows.announcement(event, row["cluster"]) for event, row in zip(fresh, invoices, strict=True)]
        body = b"[" + b",".join(body for _, body in announcements) + b"]"
        message_id = blake2b("".join(event_id for event_id, _ in announcements).encode(), digest_size=16).hexdigest()
        await database.execute(_ANNOUNCE, rows.EXCHANGE, rows.KEY, message_id, rows.BATCH, "{}", body)


if __name__ == "__main__":
    uvloop.run(main())
