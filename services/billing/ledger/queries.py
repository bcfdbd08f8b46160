"""Entries of an issuer as they are read, in the order in which they were written."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.ledger.fec import EntryLine
from shared.persistence.database import rows_of

# One transaction at a time writes for an issuer, and nothing is taken away: an entry's place in its year stays.
_ENTRIES = """
    select e.journal, b.entries + e.number, e.booked_on, l.account, l.auxiliary, d.document->'own'->>'name', e.piece,
           e.piece_on, e.label, l.debit, l.credit, (e.at at time zone 'Europe/Paris')::date, e.place
    from (select count(*) as entries from entries
          where issuer = $1 and booked_on between $2 and $3 and place <= $4) b
    cross join (
        select *, row_number() over (order by place) as number from (
            select * from entries where issuer = $1 and booked_on between $2 and $3 and place > $4
            order by place limit $5) page) e
    cross join lateral (select * from entry_lines where entry_id = e.entry_id offset 0) l
    left join lateral (
        select document from descriptions
        where (cluster, record_id) = (split_part(l.auxiliary, '/', 1),
                                      substr(l.auxiliary, strpos(l.auxiliary, '/') + 1)) offset 0) d on true
    order by e.place, l.place
"""
_COUNT = "select count(*) from entries where issuer = $1 and booked_on between $2 and $3"


async def entries(
    connection: AsyncConnection, issuer: str, first: date, last: date, after: int, limit: int
) -> list[EntryLine]:
    """Lines of so many entries of these days, after the one of this place; numbers count from 1 within the days."""
    rows = rows_of(await connection.exec_driver_sql(_ENTRIES, (issuer, first, last, after, limit)))
    return [EntryLine(*row) for row in rows]


async def count(connection: AsyncConnection, issuer: str, first: date, last: date) -> int:
    """How many entries these days have."""
    return (await connection.exec_driver_sql(_COUNT, (issuer, first, last))).scalar_one()
