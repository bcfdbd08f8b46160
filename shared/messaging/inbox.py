"""The inbox: each event has its effect once, settled by a unique constraint (never check-then-insert)."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.statements import execute, fetch

_ADMIT = """
    insert into inbox (message, digest)
    select * from unnest($1::text[], $2::bytea[])
    on conflict do nothing
    returning message
"""
_DIGESTS = "select message, digest from inbox where message = any($1::text[])"
_FORGET = """
    delete from inbox where message in
        (select message from inbox where received_at < now() - make_interval(days => $1) limit 10000)
"""


async def admit(connection: AsyncConnection, messages: Mapping[str, bytes]) -> tuple[set[str], set[str]]:
    """Enter events (``source id`` each, with their digests) into the inbox.

    Returns those that were not there yet, and those whose id was used before with another content.
    Sorted, so that two replicas that meet the same duplicates wait for each other instead of deadlocking.
    """
    keys = sorted(messages)
    rows = await fetch(connection, _ADMIT, (keys, [messages[key] for key in keys]))
    new = {message for (message,) in rows}
    known = [key for key in keys if key not in new]
    if not known:
        return new, set()
    stored = await fetch(connection, _DIGESTS, (known,))
    return new, {key for key, digest in stored if digest is not None and digest != messages[key]}


async def forget(connection: AsyncConnection, days: int) -> int:
    """Delete at most 10,000 rows older than ``days``; a later duplicate is still stopped by its record's version."""
    return await execute(connection, _FORGET, (days,))
