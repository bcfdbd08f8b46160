"""What communications does with each fact: save what is newer, announce what was saved and what it comes to."""

from collections.abc import Sequence

from schemas.communications import ConsentChanged, ConsentRecorded, MailingChanged, MailingRecorded
from schemas.envelope import CurrentRecord, Envelope
from services.common.sections import stating
from services.communications.consents.history import add_to_history, suppress_objecting
from services.communications.consents.queries import PREFERENCES
from services.communications.mirror.repository import CommunicationsUnitOfWork
from shared.messaging.publishing import publish_mirrored


async def record_consents(uow: CommunicationsUnitOfWork, messages: Sequence[Envelope[ConsentRecorded]]) -> None:
    """Mirror the former system's consents and objections; whatever was ever objected to is suppressed from here on."""
    async with stating(uow, PREFERENCES, messages):
        publish_mirrored(uow, ConsentChanged, await uow.save_consents(messages))
    await add_to_history(uow.connection, messages)
    if uow.has_keyring:
        consents = {(message.cluster, message.data.consent_id) for message in messages}
        await suppress_objecting(uow.connection, uow.keyring, consents)


async def record_mailings(uow: CommunicationsUnitOfWork, messages: Sequence[Envelope[MailingRecorded]]) -> None:
    """Mirror the mailings that the former system sent.

    A version that is older than the mailing's newest is announced too if it is the newest that names one of its
    recipients: what was sent cannot be unsent, and each keeps the newest telling, in whatever order these come.
    """
    saved = {id(message): applied_late for message, applied_late in await uow.save_mailings(messages)}
    newest = await uow.add_recipients(messages)
    records: list[CurrentRecord] = []
    for item in messages:
        applied_late = newest.get(
            (item.cluster, item.data.mailing_id, item.data.version, item.digest), saved.get(id(item))
        )
        if applied_late is not None:
            records.append((item, applied_late))
    publish_mirrored(uow, MailingChanged, records)
