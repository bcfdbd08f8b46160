"""Writes to people about what happened: one mail for each cause and person, once."""

from asyncio import to_thread
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from schemas.envelope import Envelope
from schemas.letters import (
    DirectDebitAnnounced,
    DocumentIssued,
    LetterDue,
    PaymentReminded,
    RegistrationCancelled,
    RegistrationConfirmed,
    RegistrationWaiting,
    SeatOffered,
)
from services.common.calendar.entry import CalendarError
from services.common.sections import Record
from services.common.words import Language
from services.communications.brands.brand import Brand, MailSettings
from services.communications.contacts.queries import addresses_of_records, languages_of_records
from services.communications.deliveries.queueing import Mail, queue
from services.communications.letters import notice
from services.communications.letters.notice import Notice
from services.communications.letters.sandbox import TemplateRefusedError
from services.communications.letters.template import letter_of, on_one_line
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import AddressError, normalise
from shared.messaging.failures import Refusal
from shared.messaging.subscription import Subscription

log = structlog.get_logger()

LARGE_PREFETCH: Final = 10
"""Messages with files that are read at once: each may have 4 MB."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The handler of one fact. Without a mail file nothing is written, and ``mail-status`` says so.

    A fact of which no mail can be made is parked with the reason, and keeps no other from going out.
    """

    notice_of: Callable[[Any], Notice]

    async def __call__(self, uow: CommunicationsUnitOfWork, messages: Sequence[Envelope[Any]]) -> None:
        """Queue what these facts ask for. Raises Refusal, AddressKeysError."""
        if uow.mail is None:
            log.info("letters.not_written", facts=len(messages), why="there is no mail file")
            return
        mail = uow.mail
        facts = await _addressed(uow, [message.data for message in messages])
        notices = await to_thread(lambda: [self.notice_of(fact) for fact in facts])
        records = sorted({record for wanted in notices for record in wanted.records})
        languages = await languages_of_records(uow.connection, records)
        mails = await to_thread(lambda: [mail_of(wanted, mail, languages) for wanted in notices])
        await queue(uow.connection, uow.keyring, mails)


async def _addressed(uow: CommunicationsUnitOfWork, facts: Sequence[LetterDue]) -> list[LetterDue]:
    """These facts; where one names a record and no address, with the address that membership knows of the record.

    A service that took registrations over from a former system knows records alone.
    """
    lacking = [fact for fact in facts if not fact.recipient.email and fact.recipient.records]
    records = {Record(ref.cluster, ref.record_id) for fact in lacking for ref in fact.recipient.records}
    known = await addresses_of_records(uow.connection, sorted(records)) if records else {}

    def email_of(fact: LetterDue) -> str | None:
        refs = (Record(ref.cluster, ref.record_id) for ref in fact.recipient.records)
        return fact.recipient.email or next((known[ref] for ref in refs if ref in known), None)

    return [
        fact.model_copy(update={"recipient": fact.recipient.model_copy(update={"email": email_of(fact)})})
        for fact in facts
    ]


def mail_of(wanted: Notice, settings: MailSettings, languages: Mapping[Record, Language]) -> Mail:
    """The mail, rendered, in the language of the fact, else of a record, else of the brand. Raises Refusal."""
    brand = _brand(wanted.cluster, settings)
    recipient = wanted.recipient
    of_records: list[Language] = [languages[record] for record in wanted.records if record in languages]
    language = recipient.language or (of_records[0] if of_records else brand.language)
    try:
        entry = wanted.calendar(brand)
        attachments = (*wanted.attachments, entry) if entry else wanted.attachments
        letter = letter_of(wanted.kind, language, brand, wanted.values(language), attachments)
    except (TemplateRefusedError, CalendarError) as error:
        raise Refusal("letter-refused", f"{wanted.kind}/{language}: {error}") from None
    return Mail(
        cause=wanted.cause,
        kind=wanted.kind,
        mode="transactional",
        purpose=wanted.purpose,
        brand=brand.code,
        person_key=wanted.person_key,
        address=_address(recipient.email),
        name=on_one_line(recipient.name),
        records=wanted.records,
        letter=letter,
        not_after=wanted.not_after,
    )


def _brand(cluster: str, settings: MailSettings) -> Brand:
    brand = settings.brand_of(cluster)
    if brand is None:
        detail = (
            f"no brand writes to {cluster}: name it in the clusters of a [brands.CODE] of the mail file, then replay"
        )
        raise Refusal("brand-missing", detail)
    return brand


def _address(written: str | None) -> str:
    if not written:
        raise Refusal("address-missing", "there is no e-mail address: send it by post, and correct the record")
    try:
        return normalise(written)
    except AddressError as error:
        raise Refusal("address-unusable", f"{error}: send it by post, and correct the record") from None


LETTERS: Final[tuple[tuple[type[LetterDue], Letters], ...]] = (
    (DocumentIssued, Letters(notice.of_document)),
    (PaymentReminded, Letters(notice.of_reminder)),
    (DirectDebitAnnounced, Letters(notice.of_direct_debit)),
    (RegistrationConfirmed, Letters(notice.of_registration)),
    (RegistrationWaiting, Letters(notice.of_waiting)),
    (SeatOffered, Letters(notice.of_offer)),
    (RegistrationCancelled, Letters(notice.of_cancellation)),
)
"""What is written about each fact."""
LETTER_SUBSCRIPTIONS: Final = tuple(
    Subscription(f"communications.{fact.key}", fact, handler, LARGE_PREFETCH if fact is DocumentIssued else None)
    for fact, handler in LETTERS
)
LETTER_QUEUES: Final = tuple(subscription.queue_name for subscription in LETTER_SUBSCRIPTIONS)
