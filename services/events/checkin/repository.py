"""All SQL of the list at the door: who is expected, who came in when, and who came without being on it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.events.checkin.listed import Listed
from shared.persistence.batches import transposed
from shared.persistence.database import rows_of

_PERSON = """
    a.session_id::text, a.attendee_id::text, a.name, a.attended_at, a.attended_with, a.attended_by,
    a.booking_id is null,
    case when a.left_at is not null then 'cancelled' else coalesce(b.state, 'walk-in') end
"""
_BY_TICKET = f"""
    select {_PERSON}, t.digest, t.former_name
    from unnest($1::bytea[]) as n (digest)
    cross join lateral (select * from tickets where digest = n.digest offset 0) t
    cross join lateral (select * from attendees where attendee_id = t.attendee_id offset 0) a
    left join bookings b using (booking_id)
"""
_BY_ID = f"""
    select {_PERSON} from unnest($1::uuid[]) as n (id)
    cross join lateral (select * from attendees where attendee_id = n.id offset 0) a
    left join bookings b using (booking_id)
"""
_EXPECTED = f"""
    select {_PERSON}, o.cluster || '/' || o.record_id, m.member_id::text,
           coalesce((select array_agg(distinct r.cluster) from member_records r where r.member_id = m.member_id),
                    case when o.cluster is null then array[]::text[] else array[o.cluster] end), a.person_key,
           array(select encode(t.digest, 'hex') from tickets t
                 where t.attendee_id = a.attendee_id and t.former_name is null order by t.at desc, t.digest),
           d.name, d.departement
    from attendees a left join bookings b using (booking_id) left join orders o using (order_id)
    left join described_records d on (d.cluster, d.record_id) = (o.cluster, o.record_id)
    left join member_records m on (m.cluster, m.record_id) = (o.cluster, o.record_id)
    where a.session_id = $1::uuid order by a.name, a.attendee_id
"""
# In the order of their ids, so that two transactions lock rows in the same order.
_TURN = """
    select session_id::text from sessions where session_id = any($1::uuid[]) order by session_id for update
"""
_KNOWN = """
    select c.session_id::text, c.key, case when c.undone_at is null then c.attendee_id::text end
    from unnest($1::uuid[], $2::text[]) as n (session_id, key)
    cross join lateral (select * from checkins where session_id = n.session_id and key = n.key offset 0) c
"""
_ADD = """
    insert into attendees (attendee_id, session_id, name, email, person_key)
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
"""
_CHECK_IN = """
    insert into checkins (session_id, key, attendee_id, at, device, author)
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[])
    on conflict do nothing
"""
# The first moment wins, whichever device is heard first: what two devices say ends in the same row.
_FIRST = """
    update attendees a set attended_at = f.at, attended_with = f.device, attended_by = f.author
    from (select distinct on (attendee_id) attendee_id, at, device, author from checkins
          where attendee_id = any($1::uuid[]) and undone_at is null order by attendee_id, at, key) f
    where a.attendee_id = f.attendee_id
"""
_UNDO = "update checkins set undone_at = clock_timestamp() where attendee_id = $1::uuid and undone_at is null"
_OUT = """
    update attendees set attended_at = null, attended_with = null, attended_by = null
    where attendee_id = $1::uuid returning name
"""
_TWICE = """
    select attendee_id::text from checkins where session_id = $1::uuid and undone_at is null
    group by attendee_id having count(distinct coalesce(device, '')) > 1
"""


@dataclass(frozen=True, slots=True)
class ListedMember:
    """The same, with whose they are, and what the record of their registration says of it.

    ``tickets`` are digests in hexadecimal, the newest before the others.
    """

    person: Listed
    record: str | None
    member: str | None
    clusters: list[str]
    person_key: str | None
    tickets: list[str]
    record_name: str | None
    departement: str | None

    @property
    def organisation(self) -> str | None:
        """The company's name, else the record by its key."""
        return self.record_name or self.record


async def take_turns(connection: AsyncConnection, session_ids: Collection[str]) -> set[str]:
    """Lock the rows of these sessions until we commit; those that exist."""
    return set((await connection.exec_driver_sql(_TURN, (list(session_ids),))).scalars())


async def by_ticket(connection: AsyncConnection, digests: Collection[bytes]) -> dict[bytes, Listed]:
    """By digest: those whose ticket it is, or was before another came instead; whatever the session."""
    rows = rows_of(await connection.exec_driver_sql(_BY_TICKET, (sorted(digests),)))
    return {bytes(digest): _as_it_was(Listed(*person), former) for *person, digest, former in rows}


async def by_id(connection: AsyncConnection, ids: Collection[str]) -> dict[str, Listed]:
    """Those of these ids, whatever the session."""
    rows = rows_of(await connection.exec_driver_sql(_BY_ID, (sorted(set(ids)),)))
    return {row[1]: Listed(*row) for row in rows}


async def expected(connection: AsyncConnection, session_id: str) -> list[ListedMember]:
    """The whole list, by name."""
    rows = rows_of(await connection.exec_driver_sql(_EXPECTED, (session_id,)))
    return [ListedMember(Listed(*row[:8]), *row[8:]) for row in rows]


async def known(connection: AsyncConnection, entries: Collection[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """Who was let in by each of these keys of sessions; None where that was taken back, or another comes instead."""
    if not entries:
        return {}
    rows = rows_of(await connection.exec_driver_sql(_KNOWN, transposed(sorted(set(entries)))))
    return {(session_id, key): attendee_id for session_id, key, attendee_id in rows}


async def add_walk_ins(connection: AsyncConnection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep people who are on no list: attendee_id, session_id, name, email, person_key."""
    if rows:
        await connection.exec_driver_sql(_ADD, transposed(rows))


async def check_in(connection: AsyncConnection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep who came in: session_id, key, attendee_id, at, device, author."""
    if rows:
        await connection.exec_driver_sql(_CHECK_IN, transposed(rows))
        await connection.exec_driver_sql(_FIRST, ([row[2] for row in rows],))


async def undo(connection: AsyncConnection, attendee_id: str) -> str | None:
    """Take back that somebody came in; their name, or None where there is nobody."""
    await connection.exec_driver_sql(_UNDO, (attendee_id,))
    return (await connection.exec_driver_sql(_OUT, (attendee_id,))).scalar_one_or_none()


async def let_in_twice(connection: AsyncConnection, session_id: str) -> list[str]:
    """Those whom two devices let in: a ticket may have been copied."""
    return sorted((await connection.exec_driver_sql(_TWICE, (session_id,))).scalars())


def _as_it_was(person: Listed, former_name: str | None) -> Listed:
    if former_name is None:
        return person
    return Listed(
        person.session_id, person.attendee_id, former_name, None, None, None, walk_in=False, state="cancelled"
    )
