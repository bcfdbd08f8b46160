"""What a public page may say of a session and of a registration: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from schemas.events_public import LinkedPerson, LinkedRegistration, ListState, PublicSession
from schemas.events_registrations import BookingState
from services.events.seats.room import NotPossibleError, Room, Terms
from services.events.seats.states import ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session as it is read. ``planned`` is about its gathering, ``ours`` about its cluster."""

    session_id: str
    cluster: str
    gathering: str
    title: str | None
    place: str | None
    organiser: str | None
    starts_at: datetime
    ends_at: datetime | None
    terms: Terms
    held: int
    member_price: Decimal
    guest_price: Decimal
    planned: bool
    ours: bool
    for_all: bool

    @property
    def bookable(self) -> bool:
        """Whether anybody can register, answer or call off here."""
        return self.planned and self.ours

    @property
    def room(self) -> Room:
        """Its seats, without any booking."""
        return Room(self.terms, self.held)


def public_session(row: SessionRow, now: datetime) -> PublicSession:
    """The session, for everybody."""
    free = row.room.free
    return PublicSession(
        session_id=row.session_id,
        cluster=row.cluster,
        gathering=row.gathering,
        title=row.title,
        place=row.place,
        organiser=row.organiser,
        zone=row.terms.zone,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=list_state(row.room, now),
        free=None if free == float("inf") else max(0, int(free)),
        opens_at=row.terms.opens_at,
        closes_at=row.terms.offers_end,
        cancel_until=row.terms.cancel_until or row.starts_at,
        member_price=row.member_price,
        guest_price=row.guest_price,
    )


def list_state(room: Room, now: datetime) -> ListState:
    """Whether one may register now, and whether that gives a seat."""
    try:
        room.in_time_to_register(now)
    except NotPossibleError as error:
        return "not-open-yet" if error.kind == "not-open-yet" else "list-closed"
    if room.free >= 1:
        return "open"
    return "waiting-list" if room.terms.waiting_list else "session-full"


def linked_registration(
    row: SessionRow,
    now: datetime,
    booking: Mapping[str, Any],
    attendee_id: str | None,
    people: Sequence[Mapping[str, Any]],
) -> LinkedRegistration:
    """The registration, for the holder of a link: of whoever ordered, or of the one person who is named."""
    own = [person for person in people if attendee_id in (None, person["attendee_id"])]
    there = attendee_id is None or any(not person["left"] for person in own)
    state: BookingState = booking["state"]
    acts = _possible(row.room, now, state, booking["offered_until"], whole=attendee_id is None)
    return LinkedRegistration(
        session=public_session(row, now),
        called_off=not row.bookable,
        state=state if there else "cancelled",
        seats=booking["seats"] if attendee_id is None else 1,
        offered_until=booking["offered_until"],
        whole=attendee_id is None,
        people=[LinkedPerson(**person) for person in own],
        open_to=acts if there and row.bookable else [],
    )


def _possible(
    room: Room, now: datetime, state: BookingState, offered_until: datetime | None, *, whole: bool
) -> list[Any]:
    if state == "offered":
        # One who was offered a seat leaves it by declining. An offer that is over waits to be settled.
        return ["accept", "decline"] if whole and offered_until is not None and offered_until > now else []
    if state not in ACTIVE:
        return []
    replace = ["replace"] if now <= room.terms.starts_at else []
    try:
        room.in_time_to_cancel(now)
    except NotPossibleError:
        return replace
    return ["cancel", *replace]
