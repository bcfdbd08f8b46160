"""Keeps what people told by the link of a mail: that they want no more of it, or that they take that back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from schemas.objections import ObjectionReceived
from services.common.sections import Record
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import AddressHash, Keyring
from services.communications.suppressions.repository import suppress, take_back
from services.communications.suppressions.suppression import EVERY_PURPOSE, Suppression
from shared.persistence.database import rows_of

_BY_LINK = """
    select d.token_hash, d.delivery_id::text, d.key_id, d.address_key, d.purpose,
           array_remove(array_agg(r.cluster order by r.cluster, r.record_id), null),
           array_remove(array_agg(r.record_id order by r.cluster, r.record_id), null)
    from deliveries d left join delivery_records r using (delivery_id)
    where d.token_hash = any($1::bytea[]) group by d.delivery_id
"""
# A backup that was restored lacks mails that went out after it; their links are used all the same.
_KEEP_UNMATCHED = """
    insert into unmatched_objections (token_hash, act, scope, way, received_at)
    select * from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) on conflict do nothing
"""


class Link(NamedTuple):
    """What the mail was whose link was used."""

    delivery_id: str
    address: AddressHash
    purpose: str
    records: tuple[Record, ...]


async def receive(uow: CommunicationsUnitOfWork, messages: Sequence[Envelope[ObjectionReceived]]) -> None:
    """Suppress, or lift, as people told the gateway; in the order of the time when they did."""
    await keep(uow.connection, uow.keyring, [message.data for message in messages])


async def keep(connection: AsyncConnection, keyring: Keyring, objections: Collection[ObjectionReceived]) -> None:
    """The same for what did not come as a message."""
    ordered = sorted(objections, key=lambda data: data.received_at)
    links = await _links(connection, {bytes.fromhex(data.link_digest) for data in ordered})
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


def _suppression(link: Link, data: ObjectionReceived) -> Suppression:
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


async def _links(connection: AsyncConnection, hashes: set[bytes]) -> Mapping[bytes, Link]:
    rows = rows_of(await connection.exec_driver_sql(_BY_LINK, (list(hashes),)))
    return {
        bytes(token_hash): Link(
            delivery_id,
            AddressHash(key_id, bytes(address_key)),
            purpose,
            tuple(map(Record, clusters, record_ids)),
        )
        for token_hash, delivery_id, key_id, address_key, purpose, clusters, record_ids in rows
    }


def _unmatched_columns(unmatched: Sequence[ObjectionReceived]) -> tuple[list[Any], ...]:
    return (
        [bytes.fromhex(data.link_digest) for data in unmatched],
        [data.act for data in unmatched],
        [data.scope for data in unmatched],
        [data.way for data in unmatched],
        [data.received_at for data in unmatched],
    )
