"""Where each former system stands, as the services tell: what the board shows."""

from collections.abc import Sequence

from schemas.cutover import StageChanged
from schemas.envelope import Envelope
from shared.messaging.unit_of_work import UnitOfWork

_KEEP = """
    insert into former_systems as held (cluster, service, stage, epoch, since, by)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::text[])
    on conflict (cluster, service) do update
    set stage = excluded.stage, epoch = excluded.epoch, since = excluded.since, by = excluded.by
    where held.epoch < excluded.epoch
"""


async def keep_standings(uow: UnitOfWork, messages: Sequence[Envelope[StageChanged]]) -> None:
    """Keep the newest standing of each former system."""
    newest: dict[tuple[str, str], StageChanged] = {}
    for message in messages:
        told = message.data
        held = newest.setdefault((told.cluster, told.service), told)
        if held.version < told.version:
            newest[told.cluster, told.service] = told
    rows = [newest[name] for name in sorted(newest)]
    await uow.connection.exec_driver_sql(
        _KEEP,
        (
            [one.cluster for one in rows],
            [one.service for one in rows],
            [one.stage for one in rows],
            [one.version for one in rows],
            [one.since for one in rows],
            [one.by for one in rows],
        ),
    )
