"""Runs of a comparison, kept with every difference that they found; and what of these a person accepts."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.parity.compare import WHATS, Difference, Result, Sides
from services.cutover.parity.run import (
    Acceptance,
    Run,
    RunDifference,
    Subject,
    run_difference,
    sums_as_json,
    sums_by_year,
)
from services.cutover.preconditions import Parity
from shared.persistence.batches import columns_of
from shared.persistence.database import json_of, rows_of

_CHUNK = 2_000

# By set operations, or read apart and brought together here: a join of two tables that have just grown may, as the
# planner is told to use keys, go through all acceptances for each difference.
_OPEN = """
    select digest from parity_differences where run_id = r.id
    except select digest from parity_acceptances where cluster = r.cluster and taken_back_at is null
"""
_KEEP = """
    insert into parity_runs (cluster, by, source, counts, sums, open, accepted, subject, manifest)
    values ($1, $2, $3::text[], $4::json, $5::json, 0, 0, $6, $7) returning id
"""
_KEEP_DIFFERENCES = """
    insert into parity_differences (run_id, digest, kind, item_id, what, fields, there, here, why, owner)
    select $1, digest, kind, item_id, what, array(select jsonb_array_elements_text(fields)), there, here, why, owner
    from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::json[], $8::json[], $9::json[],
                $10::text[]) as n (digest, kind, item_id, what, fields, there, here, why, owner)
    on conflict (run_id, digest) do nothing
"""
# Who keeps a run and who gives differences to somebody take turns: a run that is being kept takes over the owners of
# the one before, and an owner given meanwhile would stay with that.
_TURN = "select pg_advisory_xact_lock(hashtext('parity-owners'), hashtext($1 || '/' || $2))"
_COUNT = f"""
    with counted as (
        select r.id, (select count(*) from parity_differences d where d.run_id = r.id) as found,
               (select count(*) from ({_OPEN}) o) as open
        from parity_runs r where r.cluster = $1 and r.id = $2
    )
    update parity_runs r set open = c.open, accepted = c.found - c.open from counted c where r.id = c.id
"""
_NEWEST = """
    select id, cluster, at, by, source, counts, sums, manifest from parity_runs
    where cluster = $1 and subject = $2 order by id desc limit 1
"""
_LAST = f"""
    select r.at, (select count(*) from ({_OPEN}) o), r.source, r.counts from parity_runs r
    where r.cluster = $1 and r.subject = $2 order by r.id desc limit 1
"""
_ALL_LAST = f"""
    select r.cluster, r.at, (select count(*) from ({_OPEN}) o)
    from (select distinct on (cluster) id, cluster, at from parity_runs where subject = $1
          order by cluster, id desc) r
"""
# Run by run by their numbers: the planner is told to use keys.
_FORGET = """
    update parity_differences set there = null, here = null, why = null
    where run_id = any(array(
        select id from parity_runs where at < now() - make_interval(days => $1)
        except select max(id) from parity_runs group by cluster, subject
    )) and (there is not null or here is not null or why is not null)
"""
_OWNERS = """
    select kind, item_id, max(owner) from parity_differences where run_id = $1 and owner is not null
    group by kind, item_id
"""
_DIFFERENCES = """
    select kind, item_id, what, fields, there, here, why, digest, owner from parity_differences where run_id = $1
"""
_IN_FORCE = """
    select digest, reason, by, at from parity_acceptances where cluster = $1 and taken_back_at is null
"""
# A row is compared with a hash of all acceptances. A join would go through all of them for each row: the planner is
# told to use keys.
IS_ACCEPTED = "digest in (select digest from parity_acceptances where cluster = $2 and taken_back_at is null)"
"""Of a difference; ``$2`` is the cluster."""
_NUMBERS = f"""
    select count(*) filter (where not accepted), count(*) filter (where accepted)
    from (select {IS_ACCEPTED} as accepted from parity_differences where run_id = $1) d
"""
_HISTORY = """
    select id, at, by, source, open, accepted from parity_runs
    where cluster = $1 and subject = $2 and ($4::int is null or at >= now() - make_interval(days => $4::int))
    order by id desc limit $3
"""
_ACCEPT = """
    insert into parity_acceptances (cluster, digest, reason, by) select $1, unnest($2::text[]), $3, $4
    on conflict (cluster, digest) where taken_back_at is null do nothing returning digest
"""
_TAKE_BACK = """
    update parity_acceptances set taken_back_at = now(), taken_back_reason = $3, taken_back_by = $4
    where cluster = $1 and digest = any($2::text[]) and taken_back_at is null returning digest
"""
_ASSIGN = """
    update parity_differences set owner = $3::text
    where run_id = $1 and digest = any($2::text[]) and owner is distinct from $3::text returning digest
"""


async def last_run(connection: AsyncConnection, cluster: str, subject: Subject = "mirror") -> Parity | None:
    """When this cluster was compared last, and how many differences are open now: none, and it is clean."""
    result = await last_counted(connection, cluster, subject)
    return None if result is None else result[0]


async def last_counted(
    connection: AsyncConnection, cluster: str, subject: Subject
) -> tuple[Parity, Sequence[str], dict[str, Sides]] | None:
    """The same, with what it was made of and how many there were on each side, by kind."""
    for at, open_differences, source, counts in rows_of(await connection.exec_driver_sql(_LAST, (cluster, subject))):
        sides = {kind: Sides(**pair) for kind, pair in json_of(counts).items()}
        return Parity(at, open_differences), source, sides
    return None


async def last_runs(connection: AsyncConnection, subject: Subject = "mirror") -> dict[str, Parity]:
    """The same for every cluster that was ever compared."""
    rows = rows_of(await connection.exec_driver_sql(_ALL_LAST, (subject,)))
    return {cluster: Parity(*rest) for cluster, *rest in rows}


async def forget(connection: AsyncConnection, days: int) -> int:
    """Forget the values of differences that runs older than ``days`` found; returns how many differences had some.

    Counts, names, owners and acceptances stay, and so does the newest run of each cluster and subject, whole.
    """
    return (await connection.exec_driver_sql(_FORGET, (days,))).rowcount


async def keep(
    connection: AsyncConnection,
    cluster: str,
    result: Result,
    *,
    by: str,
    source: Sequence[str],
    subject: Subject = "mirror",
    manifest: int | None = None,
) -> int:
    """Keep a run; returns its number. A record that had an owner in the run before, of this subject, keeps it.

    In a transaction that sees what others commit, and not in the snapshot of the comparison, which may be minutes old:
    whoever was given a difference since then keeps it too.
    """
    await take_turn(connection, cluster, subject)
    before = rows_of(await connection.exec_driver_sql(_NEWEST, (cluster, subject)))
    previous = rows_of(await connection.exec_driver_sql(_OWNERS, (before[0][0],))) if before else ()
    owners = {(kind, item_id): owner for kind, item_id, owner in previous}
    counts = orjson.dumps({kind: asdict(sides) for kind, sides in result.counts.items()}).decode()
    sums = orjson.dumps(sums_as_json(result.sums)).decode()
    values = (cluster, by, list(source), counts, sums, subject, manifest)
    number: int = (await connection.exec_driver_sql(_KEEP, values)).scalar_one()
    for at in range(0, len(result.differences), _CHUNK):
        chunk = result.differences[at : at + _CHUNK]
        owned = [owners.get((difference.kind, difference.item_id)) for difference in chunk]
        await connection.exec_driver_sql(_KEEP_DIFFERENCES, (number, *_columns(chunk), owned))
    await connection.exec_driver_sql(_COUNT, (cluster, number))
    return number


async def newest(
    connection: AsyncConnection, cluster: str, subject: Subject = "mirror", *, with_differences: bool = True
) -> Run | None:
    """The newest run with its differences, if these are wanted, and with what is accepted and assigned now."""
    rows = rows_of(await connection.exec_driver_sql(_NEWEST, (cluster, subject)))
    if not rows:
        return None
    number, name, at, by, source, counts, sums, manifest = rows[0]
    still_open, accepted = await numbers(connection, name, number)
    return Run(
        number=number,
        cluster=name,
        at=at,
        by=by,
        source=source,
        counts={kind: Sides(**sides) for kind, sides in json_of(counts).items()},
        sums={kind: sums_by_year(years) for kind, years in json_of(sums).items()},
        open=still_open,
        accepted=accepted,
        differences=await _differences_of(connection, number, cluster) if with_differences else (),
        manifest=manifest,
        subject=subject,
    )


async def numbers(connection: AsyncConnection, cluster: str, run: int) -> tuple[int, int]:
    """How many differences of a run are open now, and how many accepted."""
    ((still_open, accepted),) = rows_of(await connection.exec_driver_sql(_NUMBERS, (run, cluster)))
    return still_open, accepted


async def _differences_of(connection: AsyncConnection, number: int, cluster: str) -> list[RunDifference]:
    in_force = rows_of(await connection.exec_driver_sql(_IN_FORCE, (cluster,)))
    accepted = {digest: Acceptance(*rest) for digest, *rest in in_force}
    result = [
        run_difference(row, accepted) for row in rows_of(await connection.exec_driver_sql(_DIFFERENCES, (number,)))
    ]
    result.sort(key=lambda item: (item.difference.kind, WHATS.index(item.difference.what), item.difference.item_id))
    return result


async def history(
    connection: AsyncConnection,
    cluster: str,
    limit: int = 50,
    subject: Subject = "mirror",
    *,
    days: int | None = None,
) -> list[dict[str, Any]]:
    """The newest runs, of the last ``days`` if it is said, and what each found open and accepted at its time."""
    rows = (await connection.exec_driver_sql(_HISTORY, (cluster, subject, limit, days))).mappings().all()
    return [dict(row) for row in rows]


async def accept(
    connection: AsyncConnection, cluster: str, digests: Collection[str], *, by: str, reason: str
) -> set[str]:
    """Let differences stay for as long as they are the same; returns those that were not accepted before."""
    rows = await connection.exec_driver_sql(_ACCEPT, (cluster, sorted(digests), reason, by))
    return set(rows.scalars())


async def take_back(
    connection: AsyncConnection, cluster: str, digests: Collection[str], *, by: str, reason: str
) -> set[str]:
    """Open accepted differences again; returns those that were accepted. What was said stays on record."""
    rows = await connection.exec_driver_sql(_TAKE_BACK, (cluster, sorted(digests), reason, by))
    return set(rows.scalars())


async def take_turn(connection: AsyncConnection, cluster: str, subject: Subject) -> None:
    """Until the transaction ends, nobody else keeps a run of these or gives its differences to somebody."""
    await connection.exec_driver_sql(_TURN, (cluster, subject))


async def assign(connection: AsyncConnection, run: int, digests: Collection[str], owner: str | None) -> set[str]:
    """Give differences of a run to somebody, or to nobody; returns those that had another owner, or none."""
    return set((await connection.exec_driver_sql(_ASSIGN, (run, sorted(digests), owner))).scalars())


# --- rows ----------------------------------------------------------------------------------------------------------


def _columns(differences: Sequence[Difference]) -> tuple[list[Any], ...]:
    return (
        *columns_of(differences, "digest", "kind", "item_id", "what"),
        [orjson.dumps(difference.fields).decode() for difference in differences],
        [_text(difference.there) for difference in differences],
        [_text(difference.here) for difference in differences],
        [_text(difference.why) for difference in differences],
    )


def _text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
