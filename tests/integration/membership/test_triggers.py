"""What triggers keep of records and views: each mark once in a transaction, and nothing for what did not change."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.base import Fact
from services.membership.unit_of_work import MembershipUnitOfWork
from shared.persistence.statements import execute, fetch, fetch_column, fetch_value
from tests.support.any_order import an_envelope, handle
from tests.support.builders import a_member
from tests.support.emptying import EMPTY
from tests.support.in_memory import POLICY
from tests.support.membership_database import an_engine, membership_database

CLUSTER = "numelink"
MARKS = ("section_changes", "contact_changes")


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[str]:
    with membership_database(nodes) as url:
        yield url


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    async with an_engine(database) as engine:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)
        yield engine


async def write(engine: AsyncEngine, *facts: Fact) -> None:
    async with engine.begin() as connection:
        await handle(
            partial(MembershipUnitOfWork, policy=POLICY)(connection), [an_envelope(CLUSTER, fact) for fact in facts]
        )


async def take_marks(engine: AsyncEngine) -> list[list[str]]:
    async with engine.begin() as connection:
        return [sorted(await fetch_column(connection, f"delete from {table} returning record_id")) for table in MARKS]


def member(record_id: str, version: int = 1, **different: Any) -> Fact:
    return a_member(
        record_id=record_id, name=f"Vioreau {record_id}", siren=None, email=None, version=version, **different
    )


async def test_a_record_and_its_view_are_marked_once(engine: AsyncEngine) -> None:
    await write(engine, member("M1"), member("M2"))
    assert await take_marks(engine) == [["M1", "M2"]] * 2
    await write(engine, member("M1", 2, phone="04 77 12 34 56"))
    assert await take_marks(engine) == [["M1"]] * 2


async def test_a_view_that_changes_marks_all_its_records(engine: AsyncEngine) -> None:
    await write(engine, member("M1"), member("M2", same_as="M1"), member("M3"))
    await take_marks(engine)
    await write(engine, member("M2", 2, same_as="M1", phone="04 77 12 34 56"))
    assert await take_marks(engine) == [["M1", "M2"]] * 2


async def test_marks_that_others_left_do_not_count_as_own(engine: AsyncEngine) -> None:
    await write(engine, member("M1"))
    await write(engine, member("M1", 2, phone="04 77 12 34 56"))
    assert await take_marks(engine) == [["M1", "M1"]] * 2


async def test_a_statement_that_changes_no_row_leaves_nothing(engine: AsyncEngine) -> None:
    await write(engine, member("M1"))
    await take_marks(engine)
    counted = (
        "select (select count(*) from review_changes), (select json_agg(p order by name)::text from picture_versions p)"
    )
    async with engine.begin() as connection:
        before = await fetch(connection, counted)
        for table in ("source_records", "views", "match_pairs", "related"):
            assert await execute(connection, f"insert into {table} select * from {table} where false") == 0
            assert await execute(connection, f"delete from {table} where false") == 0
        await execute(connection, "update source_records set removed = removed where false")
        await execute(connection, "update views set active = active where false")
        assert await fetch(connection, counted) == before
    assert await take_marks(engine) == [[], []]


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"name": "Vioreau"},
        {"contact_first_name": "Zoé"},
        {"contact_last_name": "D’Œuvre-Łaski"},
        {"contact_first_name": "Jean", "contact_last_name": "Naville", "name": "Vioreau"},
        {"works_for": "M1", "name": "Zoé Naville"},
        {"works_for": "", "name": "Vioreau"},
        {"name": 'says "works_for" of itself'},
        {"extra": {"works_for": "M1"}, "name": "Vioreau"},
    ],
)
async def test_words_of_a_contact_are_those_of_its_names(engine: AsyncEngine, written: dict[str, Any]) -> None:
    names = """
        select folded_words(concat_ws(' ', $1::json ->> 'contact_first_name', $1::json ->> 'contact_last_name',
                                      case when $1::json ->> 'works_for' <> '' then $1::json ->> 'name' end))
    """
    document = (orjson.dumps(written).decode(),)
    async with engine.begin() as connection:
        found = await fetch_value(connection, "select contact_words($1::json)", document)
        assert found == await fetch_value(connection, names, document)
