"""Facts that a person is written a letter about: communications sends one mail for each, once.

They carry all that the mail says, so it can be written while the service that announced them is away.
"""

from typing import Annotated, ClassVar, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints

from schemas.base import Amount, Announced, Day, Key, Label, Moment, Name, Part, RecordRef

PDF_BYTES: Final = 1_500_000
"""The largest PDF that goes along; as base64 it is two thirds of the largest message."""
_BASE64_LENGTH: Final = (PDF_BYTES + 2) // 3 * 4


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: Europe is a folder of zones
        raise ValueError("there is no such time zone: write one such as Europe/Paris") from None
    return name


Zone = Annotated[
    str, StringConstraints(max_length=60, pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$"), AfterValidator(_zone)
]
"""A time zone of the IANA database."""

Link = Annotated[str, StringConstraints(max_length=500, pattern=r"^https://[^\s?#<>\"]+$")]
"""An address of the web without parameters. It may end in a random token, as that of a registration does."""

TicketAddress = Annotated[str, StringConstraints(max_length=90, pattern=r"^HTTPS?://[A-Z0-9.:-]+/C/[A-Z2-7]{24}$")]
"""An address in capitals, which a QR code holds in fewer squares."""

Base64 = Annotated[str, StringConstraints(max_length=_BASE64_LENGTH, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
"""Bytes as base64 (RFC 4648 §4)."""


class Recipient(Part):
    """Who is written to."""

    name: Name = Field(description="The company or person that the letter is about")
    email: Label | None = Field(default=None, description="As written; without one the fact is set aside")
    language: Literal["fr", "en"] | None = Field(default=None, description="None: that of the brand")
    records: tuple[RecordRef, ...] = Field(default=(), description="Source records whose mail it is")


class LetterDue(Announced):
    """Something that somebody must hear of; the brand that writes is that of the cluster."""

    cluster: Key
    recipient: Recipient


class Payable(LetterDue):
    """What is to be paid, and how."""

    service: ClassVar[str] = "billing"

    number: Key = Field(description="The number printed on the document")
    issuer: Name = Field(description="The legal body that bills, as the document names it")
    amount: Amount = Field(description="What is to be paid, in euros")
    iban: Label | None = Field(default=None, description="The issuer's account")
    reference: Label | None = Field(default=None, description="What to write on the transfer (ISO 11649)")


class DocumentIssued(Payable):
    """A document was issued, and its files were made; told once, and never again."""

    key: ClassVar[str] = "document-issued"

    kind: Literal["invoice", "credit-note", "dues-notice"]
    issued_on: Day
    due_on: Day | None = None
    starts_on: Day = Field(description="First day that it is for")
    ends_on: Day = Field(description="Last day that it is for")
    corrects: Key | None = Field(default=None, description="The number of the document that a credit note corrects")
    pdf: Base64 | None = Field(default=None, description="Its PDF in base64; absent if it has more than 1.5 MB")


class PaymentReminded(Payable):
    """A document is overdue, and whoever owes it is reminded."""

    key: ClassVar[str] = "payment-reminded"

    reminder: Annotated[int, Field(ge=1, le=9)] = Field(
        description="Which reminder of this document it is: 1 is the first"
    )
    due_on: Day


class DirectDebitAnnounced(LetterDue):
    """An account will be debited under a mandate (SEPA core rulebook 4.3: told before)."""

    service: ClassVar[str] = "billing"
    key: ClassVar[str] = "direct-debit-announced"

    debit_id: Key = Field(description="The debit's own id, the same when it is told again")
    number: Key = Field(description="The number printed on the document that it pays")
    issuer: Name = Field(description="The creditor")
    amount: Amount
    collected_on: Day = Field(description="Day on which the account is debited")
    account_ending: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{4}$")] = Field(
        description="The last four characters of the payer's IBAN"
    )
    mandate: Label = Field(description="The mandate's reference")
    creditor_id: Label = Field(description="The creditor's identifier")


class Attendance(LetterDue):
    """Something about somebody's seat at a session of a gathering."""

    service: ClassVar[str] = "events"

    registration_id: Key
    title: Name
    starts_at: Moment
    zone: Zone = Field(default="Europe/Paris", description="The time zone of the place")
    place: Label | None = None
    seats: Annotated[int, Field(ge=1, le=10_000)] = 1
    link: Link | None = Field(
        default=None,
        description="Its page. With this address anybody may answer or cancel: keep it out of logs",
    )
    session_id: Key | None = Field(default=None, description="With the registration's id, it names a calendar's entry")
    sequence: Annotated[int, Field(ge=0, lt=2**31)] = Field(
        default=0, description="How often time or place changed (RFC 5545 SEQUENCE)"
    )
    ends_at: Moment | None = None
    organiser: Label | None = Field(default=None, description="E-mail address of the organiser's role")
    join: Label | None = Field(default=None, description="Where it is on line: for whoever has a seat")
    price: Annotated[Amount, Field(gt=0)] | None = Field(
        default=None, description="What one seat costs, in euros, VAT included; None: nothing"
    )


class Ticket(Part):
    """What lets one person in: whoever has it comes in under their name. Keep it out of logs."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z2-7]{24}$")] = Field(
        description="120 random bits in base32, for people who type it"
    )
    address: TicketAddress | None = Field(
        default=None, description="The page of the ticket: what its QR code holds. None: it holds the code"
    )


class RegistrationConfirmed(Attendance):
    """Somebody has a seat at a gathering, or it has another time or place now."""

    key: ClassVar[str] = "registration-confirmed"

    rescheduled: bool = Field(default=False, description="They had the seat before: time or place changed")
    feed: Link | None = Field(
        default=None,
        description="A calendar of all their seats. Whoever has this address reads it: keep it out of logs",
    )
    ticket: Ticket | None = Field(
        default=None, description="The person's own. Absent for whoever ordered for others, and comes not"
    )


class RegistrationWaiting(Attendance):
    """Somebody waits for a seat: no seat was free, or they did not answer when one was offered."""

    key: ClassVar[str] = "registration-waiting"

    line: Annotated[int, Field(ge=1)] = Field(description="Their place among those who wait, when this was written")
    offer_lapsed: bool = Field(default=False, description="A seat was offered, and nobody answered in time")


class SeatOffered(Attendance):
    """A seat is kept for somebody who waited, until a moment."""

    key: ClassVar[str] = "seat-offered"

    offer_id: Key = Field(description="The offer's own id: a later offer to the same person has another")
    offered_until: Moment = Field(description="The seat is offered to the next one then")
    shortened: bool = Field(default=False, description="It was offered before, and ends earlier now")


class RegistrationCancelled(Attendance):
    """Somebody comes no more, or the gathering is called off."""

    key: ClassVar[str] = "registration-cancelled"

    gathering_cancelled: bool = Field(default=False, description="Nobody comes: the gathering is called off")
    seated: bool = Field(default=True, description="They had a seat, and it may be in their calendar")
    reason: Literal["registered-twice", "offer-lapsed"] | None = Field(
        default=None, description="Why, where they did not cancel: staff found them twice, or a second offer lapsed"
    )
