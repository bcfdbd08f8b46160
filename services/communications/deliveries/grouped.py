"""Commits together what several connections want at once: while one group is being written, the next one gathers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K")
R = TypeVar("R")


@dataclass(slots=True)
class Grouped(Generic[K, R]):
    """``work`` takes up to ``most`` items and returns a result for each, in their order.

    Nobody waits for company: an item that comes alone is written at once.
    """

    work: Callable[[Sequence[K]], Awaitable[Sequence[R]]]
    most: int = 50
    _waiting: list[tuple[K, "asyncio.Future[R]"]] = field(default_factory=list["tuple[K, asyncio.Future[R]]"])
    _task: "asyncio.Task[None] | None" = None

    def __call__(self, item: K) -> "asyncio.Future[R]":
        """Its result, once its group is written. Raises what ``work`` raised for the group."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())
        return future

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
            try:
                results = await self.work([item for item, _ in group])
            except Exception as error:
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)
