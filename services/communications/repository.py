"""All write SQL of communications."""

from collections.abc import Sequence

from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.envelope import Envelope
from services.communications.tables import consents, mailings
from shared.persistence.database import rows_of
from shared.persistence.mirror import Mirror
from shared.persistence.unit_of_work import UnitOfWork

_ADD_RECIPIENTS = """
    insert into recipients (cluster, mailing_id, record_id)
    select * from unnest($1::text[], $2::text[], $3::text[])
    on conflict do nothing
    returning cluster, mailing_id
"""


class CommunicationsUnitOfWork(UnitOfWork):
    """One transaction of communications."""

    async def save_consents(self, messages: Sequence[Envelope[ConsentRecorded]]) -> list[Envelope[ConsentRecorded]]:
        """Mirror consents; returns those that were newer than what was held."""
        return await Mirror(consents).save(self.connection, messages)

    async def save_mailings(self, messages: Sequence[Envelope[MailingRecorded]]) -> list[Envelope[MailingRecorded]]:
        """Mirror mailings; returns those that were newer than what was held."""
        return await Mirror(mailings).save(self.connection, messages)

    async def add_recipients(self, messages: Sequence[Envelope[MailingRecorded]]) -> set[tuple[str, str]]:
        """Add recipients, which are never taken away; returns (cluster, mailing_id) of mailings that got new ones."""
        rows = sorted(
            {
                (message.cluster, message.data.mailing_id, record_id)
                for message in messages
                for record_id in message.data.recipients
            }
        )
        columns = tuple(list(column) for column in zip(*rows, strict=True)) or ([], [], [])
        result = await self.connection.exec_driver_sql(_ADD_RECIPIENTS, columns)
        return {(cluster, mailing_id) for cluster, mailing_id in rows_of(result)}
