"""Who is written to about a merger: each member at each of its addresses, with the records that have it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sections import Record
from services.communications.contacts.queries import MEMBER
from shared.persistence.database import rows_of

_KEPT: Final = "coalesce(c.document->>'removed', 'false') <> 'true'"
_ADDRESS: Final = "coalesce(c.address, c.shown_address)"
_NAME: Final = "coalesce(nullif(c.document->>'name', ''), c.document->>'shown_name', '')"
_ADDRESSEES = f"""
    select {MEMBER} as member, {_ADDRESS} as address,
           array_agg(c.cluster order by c.cluster, c.record_id), array_agg(c.record_id order by c.cluster, c.record_id),
           (array_agg({_NAME} order by c.cluster, c.record_id))[1],
           (array_agg(c.document->>'language' order by c.cluster, c.record_id))[1]
    from contacts c left join member_records m on (m.cluster, m.record_id) = (c.cluster, c.record_id)
    where c.cluster = any($1) and {_KEPT} and {_ADDRESS} is not null
    group by 1, 2 order by 1, 2
"""
_WITHOUT = f"select count(*) from contacts c where c.cluster = any($1) and {_KEPT} and {_ADDRESS} is null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """One member at one normalised address. ``language`` is None where membership knows none that we write."""

    member: str
    address: str = field(repr=False)
    name: str = field(repr=False)
    records: tuple[Record, ...]
    language: Literal["fr", "en"] | None

    @property
    def clusters(self) -> tuple[str, ...]:
        """Whose records they are, each once."""
        return tuple(dict.fromkeys(record.cluster for record in self.records))


async def addressees(connection: AsyncConnection, clusters: Collection[str]) -> list[Addressee]:
    """All that these clusters know and did not remove, in the order of members."""
    rows = rows_of(await connection.exec_driver_sql(_ADDRESSEES, (list(clusters),)))
    return [
        Addressee(
            member=member,
            address=address,
            name=name,
            records=tuple(map(Record, codes, ids)),
            language=language if language in ("fr", "en") else None,
        )
        for member, address, codes, ids, name, language in rows
    ]


async def without_address(connection: AsyncConnection, clusters: Collection[str]) -> int:
    """How many records of these clusters have no address, and hear of it by post."""
    return (await connection.exec_driver_sql(_WITHOUT, (list(clusters),))).scalar_one()
