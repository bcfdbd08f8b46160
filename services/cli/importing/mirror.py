"""What billing, events and communications keep of a former system's records: their mirrors, as parity reads them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from services.cli.importing.kept import not_readable
from services.cli.registry import definition_of
from services.cutover.parity.mirror_reader import Kind, read_mirror
from services.membership.records.stored import StoredRecord
from shared.persistence.database import create_engine

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from schemas.base import Fact
    from services.cli.importing.reading import FormerSystem


class _Mirror:
    def __init__(self, connection: AsyncConnection, cluster: str, kinds: Sequence[Kind]) -> None:
        self._connection = connection
        self._cluster = cluster
        self._kinds = {kind.fact: kind for kind in kinds}
        self.growing = frozenset(name for kind in kinds for name in kind.adds_up)

    async def records(self, model: type[Fact], ids: Sequence[str]) -> Mapping[str, StoredRecord]:
        facts = await read_mirror(self._connection, self._kinds[model], [(self._cluster, item) for item in ids])
        return {
            # A mirrored list may be longer than one fact may say, so what was read is not checked again.
            key: StoredRecord(fact.version, False, fact.model_dump(mode="json", exclude_defaults=True, warnings=False))
            for (_, key), fact in facts.items()
        }


@asynccontextmanager
async def mirror(url: str, former: FormerSystem) -> AsyncGenerator[_Mirror]:
    """What the service with this database mirrors. Raises UnreadableError where it cannot be reached."""
    try:
        engine = create_engine(url, application="traboule import", pool_size=1)
        connection = await engine.connect()
    except (OSError, TimeoutError, SQLAlchemyError) as error:
        raise not_readable(former, error) from None
    try:
        # Each question is a transaction of its own: waiting for the records asks again and again.
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        yield _Mirror(connection, former.cluster, definition_of(former.service).mirrored)
    finally:
        await connection.close()
        await engine.dispose()
