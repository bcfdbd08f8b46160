"""Parked messages: kept whole with their reason and history, until a person replays or discards them.

Nothing here deletes. A replay or a discard changes the status and adds a line to the history.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.delivery import Delivery
from shared.messaging.outbox import Outbox, Outgoing
from shared.messaging.storable import short_text, storable_json, storable_text


@dataclass(frozen=True, slots=True)
class Parked:
    """One event to set aside: its own body (not its batch's), why, and the delivery that it came in.

    ``facts`` is how many it stands for: very many refused facts of one batch are set aside together.
    """

    delivery: Delivery
    body: bytes
    content_type: str | None
    message_id: str | None
    type: str | None
    reason: str
    detail: str
    facts: int = 1


_PARK = """
    insert into dead_letters as d
        (queue, digest, message_id, type, producer, routing_key, content_type, headers, body, reason, detail, count,
         history)
    select queue, digest, message_id, type, producer, routing_key, content_type, headers, body, reason, detail, count,
           jsonb_build_array(jsonb_build_object('at', now(), 'what', 'parked', 'reason', reason, 'detail', detail))
    from unnest($1::text[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
                $9::bytea[], $10::text[], $11::text[], $12::int[])
        as n (queue, digest, message_id, type, producer, routing_key, content_type, headers, body, reason, detail,
              count)
    on conflict on constraint dead_letters_once do update
    set status = 'parked', count = d.count + excluded.count, last_at = now(), reason = excluded.reason,
        detail = excluded.detail, body = excluded.body, content_type = excluded.content_type,
        headers = excluded.headers, history = d.history || excluded.history
"""
_PARK_AGAIN = """
    update dead_letters d
    set status = 'parked', count = count + 1, last_at = now(), reason = n.reason, detail = n.detail,
        history = history || jsonb_build_array(jsonb_build_object(
            'at', now(), 'what', 'parked', 'reason', n.reason, 'detail', n.detail))
    from unnest($1::bigint[], $2::text[], $3::text[]) as n (id, reason, detail)
    where d.id = n.id
"""
_RESOLVE = """
    update dead_letters
    set status = 'replayed', last_at = now(),
        history = history || jsonb_build_array(jsonb_build_object('at', now(), 'what', 'replayed'))
    where id = any($1::bigint[]) and status = 'replaying'
"""


async def park(connection: AsyncConnection, parked: Sequence[Parked]) -> None:
    """Set events aside. The same body from the same queue is one dead letter, counted; a failed replay is its own."""
    again = {p.delivery.replay_of: p for p in parked if p.delivery.replay_of is not None}
    if again:
        rows = list(again.items())
        await connection.exec_driver_sql(
            _PARK_AGAIN,
            ([number for number, _ in rows], [p.reason for _, p in rows], [p.detail for _, p in rows]),
        )
    first_time = [(p.delivery.queue, _digest(p), p) for p in parked if p.delivery.replay_of is None]
    if not first_time:
        return
    counts = Counter((queue, digest) for queue, digest, _ in first_time)
    former = {(queue, digest): p for queue, digest, p in first_time}
    new = sorted(former.items(), key=lambda item: item[0])
    await connection.exec_driver_sql(
        _PARK,
        (
            [queue for (queue, _), _ in new],
            [digest for (_, digest), _ in new],
            [_printable(p.message_id) for _, p in new],
            [_printable(p.type) for _, p in new],
            [_printable(p.delivery.user) for _, p in new],
            [_printable(p.delivery.routing_key) for _, p in new],
            [_printable(p.content_type) for _, p in new],
            [storable_json(p.delivery.headers) for _, p in new],
            [p.body for _, p in new],
            [p.reason for _, p in new],
            [_printable(p.detail) for _, p in new],
            [counts[key] for key, _ in new],
        ),
    )


async def resolve(connection: AsyncConnection, numbers: Sequence[int]) -> None:
    """A replay was applied: close its dead letter, in the same transaction."""
    if numbers:
        await connection.exec_driver_sql(_RESOLVE, (list(numbers),))


def _digest(parked: Parked) -> bytes:
    """Tells messages apart: in binary mode two publishers' events may have one body, and differ in their headers."""
    delivery = parked.delivery
    headers = sorted((n.lower(), _as_text(value)) for n, value in delivery.headers.items() if n[:3].lower() == "ce-")
    about = repr((delivery.user, delivery.routing_key, parked.content_type, headers)).encode()
    return blake2b(about + parked.body, digest_size=16).digest()


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else storable_json({"": value})


def _printable(text: str | None) -> str | None:
    return None if text is None else storable_text(text)


# --- what ops do ---------------------------------------------------------------------------------------------------


class NoSuchDeadLetter(LookupError):
    """There is no dead letter with this number, or it is not parked any more."""


@dataclass(frozen=True, slots=True)
class Group:
    """Dead letters with one reason in one queue."""

    queue: str
    reason: str
    type: str | None
    producer: str | None
    count: int
    first_at: datetime
    last_at: datetime
    example_id: int
    example_detail: str


_GROUPS = """
    select queue, reason, type, producer, count(*) as count, min(first_at) as first_at, max(last_at) as last_at,
           min(id) as example_id, (array_agg(detail order by id))[1] as example_detail
    from dead_letters
    where status = any($1::text[]) and ($2::text is null or reason = $2) and ($3::text is null or queue = $3)
    group by queue, reason, type, producer
    order by count(*) desc, queue, reason
"""
_SELECT = """
    select id from dead_letters
    where status = 'parked' and ($1::bigint[] is null or id = any($1::bigint[]))
      and ($2::text is null or reason = $2) and ($3::text is null or queue = $3)
    order by id
    for update
"""
_MARK = """
    update dead_letters
    set status = $2, last_at = now(), body = coalesce($5::bytea, body),
        history = history || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
            'at', now(), 'what', $2::text, 'by', $3::text, 'note', $4::text,
            'body_before', case when $5::bytea is null then null else encode(body, 'base64') end)))
    where id = any($1::bigint[]) and status = 'parked'
"""
_TAKE = f"{_MARK} returning id, queue, message_id, content_type, headers, body, producer, routing_key"


async def groups(
    connection: AsyncConnection,
    *,
    statuses: Sequence[str] = ("parked",),
    reason: str | None = None,
    queue: str | None = None,
) -> list[Group]:
    """Dead letters grouped by queue, reason, type and producer, the most numerous first."""
    rows = await connection.exec_driver_sql(_GROUPS, (list(statuses), reason, queue))
    return [Group(*row) for row in rows]


async def show(connection: AsyncConnection, number: int) -> Mapping[str, Any]:
    """One dead letter, whole: its body and headers may hold personal data. Raises NoSuchDeadLetter."""
    rows = await connection.exec_driver_sql("select * from dead_letters where id = $1", (number,))
    row = rows.mappings().first()
    if row is None:
        raise NoSuchDeadLetter(number)
    return {**row}


async def select(
    connection: AsyncConnection, *, numbers: Sequence[int] = (), reason: str | None = None, queue: str | None = None
) -> list[int]:
    """Numbers of the parked dead letters that match, locked until the transaction ends."""
    rows = await connection.exec_driver_sql(_SELECT, (list(numbers) or None, reason, queue))
    return list(rows.scalars())


async def replay(
    connection: AsyncConnection,
    numbers: Sequence[int],
    *,
    by: str,
    note: str | None = None,
    body: bytes | None = None,
    to: str | None = None,
) -> int:
    """Send parked messages to their own queue again, or to another, through the outbox; returns how many.

    ``body`` is an edited body for a single one; the former body stays in its history.
    """
    rows = await connection.exec_driver_sql(_TAKE, (list(numbers), "replaying", by, note, body))
    outbox = Outbox()
    taken = rows.mappings().all()
    for row in taken:
        delivery = Delivery(
            to or row["queue"],
            row["body"],
            row["content_type"],
            row["headers"],
            row["message_id"],
            row["producer"],
            row["routing_key"],
            replay_of=row["id"],
        )
        outbox.add(send_back(delivery, attempt=0, exchange=""))
    await outbox.flush(connection)
    return len(taken)


async def discard(connection: AsyncConnection, numbers: Sequence[int], *, by: str, note: str) -> int:
    """Mark parked messages as not to be applied, with a reason; they stay readable. Returns how many."""
    return (await connection.exec_driver_sql(_MARK, (list(numbers), "discarded", by, note, None))).rowcount


def send_back(
    delivery: Delivery, *, attempt: int, exchange: str, body: bytes | None = None, content_type: str | None = None
) -> Outgoing:
    """The message that brings a delivery (or one event of it) to its own queue again, at once or by a TTL queue.

    A ``body`` is a whole event, and needs no headers for its attributes.
    """
    return Outgoing(
        exchange,
        delivery.queue,
        short_text(delivery.message_id or ""),
        content_type or (delivery.content_type and short_text(delivery.content_type)),
        delivery.body if body is None else body,
        delivery.return_headers(attempt, attributes=body is None),
    )
