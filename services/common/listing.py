"""How many lines a statement of one record may list: one that is too long for a message would hold up all others."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from pydantic import BaseModel

LISTED_BYTES: Final = 1_000_000
"""Of JSON, for all lines of one statement. A message may have four times as many."""
T = TypeVar("T")


def newest_that_fit(items: Sequence[T], line_of: Callable[[T], BaseModel]) -> list[T]:
    """The items, which are in order of time, without the oldest if their lines are too long together.

    No company has so many: a former system that keeps all its walk-in customers on one card does.
    """
    fitting: list[T] = []
    room = LISTED_BYTES
    for item in reversed(items):
        line = line_of(item)
        room -= len(line.__pydantic_serializer__.to_json(line, exclude_defaults=True))
        if room < 0:
            break
        fitting.append(item)
    return fitting[::-1]
