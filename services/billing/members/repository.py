"""Descriptions of source records, kept as membership announced them: of two the larger version wins."""

from collections.abc import Sequence

from schemas.envelope import Envelope
from schemas.membership import MemberDescribed
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import newest_by

_KEEP = """
    insert into descriptions as kept (cluster, record_id, version, document)
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::json[])
    on conflict (cluster, record_id) do update set version = excluded.version, document = excluded.document
    where kept.version < excluded.version
"""


async def keep_descriptions(uow: UnitOfWork, messages: Sequence[Envelope[MemberDescribed]]) -> None:
    """Keep the newest description of each source record."""
    newest = newest_by(messages, lambda m: (m.data.cluster, m.data.record_id), lambda m: m.data.version)
    # In the order of their keys, so that two replicas lock rows in the same order.
    ordered = [newest[key] for key in sorted(newest)]
    columns = (
        [message.data.cluster for message in ordered],
        [message.data.record_id for message in ordered],
        [message.data.version for message in ordered],
        [message.document.decode() for message in ordered],
    )
    await uow.connection.exec_driver_sql(_KEEP, columns)
