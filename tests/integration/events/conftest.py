"""One database of events for all tests here, emptied before each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.nodes import Nodes
from tests.support.events import Events, replayed
from tests.support.merging import Database, a_database


@pytest.fixture(scope="package")
def events_database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "events") as database:
        yield database


@pytest.fixture
async def events(events_database: Database) -> AsyncIterator[Events]:
    """Events with an empty database; at the end each log leads to what the tables have."""
    async with events_database.engine(pool_size=8) as engine:
        events = Events(engine)
        await events.empty()
        yield events
        sessions = await events.rows("select session_id::text from sessions")
        async with engine.connect() as connection:
            for (session_id,) in sessions:
                room, bookings, held = await replayed(connection, session_id)
                assert (room.bookings, room.held) == (bookings, held)
                assert held == sum(b.seats for b in bookings.values() if b.state in ("registered", "offered"))
