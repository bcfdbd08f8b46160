"""What membership announces of source records, as far as attendance counts by it: name and département.

Of two about one record the larger version wins. Addresses and the like are not kept.
"""

from collections.abc import Sequence
from typing import Final

from schemas.envelope import Envelope
from schemas.membership import Addressee, MemberDescribed
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import newest_by

_KEEP: Final = """
    insert into described_records as kept (cluster, record_id, version, name, departement)
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
    on conflict (cluster, record_id) do update
    set version = excluded.version, name = excluded.name, departement = excluded.departement
    where kept.version < excluded.version
"""
_NOBODY: Final = Addressee(name="")


async def keep_described(uow: UnitOfWork, messages: Sequence[Envelope[MemberDescribed]]) -> None:
    """Keep the newest of each record: as the record itself says, else as its member is shown."""
    newest = newest_by(messages, lambda m: (m.data.cluster, m.data.record_id), lambda m: m.data.version)
    # In the order of their keys, so that two replicas lock rows in the same order.
    facts = [newest[key].data for key in sorted(newest)]
    known = [(fact.own or _NOBODY, fact.shown or _NOBODY) for fact in facts]
    columns = (
        [fact.cluster for fact in facts],
        [fact.record_id for fact in facts],
        [fact.version for fact in facts],
        [own.name or shown.name or None for own, shown in known],
        [own.departement or shown.departement for own, shown in known],
    )
    await uow.connection.exec_driver_sql(_KEEP, columns)
