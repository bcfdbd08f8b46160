"""API keys and sessions, read for the cache."""

from collections.abc import Sequence
from typing import Any

from services.membership.rows import Rows

_GRANTS = """
    (select coalesce(array_agg(array[g.role, g.cluster]), '{}') from grants g
     where g.ended_at is null and %s)
"""
_KEYS = f"""
    select id, hash, name, role, signs_for_others, extract(epoch from expires_at - now())::float as seconds,
           {_GRANTS % "g.key_id = k.id"} as grants, exists (select from grants g where g.key_id = k.id) as was_granted
    from api_keys k where revoked_at is null and expires_at > now()
"""
_SESSIONS = f"""
    select s.number, s.hash, s.person_id, s.how, p.name, p.shortcuts,
           extract(epoch from least(s.until, s.seen_at + interval '8 hours') - now())::float as seconds,
           extract(epoch from s.signed_in_at + interval '15 minutes' - now())::float as fresh_seconds,
           {_GRANTS % "g.person_id = p.id"} as grants
    from sessions s join people p on p.id = s.person_id
    where s.ended_at is null and p.disabled_at is null and s.until > now() and s.seen_at + interval '8 hours' > now()
"""


async def usable_keys(rows: Rows) -> Sequence[Any]:
    """API keys that are neither revoked nor expired, with their grants.

    One that never ``was_granted`` any is of a version before. One whose grants have ended has none.
    """
    return await rows.fetch(_KEYS)


async def live_sessions(rows: Rows) -> Sequence[Any]:
    """Sessions that have neither ended nor been idle for too long, of people who are not disabled."""
    return await rows.fetch(_SESSIONS)
