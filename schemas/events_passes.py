"""Check-in passes: who holds the link sees one session's list, and lets people in, without an API key."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, Field

from schemas.events_checkin import OneSession
from schemas.events_operations import Line, events
from schemas.events_public import PublicSession
from schemas.objections import LinkDigest
from schemas.operation import Arguments, Id


class Pass(BaseModel):
    """A pass for one session. ``device`` is whose it is, ``path`` what precedes its token in the address.

    It ends at ``ends_at`` by itself, or at ``ended_at``.
    """

    pass_id: str
    session_id: str
    device: str | None
    path: str
    author: str
    made_at: datetime
    ends_at: datetime
    ended_at: datetime | None


class Passes(BaseModel):
    """The passes of a session, the newest first."""

    items: list[Pass]


class ListedPerson(BaseModel):
    """Somebody on the list. ``tickets`` are SHA-256 of their tickets' codes, in hexadecimal: a phone compares them.

    ``device`` is what let them in. ``expected`` is false for those who cancelled.
    """

    attendee_id: str
    name: str
    organisation: str | None
    tickets: list[str]
    state: str
    expected: bool
    walk_in: bool
    attended_at: datetime | None
    device: str | None


class CheckInList(BaseModel):
    """What the check-in page shows. ``keys`` are those of entries that were taken by this pass."""

    session: PublicSession
    device: str | None
    ends_at: datetime
    present: int
    expected: int
    people: list[ListedPerson]
    keys: list[str]


class NewPass(OneSession):
    """For which session and device. The caller makes the token, 26 random letters in base32, and keeps it."""

    digest: Annotated[LinkDigest, Field(description="SHA-256 of the token in lower case, in hexadecimal")]
    device: Annotated[Line, Field(max_length=40, description="whose phone it is for")] | None = None


class OnePass(Arguments):
    """Which pass."""

    pass_id: Id


class OneDigest(Arguments):
    """Which pass, by the SHA-256 of its token."""

    digest: LinkDigest


CHECK_IN_PASS: Final = events(
    "check-in-pass", "command", "run-events", "sessions/{session_id}/check-in-passes", (NewPass, Pass),
    ("Make a check-in pass: a link with which a phone lets people in at one session.",
     "Créer un laissez-passer : un lien par lequel un téléphone pointe les entrées d'une séance."),
    "traboule events check-in-pass",
)  # fmt: skip
END_CHECK_IN_PASS: Final = events(
    "end-check-in-pass", "command", "run-events", "check-in-passes/{pass_id}/end", (OnePass, Pass),
    ("End a check-in pass at once.", "Mettre fin à un laissez-passer."),
    "traboule events end-check-in-pass",
)  # fmt: skip
CHECK_IN_PASSES: Final = events(
    "check-in-passes", "query", "run-events", "sessions/{session_id}/check-in-passes", (OneSession, Passes),
    ("The check-in passes of a session.", "Les laissez-passer d'une séance."),
    "traboule events check-in-passes",
)  # fmt: skip
CHECK_IN_LIST: Final = events(
    "check-in-list", "query", "read-persons", "public/check-in/{digest}", (OneDigest, CheckInList),
    ("Who is expected and who came, as the holder of a pass sees it.",
     "Qui est attendu et qui est venu, tel que le voit le porteur d'un laissez-passer."),
)  # fmt: skip

ALL: Final = (CHECK_IN_PASS, END_CHECK_IN_PASS, CHECK_IN_PASSES, CHECK_IN_LIST)
