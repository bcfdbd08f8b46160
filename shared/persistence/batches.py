"""From the items of a batch to the columns that one statement writes with ``unnest``."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


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
