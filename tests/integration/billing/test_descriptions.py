"""What membership says of its records reaches billing whole: of each record, and of its member as it is shown."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.nodes import Nodes
from schemas.base import Fact
from schemas.envelope import Envelope
from schemas.membership import Addressee, MemberDescribed, MemberRemoved
from services.billing.members.repository import keep_descriptions
from services.billing.mirror.repository import BillingUnitOfWork
from services.common.sections import state_the_rest, statements
from services.membership.descriptions.queries import DESCRIPTIONS
from services.membership.identity.decisions import Signature, confirm
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from services.membership.usecases.keep_records import record_members
from tests.support.builders import a_member, unique
from tests.support.in_memory import POLICY
from tests.support.merging import Database, a_database, envelope, handled
from tests.support.sections import newest_stated

KEY = "traboule.membership.member-described"
STAFF = Signature("a test", "the same office")


@pytest.fixture(scope="module")
def membership(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "membership") as database:
        yield database


@pytest.fixture(scope="module")
def billing(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "billing") as database:
        yield database


@pytest.fixture
async def engine(membership: Database) -> AsyncIterator[AsyncEngine]:
    async with membership.engine() as engine:
        yield engine


def begin(connection: AsyncConnection) -> MembershipUnitOfWork:
    return MembershipUnitOfWork(connection, POLICY)


async def record(engine: AsyncEngine, cluster: str, *facts: Fact) -> None:
    batch = [envelope(fact, f"/{cluster}/membership") for fact in facts]
    await handled(engine, begin, record_members, batch)


async def described(engine: AsyncEngine) -> dict[str, dict[str, Any]]:
    """The newest description of each record, by its id."""
    await state_the_rest(DESCRIPTIONS, begin, engine)
    async with engine.begin() as connection:
        return {item["record_id"]: item for item in await newest_stated(connection, KEY)}


async def test_a_record_is_described_with_what_a_due_depends_on(engine: AsyncEngine) -> None:
    fact = a_member(siren="732 829 320", headcount="12 à 20", exempt=True, category="École")
    await record(engine, "numelink", fact)
    description = (await described(engine))[fact.record_id]
    assert description["member_id"] == RecordKey("numelink", fact.record_id).own_id
    assert description["own"]["siren"] == "732829320", "as it is understood"
    assert (description["headcount"], description["headcount_said_by"]) == ("12 à 20", [f"numelink/{fact.record_id}"])
    assert (description["exempt"], description["category"], description["version"]) == (True, "École", 1)


async def test_a_merge_describes_both_records_anew_and_each_keeps_its_own_words(engine: AsyncEngine) -> None:
    entry, two = a_member(name=unique("Forges"), headcount="12"), a_member(name=unique("Zug"), headcount=None)
    await record(engine, "numelink", entry)
    await record(engine, "clustr-numerique", two)
    before = await described(engine)
    assert before[two.record_id].get("headcount_shown") is None
    keys = RecordKey("numelink", entry.record_id), RecordKey("clustr-numerique", two.record_id)
    async with engine.begin() as connection:
        uow = begin(connection)
        await decide.decide(uow, confirm(keys), STAFF)
        await uow.outbox.flush(connection)
    first, second = [(await described(engine))[key.record_id] for key in keys]
    assert first["member_id"] == second["member_id"] == keys[1].own_id
    assert (first["version"], second["version"]) == (2, 2)
    assert [first["own"]["name"], second["own"]["name"]] == [entry.name, two.name]
    assert first["shown"] == second["shown"]
    assert (second.get("headcount"), second["headcount_shown"]) == (None, "12")


async def test_a_version_that_says_nothing_new_is_not_described(engine: AsyncEngine) -> None:
    fact = a_member()
    for version in (1, 2):
        await record(engine, "numelink", fact.model_copy(update={"version": version}))
        assert (await described(engine))[fact.record_id]["version"] == 1


async def test_a_removed_record_is_said_to_be_removed(engine: AsyncEngine) -> None:
    fact = a_member()
    await record(engine, "numelink", fact)
    await record(engine, "numelink", MemberRemoved(version=2, record_id=fact.record_id))
    description = (await described(engine))[fact.record_id]
    assert description["removed"]
    assert description["own"]["name"] == fact.name, "a debt does not vanish with a card that was thrown away"
    assert "shown" not in description


async def test_descriptions_are_told_again_under_their_versions(engine: AsyncEngine) -> None:
    await record(engine, "numelink", a_member())
    before = await described(engine)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("truncate outbox")
        uow = begin(connection)
        page = await statements(DESCRIPTIONS).page(uow, None)
        await uow.outbox.flush(connection)
    assert page.published == len(before)
    assert await described(engine) == before


async def test_billing_keeps_the_newest_in_any_order(billing: Database) -> None:
    def description(version: int, record_id: str, name: str) -> Envelope[Any]:
        own = Addressee(name=name)
        return envelope(MemberDescribed(version=version, cluster="numelink", record_id=record_id, own=own))

    batches = [[description(2, "A", "newer"), description(1, "B", "B")], [description(1, "A", "older")]]
    for order in (batches, batches[::-1], [batches[0], *batches]):
        async with billing.engine() as engine:
            async with engine.begin() as connection:
                await connection.exec_driver_sql("truncate descriptions")
            for batch in order:
                await handled(engine, lambda c: BillingUnitOfWork(c, "tresorerie"), keep_descriptions, batch)
            async with engine.begin() as connection:
                sql = "select record_id, version, document->'own'->>'name' from descriptions order by record_id"
                rows = list(await connection.exec_driver_sql(sql))
        assert [tuple(row) for row in rows] == [("A", 2, "newer"), ("B", 1, "B")]
