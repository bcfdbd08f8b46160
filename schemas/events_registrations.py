"""What events may be asked about who registers for a session of ours: who has a seat, who waits, who comes."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.base import Key
from schemas.events_operations import Email, PersonName, events
from schemas.operation import Arguments, Id

LARGEST_ORDER: Final = 20
"""People of one order at most."""
BookingState = Literal["registered", "offered", "waiting", "asked", "cancelled", "declined", "lapsed"]


Record = Annotated[
    str,
    StringConstraints(max_length=300, pattern=r"^[a-z0-9-]{1,99}/[^\x00-\x1f]{1,200}$"),
    Field(description="a member's record, as cluster and id, such as numelink/1042"),
]
# --- answers --------------------------------------------------------------------------------------------------------


class AttendeeShown(BaseModel):
    """Somebody who comes. ``left``: they gave up their seat."""

    attendee_id: str
    name: str
    email: str | None
    left: bool
    attended_at: datetime | None


class RegistrationShown(BaseModel):
    """Seats that were asked for together. ``place_in_line`` counts from 1 among those who wait.

    ``billed`` is what billing says that it billed, less what it credited, under the numbers of ``billed_by``.
    """

    registration_id: str
    session_id: str
    state: BookingState
    seats: int
    arrival: int
    place_in_line: int | None = None
    offered_until: datetime | None
    price: Decimal
    billed: Decimal | None = None
    billed_by: list[str] = []
    record: str | None
    name: str | None
    email: str | None
    placed_at: datetime
    attendees: list[AttendeeShown]


class Registrations(BaseModel):
    """A page of registrations of a session, in the order of arrival; ``next`` is the arrival after which to go on."""

    items: list[RegistrationShown]
    next: int | None = None


class Placed(BaseModel):
    """What came of an order: one registration, or one for each person where fewer is fine."""

    items: list[RegistrationShown]


# --- arguments ------------------------------------------------------------------------------------------------------


class OfSession(Arguments):
    """Of which session, and in which state."""

    session_id: Id
    state: BookingState | None = None
    after: Annotated[int, Field(ge=0, le=10**15, description="the arrival number after which to begin")] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class OneRegistration(Arguments):
    """Which registration."""

    registration_id: Id


class AttendeeNamed(BaseModel):
    """Somebody who is to come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: PersonName
    email: Email | None = None


class Ordered(Arguments):
    """Seats for named people, once under a key. ``record`` is the member's; without one they are guests.

    They are seated together or wait together; with ``fewer`` each by themselves. ``overrule`` sets the dates of the
    list aside: staff's exception, kept with its reason.
    """

    session_id: Id
    key: Key
    people: Annotated[tuple[AttendeeNamed, ...], Field(min_length=1, max_length=LARGEST_ORDER)]
    record: Record | None = None
    email: Email | None = None
    language: Literal["fr", "en"] | None = None
    fewer: bool = False
    overrule: bool = False


class CancelledRegistration(OneRegistration):
    """Who comes no more; nobody of the registration where no attendee is named."""

    attendees: Annotated[tuple[Id, ...], Field(max_length=LARGEST_ORDER)] = ()
    overrule: bool = False


class PreferredRegistration(OneRegistration):
    """Who gets a seat out of turn; with ``overrule`` above the capacity, where none is free."""

    overrule: bool = False


class AnsweredOffer(OneRegistration):
    """Whether the offered seat is taken."""

    accept: bool


class DecidedRegistration(OneRegistration):
    """Whether a member's second registration is for the same people, and so ends, or for others."""

    same_people: bool


class ReplacedAttendee(Arguments):
    """Who comes instead of somebody. ``same_person``: they come themselves, and their name was written wrong.

    Where the name stays, it is the same person, whose address was wrong.
    """

    attendee_id: Id
    name: PersonName
    email: Email | None = None
    same_person: bool = False


# --- the table ------------------------------------------------------------------------------------------------------

REGISTRATIONS: Final = events(
    "registrations", "query", "read-persons", "sessions/{session_id}/registrations", (OfSession, Registrations),
    ("Who registered for a session, in the order of arrival.", "Les inscrits d'une séance, par ordre d'arrivée."),
    "traboule events registrations",
)  # fmt: skip
REGISTRATION: Final = events(
    "registration", "query", "read-persons", "registrations/{registration_id}", (OneRegistration, RegistrationShown),
    ("One registration: its state, and who comes.", "Une inscription : son état, et qui vient."),
    "traboule events registration",
)  # fmt: skip
REGISTER: Final = events(
    "register", "command", "run-events", "sessions/{session_id}/registrations", (Ordered, Placed),
    ("Register people, or let them wait; once under one key.", "Inscrire des personnes, ou les mettre en attente."),
    "traboule events register",
)  # fmt: skip
CANCEL: Final = events(
    "cancel-registration", "command", "run-events", "registrations/{registration_id}/cancel",
    (CancelledRegistration, RegistrationShown),
    ("Cancel a registration, or some of its people; the seats go to those who wait.",
     "Annuler une inscription, ou une partie ; les places vont à ceux qui attendent."),
    "traboule events cancel",
)  # fmt: skip
ANSWER: Final = events(
    "answer-offer", "command", "run-events", "registrations/{registration_id}/answer",
    (AnsweredOffer, RegistrationShown),
    ("Take an offered seat for somebody, or leave it to the next.",
     "Accepter une place proposée, ou la laisser au suivant."),
    "traboule events answer",
)  # fmt: skip
PREFER: Final = events(
    "prefer-registration", "command", "run-events", "registrations/{registration_id}/prefer",
    (PreferredRegistration, RegistrationShown),
    ("Give somebody who waits a seat out of turn, or above the capacity; the reason is kept.",
     "Donner une place hors tour, ou au-delà de la jauge, à quelqu'un qui attend ; le motif est gardé."),
    "traboule events prefer",
)  # fmt: skip
DECIDE: Final = events(
    "decide-registration", "command", "run-events", "registrations/{registration_id}/decide",
    (DecidedRegistration, RegistrationShown),
    ("Decide whether a member's second registration is for the same people.",
     "Décider si la seconde inscription d'un membre concerne les mêmes personnes."),
    "traboule events decide",
)  # fmt: skip
REPLACE: Final = events(
    "replace-attendee", "command", "run-events", "attendees/{attendee_id}", (ReplacedAttendee, RegistrationShown),
    ("Let somebody else come instead; the seat stays.", "Faire venir quelqu'un d'autre ; la place reste."),
    "traboule events replace",
)  # fmt: skip

ALL: Final = (REGISTRATIONS, REGISTRATION, REGISTER, CANCEL, ANSWER, PREFER, DECIDE, REPLACE)
