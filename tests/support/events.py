"""The events service's own database, and its operations asked as the gateway and the command ask them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.events import EventRecorded, RegistrationRecorded
from services.common.member_records import apply_merges
from services.events.definition import DEFINITION
from services.events.mirror.handlers import record_events, record_registrations
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats.acts import Act, Logged, replay
from services.events.seats.room import Booking, Room
from services.events.seats.terms import terms_from
from services.operations.binding import Identity
from services.operations.running import OperationRequest, Result, carry_out
from shared.persistence.database import rows_of
from tests.support.emptying import EMPTY
from tests.support.merging import envelope, handled

CLUSTER = "clustr-numerique"
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
"""When the gatherings of tests begin: far enough for every offer."""
_LOG = """
    select act, booking_id::text, seats, asked_at, asked, overruled, terms, decided_at, refusal
    from booking_log where session_id = $1::uuid order by number
"""
_STAGE = """
    insert into stages (cluster, stage, epoch, since, by) values ($1, $2, $3, now(), 'test')
    on conflict (cluster) do update set stage = excluded.stage, epoch = excluded.epoch
"""


def people(*names: str) -> list[dict[str, str]]:
    """Named people, each with an address of their own."""
    return [{"name": name, "email": f"{name.lower().replace(' ', '')}@example.fr"} for name in names]


@dataclass(frozen=True)
class Events:
    """One database, as staff use it."""

    engine: AsyncEngine
    public_url: str = ""

    def begin(self, connection: AsyncConnection) -> EventsUnitOfWork:
        return EventsUnitOfWork(connection, conflict_owner="evenements", public_url=self.public_url)

    async def empty(self) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)

    async def stage(self, stage: str, epoch: int = 2, cluster: str = CLUSTER) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(_STAGE, (cluster, stage, epoch))

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.engine.connect() as connection:
            return [tuple(row) for row in rows_of(await connection.exec_driver_sql(sql, values))]

    async def run(self, sql: str, *values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(sql, values)

    async def mirror(self, *facts: EventRecorded | RegistrationRecorded, cluster: str = CLUSTER) -> None:
        for fact in facts:
            handler: Any = record_events if isinstance(fact, EventRecorded) else record_registrations
            await handled(self.engine, self.begin, handler, [envelope(fact, f"/{cluster}/events")])

    async def merge(self, *facts: Any) -> None:
        await handled(self.engine, self.begin, apply_merges, [envelope(fact) for fact in facts])

    async def result(self, operation: str, arguments: Mapping[str, Any], by: str = "secretaire") -> Result:
        plain = orjson.loads(orjson.dumps(arguments, default=str))
        asked = OperationRequest(
            operation=operation,
            cluster=None,
            arguments=plain,
            author=by,
            reason="un test",
            identity=Identity(f"key of {by}", by),
        )
        async with self.engine.begin() as connection:
            uow = self.begin(connection)
            result = await carry_out(uow, DEFINITION, DEFINITION.every_operation, asked)
            await uow.outbox.flush(connection)
            return result

    async def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        result = await self.result(operation, arguments)
        assert result.outcome == "done", result.answer
        return result.answer

    async def refusal(self, operation: str, **arguments: Any) -> tuple[str, str]:
        result = await self.result(operation, arguments)
        assert result.outcome == "refused", result.answer
        return result.answer["kind"], result.answer["detail"]

    async def planned(self, capacity: int | None = 2, key: str = "", **session: Any) -> dict[str, Any]:
        """A gathering of one session."""
        await self.stage("live")
        usual = {"starts": LATER.strftime("%Y-%m-%dT%H:%M"), "zone": "UTC", "capacity": capacity}
        key = key or f"key {await self.rows('select count(*) from gatherings')}"
        sessions = [usual | session]
        asked = {"cluster": CLUSTER, "key": key, "title": "Petit-déjeuner", "sessions": sessions}
        # All begin at one moment, each with seats of its own.
        return await self.ask("plan-gathering", **asked, allotment=True)

    async def session(self, capacity: int | None = 2, **session: Any) -> str:
        """The id of a session that was planned."""
        return str((await self.planned(capacity, **session))["sessions"][0]["session_id"])

    async def register(self, session_id: str, *names: str, **more: Any) -> dict[str, Any]:
        """One registration of these people."""
        key = more.pop("key", f"order of {' '.join(names)} {await self.rows('select count(*) from booking_log')}")
        answer = await self.ask("register", session_id=session_id, key=key, people=people(*names), **more)
        [item] = answer["items"]
        return item

    async def a_week_passes(self) -> None:
        """All that was decided was decided a week before; in UTC a week has no other hours than the next."""
        await self.run(
            "update booking_log set decided_at = decided_at - interval '7 days', "
            "asked_at = asked_at - interval '7 days'"
        )
        await self.run("update bookings set offered_until = offered_until - interval '7 days'")

    async def states(self, session_id: str) -> list[tuple[str, str]]:
        """Who comes first and their state, in the order of arrival."""
        items = (await self.ask("registrations", session_id=session_id))["items"]
        return [(item["name"], item["state"]) for item in items]

    async def letters(self, key: str) -> list[dict[str, Any]]:
        """What people are to be written, of one kind of fact, in the order in which it was announced."""
        rows = await self.rows("select body from outbox where routing_key like $1 order by id", f"%.{key}")
        return [entry["data"] for (body,) in rows for entry in _entries(orjson.loads(body))]


def _entries(body: Any) -> Sequence[Mapping[str, Any]]:
    return body if isinstance(body, list) else [body]


async def replayed(connection: AsyncConnection, session_id: str) -> tuple[Room, dict[str, Booking], int]:
    """The room as its log says, and the bookings and seats that the tables have."""
    first, *entries = [_logged(*row) for row in rows_of(await connection.exec_driver_sql(_LOG, (session_id,)))]
    assert first.act.terms is not None
    room = replay(first.act.terms, entries)
    kept = rows_of(
        await connection.exec_driver_sql(
            "select booking_id::text, seats, arrival, state, offered_until, lapses from bookings "
            "where session_id = $1::uuid",
            (session_id,),
        )
    )
    names = ("booking_id", "seats", "arrival", "state", "offered_until", "lapses")
    bookings = {row[0]: Booking(**dict(zip(names, row, strict=True))) for row in kept}
    held = rows_of(await connection.exec_driver_sql("select held from sessions where session_id = $1", (session_id,)))
    return room, bookings, held[0][0]


def _logged(*row: Any) -> Logged:
    act, booking_id, seats, at, asked, overruled, terms, decided_at, refusal = row
    return Logged(
        Act(
            kind=act,
            booking_id=booking_id or "",
            seats=seats,
            at=at,
            asked=asked,
            overruled=overruled,
            terms=None if terms is None else terms_from(terms),
        ),
        decided_at,
        refusal,
    )
