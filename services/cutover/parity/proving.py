"""One comparison in one transaction: all that a service mirrors of a cluster, in one snapshot, and the run kept."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.fields import Fact
from services.cutover.manifests import newest_complete
from services.cutover.parity import runs
from services.cutover.parity.by_manifest import ManifestComparison
from services.cutover.parity.compare import Result
from services.cutover.parity.held import Kind, held
from services.cutover.stages import Standing, all_standings

_BREATH = 50
"""Records compared before others get their turn: some milliseconds."""


class Compares(Protocol):
    """Takes in what we hold record by record, and then knows the result."""

    def held(self, kind: str, item_id: str, here: Fact) -> None: ...
    def result(self) -> Result: ...


async def one_snapshot(connection: AsyncConnection) -> None:
    """Let a transaction that did nothing yet see all that it reads as it is at one moment.

    Messages are applied all the while: half of a batch must not look like a difference.
    """
    await connection.exec_driver_sql("set transaction isolation level repeatable read")


async def compare_held(connection: AsyncConnection, cluster: str, kinds: Sequence[Kind], with_: Compares) -> Result:
    """Compare everything that is held of this cluster. Services go on working meanwhile."""
    for kind in kinds:
        async with aclosing(held(connection, cluster, kind)) as records:
            count = 0
            async for item_id, fact in records:
                with_.held(kind.name, item_id, fact)
                count += 1
                if count % _BREATH == 0:
                    await asyncio.sleep(0)
    return with_.result()


async def prove_by_manifest(connection: AsyncConnection, cluster: str, kinds: Sequence[Kind], *, by: str) -> int | None:
    """Compare with the newest complete manifest and keep the run, in a transaction of one snapshot.

    Returns the run's number, or None when there is no such manifest.
    """
    manifest = await newest_complete(connection, cluster)
    if manifest is None:
        return None
    ours = (await all_standings(connection)).get(cluster, Standing()).is_ours
    comparison = ManifestComparison(manifest, [kind.name for kind in kinds], ours)
    result = await compare_held(connection, cluster, kinds, comparison)
    source = [f"manifest {manifest.version}"]
    return await runs.keep(connection, cluster, result, by=by, source=source, manifest=manifest.version)
