"""What the gateway's public pages ask of events: a session that everybody may see, and a registration by its link."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Final, Literal

from pydantic import BaseModel

from schemas.events_registrations import BookingState
from schemas.objections import LinkDigest
from schemas.operation import Arguments, Id, operation_of

ListState = Literal["open", "waiting-list", "session-full", "not-open-yet", "list-closed"]
"""waiting-list: nothing is free, and one may wait."""


class PublicSession(BaseModel):
    """A session as everybody may see it: nobody's name, and no address for joining on line.

    ``free`` is None without a capacity. ``closes_at`` is the last moment to register, ``cancel_until`` to call off.
    """

    session_id: str
    cluster: str
    gathering: str
    title: str | None
    place: str | None
    organiser: str | None
    zone: str
    starts_at: datetime
    ends_at: datetime | None
    state: ListState
    free: int | None
    opens_at: datetime | None
    closes_at: datetime
    cancel_until: datetime
    member_price: Decimal
    guest_price: Decimal


class LinkedPerson(BaseModel):
    """Somebody who comes by a registration. ``left``: they gave up their seat."""

    attendee_id: str
    name: str
    left: bool


class LinkedRegistration(BaseModel):
    """The registration that a personal link is about, as far as its holder may see it.

    ``whole``: the link is that of whoever ordered. Else it is one person's, and ``people`` has nobody else.
    ``open_to`` are the acts that are possible now.
    """

    session: PublicSession
    called_off: bool
    state: BookingState
    seats: int
    offered_until: datetime | None
    whole: bool
    people: list[LinkedPerson]
    open_to: list[Literal["accept", "decline", "cancel"]]


class OnePublicSession(Arguments):
    """Which session."""

    session_id: Id


class OneLink(Arguments):
    """Which personal link, by the SHA-256 of its token."""

    digest: LinkDigest


events = partial(operation_of, "events")

PUBLIC_SESSION: Final = events(
    "public-session", "query", "reader", "public/sessions/{session_id}", (OnePublicSession, PublicSession),
    ("A session that everybody may see, as its public page shows it.",
     "Une séance ouverte à tous, telle que sa page publique la montre."),
)  # fmt: skip
LINKED_REGISTRATION: Final = events(
    "linked-registration", "query", "staff", "public/links/{digest}", (OneLink, LinkedRegistration),
    ("The registration that a personal link is about.", "L'inscription à laquelle mène un lien personnel."),
)  # fmt: skip

ALL: Final = (PUBLIC_SESSION, LINKED_REGISTRATION)
