"""In whatever order a former system speaks, communications ends with the same preferences, in the bytes of before."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.communications import ConsentRecorded
from schemas.envelope import Envelope
from services.communications.mirror.handlers import record_consents
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.membership.records.record import RecordKey, Related, SourceRecord
from services.membership.views.consents import consents
from services.membership.views.unannounced import with_unannounced
from tests.support import sections_before
from tests.support.examples import examples
from tests.support.merging import Database, a_database, deliveries, envelope, handled
from tests.support.sections import CLUSTER, kept

_consents = st.builds(
    ConsentRecorded,
    version=st.integers(1, 3),
    consent_id=st.sampled_from(["C1", "C2", "C3", "C4"]),
    record_id=st.sampled_from(["M1", "M2"]),
    channel=st.sampled_from(["email", "bulk-email"]),
    purpose=st.sampled_from(["news", "*"]),
    status=st.sampled_from(["granted", "refused", "withdrawn"]),
    brand=st.sampled_from([None, "Gier"]),
    decided_at=st.sampled_from(
        [datetime(2026, month, 3, 9, 0, 0, part, tzinfo=UTC) for month, part in ((1, 0), (1, 5), (2, 0))]
    ),
)
_facts = st.lists(_consents, min_size=2, max_size=12).map(
    lambda facts: [envelope(fact, f"/{CLUSTER}/communications") for fact in facts]
)
RECORDS = [
    SourceRecord(RecordKey(CLUSTER, "M1"), {"opt_outs": ["email"]}, {}, None, None, "", None),
    SourceRecord(RecordKey(CLUSTER, "M2"), {}, {}, None, None, "", None),
]


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "communications") as database:
        yield database


@settings(
    max_examples=examples(30),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_two_deliveries_end_in_the_same_preferences_and_in_the_bytes_of_the_version_before(
    database: Database, data: st.DataObject
) -> None:
    facts, records = data.draw(_facts), data.draw(st.sampled_from([RECORDS, RECORDS[1:], []]))
    item, other = data.draw(deliveries(facts)), data.draw(deliveries(facts))

    async def compare() -> None:
        async with database.engine() as engine:
            stated = await stated_after(engine, item)
            assert stated == await stated_after(engine, other)
            before = items_of(facts)
            expected = orjson.dumps(sections_before.consents(records, before))
            assert orjson.dumps(consents(records, stated)) == expected
            assert orjson.dumps(consents(records, with_unannounced(before)["preferences"])) == expected

    asyncio.run(compare())


async def stated_after(engine: AsyncEngine, batches: list[list[Envelope[Any]]]) -> list[Related]:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate consents, outbox, section_versions, section_changes")
    for batch in batches:
        await handled(engine, CommunicationsUnitOfWork, record_consents, batch)
    async with engine.begin() as connection:
        return await kept(connection, "preferences", "traboule.communications.preferences-changed")


def items_of(facts: Sequence[Envelope[Any]]) -> list[Related]:
    newest: dict[str, Envelope[Any]] = {}
    for message in sorted(facts, key=lambda fact: (fact.data.version, fact.digest)):
        newest[message.data.consent_id] = message
    return [
        Related("consent", RecordKey(CLUSTER, message.data.record_id), item_id, orjson.loads(message.document))
        for item_id, message in newest.items()
    ]
