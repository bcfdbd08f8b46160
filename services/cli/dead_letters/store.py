"""Dead letters of every configured service's database, named ``<service>:<number>``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
import orjson
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.registry import definition_of
from shared.cli.errors import CannotAct, NotFound, Unreachable
from shared.messaging import dead_letters
from shared.messaging.topology import OWN_PUBLISHER, dead_queue, is_way_back, unrouted_queue
from shared.persistence.database import create_engine
from shared.runtime.settings import ServiceSettings

Services = Mapping[str, ServiceSettings]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which dead letters of one service a command is about: these numbers, or all that match."""

    numbers: Sequence[int] = ()
    reason: str | None = None
    queue: str | None = None


@asynccontextmanager
async def _database(service: str, settings: ServiceSettings) -> AsyncGenerator[AsyncConnection]:
    engine = create_engine(settings.database_url, application="traboule dead-letters", pool_size=1)
    try:
        async with engine.begin() as connection:
            yield connection
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise Unreachable.database(service, error) from None
    finally:
        await engine.dispose()


async def grouped(
    services: Services, *, statuses: Sequence[str], reason: str | None, queue: str | None
) -> list[dict[str, Any]]:
    """Groups by queue, reason, type and producer, with the id of an example."""
    rows: list[dict[str, Any]] = []
    for service, settings in services.items():
        async with _database(service, settings) as connection:
            for group in await dead_letters.groups(connection, statuses=statuses, reason=reason, queue=queue):
                row = asdict(group)
                row["example"] = f"{service}:{row.pop('example_id')}"
                rows.append({"service": service, **row})
    return rows


async def whole(service: str, settings: ServiceSettings, number: int) -> dict[str, Any]:
    """One dead letter with its body and history. Raises NotFound."""
    async with _database(service, settings) as connection:
        try:
            row = dict(await dead_letters.show(connection, number))
        except dead_letters.NoSuchDeadLetter:
            raise NotFound(f"there is no dead letter {service}:{number}") from None
    row["id"] = f"{service}:{number}"
    del row["digest"]
    row["body"], row["body_is"] = _readable(row["body"])
    return row


async def replay(
    service: str,
    settings: ServiceSettings,
    chosen: Chosen,
    *,
    by: str,
    note: str | None = None,
    body: bytes | None = None,
    to: str | None = None,
) -> tuple[int, list[str]]:
    """Send parked messages back to their queues: how many, and what to do about each that has nowhere to go.

    Raises NotFound, CannotAct, Unreachable.
    """
    async with _database(service, settings) as connection:
        numbers = await _select(connection, service, chosen)
        by_queue: dict[str, list[int]] = {}
        nowhere: list[str] = []
        for number in numbers:
            row = await dead_letters.show(connection, number)
            if (queue := _destination(service, row, to)) is None:
                nowhere.append(f"no queue takes {service}:{number} ({row['routing_key']}): name it, and one with --to")
            elif is_way_back(queue) and row["producer"] != f"{OWN_PUBLISHER}.{service}":
                # Replayed, it would come from our own user, whom the former system believes.
                nowhere.append(f"{service}:{number} is no message of the {service} service: {queue} takes no other's")
            else:
                by_queue.setdefault(queue, []).append(number)
        replayed = 0
        for queue, group in by_queue.items():
            replayed += await dead_letters.replay(connection, group, by=by, note=note, body=body, to=queue)
            if is_way_back(queue):
                # Its former system applies it, and nobody here hears of that.
                await dead_letters.resolve(connection, group)
        return replayed, nowhere


async def discard(service: str, settings: ServiceSettings, chosen: Chosen, *, by: str, note: str) -> int:
    """Mark parked messages as not to be applied; returns how many."""
    async with _database(service, settings) as connection:
        return await dead_letters.discard(connection, await _select(connection, service, chosen), by=by, note=note)


async def _select(connection: AsyncConnection, service: str, chosen: Chosen) -> list[int]:
    select = await dead_letters.select(connection, numbers=chosen.numbers, reason=chosen.reason, queue=chosen.queue)
    if missing := sorted(set(chosen.numbers) - set(select)):
        names = ", ".join(f"{service}:{number}" for number in missing)
        raise NotFound(f"not parked (any more): {names}. Nothing was done")
    return select


def _destination(service: str, row: Mapping[str, Any], to: str | None) -> str | None:
    """The queue to send a dead letter to: its own, unless it fell into one of those of last resort; None if none is."""
    subscriptions = definition_of(service).subscriptions
    queues = {subscription.queue.name: subscription.queue.binding for subscription in subscriptions}
    if to is not None:
        if to not in queues:
            raise CannotAct(f"the {service} service has no queue {to}; it has {', '.join(sorted(queues))}")
        return to
    if row["queue"] == dead_queue(service).name:
        deaths = row["headers"].get("x-death") or [{}]
        return next((death["queue"] for death in deaths if _takes(death.get("queue", ""), queues)), None)
    if row["queue"] == unrouted_queue(service).name:
        return next((name for name, binding in queues.items() if _matches(binding, row["routing_key"])), None)
    return row["queue"]


def _takes(name: str, queues: Mapping[str, str]) -> bool:
    return name in queues or is_way_back(name)


def _matches(binding: str, routing_key: str) -> bool:
    pattern, words = binding.split("."), routing_key.split(".")
    return len(pattern) == len(words) and all(p in ("*", w) for p, w in zip(pattern, words, strict=True))


def _readable(body: bytes) -> tuple[Any, str]:
    try:
        return orjson.loads(body), "json"
    except orjson.JSONDecodeError:
        pass
    try:
        return body.decode("utf-8"), "text"
    except UnicodeDecodeError:
        return body.decode("utf-8", "backslashreplace"), "bytes, shown with \\x escapes"
