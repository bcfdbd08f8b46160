"""What waits for a person, service by service as they announce it, and here: counts that a page shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from schemas.envelope import Envelope
from schemas.waiting import WaitingChanged
from services.membership.rows import Rows
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import json_of

_KEEP = """
    insert into waiting_counts as known (service, version, parked, parked_since, late, differences, clusters)
    values ($1, $2, $3, $4, $5, $6, $7::json)
    on conflict (service) do update
    set version = excluded.version, parked = excluded.parked, parked_since = excluded.parked_since,
        late = excluded.late, differences = excluded.differences, clusters = excluded.clusters
    where known.version < excluded.version
"""
_SERVICES = "select service, parked, parked_since, late, differences, clusters from waiting_counts order by service"
_CONFLICTS = """
    select c.responsible, count(*) as open from merge_conflicts c
    where c.gone_at is null and not exists (
        select from conflict_answers a
        where a.conflict_id = c.conflict_id and a.responsible = c.responsible and a.state = 'settled'
    ) group by c.responsible order by c.responsible
"""


async def keep_waiting(uow: UnitOfWork, messages: Sequence[Envelope[WaitingChanged]]) -> None:
    """Keep the newest of what a service announced."""
    newest = max(messages, key=lambda message: message.data.version).data
    clusters = [item.model_dump() for item in newest.clusters]
    await uow.connection.exec_driver_sql(
        _KEEP,
        (
            newest.service,
            newest.version,
            newest.parked,
            newest.parked_since,
            sum(item.late for item in newest.clusters),
            sum(item.differences for item in newest.clusters),
            orjson.dumps(clusters).decode(),
        ),
    )


async def waiting_in_services(rows: Rows) -> list[Mapping[str, Any]]:
    """What each service announced last; one that never did is missing."""
    return [{**dict(row), "clusters": json_of(row["clusters"])} for row in await rows.fetch(_SERVICES)]


async def open_conflicts(rows: Rows) -> dict[str, int]:
    """How many conflicts are open, by the service that resolves them."""
    return dict(map(tuple, await rows.fetch(_CONFLICTS)))
