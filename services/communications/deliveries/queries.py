"""What staff see of mails: counts, single mails with what was answered, and why somebody gets none."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.database import rows_of

_COUNTS = "select kind, mode, state, count(*) from deliveries group by 1, 2, 3 order by 1, 2, 3"
_PAUSED = """
    select p.domain, p.paused_because as because, p.paused_at as since,
           (select count(*) from deliveries d where d.domain = p.domain and d.state = 'due') as waiting
    from paces p where p.paused_at is not null order by 1
"""
_OLDEST = "select min(due_at) from deliveries where state = 'due' and due_at <= now()"
_REASONS = "select reason, count(*) from suppressions where lifted_at is null group by 1 order by 1"
_UNMATCHED = "select count(*) from unmatched_objections"
_SET_ASIDE = """
    select reason, count(*) from dead_letters where status = 'parked' and queue = any($1) group by 1 order by 1
"""
_RECORDS = "array(select r.cluster || '/' || r.record_id from {0} r where r.{1} = {2}.{1} order by 1)"
_DELIVERIES = f"""
    select d.delivery_id::text, d.kind, d.mode, d.purpose, d.cause, d.brand,
           {_RECORDS.format("delivery_records", "delivery_id", "d")} as records, d.name, d.address, d.state, d.attempt,
           d.created_at, d.due_at, d.handed_at, d.ended_at, d.code, d.answer
    from deliveries d
    where ($1::text is null or d.state = $1)
      and ($2::text is null or d.kind = $2)
      and ($3::text is null or d.cause = $3)
      and ($4::text is null or exists (
          select from delivery_records r where (r.delivery_id, r.cluster, r.record_id) = (d.delivery_id, $4, $5)))
    order by d.created_at desc, d.delivery_id limit $6
"""
# Those of the record itself, of its member's other records, and of the address that the mail went to.
_SUPPRESSIONS = f"""
    with met as (
        select x.suppression_id
        from suppression_records x
        where (x.cluster, x.record_id) = ($1, $2) or (x.cluster, x.record_id) in (
            select m.cluster, m.record_id from member_records own join member_records m using (member_id)
            where (own.cluster, own.record_id) = ($1, $2))
        union
        select s.suppression_id from suppressions s where s.address_key = any($3::bytea[])
    )
    select s.suppression_id, s.reason, s.source, s.covers, s.purpose, s.at, s.lifted_at, s.lifted_by, s.proof,
           {_RECORDS.format("suppression_records", "suppression_id", "s")} as records
    from met join suppressions s using (suppression_id)
    order by s.lifted_at is not null, s.at desc, s.suppression_id desc limit 200
"""
_ADDRESS = "select key_id, address_key, address from deliveries where delivery_id = $1::uuid"


async def status(connection: AsyncConnection, queues: Sequence[str]) -> Mapping[str, Any]:
    """Counts by kind and state, paused domains, what is suppressed, and what was set aside of these queues."""
    counts = (await connection.exec_driver_sql(_COUNTS)).all()
    paused = (await connection.exec_driver_sql(_PAUSED)).mappings().all()
    return {
        "counts": [dict(zip(("kind", "mode", "state", "count"), row, strict=True)) for row in counts],
        "paused": [dict(row) for row in paused],
        "oldest_due": (await connection.exec_driver_sql(_OLDEST)).scalar_one(),
        "suppressed": dict(rows_of(await connection.exec_driver_sql(_REASONS))),
        "set_aside": dict(rows_of(await connection.exec_driver_sql(_SET_ASIDE, (list(queues),)))),
        "unmatched_objections": (await connection.exec_driver_sql(_UNMATCHED)).scalar_one(),
    }


async def deliveries(
    connection: AsyncConnection, wanted: Sequence[str | None], record: tuple[str, str] | None, limit: int
) -> list[dict[str, Any]]:
    """Mails of a state, kind and cause, and about a record, the newest first."""
    cluster, record_id = record or (None, None)
    rows = await connection.exec_driver_sql(_DELIVERIES, (*wanted, cluster, record_id, limit))
    return [dict(row) for row in rows.mappings()]


async def suppressions(
    connection: AsyncConnection, record: tuple[str, str] | None, address_keys: Sequence[bytes]
) -> list[dict[str, Any]]:
    """What forbids to write to a record, or to an address."""
    cluster, record_id = record or (None, None)
    rows = await connection.exec_driver_sql(_SUPPRESSIONS, (cluster, record_id, list(address_keys)))
    return [dict(row) for row in rows.mappings()]


async def address_of(connection: AsyncConnection, delivery_id: str) -> tuple[str, bytes, str | None] | None:
    """Key id, hash, and the address itself unless it was forgotten; None if there is no such mail."""
    rows = rows_of(await connection.exec_driver_sql(_ADDRESS, (delivery_id,)))
    return next(((key_id, bytes(value), address) for key_id, value, address in rows), None)
