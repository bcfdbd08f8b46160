"""All SQL of the history of consents, which is only ever added to, and of the objections that stand in it."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.communications import ConsentRecorded
from schemas.digests import record_digest
from schemas.envelope import Envelope
from services.common.sections import Record
from services.communications.consents.objections import (
    CHANNELS,
    Objection,
    concerned_by,
    of_card,
    suppressions_of,
)
from services.communications.consents.preferences import RESTRICTIONS
from services.communications.contacts.contact import Contact, key_of
from services.communications.contacts.queries import contacts_of_addresses, contacts_of_records
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.repository import suppress
from shared.persistence.batches import transposed
from shared.persistence.database import rows_of

PAGE: Final = 500
SUPPRESS_EVERY: Final = 60.0
"""Seconds after which objections are looked for that nothing suppresses yet."""
# The same decision said again, under whatever version, is one row.
_ADD: Final = """
    insert into consent_history (cluster, consent_id, content, version, record_id, address_key, channel, purpose,
                                 status, brand, decided_at, proof, wording, source)
    select * from unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::text[], $13::text[], $14::text[])
    on conflict do nothing
"""
_COLUMNS: Final = "h.cluster, h.consent_id, h.record_id, h.address_key, h.channel, h.purpose, h.decided_at, h.source"
_OBJECTS: Final = f"h.status in {RESTRICTIONS} and h.channel in {CHANNELS}"
# Offset 0: each is looked up by its key, also while the table is empty and the statement is prepared. To an empty table
# any index is as good, so only one index can serve each look-up: a record's id is compared alone, its cluster after it.
_OF_CONSENTS: Final = f"""
    select distinct {_COLUMNS} from unnest($1::text[], $2::text[]) as n (cluster, consent_id)
    cross join lateral
        (select * from consent_history where (cluster, consent_id) = (n.cluster, n.consent_id) offset 0) h
    where {_OBJECTS}
"""
_OF_CONTACTS: Final = f"""
    select {_COLUMNS} from unnest($1::text[], $2::text[]) as n (cluster, record_id)
    cross join lateral
        (select * from consent_history where record_id = n.record_id offset 0) h
    where h.cluster = n.cluster and {_OBJECTS}
    union
    select {_COLUMNS} from consent_history h where h.address_key = any($3::text[]) and {_OBJECTS}
"""
_WITHOUT: Final = f"""
    select distinct {_COLUMNS} from consent_history h where {_OBJECTS} and not h.suppressed limit {PAGE}
"""
_SUPPRESSED: Final = """
    update consent_history h set suppressed = true from unnest($1::text[], $2::text[]) as n (cluster, consent_id)
    where (h.cluster, h.consent_id) = (n.cluster, n.consent_id) and not h.suppressed
"""


async def add_to_history(connection: AsyncConnection, messages: Sequence[Envelope[ConsentRecorded]]) -> None:
    """Keep what these say beside the mirror, which a newer version overwrites."""
    columns = (
        [message.cluster for message in messages],
        [message.data.consent_id for message in messages],
        [bytes.fromhex(record_digest(message.data)) for message in messages],
        [message.data.version for message in messages],
        [message.data.record_id for message in messages],
        [key_of(message.data.address) for message in messages],
        *([getattr(message.data, name) for message in messages] for name in _AS_WRITTEN),
    )
    await connection.exec_driver_sql(_ADD, columns)


_AS_WRITTEN: Final = ("channel", "purpose", "status", "brand", "decided_at", "proof", "wording", "source")


async def suppress_objecting(
    connection: AsyncConnection, keyring: Keyring, consents: Collection[tuple[str, str]]
) -> None:
    """Suppress whatever was ever objected to under these consents, each named by cluster and id."""
    keys = [cluster for cluster, _ in consents], [consent_id for _, consent_id in consents]
    await _suppress(connection, keyring, await _objections(connection, _OF_CONSENTS, keys))


async def suppress_contacts(connection: AsyncConnection, keyring: Keyring, contacts: Collection[Contact]) -> None:
    """Suppress what was ever objected to for these records or for the addresses that they have, and by their cards."""
    keys = (
        [contact.cluster for contact in contacts],
        [contact.record_id for contact in contacts],
        sorted({contact.address for contact in contacts if contact.address is not None}),
    )
    name_of = _namer(keyring)
    cards = [each for contact in contacts for each in of_card(contact, name_of)]
    await suppress(connection, keyring, cards)
    await _suppress(connection, keyring, await _objections(connection, _OF_CONTACTS, keys), contacts)


async def suppress_unsuppressed(keyring: Keyring, engine: AsyncEngine) -> None:
    """Suppress objections that are not yet: of the version before, or heard while there was no secret of addresses."""
    read = PAGE
    while read == PAGE:
        async with engine.begin() as connection:
            objections = await _objections(connection, _WITHOUT, ())
            await _suppress(connection, keyring, objections)
            read = len(objections)


async def _objections(connection: AsyncConnection, sql: str, values: tuple[Any, ...]) -> list[Objection]:
    return [Objection(*row) for row in rows_of(await connection.exec_driver_sql(sql, values))]


async def _suppress(
    connection: AsyncConnection, keyring: Keyring, objections: Sequence[Objection], contacts: Collection[Contact] = ()
) -> None:
    """A page at a time, the newest first: records that share an address are added to each.

    ``contacts`` count beside those that are kept: an older description that came late had an address, too.
    """
    newest_first = sorted(objections, key=lambda objection: objection.decided_at, reverse=True)
    for first in range(0, len(newest_first), PAGE):
        page = newest_first[first : first + PAGE]
        known = await _known(connection, page, contacts)
        name_of = _namer(keyring)
        found = [
            each
            for objection, concerned in zip(page, concerned_by(page, known), strict=True)
            for each in suppressions_of(objection, concerned, name_of)
        ]
        await suppress(connection, keyring, found)
        consents = sorted({(objection.cluster, objection.consent_id) for objection in page})
        await connection.exec_driver_sql(_SUPPRESSED, transposed(consents))


async def _known(
    connection: AsyncConnection, objections: Sequence[Objection], contacts: Collection[Contact]
) -> list[Contact]:
    """The contacts that are kept of these objections' records and addresses, and those that are handed over."""
    records = {Record(each.cluster, each.record_id) for each in objections if each.record_id is not None}
    addresses = {each.address for each in objections if each.address is not None}
    own = await contacts_of_records(connection, records)
    sharing = await contacts_of_addresses(connection, addresses)
    return [*own.values(), *(each for some in sharing.values() for each in some), *contacts]


def _namer(keyring: Keyring) -> Any:
    # By the oldest key, so that a new one renames nothing.
    return lambda text: keyring.all(text)[-1].value.hex()[:32]
