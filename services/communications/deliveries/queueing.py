"""Puts mails into the queue: each once for its cause, kind and person."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sections import Record
from services.communications.deliveries.delivery import Mode
from services.communications.deliveries.message import Letter
from services.communications.deliveries.objections import apply_unmatched
from services.communications.deliveries.tokens import digest_of, token_of
from services.communications.suppressions.address import Keyring
from shared.persistence.batches import transposed
from shared.persistence.database import rows_of

_IDS: Final = UUID("6f0a7f6e-6d0b-5a53-9f0a-3f7f0d6c2b11")
# What was forgotten meanwhile is kept again.
_KEEP_CONTENTS = """
    insert into contents (content_id, document) select * from unnest($1::bytea[], $2::jsonb[])
    on conflict (content_id) do update set document = excluded.document where contents.document = '{}'
"""
_KEEP_ATTACHMENTS = """
    insert into attachments (content_id, name, media_type, body)
    select * from unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[]) on conflict do nothing
"""
# Of two mails to one address, which would be one person, the first by its key goes out.
_KEEP = """
    insert into deliveries (delivery_id, cause, kind, mode, purpose, brand, person_key, name, address, domain, key_id,
                            address_key, token_hash, return_hash, content_id, fields, scheduled_at, due_at, not_after)
    select n.id, n.cause, n.kind, n.mode, n.purpose, n.brand, n.person_key, n.name, n.address, n.domain, n.key_id,
           n.address_key, n.token_hash, n.return_hash, n.content_id, n.fields, coalesce(n.due_at, now()),
           coalesce(n.due_at, now()), n.not_after
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::bytea[], $13::bytea[], $14::bytea[], $15::bytea[],
                $16::jsonb[], $17::timestamptz[], $18::timestamptz[])
        as n (id, cause, kind, mode, purpose, brand, person_key, name, address, domain, key_id, address_key, token_hash,
              return_hash, content_id, fields, due_at, not_after)
    on conflict do nothing
    returning delivery_id::text
"""
_KEEP_RECORDS = """
    insert into delivery_records (delivery_id, cluster, record_id)
    select * from unnest($1::uuid[], $2::text[], $3::text[]) on conflict do nothing
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to be sent. ``address`` is normalised; ``cause`` and ``kind`` say what for: once for each person."""

    cause: str
    kind: str
    mode: Mode
    purpose: str
    brand: str
    person_key: str
    address: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    records: tuple[Record, ...] = ()
    letter: Letter = field(repr=False)
    fields: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    due_at: datetime | None = None
    not_after: datetime | None = None

    @property
    def delivery_id(self) -> str:
        """The same for the same cause, kind and person."""
        return str(uuid5(_IDS, f"{self.cause}\n{self.kind}\n{self.person_key}"))


async def queue(connection: AsyncConnection, keyring: Keyring, mails: Collection[Mail]) -> list[str]:
    """Keep them with what they say; returns ids of those that were not queued before."""
    ordered = sorted({mail.delivery_id: mail for mail in mails}.values(), key=lambda mail: mail.delivery_id)
    if not ordered:
        return []
    contents = [content_of(mail.letter) for mail in ordered]
    await _keep_contents(connection, dict(zip(contents, (mail.letter for mail in ordered), strict=True)))
    rows = [_row(mail, content, keyring) for mail, content in zip(ordered, contents, strict=True)]
    columns = transposed(rows)
    fresh = {row[0] for row in rows_of(await connection.exec_driver_sql(_KEEP, columns))}
    records = [(mail.delivery_id, *record) for mail in ordered if mail.delivery_id in fresh for record in mail.records]
    if records:
        await connection.exec_driver_sql(_KEEP_RECORDS, transposed(records))
    await apply_unmatched(connection, keyring, _links(fresh, keyring))
    return sorted(fresh)


def _links(delivery_ids: Collection[str], keyring: Keyring) -> dict[bytes, bytes]:
    """The digest of each mail's link by its digests under every key: it may have gone out before a backup."""
    digests = {
        delivery_id: [digest_of(token_of(secret, delivery_id, "links")) for _, secret in keyring.keys]
        for delivery_id in delivery_ids
    }
    return {digest: every[0] for every in digests.values() for digest in every}


def content_of(letter: Letter) -> bytes:
    """The digest of what a letter says, its files included."""
    digest = sha256(_document(letter))
    for item in letter.attachments:
        digest.update(orjson.dumps([item.name, item.media_type, sha256(item.body).hexdigest()]))
    return digest.digest()


def _document(letter: Letter) -> bytes:
    return orjson.dumps({"subject": letter.subject, "text": letter.text, "html": letter.html})


async def _keep_contents(connection: AsyncConnection, letters: dict[bytes, Letter]) -> None:
    ids = sorted(letters)
    documents = [_document(letters[content]).decode() for content in ids]
    await connection.exec_driver_sql(_KEEP_CONTENTS, (ids, documents))
    files = [
        (content, item.name, item.media_type, item.body) for content in ids for item in letters[content].attachments
    ]
    if files:
        await connection.exec_driver_sql(_KEEP_ATTACHMENTS, transposed(files))


def _row(mail: Mail, content: bytes, keyring: Keyring) -> Sequence[object]:
    found, secret = keyring.current(mail.address), keyring.keys[0][1]
    return (
        mail.delivery_id, mail.cause, mail.kind, mail.mode, mail.purpose, mail.brand, mail.person_key, mail.name,
        mail.address, mail.address.rpartition("@")[2], found.key_id, found.value,
        digest_of(token_of(secret, mail.delivery_id, "links")),
        digest_of(token_of(secret, mail.delivery_id, "return")),
        content, orjson.dumps(mail.fields).decode(), mail.due_at, mail.not_after,
    )  # fmt: skip
