"""The rows that contacts are made of, in one statement: all are as they were at one moment."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import AnnouncedRecord
from schemas.membership_contacts import ContactDescribed
from services.common.sections import Record, Section
from services.membership.contacts.contact import contact_of
from services.membership.records.rows import RECORD, record_of
from shared.persistence.database import rows_of

_ROWS = f"""
    select {", ".join(f"s.{name}" for name in RECORD.split(", "))}, v.document
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from source_records where (cluster, record_id) = (n.cluster, n.record_id) offset 0) s
    left join lateral (select document from views where member_id = s.member_id offset 0) v on true
"""


async def contacts(connection: AsyncConnection, records: Sequence[Record]) -> Mapping[Record, AnnouncedRecord]:
    """The contact of each of these records as it is now, under version 0."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    return await to_thread(_composed, rows_of(await connection.exec_driver_sql(_ROWS, keys)))


def _composed(rows: Sequence[tuple[Any, ...]]) -> dict[Record, AnnouncedRecord]:
    composed: dict[Record, AnnouncedRecord] = {}
    for *row, document in rows:
        record = record_of(row)
        composed[Record(*record.key)] = contact_of(record, None if document is None else orjson.loads(document))
    return composed


CONTACTS = Section("contacts", ContactDescribed, contacts, tables="contact")
"""What membership states of each source record, for communications."""
