"""Bare SQL on the driver itself, within the transaction of an SQLAlchemy connection: for whoever writes in batches.

SQLAlchemy's own way costs 110 µs of processor more for each statement and 1.5 µs for each row: contexts, cursors and
rows of which bare SQL has no need. Errors are SQLAlchemy's, so that nobody has to know two kinds of them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, Final, cast

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

Values = Sequence[Any]
"""Of ``$1``, ``$2`` and so on."""

_UNNESTED: Final = re.compile(r"unnest\(([^()]*)\)")
_ARRAY: Final = re.compile(r"\$(\d+)::(text|int|bigint|uuid|boolean|date)\[\]", re.IGNORECASE)
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
    for place, kind in places.items():
        if sent[place] is not None:
            sent[place] = array_text(kind, sent[place])
    return text, sent


@cache
def _as_text(sql: str) -> tuple[str, Mapping[int, str]]:
    """The statement that takes such arrays as text, and their kinds by place. Elsewhere each row would read its own."""
    unnested = [array for inside in _UNNESTED.findall(sql) for array in _ARRAY.findall(inside)]
    named = [place for place, _ in unnested]
    uses = _PLACE.findall(sql)
    kinds = {place: kind.lower() for place, kind in unnested if uses.count(place) == named.count(place)}

    def cast_twice(inside: re.Match[str]) -> str:
        return _ARRAY.sub(lambda array: _cast_twice(array) if array[1] in kinds else array[0], inside[0])

    return _UNNESTED.sub(cast_twice, sql), {int(place) - 1: kind for place, kind in kinds.items()}


def _cast_twice(array: re.Match[str]) -> str:
    return array[0].replace("::", "::text::", 1)


def array_text(kind: str, elements: Sequence[Any]) -> str:
    """Elements of one kind, or None, as PostgreSQL reads an array (manual, 8.15.6).

    As strict as the driver: raises TypeError for what is no list, and for elements of another kind.
    """
    if not isinstance(elements, list | tuple):
        raise TypeError(f"{kind}[] needs a list, not a {type(elements).__name__}")
    element = _ELEMENTS[kind]
    try:
        if kind == "text" and None not in elements:
            joined = '","'.join(elements)
            if elements and "\\" not in joined and joined.count('"') == 2 * (len(elements) - 1):
                return f'{{"{joined}"}}'
        return "{" + ",".join(["null" if item is None else element(item) for item in elements]) + "}"
    except (TypeError, ValueError, AttributeError, KeyError):
        # Without the cause, which shows the value.
        raise TypeError(f"{kind}[] does not take each of its elements") from None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_ELEMENTS: Final[Mapping[str, Callable[[Any], str]]] = {
    "text": _quoted,
    "int": "{:d}".format,
    "bigint": "{:d}".format,
    "uuid": lambda value: _quoted(str(value)),  # what is no id the server refuses
    "boolean": {True: "true", False: "false"}.__getitem__,
    "date": date.isoformat,
}
