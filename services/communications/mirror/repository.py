"""All write SQL of communications."""

from collections.abc import Sequence
from operator import itemgetter

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.envelope import Envelope
from services.common.sections import serialise_writers
from services.communications.brands.brand import MailSettings
from services.communications.suppressions.address import AddressKeysError, Keyring
from services.communications.tables import consents, mailings
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import newest_by
from shared.persistence.database import rows_of
from shared.persistence.mirror import Mirror

_ADD_RECIPIENTS = """
    insert into recipients as held (cluster, mailing_id, record_id, applied_late, version, digest)
    select n.cluster, n.mailing_id, n.record_id, m.applied_late, n.version, n.digest
    from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])
        as n (cluster, mailing_id, record_id, version, digest)
    join mailings m using (cluster, mailing_id)
    on conflict (cluster, mailing_id, record_id) do update
    set applied_late = excluded.applied_late, version = excluded.version, digest = excluded.digest
    where (held.applied_late, held.version, held.digest) < (excluded.applied_late, excluded.version, excluded.digest)
    returning cluster, mailing_id, version, digest, applied_late
"""

Republisher = tuple[str, str, int, bytes]
"""Cluster, mailing, version and digest: one writing of one mailing."""


class CommunicationsUnitOfWork(UnitOfWork):
    """One transaction of communications. Without ``keyring`` whatever needs the hash of an address raises.

    ``mail`` is None where no mail goes out.
    """

    def __init__(
        self, connection: AsyncConnection, keyring: Keyring | None = None, mail: MailSettings | None = None
    ) -> None:
        super().__init__(connection)
        self._keyring, self.mail = keyring, mail

    @property
    def keyring(self) -> Keyring:
        """What addresses are hashed with. Raises AddressKeysError."""
        if self._keyring is None:
            raise AddressKeysError("TRABOULE_COMMUNICATIONS_ADDRESS_KEYS is not set: see deploy/README.md, Mail")
        return self._keyring

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
        """Add recipients of mailings that are held, who are never taken away.

        Returns the tellings that are the newest for one of theirs, each with how many late messages about its mailing
        were applied.
        """
        named = (
            ((message.cluster, message.data.mailing_id, record_id), (message.data.version, message.digest))
            for message in messages
            for record_id in message.data.recipients
        )
        newest = newest_by(named, itemgetter(0), itemgetter(1))
        rows = [(*recipient, *published) for recipient, published in sorted(newest.values())]
        columns = tuple(list(column) for column in zip(*rows, strict=True)) or ([], [], [], [], [])
        published = rows_of(await self.connection.exec_driver_sql(_ADD_RECIPIENTS, columns))
        return {(*named, bytes(digest)): applied_late for *named, digest, applied_late in published}
