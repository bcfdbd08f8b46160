"""Who asks for seats, and for whom: an order with named people, before anything is decided. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple
from uuid import uuid4

from services.common.sections import Record
from services.events.seats.acts import Act
from services.events.seats.room import NotPossibleError

Language = Literal["fr", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who comes. ``key`` is who it is at one session: two people at one address differ by their names."""

    attendee_id: str
    name: str
    email: str | None = None
    key: str = field(init=False)

    def __post_init__(self) -> None:
        """Fold once what is compared several times."""
        object.__setattr__(self, "key", f"{(self.email or '').strip().casefold()}|{self.folded_name}")

    @property
    def folded_name(self) -> str:
        """The name without case and doubled spaces."""
        return " ".join(self.name.casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody asks for at once. ``record`` is the member's; None for guests. ``email`` is where we answer."""

    order_id: str
    session_id: str
    author: str
    placed_at: datetime
    record: Record | None = None
    name: str | None = None
    email: str | None = None
    language: Language | None = None


class Moved(NamedTuple):
    """The time that a session has from now on: what clocks there show at its beginning, and when it ends."""

    local_start: str
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One act for one session, once under its key. A registration has an order, and the people that it seats.

    ``leaving`` are those who give up their seats where the act reduces a booking. ``barred`` is why it is refused
    whatever the rule says: one of ``acts.OUTSIDE``. ``moved_to`` is the time that a change gives the session.
    """

    session_id: str
    key: str
    act: Act
    author: str
    reason: str = ""
    order: Order | None = None
    people: Sequence[Person] = ()
    price: Decimal = Decimal("0.00")
    former_id: str | None = None
    leaving: Sequence[str] = ()
    barred: NotPossibleError | None = None
    moved_to: Moved | None = None


def new_id() -> str:
    """An id that nobody can guess."""
    return str(uuid4())


def as_id(column: str) -> str:
    """SQL for a text as a UUID, null where it is none: so that a row is looked up by its key."""
    return f"case when {column} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' then {column}::uuid end"
