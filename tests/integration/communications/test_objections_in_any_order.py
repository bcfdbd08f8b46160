"""Objections are kept whoever knows them, suppress from then on, and no order of arrival lifts any."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.nodes import Nodes
from schemas.communications import ConsentRecorded
from schemas.membership_contacts import ContactDescribed
from services.communications.consents.history import suppress_unsuppressed
from services.communications.contacts.repository import keep_contacts
from services.communications.mirror.handlers import record_consents
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import Keyring
from tests.support.emptying import EMPTY
from tests.support.merging import Database, a_database, envelope, handled
from tests.support.sections import newest_stated

KEYS = Keyring.read("2027:" + "5a" * 32)
KEY = "traboule.communications.preferences-changed"
HANDLERS: dict[type[Any], Any] = {ConsentRecorded: record_consents, ContactDescribed: keep_contacts}


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "communications") as database:
        yield database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    async with database.engine() as engine:
        await emptied(engine)
        yield engine


async def emptied(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql(EMPTY)


def begin(connection: AsyncConnection) -> CommunicationsUnitOfWork:
    return CommunicationsUnitOfWork(connection, KEYS)


async def hear(engine: AsyncEngine, facts: Sequence[Any], unit_of_work: Any = begin) -> None:
    for fact in facts:
        source = "/traboule/membership" if isinstance(fact, ContactDescribed) else "/numelink/communications"
        await handled(engine, unit_of_work, HANDLERS[type(fact)], [envelope(fact, source)])


def a_consent(version: int = 1, status: str = "refused", **fields: Any) -> ConsentRecorded:
    usual = {
        "consent_id": "C1",
        "channel": "bulk-email",
        "purpose": "*",
        "decided_at": datetime(2026, 1, 5, tzinfo=UTC),
    }
    return ConsentRecorded.model_validate({"version": version, "status": status} | usual | fields)


def a_contact(record_id: str, email: str, version: int = 1, cluster: str = "numelink", **more: Any) -> ContactDescribed:
    return ContactDescribed(version=version, cluster=cluster, record_id=record_id, email=email, **more)


async def suppressed(engine: AsyncEngine) -> tuple[set[str], set[str]]:
    """Which of some addresses, and which records."""
    names = {KEYS.current(f"{name}@x.example").value: name for name in "abc"}
    async with engine.begin() as connection:
        rows = await connection.exec_driver_sql("select address_key from suppressions where address_key is not null")
        addresses = {names[bytes(value)] for value in rows.scalars()}
        rows = await connection.exec_driver_sql("select cluster || '/' || record_id from suppression_records")
        return addresses, set(rows.scalars())


async def refused(engine: AsyncEngine) -> set[str]:
    async with engine.begin() as connection:
        stated = await newest_stated(connection, KEY)
    return {each["record_id"] for each in stated if not all(item["allowed"] for item in each.get("in_force", ()))}


async def test_an_objection_of_an_address_reaches_the_record_that_gets_it_later(engine: AsyncEngine) -> None:
    facts = [a_consent(address=" A@x.example"), a_contact("R", "a@x.example"), a_contact("S", "b@x.example")]
    for order in permutations(facts):
        await emptied(engine)
        await hear(engine, order)
        assert await suppressed(engine) == ({"a"}, {"numelink/R"})
        assert await refused(engine) == {"R"}


async def test_another_cluster_s_record_with_the_address_is_refused_as_well(engine: AsyncEngine) -> None:
    await hear(engine, [a_contact("R", "a@x.example", cluster="clustr-numerique"), a_consent(address="a@x.example")])
    async with engine.begin() as connection:
        (stated,) = await newest_stated(connection, KEY)
    (preference,) = stated["in_force"]
    assert (stated["cluster"], preference["known_in"], preference["allowed"]) == ("clustr-numerique", "numelink", False)


async def test_a_record_s_objection_hangs_on_every_address_that_it_had(engine: AsyncEngine) -> None:
    facts = [a_consent(record_id="R"), a_contact("R", "a@x.example"), a_contact("R", "b@x.example", 2)]
    for order in permutations(facts):
        await emptied(engine)
        await hear(engine, order)
        addresses, records = await suppressed(engine)
        assert records == {"numelink/R"}
        # The address that it has, and each that it had since somebody objected.
        assert addresses == ({"b"} if order[-1] is facts[0] else {"a", "b"})


async def test_an_older_file_after_a_newer_one_lifts_nothing(engine: AsyncEngine) -> None:
    facts = [
        a_consent(1, "granted", record_id="R"),
        a_consent(2, record_id="R"),
        a_consent(3, "granted", record_id="R"),
    ]
    for order in permutations(facts):
        await emptied(engine)
        await hear(engine, order)
        assert (await suppressed(engine))[1] == {"numelink/R"}


async def test_the_same_file_again_adds_nothing(engine: AsyncEngine) -> None:
    await hear(engine, [a_consent(1, address="a@x.example"), a_contact("R", "a@x.example")])
    before = await everything(engine)
    await hear(engine, [a_consent(2, address="a@x.example"), a_contact("R", "a@x.example", 2)])
    assert await everything(engine) == before


async def everything(engine: AsyncEngine) -> list[Any]:
    tables = "consent_history", "suppressions", "suppression_records"
    async with engine.begin() as connection:
        return [[tuple(row) for row in await connection.exec_driver_sql(f"table {table}")] for table in tables]


async def test_what_was_lifted_stays_so_when_the_list_says_its_old_objection_again(engine: AsyncEngine) -> None:
    await hear(engine, [a_consent(address="a@x.example")])
    async with engine.begin() as connection:
        await connection.exec_driver_sql("update suppressions set lifted_at = now(), lifted_by = 'herself'")
    await hear(engine, [a_consent(2, address="a@x.example")])
    async with engine.begin() as connection:
        assert (await connection.exec_driver_sql("select count(lifted_at) from suppressions")).scalar_one() == 1


async def test_what_was_heard_without_a_secret_is_suppressed_once_there_is_one(
    engine: AsyncEngine,
) -> None:
    facts = [a_consent(address="a@x.example"), a_contact("R", "a@x.example"), a_consent(consent_id="C2", record_id="S")]
    await hear(engine, facts, CommunicationsUnitOfWork)
    assert await suppressed(engine) == (set(), set())
    await suppress_unsuppressed(KEYS, engine)
    assert await suppressed(engine) == ({"a"}, {"numelink/R", "numelink/S"})


async def test_a_card_that_refuses_newsletters_is_suppressed(engine: AsyncEngine) -> None:
    await hear(engine, [a_contact("R", "a@x.example", opt_outs=("bulk-email",)), a_contact("R", "a@x.example", 2)])
    assert await suppressed(engine) == ({"a"}, {"numelink/R"})


async def test_a_consent_of_an_address_is_announced_without_a_record(engine: AsyncEngine) -> None:
    await hear(engine, [a_consent(address="a@x.example")])
    async with engine.begin() as connection:
        sql = "select body from outbox where routing_key = 'traboule.communications.consent-changed'"
        (body,) = (await connection.exec_driver_sql(sql)).scalars()
    data = orjson.loads(body)["data"]
    assert (data["address"], "record_id" in data) == ("a@x.example", False)
