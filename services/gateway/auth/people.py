"""People who use the console: made by an invitation, disabled and never deleted, for histories name them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth import grants
from services.gateway.auth.caller import Grant
from services.gateway.auth.keys import short_id
from services.gateway.auth.session_tokens import hash_token, new_token
from shared.persistence.database import rows_of

LINK_MINUTES: Final = 15
"""For so long a link from the command line may be used, once."""
LONGEST_NAME: Final = 200

_CREATE = "insert into people (id, name, email, locale) values ($1, $2, $3, $4)"
_LINK = """
    insert into sign_in_links (hash, person_id, made_by, expires_at)
    values ($1, $2, $3, now() + make_interval(mins => $4)) returning expires_at
"""
_FIND = """
    select id from people where id = $1 or lower(email) = lower($1) or lower(name) = lower($1) limit 2
"""
_NAME = "select name from people where id = $1"
_DISABLE = "update people set disabled_at = coalesce(disabled_at, now()) where id = $1 returning name"
_ENABLE = "update people set disabled_at = null where id = $1 returning name"
_ADMINISTERS = """
    select exists (select from grants
                   where person_id = $1 and role = 'admin' and cluster is null and ended_at is null)
"""
_END_SESSIONS = "update sessions set ended_at = now() where person_id = $1 and ended_at is null"
_END_LINKS = "update sign_in_links set used_at = now() where person_id = $1 and used_at is null"
_LIST = """
    select p.id, p.name, p.email, p.locale, p.created_at, p.disabled_at,
           (select coalesce(json_agg(json_build_object('id', g.id, 'role', g.role, 'cluster', g.cluster)
                                     order by g.id), '[]')
            from grants g where g.person_id = p.id and g.ended_at is null) as grants,
           (select max(s.seen_at) from sessions s where s.person_id = p.id) as seen_at,
           (select count(*) from sessions s where s.person_id = p.id and s.ended_at is null
            and least(s.until, s.seen_at + interval '8 hours') > now()) as sessions,
           (select coalesce(array_agg(i.issuer order by i.issuer), '{}') from identities i
            where i.person_id = p.id) as issuers
    from people p order by p.disabled_at is not null, lower(p.name), p.id
"""


class PersonUnknownError(Exception):
    """There is no such person, or several of that name."""


class EmailTakenError(Exception):
    """Somebody has this address already."""


async def create_person(
    connection: AsyncConnection,
    name: str,
    email: str | None,
    roles: Sequence[Grant],
    *,
    by: str,
    locale: str = "fr",
    person_id: str | None = None,
) -> str:
    """Make a person with these grants; returns their id, a new one if none is given. Raises EmailTakenError."""
    person_id = person_id or short_id()
    try:
        async with connection.begin_nested():
            await connection.exec_driver_sql(_CREATE, (person_id, name, email, locale))
    except IntegrityError:
        raise EmailTakenError from None
    await grants.give(connection, roles, by=by, person_id=person_id)
    return person_id


async def create_link(
    connection: AsyncConnection, person_id: str, *, by: str, minutes: int = LINK_MINUTES
) -> tuple[str, datetime]:
    """A secret that signs this person in once, and until when."""
    token = new_token()
    made = await connection.exec_driver_sql(_LINK, (hash_token(token), person_id, by, minutes))
    return token, made.scalar_one()


async def find_person(connection: AsyncConnection, who: str) -> str:
    """The id of a person, by id, e-mail address or name. Raises PersonUnknownError."""
    found = rows_of(await connection.exec_driver_sql(_FIND, (who,)))
    if len(found) != 1:
        raise PersonUnknownError
    return found[0][0]


async def list_people(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Everybody: ``id``, ``name``, ``email``, ``grants``, ``issuers``, ``sessions``, ``seen_at``, ``disabled_at``."""
    return [dict(row) for row in (await connection.exec_driver_sql(_LIST)).mappings()]


async def name_of(connection: AsyncConnection, person_id: str) -> str | None:
    """How somebody is called; None for nobody."""
    return (await connection.exec_driver_sql(_NAME, (person_id,))).scalar()


async def disable_person(connection: AsyncConnection, person_id: str) -> str:
    """Sign them out within ten seconds, and let them in no more; returns their name.

    Raises PersonUnknownError, LastAdministratorError.
    """
    await grants.take_turn(connection)
    name = (await connection.exec_driver_sql(_DISABLE, (person_id,))).scalar()
    if name is None:
        raise PersonUnknownError
    if (await connection.exec_driver_sql(_ADMINISTERS, (person_id,))).scalar_one():
        await grants.require_administrator(connection)
    await connection.exec_driver_sql(_END_SESSIONS, (person_id,))
    await connection.exec_driver_sql(_END_LINKS, (person_id,))
    return name


async def enable_person(connection: AsyncConnection, person_id: str) -> str:
    """Let them in again, with the grants that they had; returns their name. Raises PersonUnknownError."""
    name = (await connection.exec_driver_sql(_ENABLE, (person_id,))).scalar()
    if name is None:
        raise PersonUnknownError
    return name
