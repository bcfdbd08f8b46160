"""Every statement of this process, whichever way it goes: through SQLAlchemy, or to the driver itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.event import listens_for, remove

Noticed = Callable[[Any, str], None]
"""Called before a statement, with the asyncpg connection and the SQL."""


def notice_statements(noticed: Noticed) -> Callable[[], None]:
    """Call this before every statement but those that begin and end transactions; returns what puts an end to it."""

    @listens_for(sa.Engine, "before_cursor_execute")
    def notice(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        noticed(connection.connection.driver_connection, statement)

    kept: dict[str, Any] = {name: getattr(asyncpg.Connection, name) for name in ("fetch", "execute")}
    for name, method in kept.items():
        setattr(asyncpg.Connection, name, _noticing(noticed, method))

    def end() -> None:
        remove(sa.Engine, "before_cursor_execute", notice)
        for name, method in kept.items():
            setattr(asyncpg.Connection, name, method)

    return end


def _noticing(noticed: Noticed, method: Any) -> Any:
    async def call(self: Any, query: str, *args: Any, **options: Any) -> Any:
        if not query.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            noticed(self, query)
        return await method(self, query, *args, **options)

    return call
