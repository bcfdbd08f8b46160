"""A booking with all that is announced of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from schemas.base import RecordRef
from services.events.seats.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A booking with what is said about it. ``people`` have id, name, email, left, and now: they leave by this act.

    ``price`` is of a seat.
    """

    booking_id: str
    registration_id: str
    seats: int
    state: State
    price: Decimal
    offered_until: datetime | None
    version: int
    record: RecordRef | None
    name: str | None
    email: str | None
    language: Any
    placed_at: datetime
    cluster: str
    event_id: str
    title: str
    place: str | None
    starts_at: datetime
    zone: str
    session_id: str
    sequence: int
    ends_at: datetime | None
    organiser: str | None
    join: str | None
    called_off: bool
    people: list[dict[str, Any]]
