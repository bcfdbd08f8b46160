"""Parked messages of one service: where each goes when it is sent again, and what is shown of them.

The ``traboule dead-letters`` command and the operations that the gateway asks for call the same functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.operations.binding import RefusedError
from shared.messaging import dead_letters
from shared.messaging.subscription import Subscription
from shared.messaging.topology import OWN_PUBLISHER, dead_queue, is_way_back, unrouted_queue

BodyIs = Literal["json", "text", "bytes"]

_PLACES: Final = "select id, queue, routing_key, headers, producer from dead_letters where id = any($1::bigint[])"


class Hearing(Protocol):
    """A service, as far as its queues go."""

    @property
    def name(self) -> str: ...
    @property
    def subscriptions(self) -> Sequence[Subscription]: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """The numbers that were sent again, and what to do about each that has nowhere to go."""

    replayed: list[int]
    nowhere: list[str]


async def replay(
    connection: AsyncConnection,
    service: Hearing,
    numbers: Sequence[int],
    *,
    by: str,
    note: str | None = None,
    body: bytes | None = None,
    to: str | None = None,
) -> Sent:
    """Send parked messages back to their queues, or to the queue ``to``; they should be locked."""
    by_queue: dict[str, list[int]] = {}
    nowhere: list[str] = []
    for row in (await connection.exec_driver_sql(_PLACES, (list(numbers),))).mappings():
        name = f"{service.name}:{row['id']}"
        if (queue := to or destination(service, {**row})) is None:
            nowhere.append(f"no queue takes {name} ({row['routing_key']}): name it, and one with --to")
        elif is_way_back(queue) and row["producer"] != f"{OWN_PUBLISHER}.{service.name}":
            # Replayed, it would come from our own user, whom the former system believes.
            nowhere.append(f"{name} is no message of the {service.name} service: {queue} takes no other's")
        else:
            by_queue.setdefault(queue, []).append(row["id"])
    # By queue, of which a service has a dozen.
    for queue, group in by_queue.items():
        await dead_letters.replay(connection, group, by=by, note=note, body=body, to=queue)
        if is_way_back(queue):
            # Its former system applies it, and nobody here hears of that.
            await dead_letters.resolve(connection, group)
    return Sent(sorted(number for group in by_queue.values() for number in group), nowhere)


def destination(service: Hearing, row: Mapping[str, Any]) -> str | None:
    """The queue to send a dead letter to: its own, unless it fell into one of those of last resort; None if none is."""
    bindings = {each.queue.name: each.queue.binding for each in service.subscriptions}
    if row["queue"] == dead_queue(service.name).name:
        deaths = row["headers"].get("x-death") or [{}]
        return next((death["queue"] for death in deaths if _takes(death.get("queue", ""), bindings)), None)
    if row["queue"] == unrouted_queue(service.name).name:
        return next((name for name, binding in bindings.items() if _matches(binding, row["routing_key"])), None)
    return row["queue"]


def readable(body: bytes, longest: int | None = None) -> tuple[str, BodyIs]:
    """A body as text, and what it was; of one that is longer than ``longest`` bytes the beginning."""
    shown = body if longest is None else body[:longest]
    try:
        orjson.loads(body)
        return shown.decode("utf-8", "ignore"), "json"
    except orjson.JSONDecodeError:
        pass
    try:
        body.decode("utf-8")
        return shown.decode("utf-8", "ignore"), "text"
    except UnicodeDecodeError:
        return shown.decode("utf-8", "backslashreplace"), "bytes"


async def numbers_of(connection: AsyncConnection, service: str, numbers: Sequence[int]) -> list[int]:
    """The same numbers, locked. Raises RefusedError unless all are parked."""
    chosen = await dead_letters.select(connection, numbers=numbers)
    if missing := sorted(set(numbers) - set(chosen)):
        names = ", ".join(f"{service}:{number}" for number in missing)
        raise RefusedError("dead-letter-not-parked", f"not parked (any more): {names}. Nothing was done")
    return chosen


def _takes(name: str, bindings: Mapping[str, str]) -> bool:
    return name in bindings or is_way_back(name)


def _matches(binding: str, routing_key: str) -> bool:
    pattern, words = binding.split("."), routing_key.split(".")
    return len(pattern) == len(words) and all(p in ("*", w) for p, w in zip(pattern, words, strict=True))
