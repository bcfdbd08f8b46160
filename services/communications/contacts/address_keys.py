"""Addresses of contacts as keyed hashes: by these a suppression is traced to the records that it concerns.

The database cannot hash an address, for it does not have the secret. So each contact's addresses are kept under every
key there is; a key that comes later is added by a task. A replica of the version before describes contacts and leaves
their hashes as they were: another task reads all contacts again, when the service starts and once a day.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.common.sections import Record
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.repository import writers_turn
from shared.persistence.database import rows_of

PAGE: Final = 500
KEYS_EVERY: Final = 300.0
"""Seconds after which contacts are looked for that lack the newest key."""
ALL_AGAIN_EVERY: Final = 86_400.0
"""Seconds after which the hashes of all contacts are compared with their addresses."""
_ADDRESSES: Final = """
    select c.cluster, c.record_id, c.address, c.shown_address
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from contacts where (cluster, record_id) = (n.cluster, n.record_id) offset 0) c
    where coalesce(c.document->>'removed', 'false') <> 'true'
"""
_STORED: Final = """
    select k.cluster, k.record_id, k.address_key, k.key_id, k.shown
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from contact_keys where (cluster, record_id) = (n.cluster, n.record_id) offset 0) k
"""
_ADD: Final = """
    insert into contact_keys (cluster, record_id, address_key, key_id, shown)
    select * from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::boolean[]) on conflict do nothing
"""
_DROP: Final = """
    delete from contact_keys k using unnest($1::text[], $2::text[], $3::bytea[]) as n (cluster, record_id, address_key)
    where (k.cluster, k.record_id, k.address_key) = (n.cluster, n.record_id, n.address_key)
"""
_LACKING: Final = f"""
    select c.cluster, c.record_id from contacts c
    where (c.cluster, c.record_id) > ($2, $3)
      and coalesce(c.address, c.shown_address) is not null and coalesce(c.document->>'removed', 'false') <> 'true'
      and not exists (select from contact_keys k
                      where (k.cluster, k.record_id, k.key_id) = (c.cluster, c.record_id, $1))
    order by c.cluster, c.record_id limit {PAGE}
"""
_ALL: Final = f"""
    select c.cluster, c.record_id from contacts c
    where (c.cluster, c.record_id) > ($1, $2) order by c.cluster, c.record_id limit {PAGE}
"""

_Key = tuple[str, str, bytes, str, bool]


async def keep_address_keys(connection: AsyncConnection, keyring: Keyring, records: Collection[Record]) -> None:
    """Let each of these contacts have the hashes of the addresses that it has now, and no other.

    What a removed one has is its member's, of the time when it was removed: that says nothing.
    """
    wanted, stored = await _keys(connection, keyring, records)
    if wanted == stored:
        return
    # Else somebody who suppresses one of these addresses now would not see the record, nor we the suppression.
    await writers_turn(connection)
    # Whoever had the turn before may have described the record anew.
    wanted, stored = await _keys(connection, keyring, records)
    await connection.exec_driver_sql(_DROP, _columns(stored - wanted)[:3])
    await connection.exec_driver_sql(_ADD, _columns(wanted - stored))


async def _keys(
    connection: AsyncConnection, keyring: Keyring, records: Collection[Record]
) -> tuple[set[_Key], set[_Key]]:
    """What these contacts should have, and what they have."""
    columns = [record.cluster for record in records], [record.record_id for record in records]
    wanted = {
        (cluster, record_id, item.value, item.key_id, is_shown)
        for cluster, record_id, own, shown in rows_of(await connection.exec_driver_sql(_ADDRESSES, columns))
        for address, is_shown in ((own, False), (None if shown == own else shown, True))
        if address is not None
        for item in keyring.all(address)
    }
    stored: set[_Key] = {
        (cluster, record_id, bytes(value), key_id, shown)
        for cluster, record_id, value, key_id, shown in rows_of(await connection.exec_driver_sql(_STORED, columns))
    }
    return wanted, stored


async def complete_address_keys(keyring: Keyring, engine: AsyncEngine) -> None:
    """Add the newest key to contacts that lack it: those of the version before, and those from before a new key."""
    await _by_page(keyring, engine, _LACKING, keyring.keys[0][0])


async def compare_address_keys(keyring: Keyring, engine: AsyncEngine) -> None:
    """Let all contacts have the hashes of the addresses that they have now."""
    await _by_page(keyring, engine, _ALL)


async def _by_page(keyring: Keyring, engine: AsyncEngine, sql: str, *values: str) -> None:
    records, last = [Record("", "")], Record("", "")
    while records:
        async with engine.begin() as connection:
            records = [Record(*row) for row in rows_of(await connection.exec_driver_sql(sql, (*values, *last)))]
            await keep_address_keys(connection, keyring, records)
        last = records[-1] if records else last


def _columns(keys: Collection[_Key]) -> tuple[list[str], list[str], list[bytes], list[str], list[bool]]:
    ordered = sorted(keys)
    return (
        [key[0] for key in ordered],
        [key[1] for key in ordered],
        [key[2] for key in ordered],
        [key[3] for key in ordered],
        [key[4] for key in ordered],
    )
