"""What is read of all members at once, made once for each change and shared by all who ask.

Triggers of the database write a new version into ``picture_versions`` in each transaction that changes what a picture
shows. So a picture is never older than the snapshot of the one who asks, whichever process wrote, and several gateways
answer alike.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, Literal, TypeVar

from services.membership.connections import ReadPool
from services.membership.rows import Rows

T = TypeVar("T")

_VERSION = "select version from picture_versions where name = $1"


class Picture(Generic[T]):
    """One picture. It is made by the first who asks after a change; whoever asks meanwhile waits for that one."""

    def __init__(self, name: Literal["members", "review"], make: Callable[..., Awaitable[T]]) -> None:
        self._name, self._make = name, make
        self._kept: tuple[Hashable, T] | None = None
        self._making = asyncio.Lock()

    async def latest(self, pool: ReadPool, *arguments: Any) -> T:
        """The same, as it is now. While nothing changes it takes one look at the version."""
        versions = await pool.fetch(_VERSION, self._name)
        if versions and (kept := self._kept) is not None and kept[0] == (versions[0][0], *arguments):
            return kept[1]
        async with pool.snapshot() as rows:
            return await self.get(rows, *arguments)

    async def get(self, rows: Rows, *arguments: Any) -> T:
        """``make(rows, *arguments)``, or what it gave last of the same. ``rows`` must be one snapshot."""
        versions = await rows.fetch(_VERSION, self._name)
        if not versions:
            return await self._make(rows, *arguments)
        current = (versions[0][0], *arguments)
        if (kept := self._kept) is not None and kept[0] == current:
            return kept[1]
        async with self._making:
            if (kept := self._kept) is None or kept[0] != current:
                kept = self._kept = current, await self._make(rows, *arguments)
            return kept[1]
