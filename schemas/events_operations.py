"""What events may be asked about gatherings that are organised here, and about who registers for them."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Final, Literal, Self
from unicodedata import category

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.base import Amount, Key, Moment
from schemas.letters import Zone
from schemas.operation import Arguments, operation_of

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
LARGEST_ORDER: Final = 20
"""People of one order at most."""
BookingState = Literal["registered", "offered", "waiting", "asked", "cancelled", "declined", "lapsed"]


_ENDS_A_LINE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, halves of surrogates, and separators of lines and paragraphs."""


def _single_line(text: str) -> str:
    # A line break in a name or a title would end a header of a mail, or a line of a calendar file.
    if not text.strip() or any(category(character) in _ENDS_A_LINE for character in text):
        raise ValueError("write it on one line, without control characters")
    return text.strip()


Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_single_line)]
PersonName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_single_line)]
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^\s@<>\"(),:;\\\x00-\x1f]{1,64}@[^\s@<>\"(),:;\\\x00-\x1f]{1,190}$"),
]
Local = Annotated[str, Field(max_length=16, description="local time, such as 2027-03-25T09:30")]
Seats = Annotated[int, Field(ge=0, le=100_000)]
Price = Annotated[Amount, Field(ge=Decimal(0), lt=10**6)]
Record = Annotated[
    str,
    StringConstraints(max_length=300, pattern=r"^[a-z0-9-]{1,99}/[^\x00-\x1f]{1,200}$"),
    Field(description="a member's record, as cluster and id, such as numelink/1042"),
]

# --- answers --------------------------------------------------------------------------------------------------------


class SessionShown(BaseModel):
    """A session, and who has its seats. ``waiting`` and ``asked`` count seats that nobody holds."""

    session_id: str
    title: str | None
    zone: str
    local_start: str
    starts_at: datetime
    ends_at: datetime | None
    capacity: int | None
    overbooked: int
    opens_at: datetime | None
    closes_at: datetime | None
    cancel_until: datetime | None
    waiting_list: bool
    held: int
    registered: int
    offered: int
    waiting: int
    asked: int
    attended: int


class GatheringShown(BaseModel):
    """A gathering that is organised here. ``event_id`` is the former system's, where it was taken over from there."""

    gathering_id: str
    cluster: str
    event_id: str | None
    title: str
    place: str | None
    link: str | None
    organiser: str | None
    visible_to: list[str]
    member_price: Decimal
    guest_price: Decimal
    state: Literal["planned", "cancelled", "given-back"]
    sessions: list[SessionShown]


class Gatherings(BaseModel):
    """Gatherings, those that begin first before the others; ``next`` is the id after which to ask on."""

    items: list[GatheringShown]
    next: str | None = None


class AttendeeShown(BaseModel):
    """Somebody who comes. ``left``: they gave up their seat."""

    attendee_id: str
    name: str
    email: str | None
    left: bool
    attended_at: datetime | None


class RegistrationShown(BaseModel):
    """Seats that were asked for together. ``place_in_line`` counts from 1 among those who wait."""

    registration_id: str
    session_id: str
    state: BookingState
    seats: int
    arrival: int
    place_in_line: int | None = None
    offered_until: datetime | None
    price: Decimal
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


class TakenOver(BaseModel):
    """How many gatherings and registrations of the former system go on here now, and how many of them wait."""

    gatherings: int
    registrations: int
    waiting: int


# --- arguments ------------------------------------------------------------------------------------------------------


class OfGatherings(Arguments):
    """Of one cluster or of all. ``past``: also those whose sessions are over."""

    cluster: Annotated[str, Field(max_length=100)] | None = None
    past: bool = False
    after: Annotated[Id, Field(description="the id of the gathering after which to begin")] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 100


class OneGathering(Arguments):
    """Which gathering."""

    gathering_id: Id


class OfSession(Arguments):
    """Of which session, and in which state."""

    session_id: Id
    state: BookingState | None = None
    after: Annotated[int, Field(ge=0, le=10**15, description="the arrival number after which to begin")] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class OneRegistration(Arguments):
    """Which registration."""

    registration_id: Id


class PlannedSession(BaseModel):
    """When, where the clock is of ``zone``; and how it gives its seats. Without a capacity nobody waits.

    ``offset`` is needed where clocks show the time twice, such as +02:00. An offer to somebody who waited lasts
    ``offer_hours``; in the last ``at_once_hours`` a seat is given without asking.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Line | None = None
    zone: Zone = "Europe/Paris"
    starts: Local
    offset: Annotated[str, Field(max_length=6)] | None = None
    minutes: Annotated[int, Field(ge=1, le=60 * 24 * 30, description="how long it takes")] | None = None
    capacity: Seats | None = None
    waiting_list: bool = True
    opens_at: Moment | None = None
    closes_at: Moment | None = None
    cancel_until: Moment | None = None
    offer_hours: Annotated[int, Field(ge=1, le=240)] = 48
    at_once_hours: Annotated[int, Field(ge=0, le=240)] = 6


class Planned(Arguments):
    """A gathering, once under its key. Who sees it: clusters or lineages; everybody where none is named.

    ``like`` is an earlier gathering: what is left out here is as it was there, but for the moments of its lists.
    """

    cluster: Annotated[Key, Field(description="whose gathering it is")]
    key: Annotated[Key, Field(description="what tells it apart: under one key it is planned once")]
    title: Line | None = None
    place: Line | None = None
    link: Annotated[str, StringConstraints(max_length=500, pattern=r"^https://[^\s<>\"]+$")] | None = None
    organiser: Email | None = None
    visible_to: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(max_length=50)] = ()
    member_price: Price | None = None
    guest_price: Price | None = None
    sessions: Annotated[tuple[PlannedSession, ...], Field(max_length=50)] = ()
    like: Id | None = None

    @model_validator(mode="after")
    def _has_title_and_sessions(self) -> Self:
        if not self.sessions or (self.title is None and self.like is None):
            raise ValueError("name a title and at least one session; with an earlier gathering, sessions alone")
        return self


class ChangedSession(Arguments):
    """What changes of a session; the rest stays. ``overbooked`` are seats that staff allow above the capacity."""

    session_id: Id
    key: Key
    starts: Local | None = None
    offset: Annotated[str, Field(max_length=6)] | None = None
    minutes: Annotated[int, Field(ge=1, le=60 * 24 * 30)] | None = None
    capacity: Seats | None = None
    overbooked: Seats | None = None
    waiting_list: bool | None = None
    opens_at: Moment | None = None
    closes_at: Moment | None = None
    cancel_until: Moment | None = None


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


class AnsweredOffer(OneRegistration):
    """Whether the offered seat is taken."""

    accept: bool


class DecidedRegistration(OneRegistration):
    """Whether a member's second registration is for the same people, and so ends, or for others."""

    same_people: bool


class ReplacedAttendee(Arguments):
    """Who comes instead of somebody."""

    attendee_id: Id
    name: PersonName
    email: Email | None = None


class OfCluster(Arguments):
    """Of which cluster."""

    cluster: Key


# --- the table ------------------------------------------------------------------------------------------------------

events = partial(operation_of, "events")

GATHERINGS: Final = events(
    "gatherings", "query", "reader", "gatherings", (OfGatherings, Gatherings),
    ("Gatherings that are organised here, with their seats.", "Les rencontres organisées ici, et leurs places."),
    "traboule events list",
)  # fmt: skip
GATHERING: Final = events(
    "gathering", "query", "reader", "gatherings/{gathering_id}", (OneGathering, GatheringShown),
    ("One gathering, with its sessions.", "Une rencontre, avec ses séances."),
    "traboule events show",
)  # fmt: skip
REGISTRATIONS: Final = events(
    "registrations", "query", "staff", "sessions/{session_id}/registrations", (OfSession, Registrations),
    ("Who registered for a session, in the order of arrival.", "Les inscrits d'une séance, par ordre d'arrivée."),
    "traboule events registrations",
)  # fmt: skip
REGISTRATION: Final = events(
    "registration", "query", "staff", "registrations/{registration_id}", (OneRegistration, RegistrationShown),
    ("One registration: its state, and who comes.", "Une inscription : son état, et qui vient."),
    "traboule events registration",
)  # fmt: skip
PLAN: Final = events(
    "plan-gathering", "command", "staff", "gatherings", (Planned, GatheringShown),
    ("Plan a gathering; once under one key.", "Programmer une rencontre ; une seule fois par clé."),
    "traboule events plan",
)  # fmt: skip
CANCEL_GATHERING: Final = events(
    "cancel-gathering", "command", "staff", "gatherings/{gathering_id}/cancel", (OneGathering, GatheringShown),
    ("Call a gathering off: everybody who registered is told.",
     "Annuler une rencontre : tous les inscrits sont prévenus."),
    "traboule events call-off",
)  # fmt: skip
CHANGE_SESSION: Final = events(
    "change-session", "command", "staff", "sessions/{session_id}", (ChangedSession, GatheringShown),
    ("Change when a session is, or how many it holds; a larger one seats those who wait.",
     "Changer l'heure ou la jauge d'une séance ; agrandie, elle accueille ceux qui attendent."),
    "traboule events change",
)  # fmt: skip
REGISTER: Final = events(
    "register", "command", "staff", "sessions/{session_id}/registrations", (Ordered, Placed),
    ("Register people, or let them wait; once under one key.", "Inscrire des personnes, ou les mettre en attente."),
    "traboule events register",
)  # fmt: skip
CANCEL: Final = events(
    "cancel-registration", "command", "staff", "registrations/{registration_id}/cancel",
    (CancelledRegistration, RegistrationShown),
    ("Cancel a registration, or some of its people; the seats go to those who wait.",
     "Annuler une inscription, ou une partie ; les places vont à ceux qui attendent."),
    "traboule events cancel",
)  # fmt: skip
ANSWER: Final = events(
    "answer-offer", "command", "staff", "registrations/{registration_id}/answer", (AnsweredOffer, RegistrationShown),
    ("Take an offered seat for somebody, or leave it to the next.",
     "Accepter une place proposée, ou la laisser au suivant."),
    "traboule events answer",
)  # fmt: skip
PREFER: Final = events(
    "prefer-registration", "command", "staff", "registrations/{registration_id}/prefer",
    (OneRegistration, RegistrationShown),
    ("Give somebody who waits a free seat out of turn; the reason is kept.",
     "Donner une place libre hors tour à quelqu'un qui attend ; le motif est gardé."),
    "traboule events prefer",
)  # fmt: skip
DECIDE: Final = events(
    "decide-registration", "command", "staff", "registrations/{registration_id}/decide",
    (DecidedRegistration, RegistrationShown),
    ("Decide whether a member's second registration is for the same people.",
     "Décider si la seconde inscription d'un membre concerne les mêmes personnes."),
    "traboule events decide",
)  # fmt: skip
REPLACE: Final = events(
    "replace-attendee", "command", "staff", "attendees/{attendee_id}", (ReplacedAttendee, RegistrationShown),
    ("Let somebody else come instead; the seat stays.", "Faire venir quelqu'un d'autre ; la place reste."),
    "traboule events replace",
)  # fmt: skip
TAKE_OVER: Final = events(
    "take-over-gatherings", "command", "staff", "take-over", (OfCluster, TakenOver),
    ("Go on with the planned gatherings of a former system that was moved over.",
     "Poursuivre les rencontres à venir d'un ancien système basculé."),
    "traboule events take-over",
)  # fmt: skip

ALL: Final = (
    GATHERINGS, GATHERING, REGISTRATIONS, REGISTRATION, PLAN, CANCEL_GATHERING, CHANGE_SESSION, REGISTER, CANCEL,
    ANSWER, PREFER, DECIDE, REPLACE, TAKE_OVER,
)  # fmt: skip
