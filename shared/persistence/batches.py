"""From the items of a batch to the columns that one statement writes with ``unnest``."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
R = TypeVar("R")


def newest_by(items: Iterable[T], key: Callable[[T], K], age: Callable[[T], Any]) -> dict[K, T]:
    """Of all items with one key, the one with the largest age; of several such the first."""
    newest: dict[K, T] = {}
    for item in items:
        name = key(item)
        stored = newest.get(name)
        if stored is None or age(stored) < age(item):
            newest[name] = item
    return newest


def transposed(rows: Iterable[Sequence[Any]]) -> tuple[list[Any], ...]:
    """A column for each place of these rows, of which there is at least one."""
    return tuple([list(column) for column in zip(*rows, strict=True)])


def columns_of(rows: Sequence[Any], *names: str) -> tuple[list[Any], ...]:
    """A column for each attribute, which may be one of an attribute's own: ``"record.siren"``."""
    return tuple([*map(attrgetter(name), rows)] for name in names)


async def ahead(items: Iterable[T], compute: Callable[[T], R]) -> AsyncGenerator[R]:
    """What is computed of each item, in order: the next in a thread, while the caller works on the one before.

    So the process computes while the database writes. Raises what ``compute`` raises. Close it, if it is left early.
    """
    coming: asyncio.Task[R] | None = None
    try:
        for item in items:
            if coming is None:
                coming = _in_a_thread(compute, item)
                continue
            computed, coming = await coming, _in_a_thread(compute, item)
            yield computed
        if coming is not None:
            yield await coming
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


def _in_a_thread(compute: Callable[[T], R], item: T) -> asyncio.Task[R]:
    return asyncio.create_task(asyncio.to_thread(compute, item))
