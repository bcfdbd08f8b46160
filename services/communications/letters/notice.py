"""Which letter a fact asks for, and with which words: pure."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from schemas.letters import (
    Attendance,
    DirectDebitAnnounced,
    DocumentIssued,
    PaymentReminded,
    Recipient,
    RegistrationCancelled,
    RegistrationConfirmed,
    RegistrationWaiting,
    SeatOffered,
)
from services.common.qr_code import grouped, qr_png
from services.common.sections import Record
from services.common.words import Language, day, iban, moment, money
from services.communications.brands.brand import Brand
from services.communications.deliveries.message import Attachment, content_id
from services.communications.letters.calendar_entry import calendar_entry
from services.communications.letters.sandbox import Values
from shared.messaging.failures import Refusal

_LETTERS: Final = {"invoice": "invoice", "dues-notice": "invoice", "credit-note": "credit-note"}
_TITLES: Final = {
    ("invoice", "fr"): "facture",
    ("invoice", "en"): "invoice",
    ("dues-notice", "fr"): "appel de cotisation",
    ("dues-notice", "en"): "dues notice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A letter to write. ``cause`` names what happened, the same whenever it is told; ``not_after`` when it is over."""

    kind: str
    cause: str
    purpose: Literal["contract", "registration", "information"]
    cluster: str
    recipient: Recipient
    values: Callable[[Language], Values] = field(repr=False)
    attachments: tuple[Attachment, ...] = ()
    calendar: Callable[[Brand], Attachment | None] = lambda _: None
    not_after: datetime | None = None

    @property
    def records(self) -> tuple[Record, ...]:
        """Whose mail it is."""
        return tuple(Record(record.cluster, record.record_id) for record in self.recipient.records)

    @property
    def person_key(self) -> str:
        """Who it is for: the first record, whatever its address; without one the cause itself is about one person."""
        records = self.recipient.records
        return f"{records[0].cluster}/{records[0].record_id}" if records else self.cause


def of_document(fact: DocumentIssued) -> Notice:
    """An invoice, a dues notice or a credit note, with its PDF. Raises Refusal if there is none."""

    def values(language: Language) -> Values:
        return _payable(fact, language) | {
            "title": _TITLES.get((fact.kind, language), ""),
            "due_on": day(fact.due_on, language),
            "starts_on": day(fact.starts_on, language),
            "ends_on": day(fact.ends_on, language),
            "corrects": fact.corrects or "",
        }

    return Notice(
        kind=_LETTERS[fact.kind],
        cause=f"document/{fact.number}",
        purpose="contract",
        cluster=fact.cluster,
        recipient=fact.recipient,
        values=values,
        attachments=(Attachment(f"{fact.number}.pdf", "application/pdf", _pdf(fact)),),
    )


def of_reminder(fact: PaymentReminded) -> Notice:
    """A reminder: one mail for each time."""
    return Notice(
        kind="reminder",
        cause=f"reminder/{fact.number}/{fact.reminder}",
        purpose="contract",
        cluster=fact.cluster,
        recipient=fact.recipient,
        values=lambda language: _payable(fact, language) | {"due_on": day(fact.due_on, language)},
    )


def of_direct_debit(fact: DirectDebitAnnounced) -> Notice:
    """What is debited, when, and under which mandate."""
    return Notice(
        kind="direct-debit",
        cause=f"direct-debit/{fact.debit_id}",
        purpose="contract",
        cluster=fact.cluster,
        recipient=fact.recipient,
        values=lambda language: {
            "name": fact.recipient.name,
            "number": fact.number,
            "issuer": fact.issuer,
            "amount": money(fact.amount, language),
            "collected_on": day(fact.collected_on, language),
            "account_ending": fact.account_ending,
            "mandate": fact.mandate,
            "creditor_id": fact.creditor_id,
        },
    )


def of_registration(fact: RegistrationConfirmed) -> Notice:
    """A seat is theirs. Confirmed again later, after a cancellation, it is another mail: ``version`` says when."""
    cause = f"registration/{fact.registration_id}/{fact.version}"
    picture = None if fact.ticket is None else qr_png(fact.ticket.address or fact.ticket.code)
    more = {
        "rescheduled": "yes" if fact.rescheduled else "",
        "feed": fact.feed or "",
        "ticket": grouped(fact.ticket.code) if fact.ticket else "",
        "ticket_picture": content_id(picture) if picture else "",
    }
    wanted = _attendance("registration", cause, fact, fact.starts_at, lambda _: more, calendar=_entry_of(fact))
    return replace(wanted, attachments=(Attachment("billet.png", "image/png", picture),)) if picture else wanted


def of_waiting(fact: RegistrationWaiting) -> Notice:
    """They wait, at which place of the line. Back in it later, it is another mail."""
    cause = f"waiting/{fact.registration_id}/{fact.version}"
    more = {"line": str(fact.line), "offer_lapsed": "yes" if fact.offer_lapsed else ""}
    return _attendance("waiting", cause, fact, fact.starts_at, lambda _: more)


def of_offer(fact: SeatOffered) -> Notice:
    """A seat is kept for a while."""
    return _attendance(
        "offer",
        f"offer/{fact.offer_id}",
        fact,
        fact.offered_until,
        lambda language: {
            "offered_until": moment(fact.offered_until, fact.zone, language),
            "shortened": "yes" if fact.shortened else "",
        },
    )


def of_cancellation(fact: RegistrationCancelled) -> Notice:
    """They are not expected any more, or do not wait any more. Who had no seat has nothing in a calendar."""
    cause = f"cancellation/{fact.registration_id}/{fact.version}"
    more = {
        "gathering_cancelled": "yes" if fact.gathering_cancelled else "",
        "seated": "yes" if fact.seated else "",
        "reason": fact.reason or "",
    }
    entry = _entry_of(fact) if fact.seated else _no_entry
    return _attendance("cancellation", cause, fact, fact.starts_at, lambda _: more, calendar=entry)


def _no_entry(_: Brand) -> None:
    return None


def _entry_of(fact: Attendance) -> Callable[[Brand], Attachment | None]:
    return lambda brand: calendar_entry(fact, brand)


def _attendance(
    kind: str,
    cause: str,
    fact: Attendance,
    not_after: datetime,
    more: Callable[[Language], dict[str, Any]] = lambda _: {},
    calendar: Callable[[Brand], Attachment | None] = _no_entry,
) -> Notice:
    return Notice(
        kind=kind,
        cause=cause,
        purpose="registration",
        cluster=fact.cluster,
        recipient=fact.recipient,
        not_after=not_after,
        calendar=calendar,
        values=lambda language: {
            "name": fact.recipient.name,
            "title": fact.title,
            "starts_at": moment(fact.starts_at, fact.zone, language),
            "place": fact.place or "",
            "join": fact.join or "",
            "seats": str(fact.seats),
            "price": money(fact.price, language) if fact.price else "",
            "link": fact.link or "",
            **more(language),
        },
    )


def _payable(fact: DocumentIssued | PaymentReminded, language: Language) -> dict[str, Any]:
    return {
        "name": fact.recipient.name,
        "number": fact.number,
        "issuer": fact.issuer,
        "amount": money(fact.amount, language),
        "iban": iban(fact.iban),
        "reference": fact.reference or "",
    }


def _pdf(fact: DocumentIssued) -> bytes:
    if fact.pdf is None:
        detail = f"{fact.number} came without its PDF, which is too large for a mail: send it by hand"
        raise Refusal("file-missing", detail)
    try:
        return b64decode(fact.pdf, validate=True)
    except Base64Error:
        raise Refusal("file-unreadable", f"the PDF of {fact.number} is no base64") from None
