"""What events may be asked at the door: who is expected, who came, and how many heads there were."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.base import Key, Moment
from schemas.events_operations import Email, PersonName, events
from schemas.events_public import PublicSession
from schemas.operation import Arguments, Id

Outcome = Literal["in", "already-in", "added", "not-expected", "unknown"]
LARGEST_BATCH: Final = 1_000


class CheckedIn(BaseModel):
    """What came of one entry. ``at``, ``with`` and ``by`` are of who let them in first.

    ``not-expected``: they cancelled, or this entry was taken back; then nobody is named.
    """

    outcome: Outcome
    attendee_id: str | None = None
    name: str | None = None
    at: datetime | None = None
    device: str | None = None
    by: str | None = None


class CheckedInAll(BaseModel):
    """What came of each entry, in their order."""

    items: list[CheckedIn]


class ExpectedPerson(BaseModel):
    """Somebody on the list. ``tickets`` are SHA-256 of their tickets' tokens, in hexadecimal: a phone compares them.

    Each mail had one, and all work; ``ticket`` is the newest.
    """

    attendee_id: str
    name: str
    organisation: str | None
    departement: str | None = None
    clusters: list[str]
    state: str
    ticket: str | None
    tickets: list[str]
    attended_at: datetime | None
    walk_in: bool


class Expected(BaseModel):
    """The list of a session, by name. ``twice`` are those whom two devices let in."""

    session_id: str
    items: list[ExpectedPerson]
    twice: list[str]


class Heads(BaseModel):
    """How many people registered and came, each once."""

    registered: int
    attended: int
    walk_ins: int
    members: int


class HeadsOf(Heads):
    """The same of a cluster; null: of none."""

    name: str | None


class Attendance(BaseModel):
    """Headcounts as funders ask for them: clusters and départements may add up to more than the total.

    A département is that of the record that registered; null: not known, as of guests.
    """

    total: Heads
    clusters: list[HeadsOf]
    departements: list[HeadsOf] = []
    session: PublicSession | None = None
    note: str


class OneSession(Arguments):
    """Of which session."""

    session_id: Id


class Entering(BaseModel):
    """Somebody who comes in: by ticket, by their place on the list, or by name where they are on none.

    ``at`` is when a device that was off line let them in; now, where it is left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[Key, Field(description="of this entry: sent again it is one")]
    ticket: Annotated[str, Field(max_length=300, description="as it was scanned or typed")] | None = None
    attendee_id: Id | None = None
    name: PersonName | None = None
    email: Email | None = None
    at: Moment | None = None
    device: Annotated[str, Field(max_length=60)] | None = None

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        if sum(given is not None for given in (self.ticket, self.attendee_id, self.name)) != 1:
            raise ValueError("give a ticket, an attendee_id, or the name of somebody who is on no list")
        return self


class Entered(OneSession):
    """Those who come in; what an off-line list collected may be sent again and again."""

    entries: Annotated[tuple[Entering, ...], Field(min_length=1, max_length=LARGEST_BATCH)]


class Undone(Arguments):
    """Who did not come in after all."""

    attendee_id: Id


EXPECTED: Final = events(
    "expected", "query", "read-persons", "sessions/{session_id}/expected", (OneSession, Expected),
    ("Who is expected at a session, and who came.", "Qui est attendu à une séance, et qui est venu."),
    "traboule events expected",
)  # fmt: skip
ATTENDANCE: Final = events(
    "attendance", "query", "read-events", "sessions/{session_id}/attendance", (OneSession, Attendance),
    ("How many people registered and came, in all and by cluster.",
     "Combien de personnes inscrites et présentes, au total et par cluster."),
    "traboule events attendance",
)  # fmt: skip
CHECK_IN: Final = events(
    "check-in", "command", "run-events", "sessions/{session_id}/check-in", (Entered, CheckedInAll),
    ("Let people in, by ticket, by name, or although they did not register; each once.",
     "Faire entrer des personnes, par billet, par nom, ou sans inscription ; une fois chacune."),
    "traboule events check-in",
)  # fmt: skip
UNDO_CHECK_IN: Final = events(
    "undo-check-in", "command", "run-events", "attendees/{attendee_id}/undo-check-in", (Undone, CheckedIn),
    ("Take back that somebody came in.", "Annuler l'entrée de quelqu'un."),
    "traboule events undo-check-in",
)  # fmt: skip

ALL: Final = (EXPECTED, ATTENDANCE, CHECK_IN, UNDO_CHECK_IN)
