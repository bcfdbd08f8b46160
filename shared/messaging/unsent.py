"""A service's outbox as its relay sees it: what was never tried, what the broker refused, what became of either."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

_COLUMNS = "id, exchange, routing_key, message_id, content_type, headers, body, last_error"
_NEW = f"select {_COLUMNS} from outbox where attempts = 0 order by id limit $1"
# Nothing is put off for more than a minute: what seems to be was written before the database's clock was set back.
_DUE = "attempts > 0 and (not_before <= now() or not_before > now() + interval '1 minute')"
_ONE_OF_EACH = f"""
    select {_COLUMNS} from outbox where id in (
        select distinct on (exchange, routing_key) id from outbox where {_DUE}
        order by exchange, routing_key, not_before, id
    )
    order by random() limit $1
"""
_ALIKE = f"""
    select {_COLUMNS} from outbox where {_DUE} and exchange = $1 and routing_key = $2 order by id limit $3
"""
_DELETE = "delete from outbox where id = any($1::bigint[])"
_POSTPONE = """
    update outbox set attempts = attempts + 1, last_error = error,
        not_before = now() + least(60, power(2, least(attempts, 6))) * interval '0.25 seconds'
    from unnest($1::bigint[], $2::text[]) as refused (id, error)
    where outbox.id = refused.id
"""


class Unsent:
    """Rows of the outbox, over a connection that is not shared. Several tasks may ask; each waits for its turn."""

    def __init__(self, database: asyncpg.Connection[Any]) -> None:
        self._database = database
        self._turn = asyncio.Lock()

    async def new(self, most: int) -> Sequence[Any]:
        """Rows that were never tried, in order of id."""
        async with self._turn:
            return await self._database.fetch(_NEW, most)

    async def first_of_each(self, most: int) -> Sequence[Any]:
        """Of each routing key with refused rows that are due again, the one that has been due for longest.

        What is the matter with a row is the matter with most of its routing key: so each of these is heard of, however
        many rows of another wait. If they are more than ``most``, chance decides, so that none waits for ever.
        """
        async with self._turn:
            return await self._database.fetch(_ONE_OF_EACH, most)

    async def alike(self, row: Any, most: int) -> Sequence[Any]:
        """Refused rows of the routing key of this one that are due again, in order of id."""
        async with self._turn:
            return await self._database.fetch(_ALIKE, row["exchange"], row["routing_key"], most)

    async def settle(self, confirmed: Sequence[int], refused: Sequence[tuple[int, str]]) -> None:
        """Forget what the broker has; put the others off, each (its id) with the name of its error."""
        async with self._turn:
            if confirmed:
                await self._database.execute(_DELETE, confirmed)
            if refused:
                await self._database.execute(_POSTPONE, *zip(*refused, strict=True))
