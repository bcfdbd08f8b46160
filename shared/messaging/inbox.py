"""The inbox: each event has its effect once, settled by a unique constraint (never check-then-insert)."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

_ADMIT = """
    insert into inbox (message)
    select unnest($1::text[])
    on conflict do nothing
    returning message
"""
_FORGET = """
    delete from inbox where message in
        (select message from inbox where received_at < now() - make_interval(days => $1) limit 10000)
"""


async def admit(connection: AsyncConnection, messages: Iterable[str]) -> set[str]:
    """Enter events (``source id`` each) into the inbox; returns those that were not there yet.

    Sorted, so that two replicas that meet the same duplicates wait for each other instead of deadlocking.
    """
    keys = sorted(set(messages))
    rows = await connection.exec_driver_sql(_ADMIT, (keys,))
    return set(rows.scalars())


async def forget(connection: AsyncConnection, days: int) -> int:
    """Delete at most 10,000 rows older than ``days``; a later duplicate is still stopped by its record's version."""
    return (await connection.exec_driver_sql(_FORGET, (days,))).rowcount
