"""One comparison: all that a service mirrors of a cluster, in one snapshot, and then kept as a run."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import Fact
from services.cutover.manifests import lacking, listed_of, newest_complete
from services.cutover.parity import runs
from services.cutover.parity.by_manifest import MOST_KEPT, ManifestComparison
from services.cutover.parity.compare import Result
from services.cutover.parity.mirror_reader import Kind, mirrored_records
from services.cutover.stages import StageState, read_stages

_BREATH = 50
"""Records compared before others get their turn: some milliseconds."""
_TOGETHER = 500
"""Records that a manifest is asked about in one statement."""
_Mirrored: TypeAlias = tuple[str, Fact]


class Compares(Protocol):
    """Takes in what we hold record by record, and then knows the result."""

    def add_ours(self, kind: str, item_id: str, fact: Fact) -> None: ...
    def result(self) -> Result: ...


async def one_snapshot(connection: AsyncConnection) -> None:
    """Let a transaction that did nothing yet see all that it reads as it is at one moment.

    Messages are applied all the while: half of a batch must not look like a difference.
    """
    await connection.exec_driver_sql("set transaction isolation level repeatable read")


async def compare_mirror(connection: AsyncConnection, cluster: str, kinds: Sequence[Kind], with_: Compares) -> Result:
    """Compare everything that is held of this cluster. Services go on working meanwhile."""
    for kind in kinds:
        async with aclosing(mirrored_records(connection, cluster, kind)) as records:
            count = 0
            async for item_id, fact in records:
                with_.add_ours(kind.name, item_id, fact)
                count += 1
                if count % _BREATH == 0:
                    await asyncio.sleep(0)
    return with_.result()


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found, and the version of the manifest that it was made with; it is not kept yet."""

    result: Result
    manifest: int

    async def keep(self, connection: AsyncConnection, cluster: str, *, by: str) -> int:
        """Keep it as a run, in a transaction after that of the snapshot: see :func:`runs.keep`."""
        source = [f"manifest {self.manifest}"]
        return await runs.keep(connection, cluster, self.result, by=by, source=source, manifest=self.manifest)


async def compare_with_manifest(
    connection: AsyncConnection, cluster: str, kinds: Sequence[Kind], *, most: int = MOST_KEPT
) -> Compared | None:
    """Compare with the newest complete manifest, in a transaction of one snapshot; None when there is no such manifest.

    However large both sides are, some thousand records at a time are in memory, and ``most`` differences of a kind.
    """
    manifest = await newest_complete(connection, cluster)
    if manifest is None:
        return None
    ours = (await read_stages(connection)).get(cluster, StageState()).is_ours
    comparison = ManifestComparison(manifest, [kind.name for kind in kinds], ours, most)
    for kind in kinds:
        await _compare_kind(connection, cluster, kind, comparison)
    return Compared(comparison.result(), manifest.version)


async def _compare_kind(connection: AsyncConnection, cluster: str, kind: Kind, with_: ManifestComparison) -> None:
    async with aclosing(mirrored_records(connection, cluster, kind)) as records:
        async for some in _together(records):
            ids = [item_id for item_id, _ in some]
            theirs = await listed_of(connection, kind.name, ids) if with_.compares(kind.name) else {}
            for count, (item_id, fact) in enumerate(some, 1):
                with_.add_ours(kind.name, item_id, fact, theirs.get(item_id))
                if count % _BREATH == 0:
                    await asyncio.sleep(0)
    if with_.missing(kind.name):
        listed = lacking(
            connection, cluster, kind.name, table=kind.table, key=kind.key, present=kind.present, most=with_.most
        )
        async for item_id, theirs in listed:
            with_.lacks(kind.name, item_id, theirs)


async def _together(records: AsyncIterable[_Mirrored]) -> AsyncGenerator[list[_Mirrored]]:
    some: list[_Mirrored] = []
    async for record in records:
        some.append(record)
        if len(some) == _TOGETHER:
            yield some
            some = []
    if some:
        yield some
