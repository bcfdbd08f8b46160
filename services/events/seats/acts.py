"""What is done to a session's seats, as the log keeps it: an act, when it was decided, and how it is done again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from services.events.seats.room import Booking, NotPossibleError, Room, Terms

Kind = Literal[
    "register",
    "take-over",
    "accept",
    "decline",
    "cancel",
    "reduce",
    "same-people",
    "other-people",
    "prefer",
    "replace",
    "change",
    "call-off",
    "settle",
]

ALREADY_REGISTERED: Final = "already-registered"
"""The refusal that needs names to be seen: the log has none, so the replay takes its word."""
GATHERING_OVER: Final = "gathering-over"
"""The refusal of all that is asked of a gathering that is called off, or was given back."""
OUTSIDE: Final = frozenset({ALREADY_REGISTERED, GATHERING_OVER, "not-the-authority", "not-public"})
"""Refusals that are none of the rule's: of the gathering, or of who is registered already. Nothing else was done."""


MAKES: Final[frozenset[Kind]] = frozenset({"register", "take-over"})
"""Acts that make a booking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """``at`` is when it was asked for: deadlines count by it. ``overruled``: staff set the deadline aside, or the
    capacity.

    ``asked`` marks a registration about which staff are asked, or one that a former system let wait. ``terms`` are
    those of a change.
    """

    kind: Kind
    booking_id: str = ""
    seats: int = 0
    at: datetime | None = None
    asked: bool = False
    overruled: bool = False
    terms: Terms | None = None


class Logged(NamedTuple):
    """An act and the moment, by the database's clock, at which it was decided; ``refusal`` where it was refused."""

    act: Act
    decided_at: datetime
    refusal: str | None


def do(room: Room, act: Act, now: datetime) -> Booking | None:
    """Carry the act out, after offers that are over; the booking that it was about. Raises NotPossibleError."""
    if act.kind != "take-over":  # then no offer was made yet, and there may be thousands of these
        room.settle(now)
    at = act.at or now
    match act.kind:
        case "register":
            if not act.overruled:
                room.in_time_to_register(at)
            return room.register(act.booking_id, act.seats, asked=act.asked)
        case "take-over":
            return room.take_over(act.booking_id, act.seats, seated=not act.asked)
        case "accept" | "decline":
            return room.answer(act.booking_id, now, accept=act.kind == "accept")
        case "cancel":
            if not act.overruled:
                room.in_time_to_cancel(at)
            return room.cancel(act.booking_id, now)
        case "reduce":
            if not act.overruled:
                room.in_time_to_cancel(at)
            return room.reduce(act.booking_id, act.seats, now)
        case "same-people" | "other-people":
            return room.decide(act.booking_id, now, same_people=act.kind == "same-people")
        case "prefer":
            return room.prefer(act.booking_id, now, above_capacity=act.overruled)
        case "replace":
            return room.touch(act.booking_id)
        case "change":
            room.change(act.terms or room.terms, now)
        case "call-off":
            room.call_off()
        case "settle":
            room.promote(now)
    return None


def replay(first: Terms, log: Iterable[Logged]) -> Room:
    """The room as it is after all acts of its log, in their order.

    Raises ValueError where the rule refuses what was done, or does what was refused.
    """
    room = Room(first)
    for number, (act, decided_at, refusal) in enumerate(log, start=1):
        if refusal in OUTSIDE:
            continue
        try:
            do(room, act, decided_at)
        except NotPossibleError as error:
            if error.kind != refusal:
                raise ValueError(f"act {number}, {act.kind}: the rule says {error.kind}, the log {refusal}") from None
        else:
            if refusal is not None:
                raise ValueError(f"act {number}, {act.kind}: the rule does it, the log says {refusal}")
    return room
