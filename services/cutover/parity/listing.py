"""The differences of the newest comparison: in numbers, chosen by what they are, and page by page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.parity.compare import WHATS, What
from services.cutover.parity.run import Acceptance, Run, RunDifference, run_difference
from services.cutover.parity.runs import IS_ACCEPTED
from shared.persistence.database import rows_of

State = Literal["open", "accepted", "all"]

_MOST_CHOICES: Final = 200
_MATCHES = f"""
    run_id = $1 and ($3::text = 'all' or ({IS_ACCEPTED}) = ($3::text = 'accepted'))
    and ($4::text is null or kind = $4::text) and ($5::text is null or what = $5::text)
    and ($6::text is null or $6::text = any(fields)) and ($7::text is null or owner = $7::text)
    and (not $8::boolean or owner is null) and ($9::text[] is null or digest = any($9::text[]))
"""
_PAGE = f"""
    select kind, item_id, what, fields, there, here, why, digest, owner from parity_differences where {_MATCHES}
    order by kind collate "C", array_position($10::text[], what), item_id collate "C", digest limit $11 offset $12
"""
_MATCHING = f"select digest from parity_differences where {_MATCHES}"
_COUNT_MATCHING = f"select count(*) from parity_differences where {_MATCHES}"
_ACCEPTED = """
    select digest, reason, by, at from parity_acceptances
    where cluster = $1 and digest = any($2::text[]) and taken_back_at is null
"""
# Digests are hexadecimal: what begins so lies before what begins with a "g" after it.
_BEGIN_SO = """
    select b.beginning, array(
        select d.digest from parity_differences d
        where d.run_id = $1 and d.digest >= b.beginning and d.digest < b.beginning || 'g' order by d.digest limit $3
    ) from unnest($2::text[]) b (beginning)
"""
_CHOICES = """
    select array(select distinct kind from parity_differences where run_id = $1 order by kind),
           array(select distinct name from parity_differences, unnest(fields) name
                 where run_id = $1 order by name limit $2),
           array(select distinct owner from parity_differences
                 where run_id = $1 and owner is not null order by owner limit $2)
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which differences of a run; what is None lets everything through. ``unowned``: only those that nobody has."""

    state: State = "all"
    kind: str | None = None
    what: What | None = None
    field: str | None = None
    owner: str | None = None
    unowned: bool = False
    digests: Sequence[str] | None = None

    def values(self) -> tuple[Any, ...]:
        """As a statement takes them, after the run and the cluster."""
        digests = None if self.digests is None else list(self.digests)
        return self.state, self.kind, self.what, self.field, self.owner, self.unowned, digests


async def differences(
    connection: AsyncConnection, run: Run, choice: Filter, *, after: int = 0, limit: int | None = None
) -> list[RunDifference]:
    """Those that a filter lets through, by kind, what and id, as they stand now; ``after`` so many."""
    values = (run.number, run.cluster, *choice.values(), list(WHATS), limit, after)
    rows = rows_of(await connection.exec_driver_sql(_PAGE, values))
    digests = [row[7] for row in rows]
    in_force = rows_of(await connection.exec_driver_sql(_ACCEPTED, (run.cluster, digests))) if digests else ()
    accepted = {digest: Acceptance(*rest) for digest, *rest in in_force}
    return [run_difference(row, accepted) for row in rows]


async def matching(connection: AsyncConnection, run: Run, choice: Filter) -> list[str]:
    """The digests of those that a filter lets through."""
    values = (run.number, run.cluster, *choice.values())
    return list((await connection.exec_driver_sql(_MATCHING, values)).scalars())


async def count_matching(connection: AsyncConnection, run: Run, choice: Filter) -> int:
    """How many a filter lets through."""
    values = (run.number, run.cluster, *choice.values())
    return (await connection.exec_driver_sql(_COUNT_MATCHING, values)).scalar_one()


async def begin_so(
    connection: AsyncConnection, run: Run, beginnings: Collection[str], most: int
) -> dict[str, Sequence[str]]:
    """The digests of a run that begin with each of these, at most ``most`` of each."""
    values = (run.number, list(beginnings), most)
    rows = rows_of(await connection.exec_driver_sql(_BEGIN_SO, values))
    return dict[str, Sequence[str]](map(tuple, rows))


async def choices(connection: AsyncConnection, run: Run) -> dict[str, list[str]]:
    """By what its differences can be filtered: the kinds, fields and owners that there are."""
    ((kinds, fields, owners),) = rows_of(await connection.exec_driver_sql(_CHOICES, (run.number, _MOST_CHOICES)))
    return {"kinds": kinds, "fields": fields, "owners": owners}
