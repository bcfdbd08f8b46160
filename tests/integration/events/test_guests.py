"""Gatherings with sessions, and registrations of guests, are mirrored whole, compared and announced."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.digests import record_digest
from schemas.events import EventRecorded, EventSession, Registrant, RegistrationRecorded
from services.common.sections import state_the_rest
from services.cutover.parity.mirror_reader import read_mirror
from services.events.mirror.handlers import record_events, record_registrations
from services.events.mirror.parity import KINDS
from services.events.mirror.repository import EventsUnitOfWork
from services.events.mirror.republish import REPUBLISHED
from services.events.registrations.queries import PARTICIPATIONS
from tests.support.merging import Database, a_database, envelope, handled

SOURCE, NINE = "/numelink/events", datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
SESSION = EventSession(session_id="S1", title="Atelier", starts_at=NINE, capacity=12)
EVENT = EventRecorded(
    version=1, event_id="E1", title="Apéro", starts_at=NINE, capacity=80, closes_at=NINE, sessions=(SESSION,)
)
GUEST = RegistrationRecorded(
    version=1,
    registration_id="R1",
    event_id="E1",
    registered_at=NINE,
    registrant=Registrant(kind="guest", name="Zoé Müller", email="zoe@x.example"),
)


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "events") as database:
        yield database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    async with database.engine() as engine:
        await handled(engine, begin, record_events, [envelope(EVENT, SOURCE)])
        await handled(engine, begin, record_registrations, [envelope(GUEST, SOURCE)])
        yield engine


def begin(connection: Any) -> EventsUnitOfWork:
    return EventsUnitOfWork(connection, "evenements")


async def test_what_is_mirrored_is_what_was_said(engine: AsyncEngine) -> None:
    for kind, fact in zip(KINDS, (EVENT, GUEST), strict=True):
        async with engine.begin() as connection:
            key = "numelink", getattr(fact, kind.key)
            (stored,) = (await read_mirror(connection, kind, [key])).values()
        assert stored == fact
        assert record_digest(stored) == record_digest(fact)


async def test_what_is_told_again_is_the_same_event(engine: AsyncEngine) -> None:
    first = await announced(engine)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate outbox")
        uow = begin(connection)
        for republisher in REPUBLISHED[:2]:
            await republisher.page(uow, None)
        await uow.outbox.flush(connection)
    again = await announced(engine)
    assert first.keys() & again.keys() == again.keys() != set()


async def announced(engine: AsyncEngine) -> dict[str, Any]:
    async with engine.begin() as connection:
        bodies = (await connection.exec_driver_sql("select body from outbox")).scalars()
    events = [
        each
        for body in bodies
        for tree in [orjson.loads(body)]
        for each in (tree if isinstance(tree, list) else [tree])
    ]
    return {event["id"]: event["data"] for event in events if "participation" not in event["type"]}


async def test_a_guest_has_no_section_of_a_record(engine: AsyncEngine) -> None:
    await state_the_rest(PARTICIPATIONS, begin, engine)
    async with engine.begin() as connection:
        assert (await connection.exec_driver_sql("select count(*) from section_versions")).scalar_one() == 0
