"""What keeps mail from source records, many at once: by the record itself, and by the addresses that it has now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.communications import Suppressed
from services.common.sections import Record
from services.communications.suppressions.suppression import FROM_FORMER_SYSTEMS, UNDATED
from shared.persistence.database import rows_of

MOST: Final = 100
"""Of one record that are stated."""
# Of those that say the same the first: an address may have one for each line of a list.
_SUMMED: Final = f"""
    s.covers, s.purpose, s.reason,
    case when starts_with(s.cause, '{FROM_FORMER_SYSTEMS}') then 'former-system'
         when starts_with(s.cause, 'staff/') then 'staff'
         when s.reason in ('unknown-user', 'unreachable') or starts_with(s.cause, 'complaint/') then 'returned-mail'
         else 'own-act' end,
    case when starts_with(s.cause, '{FROM_FORMER_SYSTEMS}') then split_part(s.source, ':', 1) end, min(s.at)
"""
# Offset 0: each is looked up by its key, also while the tables are empty and the statement is prepared.
_OF_RECORDS: Final = f"""
    select n.cluster, n.record_id, {_SUMMED}
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral
        (select * from suppression_records where (cluster, record_id) = (n.cluster, n.record_id) offset 0) r
    cross join lateral (select * from suppressions where suppression_id = r.suppression_id offset 0) s
    where s.lifted_at is null group by 1, 2, 3, 4, 5, 6, 7
"""
_KEYS: Final = """
    select n.cluster, n.record_id, k.address_key
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from contact_keys where (cluster, record_id) = (n.cluster, n.record_id) offset 0) k
"""
# Once for each address, however many records have it.
_OF_ADDRESSES: Final = f"""
    select n.address_key, {_SUMMED}
    from unnest($1::bytea[]) as n (address_key)
    cross join lateral (select * from suppressions where address_key = n.address_key offset 0) s
    where s.lifted_at is null group by 1, 2, 3, 4, 5, 6
"""


class _Line(NamedTuple):
    covers: str
    purpose: str
    reason: str
    source: str
    known_in: str | None
    at: datetime


async def suppressed(connection: AsyncConnection, records: Sequence[Record]) -> Mapping[Record, tuple[Suppressed, ...]]:
    """What is in force of each of these records that anything is of; each thing once, with the time of the first."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    by_record: defaultdict[Record, list[_Line]] = defaultdict(list)
    for cluster, record_id, *line in rows_of(await connection.exec_driver_sql(_OF_RECORDS, keys)):
        by_record[Record(cluster, record_id)].append(_Line(*line))
    addresses: defaultdict[Record, set[bytes]] = defaultdict(set)
    for cluster, record_id, address_key in rows_of(await connection.exec_driver_sql(_KEYS, keys)):
        addresses[Record(cluster, record_id)].add(bytes(address_key))
    by_address: defaultdict[bytes, list[_Line]] = defaultdict(list)
    wanted = sorted({key for some in addresses.values() for key in some})
    for address_key, *line in rows_of(await connection.exec_driver_sql(_OF_ADDRESSES, (wanted,))):
        by_address[bytes(address_key)].append(_Line(*line))
    return {
        record: _stated(by_record[record], [line for key in addresses[record] for line in by_address[key]])
        for record in records
        if record in by_record or record in addresses
    }


def _stated(of_record: Iterable[_Line], of_address: Iterable[_Line]) -> tuple[Suppressed, ...]:
    """What says the same of the record and of its address stands for the record: that is the wider.

    Where there are too many, former systems' lines are left out first: an address may have very many of them.
    """
    first: dict[tuple[str | None, ...], tuple[str, datetime]] = {}
    for concerns, lines in (("record", of_record), ("address", of_address)):
        for line in lines:
            wider, at = first.get(line[:-1], (concerns, line.at))
            first[line[:-1]] = wider, min(at, line.at)
    ordered = sorted(first.items(), key=_order)
    return tuple(
        Suppressed.model_validate(
            dict(zip(_Line._fields, same, strict=False))
            | {"concerns": concerns, "since": None if at == UNDATED else at}
        )
        for same, (concerns, at) in ordered[:MOST]
    )


def _order(item: tuple[tuple[str | None, ...], tuple[str, datetime]]) -> tuple[bool, bool, datetime, str]:
    (covers, _, _, source, _), (_, at) = item
    return covers != "everything", source == "former-system", at, str(item[0])
