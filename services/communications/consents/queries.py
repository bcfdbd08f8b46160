"""The rows that preferences are made of, read by source record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import AnnouncedRecord
from schemas.communications import ConsentDecision, PreferencesChanged
from services.common.sections import Record, Section
from services.communications.consents.preferences import RESTRICTIONS, Known, preferences_of
from services.communications.suppressions.queries import suppressed
from shared.persistence.database import rows_of

_FIELDS = [name for name in ConsentDecision.model_fields if name != "known_in"]
MOST_OF_ADDRESS: Final = 50
"""Decisions of its addresses that are stated of one record, refusals first. Suppressions go by all of them."""
# Offset 0: each record is looked up by its key, also while the table is empty and the statement is prepared.
_CONSENTS = f"""
    select c.cluster, c.record_id, {", ".join(f"c.{name}" for name in _FIELDS)}
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from consents where (cluster, record_id) = (n.cluster, n.record_id) offset 0) c
"""
# What a cluster knows of an address holds for each record that has it, whichever cluster's record that is. Of what one
# source knows the last decision alone counts; and no more than a few, for very many may have one address.
_OF_ADDRESSES = f"""
    select n.cluster, n.record_id, k.cluster, coalesce(k.record_id, ''), k.address_key,
           {", ".join(f"k.{name}" for name in _FIELDS)}
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral
        (select address, shown_address from contacts where (cluster, record_id) = (n.cluster, n.record_id) offset 0) c
    cross join lateral (
        select * from (
            select distinct on (a.cluster, a.record_id, a.address_key, a.brand, a.channel, a.purpose) a.*
            from consents a
            where a.address_key in (c.address, c.shown_address)
              and (a.cluster, a.record_id) is distinct from (n.cluster, n.record_id)
            order by a.cluster, a.record_id, a.address_key, a.brand, a.channel, a.purpose, a.decided_at desc,
                     a.status in {RESTRICTIONS} desc, a.consent_id desc
        ) last
        order by last.status in {RESTRICTIONS} desc, last.decided_at desc, last.cluster, last.consent_id
        limit {MOST_OF_ADDRESS}) k
"""


async def preferences(connection: AsyncConnection, records: Sequence[Record]) -> Mapping[Record, AnnouncedRecord]:
    """What each of these records decided, as it is now, under version 0; nothing where there is nothing."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    own: defaultdict[Record, list[ConsentDecision]] = defaultdict(list)
    for cluster, record_id, *values in rows_of(await connection.exec_driver_sql(_CONSENTS, keys)):
        own[Record(cluster, record_id)].append(_decision(values))
    known: defaultdict[Record, list[Known]] = defaultdict(list)
    for cluster, record_id, by, whose, address, *values in rows_of(
        await connection.exec_driver_sql(_OF_ADDRESSES, keys)
    ):
        decision = _decision(values).model_copy(update={"known_in": by})
        known[Record(cluster, record_id)].append(Known((by, whose or address), decision))
    kept = await suppressed(connection, records)
    return {
        record: preferences_of(*record, own[record], known[record]).model_copy(
            update={"suppressed": kept.get(record, ())}
        )
        for record in records
    }


def _decision(values: Sequence[Any]) -> ConsentDecision:
    return ConsentDecision(**dict(zip(_FIELDS, values, strict=True)))


PREFERENCES = Section("preferences", PreferencesChanged, preferences)
"""What communications states of each source record."""
