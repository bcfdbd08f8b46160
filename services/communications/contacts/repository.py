"""Contacts, kept as membership announced them: of two about one record the larger version wins."""

from collections.abc import Sequence

import orjson

from schemas.envelope import Envelope
from schemas.membership_contacts import ContactDescribed
from services.common.sections import Record, stating
from services.communications.consents.history import suppress_contacts
from services.communications.consents.queries import PREFERENCES
from services.communications.contacts.address_keys import keep_address_keys
from services.communications.contacts.contact import Contact, address_of, contact, key_of
from services.communications.mirror.repository import CommunicationsUnitOfWork
from shared.persistence.batches import newest_by

_KEEP = """
    insert into contacts as kept (cluster, record_id, version, member_id, address, shown_address, document)
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[],
                         $6::text[], $7::json[])
    on conflict (cluster, record_id) do update
    set version = excluded.version, member_id = excluded.member_id, address = excluded.address,
        shown_address = excluded.shown_address, document = excluded.document
    where kept.version < excluded.version
"""


async def keep_contacts(uow: CommunicationsUnitOfWork, messages: Sequence[Envelope[ContactDescribed]]) -> None:
    """Keep the newest contact of each record, and state what is known of the addresses that it has now."""
    newest = newest_by(messages, lambda m: (m.data.cluster, m.data.record_id), lambda m: m.data.version)
    # In the order of their keys, so that two replicas lock rows in the same order.
    ordered = [newest[key] for key in sorted(newest)]
    documents = [orjson.loads(message.document) for message in ordered]
    columns = (
        [message.data.cluster for message in ordered],
        [message.data.record_id for message in ordered],
        [message.data.version for message in ordered],
        [message.data.member_id for message in ordered],
        [address_of(document) for document in documents],
        [key_of(document.get("shown_email")) for document in documents],
        [message.document.decode() for message in ordered],
    )
    async with stating(uow, PREFERENCES, messages):
        await uow.connection.exec_driver_sql(_KEEP, columns)
    if uow.has_keyring:
        await keep_address_keys(uow.connection, uow.keyring, [Record(*key) for key in sorted(newest)])
        # An older description counts too: it refused, or had an address that somebody objected for.
        contacts = [_as_described(message) for message in messages]
        await suppress_contacts(uow.connection, uow.keyring, contacts)


def _as_described(message: Envelope[ContactDescribed]) -> Contact:
    # Whose it is does not matter here.
    return contact(message.data.cluster, message.data.record_id, "", orjson.loads(message.document))
