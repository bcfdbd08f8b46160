"""Source records as they are kept, many at once, for those who only compare: this imports next to nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

_STORED = """
    select record_id, version, removed, written::text from source_records
    where cluster = $1 and record_id = any($2::text[])
"""


class Fetches(Protocol):
    """A connection to membership's database, whoever made it."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Any]:
        """All rows of one statement."""
        ...


class StoredRecord(NamedTuple):
    """A source record as it is kept, with the version that was told last."""

    version: int
    removed: bool
    written: Mapping[str, Any]


async def stored_records(connection: Fetches, cluster: str, record_ids: Sequence[str]) -> dict[str, StoredRecord]:
    """Those of a former system's records that are kept, by id."""
    rows = await connection.fetch(_STORED, cluster, list(record_ids))
    return {key: StoredRecord(version, removed, orjson.loads(written)) for key, version, removed, written in rows}
