"""All write SQL of communications."""

from collections.abc import Sequence

from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.envelope import Envelope
from services.communications.tables import consents, mailings
from shared.persistence.database import rows_of
from shared.persistence.mirror import Mirror
from shared.persistence.unit_of_work import UnitOfWork

_ADD_RECIPIENTS = """
    insert into recipients as held (cluster, mailing_id, record_id, version, digest)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])
    on conflict (cluster, mailing_id, record_id) do update set version = excluded.version, digest = excluded.digest
    where (held.version, held.digest) < (excluded.version, excluded.digest)
    returning cluster, mailing_id, version, digest
"""

Telling = tuple[str, str, int, bytes]
"""Cluster, mailing, version and digest: one writing of one mailing."""


class CommunicationsUnitOfWork(UnitOfWork):
    """One transaction of communications."""

    async def save_consents(self, messages: Sequence[Envelope[ConsentRecorded]]) -> list[Envelope[ConsentRecorded]]:
        """Mirror consents; returns those that were newer than what was held."""
        return await Mirror(consents).save(self.connection, messages)

    async def save_mailings(self, messages: Sequence[Envelope[MailingRecorded]]) -> list[Envelope[MailingRecorded]]:
        """Mirror mailings; returns those that were newer than what was held."""
        return await Mirror(mailings).save(self.connection, messages)

    async def add_recipients(self, messages: Sequence[Envelope[MailingRecorded]]) -> set[Telling]:
        """Add recipients, who are never taken away; returns the tellings that are the newest for one of theirs."""
        newest: dict[tuple[str, str, str], tuple[int, bytes]] = {}
        for message in messages:
            for record_id in message.data.recipients:
                recipient = (message.cluster, message.data.mailing_id, record_id)
                told = (message.data.version, message.digest)
                newest[recipient] = max(newest.get(recipient, told), told)
        rows = [(*recipient, *told) for recipient, told in sorted(newest.items())]
        columns = tuple(list(column) for column in zip(*rows, strict=True)) or ([], [], [], [], [])
        return {tuple(row) for row in rows_of(await self.connection.exec_driver_sql(_ADD_RECIPIENTS, columns))}
