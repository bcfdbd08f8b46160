"""Where rows come from."""

from collections.abc import Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """A pool, or one connection of it with its transaction."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        """All rows of one statement."""
        ...
