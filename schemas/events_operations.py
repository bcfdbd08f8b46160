"""What events may be asked about gatherings that are organised here."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Final, Literal, Self
from unicodedata import category

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.base import Amount, Key, Moment
from schemas.letters import Zone
from schemas.operation import Arguments, Id, operation_of

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
Removable = Literal["capacity", "opens_at", "closes_at", "cancel_until"]
Price = Annotated[Amount, Field(ge=Decimal(0), lt=10**6)]

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
    allotment: Annotated[
        bool, Field(description="its seats are apart from those that another form gives for the same gathering")
    ] = False

    @model_validator(mode="after")
    def _has_title_and_sessions(self) -> Self:
        if not self.sessions or (self.title is None and self.like is None):
            raise ValueError("name a title and at least one session; with an earlier gathering, sessions alone")
        return self


class ChangedSession(Arguments):
    """What changes of a session; the rest stays. ``overbooked`` are seats that staff allow above the capacity.

    ``without`` names what it has no more: without a capacity nobody waits, without a closing the list is open until
    the beginning.
    """

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
    without: Annotated[tuple[Removable, ...], Field(max_length=4)] = ()

    @model_validator(mode="after")
    def _is_given_or_removed(self) -> Self:
        if any(getattr(self, name) is not None for name in self.without):
            raise ValueError("a field is given a value and removed: do one of both")
        return self


class OfCluster(Arguments):
    """Of which cluster."""

    cluster: Key


# --- the table ------------------------------------------------------------------------------------------------------

events = partial(operation_of, "events")

GATHERINGS: Final = events(
    "gatherings", "query", "read-events", "gatherings", (OfGatherings, Gatherings),
    ("Gatherings that are organised here, with their seats.", "Les rencontres organisées ici, et leurs places."),
    "traboule events list",
)  # fmt: skip
GATHERING: Final = events(
    "gathering", "query", "read-events", "gatherings/{gathering_id}", (OneGathering, GatheringShown),
    ("One gathering, with its sessions.", "Une rencontre, avec ses séances."),
    "traboule events show",
)  # fmt: skip
PLAN: Final = events(
    "plan-gathering", "command", "run-events", "gatherings", (Planned, GatheringShown),
    ("Plan a gathering; once under one key.", "Programmer une rencontre ; une seule fois par clé."),
    "traboule events plan",
)  # fmt: skip
CANCEL_GATHERING: Final = events(
    "cancel-gathering", "command", "run-events", "gatherings/{gathering_id}/cancel", (OneGathering, GatheringShown),
    ("Call a gathering off: everybody who registered is told.",
     "Annuler une rencontre : tous les inscrits sont prévenus."),
    "traboule events call-off",
)  # fmt: skip
CHANGE_SESSION: Final = events(
    "change-session", "command", "run-events", "sessions/{session_id}", (ChangedSession, GatheringShown),
    ("Change when a session is, or how many it holds; a larger one seats those who wait.",
     "Changer l'heure ou la jauge d'une séance ; agrandie, elle accueille ceux qui attendent."),
    "traboule events change",
)  # fmt: skip
TAKE_OVER: Final = events(
    "take-over-gatherings", "command", "run-events", "take-over", (OfCluster, TakenOver),
    ("Go on with the planned gatherings of a former system that was moved over.",
     "Poursuivre les rencontres à venir d'un ancien système basculé."),
    "traboule events take-over",
)  # fmt: skip

ALL: Final = (GATHERINGS, GATHERING, PLAN, CANCEL_GATHERING, CHANGE_SESSION, TAKE_OVER)
