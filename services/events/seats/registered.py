"""Who is registered for a session already: members, under whichever record, and people, by name and address."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sections import Record
from services.events.seats.states import ACTIVE_SQL
from shared.persistence.database import rows_of

# Offset 0: each row is looked up by its key, also where the statement is prepared while the table is empty.
_WHO = """
    select n.cluster, n.record_id, coalesce(m.member_id::text, n.cluster || '/' || n.record_id)
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    left join member_records m using (cluster, record_id)
"""
_REGISTERED_RECORDS = f"""
    select distinct o.session_id::text, coalesce(m.member_id::text, o.cluster || '/' || o.record_id),
           o.cluster, o.record_id
    from orders o left join member_records m using (cluster, record_id)
    where o.session_id = any($1::uuid[])
      and (m.member_id::text = any($2::text[]) or o.cluster || '/' || o.record_id = any($2::text[]))
      and exists (select from bookings b where b.order_id = o.order_id
                  and b.state in {ACTIVE_SQL})
"""
_REGISTERED_PEOPLE = f"""
    select n.session_id::text, n.person_key
    from unnest($1::uuid[], $2::text[]) as n (session_id, person_key)
    cross join lateral (
        select booking_id from attendees
        where session_id = n.session_id and person_key = n.person_key and left_at is null offset 0) a
    join bookings b using (booking_id)
    where b.state in {ACTIVE_SQL}
"""


async def members_of(connection: AsyncConnection, records: Collection[Record]) -> dict[Record, str]:
    """The member that each record is part of now; a record that none is known of is a member of its own."""
    columns = [record.cluster for record in records], [record.record_id for record in records]
    rows = rows_of(await connection.exec_driver_sql(_WHO, columns))
    return {Record(cluster, record_id): member for cluster, record_id, member in rows}


async def records_of_members(
    connection: AsyncConnection, session_ids: Collection[str], members: Collection[str]
) -> dict[tuple[str, str], set[Record]]:
    """By session and member: the records under which the member has a booking that holds or may hold seats."""
    rows = rows_of(await connection.exec_driver_sql(_REGISTERED_RECORDS, (list(session_ids), list(members))))
    by_member: dict[tuple[str, str], set[Record]] = {}
    for session_id, member, cluster, record_id in rows:
        by_member.setdefault((session_id, member), set()).add(Record(cluster, record_id))
    return by_member


async def people(connection: AsyncConnection, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these (session, person) who have a booking there already."""
    columns = [session_id for session_id, _ in wanted], [key for _, key in wanted]
    return {(row[0], row[1]) for row in rows_of(await connection.exec_driver_sql(_REGISTERED_PEOPLE, columns))}
