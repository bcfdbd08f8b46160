"""Which mail it was whose link was used, or to whose return path something came."""

from collections.abc import Collection, Mapping
from typing import Final, Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sections import Record
from services.communications.suppressions.address import AddressHash
from shared.persistence.database import rows_of

_SENT: Final = """
    select d.{token}, d.delivery_id::text, d.domain, d.key_id, d.address_key, d.purpose,
           array_remove(array_agg(r.cluster order by r.cluster, r.record_id), null),
           array_remove(array_agg(r.record_id order by r.cluster, r.record_id), null)
    from deliveries d left join delivery_records r using (delivery_id)
    where d.{token} = any($1::bytea[]) group by d.delivery_id
"""


class Sent(NamedTuple):
    """A mail as it is known by its tokens; ``domain`` is empty once its address was forgotten."""

    delivery_id: str
    domain: str
    address: AddressHash
    purpose: str
    records: tuple[Record, ...]


async def sent_with(
    connection: AsyncConnection, token: Literal["token_hash", "return_hash"], digests: Collection[bytes]
) -> Mapping[bytes, Sent]:
    """The mails of these digests of tokens, by digest; none for those that nobody knows."""
    rows = rows_of(await connection.exec_driver_sql(_SENT.format(token=token), (list(digests),)))
    return {
        bytes(digest): Sent(
            delivery_id, domain, AddressHash(key_id, bytes(address_key)), purpose, tuple(map(Record, clusters, names))
        )
        for digest, delivery_id, domain, key_id, address_key, purpose, clusters, names in rows
    }
