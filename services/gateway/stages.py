"""Where each former system stands, as the services tell: what the board shows."""

from collections.abc import Sequence
from operator import attrgetter

from schemas.cutover import StageChanged
from schemas.envelope import Envelope
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import columns_of, newest_by

_KEEP = """
    insert into former_systems as held (cluster, service, stage, epoch, since, by)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::text[])
    on conflict (cluster, service) do update
    set stage = excluded.stage, epoch = excluded.epoch, since = excluded.since, by = excluded.by
    where held.epoch < excluded.epoch
"""


async def keep_stages(uow: UnitOfWork, messages: Sequence[Envelope[StageChanged]]) -> None:
    """Keep the newest standing of each former system."""
    newest = newest_by((message.data for message in messages), attrgetter("cluster", "service"), attrgetter("version"))
    rows = [newest[name] for name in sorted(newest)]
    await uow.connection.exec_driver_sql(
        _KEEP,
        (*columns_of(rows, "cluster", "service", "stage", "version", "since", "by"),),
    )
