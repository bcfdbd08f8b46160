"""All SQL of suppressions.

Whoever suppresses takes a lock that whoever marks deliveries shares (:func:`looked_at`). So no mail is marked after an
objection was committed, whatever the two saw of each other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.communications.suppressions.address import Keyring
from services.communications.suppressions.suppression import Blocked, Suppression
from shared.persistence.batches import newest_by, transposed
from shared.persistence.database import rows_of

_WRITERS_TURN: Final = "select pg_advisory_xact_lock(hashtext('suppressions'))"
_READERS_TURN: Final = "select pg_advisory_xact_lock_shared(hashtext('suppressions'))"
# The same cause is one suppression, of the last time that it was said; one that was lifted counts again only if it is
# said after that.
_SUPPRESS = """
    insert into suppressions as kept (cause, key_id, address_key, covers, purpose, reason, source, at)
    select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::timestamptz[])
    on conflict (cause) do update
    set at = excluded.at, lifted_at = null, lifted_by = null, proof = null
    where excluded.at > coalesce(kept.lifted_at, kept.at)
    returning cause
"""
_TAKE_BACK = """
    insert into suppressions as kept (cause, key_id, address_key, covers, purpose, reason, source, at, lifted_at,
                                      lifted_by)
    select n.*, n.at, 'the person'
    from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
        as n (cause, key_id, address_key, covers, purpose, reason, source, at)
    on conflict (cause) do update
    set lifted_at = excluded.lifted_at, lifted_by = excluded.lifted_by
    where kept.lifted_at is null and kept.at < excluded.lifted_at
"""
_RECORDS = """
    insert into suppression_records (suppression_id, cluster, record_id)
    select s.suppression_id, r.cluster, r.record_id
    from unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) as n (cause, cluster, record_id, spreads)
    join suppressions s using (cause)
    cross join lateral (
        select n.cluster, n.record_id
        union
        select m.cluster, m.record_id
        from member_records own join member_records m using (member_id)
        where n.spreads and (own.cluster, own.record_id) = (n.cluster, n.record_id)
    ) r
    on conflict do nothing
"""
_LIFT = """
    update suppressions set lifted_at = clock_timestamp(), lifted_by = $2, proof = $3
    where suppression_id = any($1::bigint[]) and lifted_at is null returning suppression_id
"""
# Offset 0: everything is looked up by its key, also while a table is empty and the statement is prepared.
_BLOCKED = """
    with own as (
        select a.delivery_id, r.cluster, r.record_id
        from unnest($1::uuid[]) as a (delivery_id)
        cross join lateral (select * from delivery_records where delivery_id = a.delivery_id offset 0) r
    ), theirs as (
        select * from own
        union
        select o.delivery_id, m.cluster, m.record_id
        from own o
        cross join lateral
            (select member_id from member_records where (cluster, record_id) = (o.cluster, o.record_id) offset 0) k
        cross join lateral (select * from member_records where member_id = k.member_id offset 0) m
    ), met as (
        select t.delivery_id, x.suppression_id
        from theirs t
        cross join lateral
            (select * from suppression_records where (cluster, record_id) = (t.cluster, t.record_id) offset 0) x
        union
        select k.delivery_id, s.suppression_id
        from unnest($2::uuid[], $3::bytea[]) as k (delivery_id, address_key)
        cross join lateral (select * from suppressions where address_key = k.address_key offset 0) s
    )
    select distinct on (d.delivery_id) d.delivery_id::text, s.suppression_id, s.reason, s.source, s.at
    from met
    cross join lateral (select * from suppressions where suppression_id = met.suppression_id offset 0) s
    cross join lateral (select * from deliveries where delivery_id = met.delivery_id offset 0) d
    where s.lifted_at is null
      and (s.covers = 'everything' or (d.mode = 'bulk' and s.purpose in ('*', d.purpose)))
    order by d.delivery_id, s.at, s.suppression_id
"""


async def suppress(connection: AsyncConnection, keyring: Keyring, suppressions: Collection[Suppression]) -> set[str]:
    """Keep them from here on; returns the causes that were said anew."""
    if not suppressions:
        return set()
    await writers_turn(connection)
    rows = newest_of_causes(suppressions)
    fresh = {cause for (cause,) in rows_of(await connection.exec_driver_sql(_SUPPRESS, _columns(rows, keyring)))}
    records = [(item.cause, *record, item.spreads) for item in rows for record in item.records]
    if records:
        columns = transposed(records)
        await connection.exec_driver_sql(_RECORDS, columns)
    return fresh


def newest_of_causes(items: Iterable[Suppression]) -> list[Suppression]:
    """Of each cause the one that was said last; in order, so that replicas lock rows in the same order."""
    newest = newest_by(items, lambda item: item.cause, lambda item: item.at)
    return [newest[cause] for cause in sorted(newest)]


def _columns(rows: Sequence[Suppression], keyring: Keyring) -> tuple[list[Any], ...]:
    hashes = [keyring.current(item.address) if isinstance(item.address, str) else item.address for item in rows]
    return (
        [item.cause for item in rows],
        [found and found.key_id for found in hashes],
        [found and found.value for found in hashes],
        [item.covers for item in rows],
        [item.purpose for item in rows],
        [item.reason for item in rows],
        [item.source for item in rows],
        [item.at for item in rows],
    )


async def take_back(connection: AsyncConnection, keyring: Keyring, taken_back: Collection[Suppression]) -> None:
    """Lift what the person took back itself, at ``at``: also what was said before, and is heard only later."""
    if taken_back:
        await writers_turn(connection)
        rows = newest_of_causes(taken_back)
        await connection.exec_driver_sql(_TAKE_BACK, _columns(rows, keyring))


async def lift(connection: AsyncConnection, suppression_ids: Collection[int], by: str, proof: str | None) -> set[int]:
    """Let these be written to again, by the person's own act or by somebody who keeps a proof; returns which were."""
    await writers_turn(connection)
    return {row[0] for row in rows_of(await connection.exec_driver_sql(_LIFT, (list(suppression_ids), by, proof)))}


async def writers_turn(connection: AsyncConnection) -> None:
    """Wait until nobody else changes suppressions or marks mails, and let nobody until this transaction ends."""
    await connection.exec_driver_sql(_WRITERS_TURN)


async def looked_at(connection: AsyncConnection) -> None:
    """Let no suppression be committed until this transaction ends: what it marks goes by all there were."""
    await connection.exec_driver_sql(_READERS_TURN)


async def blocked(connection: AsyncConnection, hashes: Mapping[str, Sequence[bytes]]) -> dict[str, Blocked]:
    """Which of these deliveries must not go out, and why. ``hashes`` of each one's address, under every key."""
    pairs = [(delivery_id, value) for delivery_id, values in hashes.items() for value in values]
    columns = (list(hashes), [delivery_id for delivery_id, _ in pairs], [value for _, value in pairs])
    return {row[0]: Blocked(*row[1:]) for row in rows_of(await connection.exec_driver_sql(_BLOCKED, columns))}
