"""In whatever order a former system speaks, events ends with the same participations, in the bytes of before."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.nodes import Nodes
from schemas.envelope import Envelope
from schemas.events import EventRecorded, RegistrationRecorded
from services.common.sections import state_the_rest
from services.events.mirror.handlers import record_events, record_registrations
from services.events.mirror.repository import EventsUnitOfWork
from services.events.registrations.queries import PARTICIPATIONS
from services.membership.records.record import RecordKey, Related
from services.membership.views.registrations import registrations
from services.membership.views.unannounced import with_unannounced
from shared.persistence.database import create_engine
from tests.support import sections_before
from tests.support.builders import a_registration, an_event
from tests.support.examples import examples
from tests.support.merging import Database, a_database, deliveries, envelope, handled
from tests.support.sections import CLUSTER, kept, newest_stated

KEY = "traboule.events.participation-changed"
_versions = st.integers(1, 3)
_event_ids = st.sampled_from(["E1", "E2"])
_moments = st.sampled_from([datetime(2026, month, 3, 9, tzinfo=UTC) for month in (1, 2)])
_events = st.builds(
    EventRecorded,
    version=_versions,
    event_id=_event_ids,
    title=st.sampled_from(["Rencontre", "Atelier"]),
    starts_at=_moments,
    place=st.sampled_from([None, "Lyon"]),
    status=st.sampled_from(["planned", "planned", "held", "cancelled"]),
)
_registrations = st.builds(
    RegistrationRecorded,
    version=_versions,
    registration_id=st.sampled_from(["R1", "R2", "R3"]),
    event_id=_event_ids,
    record_id=st.sampled_from(["M1", "M2"]),
    registered_at=_moments,
    status=st.sampled_from(["registered", "waiting", "attended", "cancelled"]),
    seats=st.sampled_from([1, 2]),
)
_facts = st.lists(st.one_of(_events, _registrations), min_size=2, max_size=12).map(
    lambda facts: [envelope(fact, f"/{CLUSTER}/events") for fact in facts]
)


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "events") as database:
        yield database


def begin(connection: AsyncConnection) -> EventsUnitOfWork:
    return EventsUnitOfWork(connection, "animation")


@settings(
    max_examples=examples(20),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_two_deliveries_end_in_the_same_participations_and_in_the_bytes_of_the_version_before(
    database: Database, data: st.DataObject
) -> None:
    facts = data.draw(_facts)
    item, other = data.draw(deliveries(facts)), data.draw(deliveries(facts))

    async def compare() -> None:
        async with database.engine() as engine:
            stated = await stated_after(engine, item)
            assert stated == await stated_after(engine, other)
            before = items_of(facts)
            assert orjson.dumps(registrations(stated)) == orjson.dumps(sections_before.registrations(before))
            unannounced = with_unannounced(before)["participation"]
            assert orjson.dumps(registrations(unannounced)) == orjson.dumps(sections_before.registrations(before))
            assert expected(unannounced) == expected(stated)

    asyncio.run(compare())


async def emptied(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate events, registrations, outbox, section_versions, section_changes")


async def stated_after(engine: AsyncEngine, batches: list[list[Envelope[Any]]]) -> list[Related]:
    await emptied(engine)
    for batch in batches:
        handler = record_events if isinstance(batch[0].data, EventRecorded) else record_registrations
        await handled(engine, begin, handler, batch)
    async with engine.begin() as connection:
        return await kept(connection, "participation", KEY)


def items_of(facts: Sequence[Envelope[Any]]) -> list[Related]:
    """The newest registrations, each with the newest of its event, as the version before kept them."""
    events: dict[str, Envelope[Any]] = {}
    newest: dict[str, Envelope[Any]] = {}
    for message in sorted(facts, key=lambda fact: (fact.data.version, fact.digest)):
        if isinstance(message.data, EventRecorded):
            events[message.data.event_id] = message
        else:
            newest[message.data.registration_id] = message
    relateds: list[Related] = []
    for item_id, message in newest.items():
        event, key = events.get(message.data.event_id), RecordKey(CLUSTER, message.data.record_id)
        published = None if event is None else orjson.loads(event.document)
        relateds.append(Related("registration", key, item_id, orjson.loads(message.document), published))
    return relateds


def expected(participations: Sequence[Related]) -> set[tuple[str, str]]:
    return {
        (str(participation.key), item_id)
        for participation in participations
        for item_id in participation.document.get("expected", ())
    }


async def test_a_registration_and_its_gathering_that_are_saved_at_once_know_of_each_other(database: Database) -> None:
    """The registration by a replica of the version before, which takes no turn and states nothing."""
    engine = create_engine(database.url, application="tests", pool_size=2)
    await emptied(engine)
    registration = envelope(a_registration(event_id="E1", record_id="M1"), f"/{CLUSTER}/events")
    gathering = envelope(an_event(event_id="E1", title="Rencontre"), f"/{CLUSTER}/events")
    async with engine.connect() as older:
        await EventsUnitOfWork(older, "animation").save_registrations([registration])
        newer = asyncio.create_task(handled(engine, begin, record_events, [gathering]))
        await asyncio.sleep(0.5)
        assert not newer.done(), "it waits for the other to commit"
        await older.commit()
        await newer
    await state_the_rest(PARTICIPATIONS, begin, engine)
    async with engine.begin() as connection:
        [stated] = await newest_stated(connection, KEY)
    await engine.dispose()
    assert stated["registrations"][0]["event"]["title"] == "Rencontre"


async def test_a_gathering_that_is_called_off_is_no_longer_expected(database: Database) -> None:
    engine = create_engine(database.url, application="tests", pool_size=2)
    await emptied(engine)
    registration = envelope(a_registration(registration_id="R1", event_id="E1", record_id="M1"), f"/{CLUSTER}/events")
    await handled(engine, begin, record_registrations, [registration])
    result: list[Any] = []
    for version, status in ((1, "planned"), (2, "cancelled"), (3, "planned")):
        fact = envelope(an_event(event_id="E1", version=version, status=status), f"/{CLUSTER}/events")
        await handled(engine, begin, record_events, [fact])
        async with engine.begin() as connection:
            result += [item.get("expected", []) for item in await newest_stated(connection, KEY)]
    await engine.dispose()
    assert result == [["R1"], [], ["R1"]]
