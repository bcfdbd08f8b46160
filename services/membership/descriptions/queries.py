"""The rows that descriptions and contacts are made of, in one statement: all are as they were at one moment."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import AnnouncedRecord
from schemas.membership import MemberDescribed
from schemas.membership_contacts import ContactDescribed
from services.common.sections import Record, Section
from services.membership.descriptions.contact import contact_of
from services.membership.descriptions.description import description_of
from services.membership.records.record import SourceRecord
from services.membership.records.rows import RECORD, record_of
from shared.persistence.database import rows_of

_ROWS: Final = f"""
    select {", ".join(f"s.{name}" for name in RECORD.split(", "))}, v.document
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from source_records where (cluster, record_id) = (n.cluster, n.record_id) offset 0) s
    left join lateral (select document from views where member_id = s.member_id offset 0) v on true
"""
_Described = Mapping[Record, AnnouncedRecord]
_OneOf = Callable[[SourceRecord, Mapping[str, Any] | None], AnnouncedRecord]
"""One source record, and its member's view if any record of the member is left."""


def described_by(one_of: _OneOf) -> Callable[[AsyncConnection, Sequence[Record]], Awaitable[_Described]]:
    """What describes each of some records as it is now, under version 0."""

    def composed(rows: Sequence[tuple[Any, ...]]) -> _Described:
        described: dict[Record, AnnouncedRecord] = {}
        for *row, document in rows:
            record = record_of(row)
            described[Record(*record.key)] = one_of(record, None if document is None else orjson.loads(document))
        return described

    async def read(connection: AsyncConnection, records: Sequence[Record]) -> _Described:
        keys = [record.cluster for record in records], [record.record_id for record in records]
        return await to_thread(composed, rows_of(await connection.exec_driver_sql(_ROWS, keys)))

    return read


DESCRIPTIONS: Final = Section("descriptions", MemberDescribed, described_by(description_of))
"""What membership states of each source record, for billing."""
CONTACTS: Final = Section("contacts", ContactDescribed, described_by(contact_of), tables="contact")
"""What membership states of each source record, for communications."""
