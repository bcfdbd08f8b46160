"""Grants: a role, for a person or a key, in one cluster or in all. They are ended, never deleted."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth.caller import Grant
from services.gateway.auth.rights import Role
from shared.persistence.database import rows_of

_GIVE = """
    insert into grants (person_id, key_id, role, cluster, granted_by)
    select $1, $2, role, cluster, $5 from unnest($3::text[], $4::text[]) as asked (role, cluster)
    where not exists (select from grants g where g.ended_at is null and g.role = asked.role
                      and g.cluster is not distinct from asked.cluster
                      and (g.person_id = $1 or g.key_id = $2))
"""
# The turn: two administrators who take away each other's grant at once must not both succeed.
_TURN = "select pg_advisory_xact_lock(hashtext('grants'))"
_END = """
    update grants set ended_at = now(), ended_by = $2
    where id = $1 and ended_at is null returning person_id, key_id, role, cluster
"""
_BY_NAME = """
    select id from grants where person_id = $1 and role = $2 and cluster is not distinct from $3 and ended_at is null
"""
_ADMINISTRATORS = """
    select count(*) from grants g join people p on p.id = g.person_id
    where g.role = 'admin' and g.cluster is null and g.ended_at is null and p.disabled_at is null
"""


class LastAdministratorError(Exception):
    """Nobody would be left who could give access."""


async def give(
    connection: AsyncConnection,
    grants: Sequence[Grant],
    *,
    by: str,
    person_id: str | None = None,
    key_id: str | None = None,
) -> None:
    """Give these to a person or to a key; what they have already stays as it is."""
    columns = [grant.role.value for grant in grants], [grant.cluster for grant in grants]
    await connection.exec_driver_sql(_GIVE, (person_id, key_id, *columns, by))


async def end(connection: AsyncConnection, grant_id: int, by: str) -> tuple[Grant, str] | None:
    """End one, within ten seconds; returns it and whose it was (``person:…``, ``key:…``), or None.

    Raises LastAdministratorError.
    """
    await take_turn(connection)
    ended = rows_of(await connection.exec_driver_sql(_END, (grant_id, by)))
    if not ended:
        return None
    ((person_id, key_id, role, cluster),) = ended
    if person_id is not None and role == Role.ADMIN and cluster is None:
        await require_administrator(connection)
    return Grant(Role(role), cluster), f"person:{person_id}" if person_id else f"key:{key_id}"


async def take_turn(connection: AsyncConnection) -> None:
    """Until the transaction ends nobody else ends a grant or disables a person."""
    await connection.exec_driver_sql(_TURN)


async def end_by_name(connection: AsyncConnection, person_id: str, grant: Grant, by: str) -> bool:
    """End a person's grant; False where they have none such. Raises LastAdministratorError."""
    named = (person_id, grant.role.value, grant.cluster)
    rows = rows_of(await connection.exec_driver_sql(_BY_NAME, named))
    return bool(rows) and await end(connection, rows[0][0], by) is not None


async def require_administrator(connection: AsyncConnection) -> None:
    """Raises LastAdministratorError unless somebody administers all; whoever asks has the turn."""
    if not (await connection.exec_driver_sql(_ADMINISTRATORS)).scalar_one():
        raise LastAdministratorError
