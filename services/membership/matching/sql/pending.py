"""What was published and is not linked."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.records.record import RecordKey
from shared.persistence.statements import fetch

_UNLINKED = """
    select f.cluster, f.record_id from match_pending p join match_features f using (record)
    where p.at <= now() - make_interval(secs => $1)
      and not exists (
          select from source_records s
          where s.cluster = f.cluster and s.record_id = f.record_id and s.written_version >= 0
      )
    limit 1000
"""


async def unlinked(connection: AsyncConnection, minutes: float) -> list[RecordKey]:
    """At most 1,000 records that have been pending so many minutes, and that no message has saved."""
    rows = await fetch(connection, _UNLINKED, (minutes * 60,))
    return [RecordKey(cluster, record_id) for cluster, record_id in rows]
