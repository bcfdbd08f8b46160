"""What the gateway's public pages ask of events: a session that everybody may see, and a registration by its link."""

from base64 import b32encode
from datetime import datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from schemas.events_registrations import BookingState
from schemas.objections import TOKEN_LENGTH, LinkDigest
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
    ``open_to`` are the acts that are possible now. ``has_feed``: a feed came with the link.
    """

    session: PublicSession
    called_off: bool
    state: BookingState
    seats: int
    offered_until: datetime | None
    whole: bool
    people: list[LinkedPerson]
    open_to: list[Literal["accept", "decline", "cancel", "replace"]]
    has_feed: bool = False


class Feed(BaseModel):
    """A calendar that programs read again and again (RFC 5545), as text."""

    calendar: str


class OfFeed(Arguments):
    """Of one cluster, or of all."""

    cluster: Annotated[str, Field(max_length=100)] | None = None


class OnePublicSession(Arguments):
    """Which session."""

    session_id: Id


class OneLink(Arguments):
    """Which personal link, by the SHA-256 of its token."""

    digest: LinkDigest


def feed_token(link_token: str) -> str:
    """The token of the feed that comes with a personal link: nobody who reads the feed can answer by the link."""
    digest = sha256(f"feed {link_token.lower()}".encode()).digest()
    return b32encode(digest).decode().lower()[:TOKEN_LENGTH]


events = partial(operation_of, "events")

PUBLIC_SESSION: Final = events(
    "public-session", "query", "read-events", "public/sessions/{session_id}", (OnePublicSession, PublicSession),
    ("A session that everybody may see, as its public page shows it.",
     "Une séance ouverte à tous, telle que sa page publique la montre."),
)  # fmt: skip
LINKED_REGISTRATION: Final = events(
    "linked-registration", "query", "read-persons", "public/links/{digest}", (OneLink, LinkedRegistration),
    ("The registration that a personal link is about.", "L'inscription à laquelle mène un lien personnel."),
)  # fmt: skip
PUBLIC_FEED: Final = events(
    "public-feed", "query", "read-events", "public/feed", (OfFeed, Feed),
    ("A calendar of the sessions that everybody may see.", "L'agenda des séances ouvertes à tous."),
)  # fmt: skip
PERSONAL_FEED: Final = events(
    "personal-feed", "query", "read-persons", "public/feeds/{digest}", (OneLink, Feed),
    ("A person's own calendar, by the digest of its secret address.",
     "L'agenda d'une personne, par l'empreinte de son adresse secrète."),
)  # fmt: skip

ALL: Final = (PUBLIC_SESSION, LINKED_REGISTRATION, PUBLIC_FEED, PERSONAL_FEED)
