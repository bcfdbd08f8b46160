"""Contacts, many at once: by record, by member, by address. One statement each."""

from collections.abc import Collection, Iterable
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sections import Record
from services.communications.contacts.contact import Contact, contact
from shared.persistence.database import json_of, rows_of

# What merges and separations say comes before what a description said of its moment.
MEMBER: Final = "coalesce(m.member_id::text, c.member_id, c.cluster || '/' || c.record_id)"
"""Whose a contact ``c`` is, beside ``m``, its row of member_records."""
_SELECT = f"select c.cluster, c.record_id, {MEMBER}, c.document"
_JOIN = "left join member_records m on (m.cluster, m.record_id) = (c.cluster, c.record_id)"
_BY_RECORD = f"""
    {_SELECT} from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from contacts where (cluster, record_id) = (n.cluster, n.record_id) offset 0) c
    {_JOIN} order by 1, 2
"""
_LANGUAGES = """
    select c.cluster, c.record_id, c.document->>'language'
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from contacts where (cluster, record_id) = (n.cluster, n.record_id) offset 0) c
    where c.document->>'language' in ('fr', 'en')
"""
_ADDRESSES = """
    select c.cluster, c.record_id, coalesce(c.address, c.shown_address)
    from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral (select * from contacts where (cluster, record_id) = (n.cluster, n.record_id) offset 0) c
    where coalesce(c.address, c.shown_address) is not null and coalesce(c.document->>'removed', 'false') <> 'true'
"""
# A member is known by its records' own facts; one that was never merged by its contact alone.
_BY_MEMBER = f"""
    with named as (
        select cluster, record_id from member_records where member_id = any($1::text[]::uuid[])
        union select cluster, record_id from contacts where member_id = any($1::text[])
    )
    {_SELECT} from named join contacts c using (cluster, record_id) {_JOIN}
    where {MEMBER} = any($1::text[]) order by 1, 2
"""
_BY_ADDRESS = f"""
    {_SELECT} from contacts c {_JOIN} where c.address = any($1) or c.shown_address = any($1) order by 1, 2
"""


async def languages_of_records(
    connection: AsyncConnection, records: Collection[Record]
) -> dict[Record, Literal["fr", "en"]]:
    """The language of those of these records of whom membership knows one that letters are written in."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    rows = rows_of(await connection.exec_driver_sql(_LANGUAGES, keys))
    return {Record(cluster, record_id): language for cluster, record_id, language in rows}


async def addresses_of_records(connection: AsyncConnection, records: Collection[Record]) -> dict[Record, str]:
    """The address of those of these records that have one, or as their member is shown."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    rows = rows_of(await connection.exec_driver_sql(_ADDRESSES, keys))
    return {Record(cluster, record_id): address for cluster, record_id, address in rows}


async def contacts_of_records(connection: AsyncConnection, records: Collection[Record]) -> dict[Record, Contact]:
    """Those of these records that membership described."""
    keys = [record.cluster for record in records], [record.record_id for record in records]
    contacts = _contacts(rows_of(await connection.exec_driver_sql(_BY_RECORD, keys)))
    return {Record(each.cluster, each.record_id): each for each in contacts}


async def contacts_of_members(connection: AsyncConnection, member_ids: Collection[str]) -> dict[str, list[Contact]]:
    """The contacts of each of these members that has any, in the order of their keys. Ids are UUIDs."""
    return _grouped(
        (each.member, each)
        for each in _contacts(rows_of(await connection.exec_driver_sql(_BY_MEMBER, (sorted(member_ids),))))
    )


async def contacts_of_addresses(connection: AsyncConnection, addresses: Collection[str]) -> dict[str, list[Contact]]:
    """The contacts that have each of these normalised addresses, their own or as their member is shown."""
    wanted = set(addresses)
    contacts = _contacts(rows_of(await connection.exec_driver_sql(_BY_ADDRESS, (sorted(wanted),))))
    return _grouped(
        (address, each) for each in contacts for address in {each.address, each.shown_address} if address in wanted
    )


def _contacts(rows: Iterable[tuple[Any, ...]]) -> list[Contact]:
    return [contact(cluster, record_id, member, json_of(document)) for cluster, record_id, member, document in rows]


def _grouped(pairs: Iterable[tuple[str | None, Contact]]) -> dict[str, list[Contact]]:
    grouped: dict[str, list[Contact]] = {}
    for name, each in pairs:
        if name is not None:
            grouped.setdefault(name, []).append(each)
    return grouped
