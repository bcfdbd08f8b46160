"""Many records that are alike cost as much as others do: pairs grow with records, and the event loop is never held."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.base import Fact
from services.membership.identity.decisions import Signature
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from services.membership.usecases.keep_records import record_members
from tests.support.any_order import an_envelope
from tests.support.builders import a_member
from tests.support.emptying import EMPTY
from tests.support.in_memory import POLICY
from tests.support.merging import Database, a_database

CLUSTER = "numelink"
SAME: dict[str, Any] = {"name": "Fédération Houille", "email": None, "street": "3 rue des Lilas", "postcode": "42000"}
NUMBERED: dict[str, Any] = SAME | {"siren": "732829320", "email": "contact@houille.example"}


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "membership") as database:
        yield database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    async with database.engine() as engine:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)
        yield engine


async def feed(engine: AsyncEngine, facts: Sequence[Fact], cluster: str = CLUSTER) -> None:
    async with engine.begin() as connection:
        await record_members(MembershipUnitOfWork(connection, POLICY), [an_envelope(cluster, fact) for fact in facts])


async def column(engine: AsyncEngine, sql: str) -> list[Any]:
    async with engine.begin() as connection:
        return list((await connection.exec_driver_sql(sql)).scalars())


@asynccontextmanager
async def longest_lock() -> AsyncIterator[list[float]]:
    """Seconds of work for which the event loop did nothing else; a busy machine's own pauses do not count."""
    stored = [0.0]

    async def beat() -> None:
        worked = time.process_time()
        while True:
            await asyncio.sleep(0.002)
            worked, before = time.process_time(), worked
            stored[0] = max(stored[0], worked - before)

    # Looking through all that pytest holds takes longer than anything here; a service freezes what it starts with.
    gc.collect()
    gc.freeze()
    beating = asyncio.create_task(beat())
    try:
        yield stored
    finally:
        beating.cancel()
        gc.unfreeze()


def alike(start: int, end: int) -> list[Fact]:
    """Five of six with one SIREN and mail, all of one name and address."""
    return [a_member(record_id=f"{at:05}", **(NUMBERED if at % 6 else SAME)) for at in range(start, end)]


async def test_pairs_grow_with_records_and_the_loop_goes_on(engine: AsyncEngine) -> None:
    await feed(engine, alike(0, 60))  # what is done the first time only, such as compiling patterns
    batches = [[an_envelope(CLUSTER, fact) for fact in alike(start, start + 85)] for start in range(60, 400, 85)]
    async with longest_lock() as stored:
        for batch in batches:
            async with engine.begin() as connection:
                await record_members(MembershipUnitOfWork(connection, POLICY), batch)
    [pairs] = await column(engine, "select count(*) from match_pairs")
    assert pairs < 4 * 400
    assert stored[0] < 0.1
    members = await column(engine, "select count(*) from source_records group by member_id order by 1 desc")
    assert members == [333, *[1] * 67]
    crowds = await column(engine, "select left(key, 1) from match_crowds order by 1")
    assert crowds == ["b", "b", "n", "s", "u"]


async def test_records_of_one_siren_and_name_stay_together_when_one_leaves(engine: AsyncEngine) -> None:
    await feed(engine, [a_member(record_id=f"{at:05}", **NUMBERED) for at in range(120)])
    for first in ("00000", "00001"):
        async with engine.begin() as connection:
            uow = MembershipUnitOfWork(connection, POLICY)
            await decide.separate(uow, [RecordKey(CLUSTER, first)], Signature("a test", "another company"))
    members = await column(engine, "select count(*) from source_records group by member_id order by 1 desc")
    assert members == [118, 1, 1]


async def test_a_federation_that_writes_its_own_number_everywhere(engine: AsyncEngine) -> None:
    rng = Random(3)
    names = ["".join(rng.choices("BCDFGLMNPRST", k=9)) for _ in range(300)]
    own = {"siren": "732829320", "email": "contact@houille.example"}
    for start in range(0, 300, 100):
        facts = [
            a_member(record_id=name, name=name, postcode=f"42{at:03}", **own)
            for at, name in enumerate(names[start : start + 100], start)
        ]
        await feed(engine, facts)
    [pairs] = await column(engine, "select count(*) from match_pairs")
    assert pairs < 300
    assert await column(engine, "select key from match_crowds where key like 's:%'") == ["s:732829320"]


async def test_names_alike_that_all_differ(engine: AsyncEngine) -> None:
    for start in range(0, 450, 150):
        facts = [
            a_member(record_id=str(at), name=f"Lumerinance section {at} du Forez", email=None, postcode="42000")
            for at in range(start, start + 150)
        ]
        await feed(engine, facts)
    [pairs] = await column(engine, "select count(*) from match_pairs")
    assert pairs < 450


async def test_all_paid_for_the_same_days(engine: AsyncEngine) -> None:
    paid = {"paid_until": "2026-12-31", **NUMBERED}
    await feed(engine, [a_member(record_id=f"{at:05}", **paid) for at in range(90)])
    [conflicts] = await column(engine, "select count(*) from merge_conflicts where gone_at is null")
    assert conflicts == 89


@pytest.mark.parametrize("field", ["name", "brand", "city", "street", "email", "website"])
async def test_a_thousand_characters_of_any_script_are_kept(engine: AsyncEngine, field: str) -> None:
    # Of different characters: those of one kind are compressed until they fit.
    rng = Random(5)
    long = "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(1_000))
    published = {"name": "Houille", "email": None, "city": "Roanne", field: long}
    await feed(engine, [a_member(record_id="1", **published), a_member(record_id="2", **published)])
    assert await column(engine, f"select written ->> '{field}' from source_records") == [long, long]
    assert len(await column(engine, "select document from views")) in {1, 2}
    assert max(await column(engine, "select octet_length(key) from match_keys")) < 2_704
