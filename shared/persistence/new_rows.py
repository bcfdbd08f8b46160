"""Rows that are not there yet, written by the cheaper of two ways."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.batches import transposed
from shared.persistence.statements import driver_of, execute, refused

MANY: Final = 50
"""From so many rows on COPY is cheaper: it takes a second round trip, and no function call for each row."""


@dataclass(frozen=True, slots=True)
class NewRows:
    """``NewRows("orders", order_id="uuid", name="text")``: a table, and the columns that are given, with their types.

    No row may be there already: COPY knows no ``on conflict``.
    """

    table: str
    columns: tuple[str, ...]
    _insert: str = field(repr=False)

    def __init__(self, table: str, **types: str) -> None:
        """``types`` are PostgreSQL's, by column."""
        arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(types.values(), 1))
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "columns", tuple(types))
        object.__setattr__(self, "_insert", f"insert into {table} ({', '.join(types)}) select * from unnest({arrays})")

    async def insert(self, connection: AsyncConnection, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows, each a value for each column in their order. Raises DBAPIError as any statement does."""
        if len(rows) >= MANY:
            await self._copy(connection, rows)
        elif rows:
            await execute(connection, self._insert, transposed(rows))

    async def _copy(self, connection: AsyncConnection, rows: Sequence[Sequence[Any]]) -> None:
        driver = await driver_of(connection)
        try:
            await driver.copy_records_to_table(self.table, columns=self.columns, records=rows)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise refused(driver, error) from error
