"""Concurrent look-ups of single members, gathered into one query.

Whatever is asked while a query is under way goes into the next one, so that the busier the gateway, the fewer
statements each answer costs; an idle gateway answers at once.
"""

import asyncio

from services.membership.connections import DatabaseUnavailableError, ReadPool
from services.membership.views.queries import MEMBERS_BY_ID

AT_ONCE = 200
_Future = asyncio.Future[tuple[str, bytes] | None]
_Waiting = dict[str, list[_Future]]


class Lookups:
    """``await lookups.get(id)`` gives ``(etag, document)``, or None when that is no member's current id."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._waiting: _Waiting = {}
        self._asking: asyncio.Task[None] | None = None

    def get(self, member_id: str) -> _Future:
        """``member_id`` must be a UUID in its usual form. Raises DatabaseUnavailableError when awaited."""
        loop = asyncio.get_running_loop()
        # Each asks with a future of its own: one who gives up takes nobody along.
        future: _Future = loop.create_future()
        self._waiting.setdefault(member_id, []).append(future)
        if self._asking is None:
            self._asking = loop.create_task(self._ask())
        return future

    async def _ask(self) -> None:
        asked: _Waiting = {}
        failure = DatabaseUnavailableError("stopping")
        try:
            # Again where somebody asked while the connection was given back.
            while self._waiting:
                async with self._pool.connection() as connection:
                    while self._waiting:
                        asked = self._next()
                        for member_id, etag, document in await connection.fetch(MEMBERS_BY_ID, list(asked)):
                            _answer(asked.pop(member_id), (etag, document))
                        for futures in asked.values():
                            _answer(futures, None)
                        asked = {}
        except DatabaseUnavailableError as error:
            failure = error
        finally:
            for futures in (*asked.values(), *self._waiting.values()):
                for future in futures:
                    if not future.done():
                        future.set_exception(failure)
            self._waiting = {}
            self._asking = None

    def _next(self) -> _Waiting:
        if len(self._waiting) <= AT_ONCE:
            asked, self._waiting = self._waiting, {}
            return asked
        return {member_id: self._waiting.pop(member_id) for member_id in list(self._waiting)[:AT_ONCE]}


def _answer(futures: list[_Future], answer: tuple[str, bytes] | None) -> None:
    for future in futures:
        if not future.done():
            future.set_result(answer)
