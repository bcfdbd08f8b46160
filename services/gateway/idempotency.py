"""Requests that make something are repeated when their answer is lost: a key tells the second from a new one.

Source: draft-ietf-httpapi-idempotency-key-header-07, "The Idempotency-Key HTTP Header Field".
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

FORGET_DAYS = 7
"""For so long a key is known; used again later it is a new one."""

_CLAIM = """
    insert into idempotency_keys (key_id, idempotency_key, digest, results) values ($1, $2, $3, $4::text[])
    on conflict do nothing returning results
"""
_KNOWN = "select digest, results from idempotency_keys where key_id = $1 and idempotency_key = $2"
_FORGET = "delete from idempotency_keys where at < now() - make_interval(days => $1)"


class KeyReusedError(Exception):
    """The same key came with another request before."""


@dataclass(frozen=True, slots=True)
class Key:
    """Who sent it (an API key's id), what it is, and a digest of the whole request that it came with."""

    key_id: str
    text: str
    digest: bytes


async def claim(uow: UnitOfWork, key: Key, results: Sequence[str]) -> list[str]:
    """Remember that a request with this key makes these ids; returns those that it made before, if it did.

    A transaction that fails remembers nothing. Two at once: the second waits for the first. Raises KeyReusedError.
    """
    connection = uow.connection
    claimed = await connection.exec_driver_sql(_CLAIM, (key.key_id, key.text, key.digest, list(results)))
    if rows_of(claimed):
        return list(results)
    ((digest, stored),) = rows_of(await connection.exec_driver_sql(_KNOWN, (key.key_id, key.text)))
    if digest != key.digest:
        raise KeyReusedError
    return list(stored)


async def forget(connection: AsyncConnection) -> int:
    """Forget old keys, and return how many."""
    return (await connection.exec_driver_sql(_FORGET, (FORGET_DAYS,))).rowcount
