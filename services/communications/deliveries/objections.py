"""Objections by the link of a mail, and what takes them back: from the delivery to what is suppressed.

A backup that was restored lacks mails that went out after it; their links are used all the same. Such objections wait
until the same mail is queued again: its id is derived, and so are its tokens.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.objections import ObjectionReceived
from services.communications.deliveries.by_token import Sent, sent_with
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.repository import suppress, take_back
from services.communications.suppressions.suppression import EVERY_PURPOSE, Suppression
from shared.persistence.database import rows_of

_KEEP_UNMATCHED = """
    insert into unmatched_objections (token_hash, act, scope, way, received_at)
    select * from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) on conflict do nothing
"""

_TAKE_UNMATCHED = """
    delete from unmatched_objections u using unnest($1::bytea[]) as n (token_hash)
    where u.token_hash = n.token_hash returning u.token_hash, u.act, u.scope, u.way, u.received_at
"""
_MATCHED_SINCE = """
    select distinct u.token_hash from unmatched_objections u
    where exists (select from deliveries d where d.token_hash = u.token_hash) limit 500
"""
MATCH_EVERY: Final = 60.0
"""Seconds after which objections are looked for whose mail was queued in the moment when they came."""


async def keep(connection: AsyncConnection, keyring: Keyring, objections: Collection[ObjectionReceived]) -> None:
    """Suppress, or lift, as people said; in the order of the time when they did."""
    ordered = sorted(objections, key=lambda data: data.received_at)
    links = await sent_with(connection, "token_hash", {bytes.fromhex(data.link_digest) for data in ordered})
    for act, change in (("object", suppress), ("undo", take_back)):
        known = [
            _suppression(link, data)
            for data in ordered
            if data.act == act and (link := links.get(bytes.fromhex(data.link_digest)))
        ]
        await change(connection, keyring, known)
    unmatched = [data for data in ordered if bytes.fromhex(data.link_digest) not in links]
    if unmatched:
        await connection.exec_driver_sql(_KEEP_UNMATCHED, _unmatched_columns(unmatched))


async def apply_unmatched(connection: AsyncConnection, keyring: Keyring, known: Mapping[bytes, bytes]) -> None:
    """Obey what was said by links of mails that are queued now.

    ``known`` has the digest of each mail's link by every digest that it may have been sent under.
    """
    rows = rows_of(await connection.exec_driver_sql(_TAKE_UNMATCHED, (list(known),)))
    await keep(
        connection,
        keyring,
        [
            ObjectionReceived(
                version=int(received_at.timestamp() * 1_000_000),
                link_digest=known[bytes(token_hash)].hex(),
                act=act,
                scope=scope,
                way=way,
                received_at=received_at,
            )
            for token_hash, act, scope, way, received_at in rows
        ],
    )


async def match_objections(keyring: Keyring, engine: AsyncEngine) -> None:
    """Obey those whose mail was queued by a transaction that did not see them, nor they it."""
    async with engine.begin() as connection:
        hashes = [bytes(row[0]) for row in rows_of(await connection.exec_driver_sql(_MATCHED_SINCE))]
        await apply_unmatched(connection, keyring, {each: each for each in hashes})


def _suppression(link: Sent, data: ObjectionReceived) -> Suppression:
    purpose = EVERY_PURPOSE if data.scope == "everything" else link.purpose
    return Suppression(
        cause=f"link/{link.delivery_id}/{purpose}",
        address=link.address,
        records=link.records,
        purpose=purpose,
        source=data.way,
        at=data.received_at,
        spreads=True,
    )


def _unmatched_columns(unmatched: Sequence[ObjectionReceived]) -> tuple[list[Any], ...]:
    return (
        [bytes.fromhex(data.link_digest) for data in unmatched],
        [data.act for data in unmatched],
        [data.scope for data in unmatched],
        [data.way for data in unmatched],
        [data.received_at for data in unmatched],
    )
