"""What is read of all members at once, made once for each change and shared by all who ask.

A statement tells the version: rows that differ as soon as anything differs that the picture shows. Triggers of the
database write a new number into ``picture_versions`` in each transaction that changes what members or the review queue
look like. So a picture is never older than the snapshot of the one who asks, whichever process wrote, and several
gateways answer alike.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, Generic, TypeVar

from services.membership.connections import ReadPool
from services.membership.rows import Rows

T = TypeVar("T")

MEMBERS: Final = "select version from picture_versions where name = 'members'"
CROWDS: Final = """
    select c.key, count(*), sum(hashint8extended(m.record, 0)) from match_crowds c join match_keys m using (key)
    group by c.key order by c.key
"""
"""Who holds the keys of crowds. No trigger keeps it: all who write have keys, and would wait for each other."""
MOST: Final = 100
"""Answers of one picture, by what was asked for."""


class Picture(Generic[T]):
    """One picture. It is made by the first who asks after a change; whoever asks meanwhile waits for that one."""

    def __init__(self, version: str, make: Callable[..., Awaitable[T]]) -> None:
        self._statement, self._make = version, make
        self._version: Hashable = None
        self._kept: dict[tuple[Hashable, ...], T] = {}
        self._making = asyncio.Lock()

    async def latest(self, pool: ReadPool, *arguments: Any) -> T:
        """The same, as it is now. While nothing changes it takes one look at the version."""
        if (version := await self._current(pool)) and self._has(version, arguments):
            return self._kept[arguments]
        async with pool.snapshot() as rows:
            return await self.get(rows, *arguments)

    async def get(self, rows: Rows, *arguments: Any) -> T:
        """``make(rows, *arguments)``, or what it gave last of the same. ``rows`` must be one snapshot."""
        if not (version := await self._current(rows)):
            return await self._make(rows, *arguments)
        if self._has(version, arguments):
            return self._kept[arguments]
        async with self._making:
            if self._has(version, arguments):
                return self._kept[arguments]
            made = await self._make(rows, *arguments)
            if version != self._version or len(self._kept) == MOST:
                self._kept.clear()
            self._version, self._kept[arguments] = version, made
            return made

    async def _current(self, rows: Rows) -> tuple[Hashable, ...]:
        """Empty where nobody keeps a version."""
        return tuple(map(tuple, await rows.fetch(self._statement)))

    def _has(self, version: Hashable, arguments: tuple[Hashable, ...]) -> bool:
        return version == self._version and arguments in self._kept
