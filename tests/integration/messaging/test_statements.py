"""Bare SQL on the driver itself: one transaction with SQLAlchemy's statements, the same values, the same errors."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from shared.messaging.failures import Park, PauseUntilDatabase, decide
from shared.persistence.database import create_engine
from shared.persistence.statements import array_text, execute, fetch, fetch_column, fetch_value
from tests.support.statements import notice_statements

AWKWARD = ["", " ", "null", "NULL", '"', "\\", '\\"', ",", "{}", '","', "a\nb\t", "é€𝄞", "'", "\\N", None]
TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))


@pytest.fixture
async def engine(nodes: Nodes) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(nodes.database.url, application="test", pool_size=2)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("drop table if exists stated")
        await connection.exec_driver_sql("create table stated (number bigint primary key)")
    yield engine
    await engine.dispose()


# --- arrays --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [AWKWARD, [], ["plain"], ["a", "b"], [None], AWKWARD[::-1]])
async def test_texts_arrive_as_they_were(engine: AsyncEngine, texts: list[str | None]) -> None:
    async with engine.begin() as connection:
        assert await fetch_column(connection, "select t from unnest($1::text[]) as n (t)", (texts,)) == texts


@pytest.mark.hypothesis
def test_any_texts_arrive_as_they_were(nodes: Nodes) -> None:
    async def arrived(lists: list[list[str | None]]) -> list[list[str | None]]:
        engine = create_engine(nodes.database.url, application="test", pool_size=1)
        async with engine.begin() as connection:
            sql = "select t from unnest($1::text[]) as n (t)"
            came = [await fetch_column(connection, sql, (texts,)) for texts in lists]
        await engine.dispose()
        return came

    @given(st.lists(TEXTS))
    def arrive(lists: list[list[str | None]]) -> None:
        assert asyncio.run(arrived(lists)) == lists

    arrive()


async def test_numbers_ids_days_and_truths_arrive_too(engine: AsyncEngine) -> None:
    sent: tuple[list[Any], ...] = (
        [1, None, -(2**62)],
        [2**31 - 1, 0, None],
        [UUID(int=7), None, UUID(int=8)],
        [True, False, None],
        ["é"] * 3,
        [date(2026, 12, 1), date(1, 1, 1), None],
    )
    sql = """
        select n.* from unnest($1::bigint[], $2::INT[], $3::uuid[], $4::boolean[], $5::text[], $6::DATE[])
            as n (a, b, c, d, e, f)
    """
    async with engine.begin() as connection:
        assert [tuple(row) for row in await fetch(connection, sql, sent)] == list(zip(*sent, strict=True))
        ids = [str(UUID(int=7)), None]
        assert await fetch_column(connection, "select * from unnest($1::uuid[])", (ids,)) == [UUID(int=7), None]


@pytest.mark.parametrize(
    ("kind", "elements"),
    [
        ("text", ["a", b"bytes"]),
        ("text", ["a", 5]),
        ("text", [["a list"]]),
        ("text", "letters"),
        ("text", b"bytes"),
        ("text", iter(["once", None])),
        ("text", {"a": 1}),
        ("int", [1.5]),
        ("bigint", ["5"]),
        ("boolean", ["yes"]),
        ("date", ["2026-12-01"]),
    ],
)
async def test_what_the_driver_would_refuse_is_refused(kind: str, elements: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{kind}\[\] "):
        array_text(kind, elements)


async def test_no_array_is_no_array(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert await fetch_column(connection, "select * from unnest($1::text[])", (None,)) == []


async def test_an_array_that_each_row_looks_at_goes_as_it_is(engine: AsyncEngine) -> None:
    sent: list[str] = []
    end = notice_statements(lambda _, sql: sent.append(sql))
    both = "select t from unnest($1::text[]) as n (t) where t = any($1::text[])"
    each = "select t from unnest($1::text[]) as n (t) where t = any($2::text[])"
    try:
        async with engine.begin() as connection:
            assert await fetch_column(connection, both, (["a", "b"],)) == ["a", "b"]
            assert await fetch_column(connection, each, (["a", "b"], ["b"])) == ["b"]
    finally:
        end()
    assert sent[-2:] == [both, each.replace("$1::text[]", "$1::text::text[]")]


# --- transactions and errors ---------------------------------------------------------------------------------------


async def test_the_first_statement_is_of_the_transaction(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await execute(connection, "insert into stated select * from unnest($1::bigint[])", ([1, 2],)) == 2
        await connection.rollback()
    async with engine.begin() as connection:
        assert await fetch_value(connection, "select count(*) from stated") == 0


async def test_both_ways_see_one_transaction(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("insert into stated values (1)")
        assert await fetch_column(connection, "select number from stated") == [1]
        assert await execute(connection, "update stated set number = number + 1") == 1
        assert (await connection.exec_driver_sql("select number from stated")).scalar_one() == 2
        assert await execute(connection, "delete from stated where number = $1", (9,)) == 0
        assert await fetch_value(connection, "select number from stated where number = $1", (9,)) is None
        assert await execute(connection, "notify nobody") == 0


async def test_errors_are_those_of_sqlalchemy(engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError) as twice:
        async with engine.begin() as connection:
            await execute(connection, "insert into stated values ($1), ($1)", (1,))
    assert decide(twice.value, 0) == Park("rejected-by-database", "the database refuses its data: SQLSTATE 23505")
    no_id = f'{UUID(int=7)}","{UUID(int=8)}'
    for sql, value in (("select $1::int / 0", 1), ("select * from unnest($1::uuid[])", [no_id])):
        with pytest.raises(DBAPIError) as wrong:
            async with engine.begin() as connection:
                await fetch(connection, sql, (value,))
        assert isinstance(decide(wrong.value, 0), Park)


@pytest.mark.parametrize("call", [fetch, execute])
async def test_a_session_that_ended_is_waited_for_and_replaced(engine: AsyncEngine, call: Any) -> None:
    async def ended() -> None:
        async with engine.begin() as connection, engine.begin() as other:
            pid = await fetch_value(connection, "select pg_backend_pid()")
            await execute(other, "select pg_terminate_backend($1)", (pid,))
            await call(connection, "select 1")

    with pytest.raises(DBAPIError) as gone:
        await ended()
    assert decide(gone.value, 0) == PauseUntilDatabase()
    async with engine.begin() as connection:
        assert await fetch_value(connection, "select 1") == 1
