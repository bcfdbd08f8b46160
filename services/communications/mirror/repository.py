"""All write SQL of communications."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.envelope import Envelope
from services.common.sections import serialise_writers
from services.communications.brands.brand import MailSettings
from services.communications.contacts.contact import key_of
from services.communications.suppressions.address import AddressKeysError, Keyring
from services.communications.tables import consents, mailings
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import newest_by, transposed
from shared.persistence.database import rows_of
from shared.persistence.mirror import Mirror


def _add(table: str, column: str, *more: str) -> str:
    """SQL that adds those whom a mailing went to, and returns the tellings that are the newest for one of them."""
    names = ", ".join(("cluster", "mailing_id", column, "version", "digest", *more))
    also = "".join(f", {name}" for name in more)
    arrays = "$1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[]" + "".join(
        f", ${number}::text[]" for number, _ in enumerate(more, 6)
    )
    return f"""
        insert into {table} as held (cluster, mailing_id, {column}, applied_late, version, digest{also})
        select n.cluster, n.mailing_id, n.{column}, m.applied_late, n.version, n.digest{also}
        from unnest({arrays}) as n ({names}) join mailings m using (cluster, mailing_id)
        on conflict (cluster, mailing_id, {column}) do update
        set applied_late = excluded.applied_late, version = excluded.version, digest = excluded.digest
        where (held.applied_late, held.version, held.digest)
            < (excluded.applied_late, excluded.version, excluded.digest)
        returning cluster, mailing_id, version, digest, applied_late
    """


_ADD_RECIPIENTS = _add("recipients", "record_id")
_ADD_ADDRESSES = _add("address_recipients", "address", "address_key")

Republisher = tuple[str, str, int, bytes]
"""Cluster, mailing, version and digest: one writing of one mailing."""


class CommunicationsUnitOfWork(UnitOfWork):
    """One transaction of communications. Without ``keyring`` whatever needs the hash of an address raises.

    ``mail`` is None where no mail goes out.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        keyring: Keyring | None = None,
        products: Mapping[str, str] = MappingProxyType({}),
        mail: MailSettings | None = None,
        cluster_names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(connection)
        self.cluster_names = cluster_names
        self._keyring, self.mail = keyring, mail
        self._products = products

    def software(self, cluster: str) -> str:
        """What the cluster's former communications system is; plain where the clusters file names none."""
        return self._products.get(cluster, "plain")

    @property
    def keyring(self) -> Keyring:
        """What addresses are hashed with. Raises AddressKeysError."""
        if self._keyring is None:
            raise AddressKeysError("TRABOULE_COMMUNICATIONS_ADDRESS_KEYS is not set: see deploy/README.md, Mail")
        return self._keyring

    @property
    def has_keyring(self) -> bool:
        """Whether addresses can be hashed."""
        return self._keyring is not None

    async def serialise_writers(self) -> None:
        """Wait for whoever saves what sections are made of: before a row is locked, for they may want that row."""
        await serialise_writers(self.connection)

    async def save_consents(
        self, messages: Sequence[Envelope[ConsentRecorded]]
    ) -> list[tuple[Envelope[ConsentRecorded], int]]:
        """Mirror consents; returns those that were newer than what was held, as :class:`Mirror` does."""
        return await Mirror(consents).save(self.connection, messages)

    async def save_mailings(
        self, messages: Sequence[Envelope[MailingRecorded]]
    ) -> list[tuple[Envelope[MailingRecorded], int]]:
        """Mirror mailings; returns those that were newer than what was held, as :class:`Mirror` does."""
        return await Mirror(mailings).save(self.connection, messages)

    async def add_recipients(self, messages: Sequence[Envelope[MailingRecorded]]) -> dict[Republisher, int]:
        """Add recipients of mailings that are held, who are never taken away: records, and addresses.

        Returns the tellings that are the newest for one of theirs, each with how many late messages about its mailing
        were applied.
        """
        records = _newest(messages, lambda fact: fact.recipients)
        addresses = [(*row, key_of(row[2])) for row in _newest(messages, lambda fact: fact.addresses)]
        return await self._add(_ADD_RECIPIENTS, records) | await self._add(_ADD_ADDRESSES, addresses)

    async def _add(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> dict[Republisher, int]:
        if not rows:
            return {}
        columns = transposed(rows)
        published = rows_of(await self.connection.exec_driver_sql(sql, columns))
        return {(*named, bytes(digest)): applied_late for *named, digest, applied_late in published}


def _newest(
    messages: Sequence[Envelope[MailingRecorded]], names: Callable[[MailingRecorded], Sequence[str]]
) -> list[tuple[Any, ...]]:
    """Whom these mailings went to, each with the newest telling that names them, in the order of their keys."""
    named = (
        ((message.cluster, message.data.mailing_id, name), (message.data.version, message.digest))
        for message in messages
        for name in names(message.data)
    )
    newest = newest_by(named, itemgetter(0), itemgetter(1))
    return [(*recipient, *published) for recipient, published in sorted(newest.values())]
