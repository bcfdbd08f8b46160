"""Cases as rows: what the version before wrote is seen to as well, and what does not change is not written again."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.envelope import Envelope, encode, source_of
from schemas.membership import MemberRecorded
from schemas.reading import read
from services.gateway import app
from services.membership.connections import ReadPool
from services.membership.identity import review_rows
from services.membership.identity.review_answers import all_cases
from services.membership.identity.review_rows import Wanted
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import keep_records, rebuild
from tests.support.builders import a_member
from tests.support.emptying import EMPTY
from tests.support.in_memory import POLICY
from tests.support.membership_database import an_engine, execute, membership_database

NAMES = ("Forges du Gier", "Tissages du Rhône", "Papeteries du Pilat")


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[str]:
    with membership_database(nodes) as url:
        yield url


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """Three questions, each about a record of either cluster."""
    await execute(database, EMPTY)
    async with an_engine(database, 2) as engine:
        for cluster in ("clustr-numerique", "numelink"):
            members = [a_member(record_id=f"{n}", name=name, email=None) for n, name in enumerate(NAMES)]
            await handle_members(engine, cluster, members)
        yield engine


@pytest.fixture
async def pool(database: str) -> AsyncIterator[ReadPool]:
    pool = ReadPool(database, application="test", size=1)
    yield pool
    await pool.close()


def begin(connection: object) -> MembershipUnitOfWork:
    return MembershipUnitOfWork(connection, POLICY)  # pyright: ignore[reportArgumentType]


async def handle_members(engine: AsyncEngine, cluster: str, members: list[MemberRecorded]) -> None:
    """As the consumers of this version do."""
    message = encode(source_of(cluster, "membership"), members)
    envelopes = [
        item for item in read(MemberRecorded, message.body, message.content_type, {}) if isinstance(item, Envelope)
    ]
    async with engine.begin() as connection:
        await keep_records.record_members(begin(connection), envelopes)


async def test_marks_that_others_left_are_seen_to(database: str, engine: AsyncEngine, pool: ReadPool) -> None:
    # As a process of the version before leaves it: marks, and rows as they were.
    await execute(
        database,
        "delete from match_pairs where a_record_id = '0' or b_record_id = '0'",
        "update views set active = false from source_records s where s.own_id = views.member_id and s.record_id = '1'",
    )
    async with pool.snapshot() as rows:
        assert await review_rows.any_marks(rows)
        assert await review_rows.count(rows, Wanted()) == 3

    await app.see_to_cases(begin, engine)

    async with pool.snapshot() as rows:
        stored = await review_rows.page(rows, Wanted(), after=None, limit=10)
        assert (stored, len(stored)) == (await all_cases(rows), 2)
        assert not await review_rows.any_marks(rows)
        assert [case.gain for case in stored] == sorted({case.gain for case in stored}, reverse=True)


async def test_many_marks_are_seen_to_one_page_after_the_other(
    database: str, engine: AsyncEngine, pool: ReadPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await execute(
        database,
        "delete from review_cases",
        "insert into review_changes (cluster, record_id) select cluster, record_id from source_records",
    )
    monkeypatch.setattr(review_rows, "MOST_MARKS", 2)
    monkeypatch.setattr(review_rows, "_ANY", review_rows._ANY.replace("5000", "2"))  # pyright: ignore[reportPrivateUsage]

    await app.see_to_cases(begin, engine)

    assert await review_rows.count(pool, Wanted()) == 3


async def test_a_case_that_stays_the_same_is_not_written_again(engine: AsyncEngine, pool: ReadPool) -> None:
    before = await pool.fetch("select case_id, xmin::text from review_cases order by 1")
    changed = [a_member(record_id="0", name=NAMES[0], version=2, email=None, headcount="12")]

    await handle_members(engine, "numelink", changed)

    assert await pool.fetch("select case_id, xmin::text from review_cases order by 1") == before


async def test_a_rebuild_makes_all_of_them(database: str, engine: AsyncEngine, pool: ReadPool) -> None:
    await execute(database, "delete from review_cases")

    async with engine.begin() as connection:
        await rebuild.rebuild(begin(connection), lambda *_: None)

    async with pool.snapshot() as rows:
        assert await review_rows.page(rows, Wanted(), after=None, limit=10) == await all_cases(rows)
        assert await review_rows.count(rows, Wanted()) == 3
        assert not await review_rows.any_marks(rows)


async def test_a_record_that_is_removed_is_in_no_case(database: str, engine: AsyncEngine) -> None:
    first = RecordKey("clustr-numerique", "0")
    await execute(
        database,
        "update source_records set removed = true where cluster = 'clustr-numerique' and record_id = '0'",
    )

    await app.see_to_cases(begin, engine)

    pool = ReadPool(database, application="test", size=1)
    try:
        assert await review_rows.count(pool, Wanted(member_id=first.own_id)) == 0
        assert await review_rows.count(pool, Wanted()) == 2
    finally:
        await pool.close()
