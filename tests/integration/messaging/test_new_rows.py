"""Rows that are written by COPY where they are many, and by a statement where they are few, are the same rows."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.nodes import Nodes
from shared.messaging.failures import Park, decide
from shared.persistence.database import create_engine
from shared.persistence.new_rows import MANY, NewRows

ROWS = NewRows(
    "new_rows", number="bigint", name="text", amount="numeric", at="timestamptz", about="jsonb", body="bytea"
)


@pytest.fixture
async def engine(nodes: Nodes) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(nodes.database.url, application="test", pool_size=1)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("drop table if exists new_rows")
        await connection.exec_driver_sql(
            "create table new_rows (number bigint primary key, name text, amount numeric(12, 2), at timestamptz,"
            " about jsonb, body bytea, kept_at timestamptz not null default now())"
        )
    yield engine
    await engine.dispose()


def rows(count: int) -> list[tuple[object, ...]]:
    awkward = "tab\t newline\n back\\slash \\N \"quotes\" 'é' €"
    return [(number, awkward, Decimal("1.10"), None, '{"a": [1, null]}', b"\x00\\\xff") for number in range(count)]


async def kept(connection: AsyncConnection) -> list[tuple[object, ...]]:
    asked = "select number, name, amount, at, about::text, body, kept_at is not null from new_rows order by number"
    return [tuple(row) for row in await connection.exec_driver_sql(asked)]


@pytest.mark.parametrize("count", [0, 1, MANY - 1, MANY, 3 * MANY])
async def test_all_are_there_as_they_were_given(engine: AsyncEngine, count: int) -> None:
    async with engine.begin() as connection:
        await ROWS.insert(connection, rows(count))
        assert await kept(connection) == [(*row, True) for row in rows(count)]


@pytest.mark.parametrize("count", [1, MANY])
async def test_they_are_of_the_transaction_even_as_its_first_statement(engine: AsyncEngine, count: int) -> None:
    async with engine.connect() as connection:
        await ROWS.insert(connection, rows(count))
        await connection.rollback()
    async with engine.begin() as connection:
        assert await kept(connection) == []


@pytest.mark.parametrize("count", [2, MANY])
async def test_a_row_that_is_there_already_is_refused_as_by_any_statement(engine: AsyncEngine, count: int) -> None:
    with pytest.raises(IntegrityError) as error:
        async with engine.begin() as connection:
            await ROWS.insert(connection, [*rows(count), *rows(1)])
    assert decide(error.value, 0) == Park("rejected-by-database", "the database refuses its data: SQLSTATE 23505")
    async with engine.begin() as connection:
        assert await kept(connection) == []


@pytest.mark.parametrize("count", [1, MANY])
async def test_a_value_that_no_column_takes_is_refused(engine: AsyncEngine, count: int) -> None:
    with pytest.raises(DBAPIError) as error:
        async with engine.begin() as connection:
            await ROWS.insert(connection, [(*row[:1], "a\x00b", *row[2:]) for row in rows(count)])
    assert isinstance(decide(error.value, 0), Park)
