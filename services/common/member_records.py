"""Which member each source record is part of now, as membership announces it: the same in every service that follows.

What a service holds of a source record never moves: only the record's row here changes when members merge or separate,
so an un-merge leaves nothing to put back. Both facts tell where records are, not what changed: of two about one record
the larger version wins, and duplicates, reordering and replays end in the same rows.

- A record that has no row is a member of its own.
- A record that its former system removed is named like any other: its invoices, registrations and consents are still
  the member's, and a debt or an objection must not vanish with a card that was thrown away.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from schemas.base import RecordRef
from schemas.envelope import Envelope
from schemas.membership import MembersMerged, MembersSeparated
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import newest_by

# Two facts of one version agree about a record; should they ever not, the same one wins in either order.
_FOLLOW = """
    insert into member_records as held (cluster, record_id, member_id, version)
    select * from unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[])
    on conflict (cluster, record_id) do update set member_id = excluded.member_id, version = excluded.version
    where (held.version, held.member_id) < (excluded.version, excluded.member_id)
"""


def member_records_table(metadata: sa.MetaData) -> sa.Table:
    """Define the table in a service's metadata, so that its migrations own it."""
    return sa.Table(
        "member_records",
        metadata,
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("member_id", UUID(as_uuid=False), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, comment="of the newest fact that names the record"),
    )


async def apply_merges(uow: UnitOfWork, messages: Sequence[Envelope[MembersMerged]]) -> None:
    """Let the records of a merged member lead to it."""
    await _follow(uow, ((record, m.data.member_id, m.data.version) for m in messages for record in m.data.records))


async def apply_separations(uow: UnitOfWork, messages: Sequence[Envelope[MembersSeparated]]) -> None:
    """Let the records of a separated member lead to the members that they are part of now."""
    parts = ((part, message.data.version) for message in messages for part in message.data.parts)
    await _follow(uow, ((record, part.member_id, version) for part, version in parts for record in part.records))


async def _follow(uow: UnitOfWork, moves: Iterable[tuple[RecordRef, str, int]]) -> None:
    newest = newest_by(moves, lambda item: (item[0].cluster, item[0].record_id), lambda item: (item[2], item[1]))
    if not newest:
        return
    # In the order of their keys, so that two replicas lock rows in the same order.
    keys = sorted(newest)
    await uow.connection.exec_driver_sql(
        _FOLLOW,
        (
            [cluster for cluster, _ in keys],
            [record_id for _, record_id in keys],
            [newest[key][1] for key in keys],
            [newest[key][2] for key in keys],
        ),
    )
