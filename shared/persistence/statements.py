"""Bare SQL on the driver itself, within the transaction of an SQLAlchemy connection: for whoever writes in batches.

SQLAlchemy's own way costs 110 µs of processor more for each statement and 1.5 µs for each row: contexts, cursors and
rows of which bare SQL has no need. Errors are SQLAlchemy's, so that nobody has to know two kinds of them.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final, cast
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

Values = Sequence[Any]
"""Of ``$1``, ``$2`` and so on."""

_UNNESTED: Final = re.compile(r"unnest\(([^()]*)\)")
_ARRAY: Final = re.compile(r"\$(\d+)::(?:text|int|bigint|uuid|boolean|date)\[\]", re.IGNORECASE)
_PLACE: Final = re.compile(r"\$(\d+)\b")


async def fetch(connection: AsyncConnection, sql: str, values: Values = ()) -> Sequence[tuple[Any, ...]]:
    """Every row of a statement. Raises DBAPIError."""
    driver = await driver_of(connection)
    text, sent = _sent(sql, values)
    try:
        return await driver.fetch(text, *sent)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise refused(driver, error) from error


async def fetch_column(connection: AsyncConnection, sql: str, values: Values = ()) -> list[Any]:
    """The first value of every row. Raises DBAPIError."""
    return [row[0] for row in await fetch(connection, sql, values)]


async def fetch_value(connection: AsyncConnection, sql: str, values: Values = ()) -> Any:
    """The first value of the only row; None without a row. Raises DBAPIError."""
    rows = await fetch(connection, sql, values)
    return rows[0][0] if rows else None


async def execute(connection: AsyncConnection, sql: str, values: Values = ()) -> int:
    """Do as a statement says; the number of rows that it concerned, 0 where it concerns none. Raises DBAPIError."""
    driver = await driver_of(connection)
    text, sent = _sent(sql, values)
    try:
        status: str = await driver.execute(text, *sent)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise refused(driver, error) from error
    count = status.rpartition(" ")[2]
    return int(count) if count.isdecimal() else 0


async def driver_of(connection: AsyncConnection) -> Any:
    """The asyncpg connection below, in a transaction. Raises DBAPIError."""
    driver: Any = cast("Any", connection.sync_connection).connection.driver_connection
    if not driver.is_in_transaction():
        # SQLAlchemy begins with its own first statement: ours would commit by itself.
        await connection.exec_driver_sql("select 1")
    return driver


def refused(driver: Any, error: Exception) -> DBAPIError:
    """The error that SQLAlchemy would raise for one of the driver's."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return IntegrityError("statement", None, error)
    return DBAPIError("statement", None, error, connection_invalidated=driver.is_closed())


# --- arrays --------------------------------------------------------------------------------------------------------


def _sent(sql: str, values: Values) -> tuple[str, Values]:
    """The statement and its values as they are sent: arrays that are unnested go as one text each.

    The driver asks of each element of an array whether it is an array itself, which takes four times what the whole
    array does as text.
    """
    text, places = _as_text(sql)
    if not places:
        return text, values
    sent = list(values)
    for place in places:
        if sent[place] is not None:
            sent[place] = array_text(sent[place])
    return text, sent


@cache
def _as_text(sql: str) -> tuple[str, tuple[int, ...]]:
    """The statement that takes such arrays as text, and their places. Elsewhere each row would read its array anew."""
    unnested = [int(place) for inside in _UNNESTED.findall(sql) for place in _ARRAY.findall(inside)]
    uses = [int(place) for place in _PLACE.findall(sql)]
    places = {place for place in unnested if uses.count(place) == unnested.count(place)}

    def cast_twice(inside: re.Match[str]) -> str:
        return _ARRAY.sub(lambda array: _cast_twice(array, places), inside[0])

    return _UNNESTED.sub(cast_twice, sql), tuple(sorted(place - 1 for place in places))


def _cast_twice(array: re.Match[str], places: set[int]) -> str:
    return array[0].replace("::", "::text::", 1) if int(array[1]) in places else array[0]


def array_text(elements: Sequence[Any]) -> str:
    """Texts, whole numbers, ids, days, None: as PostgreSQL reads an array (manual, 8.15.6). Else raises TypeError."""
    try:
        joined = '","'.join(elements)
    except TypeError:
        return "{" + ",".join(map(_element, elements)) + "}"
    if "\\" in joined or joined.count('"') != 2 * (len(elements) - 1):
        return "{" + ",".join(map(_element, elements)) + "}"
    return f'{{"{joined}"}}'


def _element(element: object) -> str:
    if element is None:
        return "null"
    if isinstance(element, str):
        return '"' + element.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(element, int | UUID) or type(element) is date:
        return str(element)
    raise TypeError(f"no array holds a {type(element).__name__}")
