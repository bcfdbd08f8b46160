"""What communications does with each fact: save what is newer, announce what was saved."""

from collections.abc import Sequence

from schemas.communications import ConsentChanged, ConsentRecorded, MailingChanged, MailingRecorded
from schemas.envelope import Envelope
from services.communications.repository import CommunicationsUnitOfWork
from services.house import announce


async def record_consents(uow: CommunicationsUnitOfWork, messages: Sequence[Envelope[ConsentRecorded]]) -> None:
    """Mirror the former system's consents and objections."""
    announce(uow, ConsentChanged, await uow.save_consents(messages))


async def record_mailings(uow: CommunicationsUnitOfWork, messages: Sequence[Envelope[MailingRecorded]]) -> None:
    """Mirror the mailings that the former system sent.

    An older version that names a recipient who was not known is announced too: what was sent cannot be unsent.
    """
    saved = {id(message) for message in await uow.save_mailings(messages)}
    grown = await uow.add_recipients(messages)
    told = [m for m in messages if id(m) in saved or (m.cluster, m.data.mailing_id) in grown]
    announce(uow, MailingChanged, told)
