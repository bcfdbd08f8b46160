"""How much of each former system a service mirrors, and how fresh it is: alike in every service that mirrors."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from schemas.mirror import MIRRORED_RECORDS, MirroredOfCluster, MirroredRecords, MirroredRecordsArguments
from services.cutover.parity.mirror_reader import Kind
from services.operations.binding import Bound, Call
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

# The inbox knows an event by its source and its id: "/numelink/billing 01a2…".
_NEWEST = """
    select split_part(message, '/', 2), max(received_at) from inbox
    where split_part(split_part(message, ' ', 1), '/', 3) = $1 group by 1
"""


async def mirrored_records(call: Call[MirroredRecordsArguments]) -> MirroredRecords:
    """By cluster and kind; what was removed over there is not counted."""
    counts = await _counts(call.uow, call.definition.mirrored)
    newest = await _newest(call.uow, call.definition.name)
    wanted = call.arguments.cluster
    items = [
        MirroredOfCluster(cluster=cluster, records=counts[cluster], newest_received_at=newest.get(cluster))
        for cluster in sorted(counts)
        if wanted in (None, cluster)
    ]
    return MirroredRecords(service=call.definition.name, items=items)


async def _counts(uow: UnitOfWork, kinds: Sequence[Kind]) -> dict[str, dict[str, int]]:
    """Records by cluster and kind."""
    counts: dict[str, dict[str, int]] = {}
    for kind in kinds:
        sql = f"select m.cluster, count(*) from {kind.table} m where {kind.present} group by m.cluster"
        for cluster, number in rows_of(await uow.connection.exec_driver_sql(sql)):
            counts.setdefault(cluster, {})[kind.name] = number
    return counts


async def _newest(uow: UnitOfWork, service: str) -> dict[str, datetime]:
    """When the newest message of each cluster's former system arrived, as long as the inbox remembers it."""
    return dict(rows_of(await uow.connection.exec_driver_sql(_NEWEST, (service,))))


MIRRORED: Final = Bound(MIRRORED_RECORDS, mirrored_records)
