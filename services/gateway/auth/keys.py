"""API keys: programs that may ask at the HTTP gateway. ``trb_<id>_<secret>``; only a hash of the secret is kept."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth.caller import Grant
from services.gateway.auth.grants import give
from services.gateway.auth.rights import Role
from services.gateway.auth.writers import announce_write_access

_CREATE = """
    insert into api_keys (id, hash, name, role, expires_at, signs_for_others) values ($1, $2, $3, $4, now() + $5, $6)
"""
_LIST = """
    select k.id, k.name, k.role, k.created_at, k.expires_at, k.revoked_at, k.signs_for_others,
           k.revoked_at is null and k.expires_at > now() as usable,
           case when exists (select from grants g where g.key_id = k.id) then
               (select coalesce(array_agg(g.role || coalesce('@' || g.cluster, '') order by g.id), '{}')
                from grants g where g.key_id = k.id and g.ended_at is null)
           else array[k.role] end as roles
    from api_keys k order by k.created_at, k.id
"""
_REVOKE = "update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning name"

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_FORMER: Final = {Role.ADMIN: "admin", Role.STAFF: "staff"}
"""What a gateway of the version before takes a key for, which knows three roles; any other role is a reader there."""


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret.

    A slow password hash would protect secrets that people choose. These are 32 random bytes: nobody can try them all,
    however fast the hash, and a fast one can be checked on every request.
    """
    return blake2b(secret.encode(), digest_size=32, person=b"traboule api key").digest()


def short_id() -> str:
    """Twelve letters and digits that nobody confuses."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


async def create_key(
    connection: AsyncConnection,
    name: str,
    grants: Sequence[Grant],
    days: int,
    *,
    by: str,
    signs_for_others: bool = False,
    key_id: str | None = None,
) -> str:
    """Make a key and return it: nobody can read it again. Raises ValueError for no grant, or no days."""
    if days < 1:
        raise ValueError("a key must be good for a day at least")
    if not grants:
        raise ValueError("a key must have a role")
    key_id, secret = key_id or short_id(), secrets.token_urlsafe(32)
    values = (key_id, hash_secret(secret), name, _former(grants), timedelta(days=days), signs_for_others)
    await connection.exec_driver_sql(_CREATE, values)
    await give(connection, grants, by=by, key_id=key_id)
    await announce_write_access(connection)
    return f"trb_{key_id}_{secret}"


async def list_keys(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Every key ever made, without its hash, and whether it is still usable. ``roles`` as ``staff@numelink``."""
    return [dict(row) for row in (await connection.exec_driver_sql(_LIST)).mappings()]


async def revoke_key(connection: AsyncConnection, key_id: str) -> str | None:
    """Revoke a key, within ten seconds; returns its name, or None if there is no such key."""
    name = (await connection.exec_driver_sql(_REVOKE, (key_id,))).scalar()
    await announce_write_access(connection)
    return name


def _former(grants: Iterable[Grant]) -> str:
    roles = {grant.role for grant in grants if grant.cluster is None}
    return next((former for role, former in _FORMER.items() if role in roles), "reader")
