"""API keys: who may read at the HTTP gateway. ``trb_<id>_<secret>``; only a hash of the secret is kept."""

import secrets
from datetime import timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth.writers import announce_write_access

_CREATE = "insert into api_keys (id, hash, name, role, expires_at) values ($1, $2, $3, $4, now() + $5)"
_LIST = """
    select id, name, role, created_at, expires_at, revoked_at, revoked_at is null and expires_at > now() as usable
    from api_keys order by created_at, id
"""
_REVOKE = "update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning name"

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class Role(StrEnum):
    """What a key may do; each may also do what those before it may.

    Readers read members. Staff also read sources, decide about members and write records. To move a former system over
    or back is an administrator's.
    """

    READER = "reader"
    STAFF = "staff"
    ADMIN = "admin"


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret.

    A slow password hash would protect secrets that people choose. These are 32 random bytes: nobody can try them all,
    however fast the hash, and a fast one can be checked on every request.
    """
    return blake2b(secret.encode(), digest_size=32, person=b"traboule api key").digest()


async def create_key(connection: AsyncConnection, name: str, role: str, days: int) -> str:
    """Make a key and return it: nobody can read it again. Raises ValueError for an unknown role or no days."""
    if days < 1:
        raise ValueError("a key must be good for a day at least")
    key_id = "".join(secrets.choice(_LETTERS) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    values = (key_id, hash_secret(secret), name, Role(role).value, timedelta(days=days))
    await connection.exec_driver_sql(_CREATE, values)
    await announce_write_access(connection)
    return f"trb_{key_id}_{secret}"


async def list_keys(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Every key ever made, without its hash, and whether it is still usable."""
    return [dict(row) for row in (await connection.exec_driver_sql(_LIST)).mappings()]


async def revoke_key(connection: AsyncConnection, key_id: str) -> str | None:
    """Revoke a key, within ten seconds; returns its name, or None if there is no such key."""
    name = (await connection.exec_driver_sql(_REVOKE, (key_id,))).scalar()
    await announce_write_access(connection)
    return name
