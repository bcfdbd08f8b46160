"""Where rows come from."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection


class Rows(Protocol):
    """A pool, or one connection of it with its transaction."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        """All rows of one statement."""
        ...


class InTransaction:
    """Rows of a transaction that writes: what it wrote itself is among them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        """All rows of one statement."""
        return (await self._connection.exec_driver_sql(sql, values)).all()
