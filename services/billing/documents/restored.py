"""Numbers after a restore: a backup is older than what was sent since, so its counters would give numbers twice.

Each comparison keeps the fingerprint of its database: the server's own number, its timeline, the database's id. One
that comes out of a dump, or of a recovery, has another. No number is given there before somebody said what was sent.
A disk that was put back as a whole keeps its fingerprint: then compare without being asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.batches import transposed
from shared.persistence.database import rows_of
from shared.persistence.fingerprint import FINGERPRINT

_STATE = f"""
    select (select fingerprint from series_comparisons order by id desc limit 1), {FINGERPRINT},
           exists (select from documents)
"""
_COMPARED = f"""
    insert into series_comparisons (fingerprint, sent, author, reason) values ({FINGERPRINT}, $1::text[], $2, $3)
    returning id
"""
_LAST = "select issuer, kind, year, max(place) from documents group by issuer, kind, year"
_COUNTERS = "select issuer, kind, year, next from series order by issuer, kind for update"
_MOVE_ON = """
    insert into series as kept (issuer, kind, year, next, last_on) values ($1, $2, $3, $4, make_date($3, 1, 1))
    on conflict (issuer, kind) do update
    set year = excluded.year, next = excluded.next, last_on = greatest(kept.last_on, excluded.last_on)
"""
_LOST = """
    insert into lost_numbers (issuer, kind, year, first, last, comparison)
    select * from unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::int[], $6::bigint[])
"""


class UncomparedSeriesError(RuntimeError):
    """The database was restored, and nobody said yet what was sent."""


@dataclass(frozen=True, slots=True, order=True)
class Sent:
    """The last number that was sent of one series and year."""

    issuer: str
    kind: str
    year: int
    place: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Numbers that were sent and are not in this database: given to nobody again."""

    issuer: str
    kind: str
    year: int
    first: int
    last: int


async def is_compared(connection: AsyncConnection) -> bool:
    """Whether this database is the one that issued its documents, or was compared with what was sent."""
    [(compared, fingerprint, issued)] = rows_of(await connection.exec_driver_sql(_STATE))
    return compared == fingerprint or (compared is None and not issued)


async def require_compared(connection: AsyncConnection) -> None:
    """Let no number be given after a restore. The first document marks its database. Raises UncomparedSeriesError."""
    [(compared, fingerprint, issued)] = rows_of(await connection.exec_driver_sql(_STATE))
    if compared is None and not issued:
        await connection.exec_driver_sql(_COMPARED, ([], "traboule", "the first document of this database"))
    elif compared != fingerprint:
        raise UncomparedSeriesError(
            "this database was restored, and its last numbers may have been sent already: see `traboule billing check`"
        )


async def unnamed(connection: AsyncConnection, sent: Iterable[Sent]) -> list[tuple[str, str, int]]:
    """The series (issuer, kind, year) that count now, and of which nobody said what was sent last."""
    newest = {(each.issuer, each.kind): each.year for each in sorted(sent)}
    rows = rows_of(await connection.exec_driver_sql(_COUNTERS))
    return [(issuer, kind, year) for issuer, kind, year, _ in rows if newest.get((issuer, kind), 0) < year]


async def compare(connection: AsyncConnection, sent: Mapping[str, Sent], author: str, reason: str) -> list[Lost]:
    """Keep what was sent, let each series go on after it, and return the numbers that this database has lost."""
    last = {(i, k, y): place for i, k, y, place in rows_of(await connection.exec_driver_sql(_LAST))}
    counters = {(i, k): (y, n) for i, k, y, n in rows_of(await connection.exec_driver_sql(_COUNTERS))}
    comparison = (await connection.exec_driver_sql(_COMPARED, (sorted(sent), author, reason))).scalar_one()
    lost: list[Lost] = []
    for each in sorted(sent.values()):
        kept = last.get((each.issuer, each.kind, each.year), 0)
        year, following = counters.get((each.issuer, each.kind), (0, 1))
        known = max(kept, following - 1) if year == each.year else kept
        if each.place > known:
            lost.append(Lost(each.issuer, each.kind, each.year, known + 1, each.place))
        if (each.year, each.place + 1) > (year, following):
            counters[each.issuer, each.kind] = (each.year, each.place + 1)
            await connection.exec_driver_sql(_MOVE_ON, (each.issuer, each.kind, each.year, each.place + 1))
    if lost:
        rows = [(x.issuer, x.kind, x.year, x.first, x.last, comparison) for x in lost]
        await connection.exec_driver_sql(_LOST, transposed(rows))
    return lost
