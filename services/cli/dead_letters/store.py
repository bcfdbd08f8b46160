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
from services.operations import dead_letters as parked
from services.operations.binding import RefusedError
from shared.cli.errors import CannotAct, NotFound, Unreachable
from shared.messaging import dead_letters
from shared.persistence.database import create_engine
from shared.runtime.settings import ServiceSettings

_BYTES = "bytes, shown with \\x escapes"

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
    row["body"], row["body_is"] = _shown(row["body"])
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
    definition = definition_of(service)
    queues = sorted(subscription.queue.name for subscription in definition.subscriptions)
    if to is not None and to not in queues:
        raise CannotAct(f"the {service} service has no queue {to}; it has {', '.join(queues)}")
    async with _database(service, settings) as connection:
        numbers = await _select(connection, service, chosen)
        sent = await parked.replay(connection, definition, numbers, by=by, note=note, body=body, to=to)
        return len(sent.replayed), sent.nowhere


async def discard(service: str, settings: ServiceSettings, chosen: Chosen, *, by: str, note: str) -> int:
    """Mark parked messages as not to be applied; returns how many."""
    async with _database(service, settings) as connection:
        return await dead_letters.discard(connection, await _select(connection, service, chosen), by=by, note=note)


async def _select(connection: AsyncConnection, service: str, chosen: Chosen) -> list[int]:
    if not chosen.numbers:
        return await dead_letters.select(connection, reason=chosen.reason, queue=chosen.queue)
    try:
        return await parked.numbers_of(connection, service, chosen.numbers)
    except RefusedError as error:
        raise NotFound(str(error)) from None


def _shown(body: bytes) -> tuple[Any, str]:
    text, body_is = parked.readable(body)
    return (orjson.loads(body) if body_is == "json" else text), str(body_is).replace("bytes", _BYTES)
