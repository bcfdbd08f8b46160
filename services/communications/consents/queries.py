"""The rows that preferences are made of, read by source record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import AnnouncedRecord
from schemas.communications import ConsentDecision, PreferencesChanged
from services.common.sections import Record, Section
from services.communications.consents.preferences import preferences_of
from shared.persistence.database import rows_of

_FIELDS = list(ConsentDecision.model_fields)
# Offset 0: each record is looked up by its key, also while the table is empty and the statement is prepared.
_CONSENTS = f"""
    select c.cluster, c.record_id, {", ".join(f"c.{name}" for name in _FIELDS)}
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from consents where (cluster, record_id) = (n.cluster, n.record_id) offset 0) c
"""


async def preferences(connection: AsyncConnection, records: Sequence[Record]) -> Mapping[Record, AnnouncedRecord]:
    """What each of these records decided, as it is now, under version 0; nothing where there is nothing."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    consents: defaultdict[Record, list[ConsentDecision]] = defaultdict(list)
    for cluster, record_id, *values in rows_of(await connection.exec_driver_sql(_CONSENTS, keys)):
        consents[Record(cluster, record_id)].append(ConsentDecision(**dict(zip(_FIELDS, values, strict=True))))
    return {record: preferences_of(*record, consents[record]) for record in records}


PREFERENCES = Section("preferences", PreferencesChanged, preferences)
"""What communications states of each source record."""
