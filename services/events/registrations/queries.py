"""The rows that participations are made of, read by source record."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import AnnouncedRecord
from schemas.events import Gathering, ParticipationChanged, ParticipationEntry
from services.common.sections import Record, Section
from services.events.registrations.participation import participation_of
from services.events.seats.order import as_id
from services.events.seats.states import STATUS_SQL
from shared.persistence.database import rows_of

_ENTRY = [name for name in ParticipationEntry.model_fields if name != "event"]
_GATHERING = list(Gathering.model_fields)
# Offset 0: each record is looked up by its key, also while the table is empty and the statement is prepared.
# A registration that was taken over is stated as it went on here.
_MIRRORED = f"""
    select r.cluster, r.record_id, {", ".join(f"r.{name}" for name in _ENTRY)},
           {", ".join(f"e.{name}" for name in _GATHERING)}
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from registrations where (cluster, record_id) = (n.cluster, n.record_id) offset 0) r
    left join events e on e.cluster = r.cluster and e.event_id = r.event_id
    where not exists (
        select from gatherings g join sessions s using (gathering_id) join bookings b using (session_id)
        where g.cluster = r.cluster and g.state <> 'given-back'
          and (g.event_id = r.event_id or g.gathering_id = {as_id("r.event_id")})
          and (b.former_id = r.registration_id or b.booking_id = {as_id("r.registration_id")}))
"""
_OWN = f"""
    select n.cluster, n.record_id, coalesce(b.former_id, b.booking_id::text),
           coalesce(g.event_id, g.gathering_id::text), o.placed_at, {STATUS_SQL}, b.seats,
           coalesce(g.event_id, g.gathering_id::text), coalesce(s.title, g.title), s.starts_at, s.ends_at, g.place,
           g.state
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from orders where (cluster, record_id) = (n.cluster, n.record_id) offset 0) o
    join bookings b using (order_id)
    join sessions s on s.session_id = b.session_id
    join gatherings g using (gathering_id)
    where g.state <> 'given-back'
"""


async def participations(connection: AsyncConnection, records: Sequence[Record]) -> Mapping[Record, AnnouncedRecord]:
    """What each of these records registered for, as it is now, under version 0; nothing where there is nothing."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    entries: defaultdict[Record, list[ParticipationEntry]] = defaultdict(list)
    rows = [
        *rows_of(await connection.exec_driver_sql(_MIRRORED, keys)),
        *rows_of(await connection.exec_driver_sql(_OWN, keys)),
    ]
    for cluster, record_id, *values in rows:
        own, event = values[: len(_ENTRY)], values[len(_ENTRY) :]
        known = event[0] is not None
        gathering = Gathering(**dict(zip(_GATHERING, event, strict=True))) if known else None
        entry = ParticipationEntry(**dict(zip(_ENTRY, own, strict=True)), event=gathering)
        entries[Record(cluster, record_id)].append(entry)
    return {record: participation_of(*record, entries[record]) for record in records}


PARTICIPATIONS = Section("participations", ParticipationChanged, participations)
"""What events states of each source record."""
