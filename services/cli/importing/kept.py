"""What a service keeps already of a former system's records, which an import is compared with.

Records are read from the service's own database; an import at a former system's own place may have none.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from schemas.membership import MemberRecorded
from services.membership.records.stored import Fetches, StoredRecord, stored_records
from shared.importing.outcomes import UnreadableError

if TYPE_CHECKING:
    from schemas.base import Fact
    from services.cli.importing.reading import FormerSystem


class Kept(Protocol):
    """The records of one former system. ``growing`` are lists that a new version only ever adds to."""

    growing: frozenset[str]

    async def records(self, model: type[Fact], ids: Sequence[str]) -> Mapping[str, StoredRecord]:
        """Those of one kind that are kept, by id."""
        ...


class _Members:
    growing: frozenset[str] = frozenset()

    def __init__(self, connection: Fetches, cluster: str) -> None:
        self._connection = connection
        self._cluster = cluster

    async def records(self, model: type[Fact], ids: Sequence[str]) -> Mapping[str, StoredRecord]:
        del model  # a removal is about the same record
        return await stored_records(self._connection, self._cluster, ids)


@asynccontextmanager
async def kept_by(url: str, former: FormerSystem) -> AsyncGenerator[Kept]:
    """What the service with this database keeps. Raises UnreadableError where it cannot be reached."""
    if former.service != MemberRecorded.service:
        # The mirrors of the other services take SQLAlchemy, which takes half a second to load.
        from services.cli.importing.mirror import mirror

        async with mirror(url, former) as kept:
            yield kept
        return
    import asyncpg

    try:
        # asyncpg's own types know no sequence of rows.
        connection: Any = await asyncpg.connect(url, timeout=15, command_timeout=60)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise not_readable(former, error) from None
    try:
        yield _Members(connection, former.cluster)
    finally:
        await connection.close()


def not_readable(former: FormerSystem, error: BaseException) -> UnreadableError:
    """Why nothing can be compared, by the name of the error: its words may hold what was asked."""
    return UnreadableError(
        f"what {former.service} keeps already cannot be read ({type(error).__name__}): nothing was imported. "
        "--no-compare imports without comparing"
    )
