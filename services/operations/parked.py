"""What carries out the operations about a service's health and its parked messages, alike in every service."""

from collections.abc import Sequence
from typing import Any, Final

from schemas import dead_letters as declared
from schemas.dead_letters import (
    LONGEST_BODY,
    MOST_GROUPS,
    ChosenMessages,
    Discarded,
    GroupArguments,
    GroupsArguments,
    Health,
    ListArguments,
    NoArguments,
    OneMessage,
    ParkedGroup,
    ParkedGroups,
    ParkedMessage,
    ParkedMessages,
    QueueWaits,
    ReplayArguments,
    Replayed,
    WholeMessage,
)
from schemas.envelope import Refused
from schemas.reading import read
from services import VERSION
from services.operations.binding import Bound, Call, RefusedError
from services.operations.dead_letters import destination, numbers_of, readable, replay
from shared.messaging import dead_letters
from shared.persistence.database import rows_of

_MOST_BYTES = 64 * 1024 * 1024
"""Of the bodies that one request sends again: all of them are in memory at once."""
_OUTBOX = "select count(*), min(created_at), count(*) filter (where attempts > 0) from outbox"
_PARKED = "select count(*), min(first_at) from dead_letters where status = 'parked'"
_NEWEST = "select max(received_at) from inbox"
_SHOWN = (
    "id as number, status, queue, reason, detail, type, producer, routing_key, message_id, count, first_at, last_at"
)
_OF_GROUP = """
    ($1::text is null or queue = $1) and ($2::text is null or reason = $2)
    and ($3::text is null or type = $3) and ($4::text is null or producer = $4)
"""
_GROUPS = f"""
    select queue, reason, type, producer, count(*) as count,
           count(*) filter (where history @> '[{{"what": "replaying"}}]') as parked_again,
           min(first_at) as first_at, max(last_at) as last_at, max(id) as newest,
           min(id) as example, (array_agg(detail order by id))[1] as detail,
           count(*) over () as groups, sum(count(*)) over ()::bigint as messages, max(max(id)) over () as newest_of_all
    from dead_letters where {_OF_GROUP} and status = $5 and ($6::bigint[] is null or id = any($6))
    group by queue, reason, type, producer order by count(*) desc, queue, reason, type, producer limit $7
"""
_LIST = f"select {_SHOWN} from dead_letters where {_OF_GROUP} and status = $5 and id > $6 order by id limit $7"
_UP_TO = f"""
    select id from dead_letters where {_OF_GROUP} and status = 'parked' and id <= $5 order by id limit $6 for update
"""
_LIGHT = """
    select id from (
        select id, octet_length(body) as bytes, sum(octet_length(body)) over (order by id) as so_far
        from dead_letters where id = any($1::bigint[])
    ) as chosen
    where so_far <= $2 or so_far = bytes order by id
"""
_LEFT = f"select count(*) from dead_letters where {_OF_GROUP} and status = 'parked' and id <= $5"


async def health(call: Call[NoArguments]) -> Health:
    """What waits, as the broker and the service's own database say."""
    connection = call.uow.connection
    names = [each.queue_name for each in call.definition.subscriptions]
    waiting = await call.uow.count_waiting(names)
    ((unsent, unsent_since, refused),) = rows_of(await connection.exec_driver_sql(_OUTBOX))
    ((parked, parked_since),) = rows_of(await connection.exec_driver_sql(_PARKED))
    ((newest,),) = rows_of(await connection.exec_driver_sql(_NEWEST))
    return Health(
        service=call.definition.name,
        version=VERSION,
        ready=len(waiting) == len(set(names)) and refused == 0,
        waits=sum(waiting.values()),
        queues=[QueueWaits(queue=name, waiting=waiting.get(name)) for name in sorted(set(names))],
        unsent=unsent,
        unsent_since=unsent_since,
        refused=refused,
        newest_received_at=newest,
        parked=parked,
        parked_since=parked_since,
    )


async def parked_groups(call: Call[GroupsArguments]) -> ParkedGroups:
    """Groups, the most numerous first."""
    asked = call.arguments
    values = (*_group(asked), asked.status, asked.numbers, MOST_GROUPS)
    rows = (await call.uow.connection.exec_driver_sql(_GROUPS, values)).mappings().all()
    return ParkedGroups(
        service=call.definition.name,
        items=[ParkedGroup(**{name: row[name] for name in ParkedGroup.model_fields}) for row in rows],
        more=rows[0]["groups"] - len(rows) if rows else 0,
        count=rows[0]["messages"] if rows else 0,
        newest=rows[0]["newest_of_all"] if rows else None,
    )


async def parked_messages(call: Call[ListArguments]) -> ParkedMessages:
    """A page of one group."""
    asked = call.arguments
    values = (*_group(asked), asked.status, asked.after, asked.limit + 1)
    rows = (await call.uow.connection.exec_driver_sql(_LIST, values)).mappings().all()
    items = [ParkedMessage(**row) for row in rows[: asked.limit]]
    following = items[-1].number if len(rows) > asked.limit else None
    return ParkedMessages(service=call.definition.name, items=items, next=following)


async def parked_message(call: Call[OneMessage]) -> WholeMessage:
    """One message with its content. Raises RefusedError ``dead-letter-unknown``."""
    row = await _row(call, call.arguments.number)
    body, body_is = readable(row["body"], LONGEST_BODY)
    return WholeMessage(
        **{name: row[name] for name in ParkedMessage.model_fields if name != "number"},
        number=row["id"],
        content_type=row["content_type"],
        headers=row["headers"],
        # What a corrected message said before is as long as the message, and kept for an operator.
        history=[{name: value for name, value in step.items() if name != "body_before"} for step in row["history"]],
        body=body,
        body_is=body_is,
        body_bytes=len(row["body"]),
        cut=len(row["body"]) > LONGEST_BODY,
    )


async def replay_parked(call: Call[ReplayArguments]) -> Replayed:
    """Send messages again. Raises RefusedError ``dead-letter-not-parked`` and ``body-refused``: then none is."""
    chosen = await _chosen(call)
    numbers = await _light(call, chosen)
    body = None if call.arguments.body is None else call.arguments.body.encode()
    if body is not None:
        _check(call.definition, await _row(call, numbers[0]), body)
    sent = await replay(
        call.uow.connection, call.definition, numbers, by=call.author, note=call.reason or None, body=body
    )
    # Of a group the database counts them, because more may be parked than were chosen.
    more = len(chosen) - len(numbers) if call.arguments.numbers else await _more(call, sent.nowhere)
    return Replayed(service=call.definition.name, replayed=sent.replayed, nowhere=sent.nowhere, more=more)


async def discard_parked(call: Call[ChosenMessages]) -> Discarded:
    """Mark messages as not to be applied. Raises RefusedError ``dead-letter-not-parked``: then none is."""
    numbers = await _chosen(call)
    await dead_letters.discard(call.uow.connection, numbers, by=call.author, note=call.reason)
    return Discarded(service=call.definition.name, discarded=numbers, more=await _more(call, ()))


async def _chosen(call: Call[Any]) -> list[int]:
    """Numbers of parked messages, locked, in order."""
    asked = call.arguments
    if asked.numbers:
        return await numbers_of(call.uow.connection, call.definition.name, asked.numbers)
    rows = await call.uow.connection.exec_driver_sql(_UP_TO, (*_group(asked), asked.up_to, asked.limit))
    return list(rows.scalars())


async def _light(call: Call[Any], numbers: Sequence[int]) -> list[int]:
    """The first of these, as far as memory goes for their bodies; always one."""
    rows = await call.uow.connection.exec_driver_sql(_LIGHT, (list(numbers), _MOST_BYTES))
    return list(rows.scalars())


async def _more(call: Call[Any], left: Sequence[object]) -> int:
    """How many are parked still that were asked for, but for those of which it was said why."""
    if call.arguments.numbers:
        return 0
    values = (*_group(call.arguments), call.arguments.up_to)
    ((count,),) = rows_of(await call.uow.connection.exec_driver_sql(_LEFT, values))
    return count - len(left)


async def _row(call: Call[Any], number: int) -> dict[str, Any]:
    try:
        return {**await dead_letters.show(call.uow.connection, number)}
    except dead_letters.NoSuchDeadLetter:
        raise RefusedError("dead-letter-unknown", f"there is no {call.definition.name}:{number}") from None


def _check(definition: Any, row: dict[str, Any], body: bytes) -> None:
    """Read a corrected body as its queue's consumer will, before it leaves."""
    queue = destination(definition, row)
    facts = {each.queue_name: each.fact for each in definition.subscriptions}
    if queue not in facts:
        return
    for event in read(facts[queue], body, row["content_type"], row["headers"]):
        if isinstance(event, Refused):
            raise RefusedError("body-refused", f"{event.reason}: {event.detail}. Nothing was sent")


def _group(asked: GroupArguments) -> tuple[str | None, ...]:
    return asked.queue, asked.cause, asked.type, asked.producer


PARKED: Final = (
    Bound(declared.HEALTH, health),
    Bound(declared.GROUPS, parked_groups),
    Bound(declared.PARKED, parked_messages),
    Bound(declared.MESSAGE, parked_message),
    Bound(declared.REPLAY, replay_parked),
    Bound(declared.DISCARD, discard_parked),
)
