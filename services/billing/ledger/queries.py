"""Entries of an issuer as they are read, in the order in which they were written."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.ledger.fec import EntryLine
from shared.persistence.database import rows_of

# One transaction at a time writes for an issuer, and nothing is taken away: an entry's place in its year stays.
_ENTRIES = """
    select e.journal, e.number, e.booked_on, l.account, l.auxiliary, d.document->'own'->>'name', e.piece, e.piece_on,
           e.label, l.debit, l.credit, (e.at at time zone 'Europe/Paris')::date
    from (select *, row_number() over (order by place) as number from entries
          where issuer = $1 and booked_on between $2 and $3 order by place offset $4 limit $5) e
    join entry_lines l using (entry_id)
    left join descriptions d on d.cluster || '/' || d.record_id = l.auxiliary
    order by e.place, l.place
"""
_COUNT = "select count(*) from entries where issuer = $1 and booked_on between $2 and $3"


async def entries(
    connection: AsyncConnection, issuer: str, first: date, last: date, after: int, limit: int
) -> list[EntryLine]:
    """Lines of so many entries of these days, after the one of this number; numbers count from 1."""
    rows = rows_of(await connection.exec_driver_sql(_ENTRIES, (issuer, first, last, after, limit)))
    return [EntryLine(*row) for row in rows]


async def count(connection: AsyncConnection, issuer: str, first: date, last: date) -> int:
    """How many entries these days have."""
    return (await connection.exec_driver_sql(_COUNT, (issuer, first, last))).scalar_one()
