"""Somebody on the list at the door, and what whoever stands there is told about them: pure."""

from dataclasses import dataclass
from datetime import datetime

from schemas.events_checkin import Outcome

EXPECTED = frozenset({"registered", "offered", "waiting", "asked", "walk-in"})
"""Whoever stands at the door is let in: also who waits for a seat. Who cancelled is asked about."""
SEATED = frozenset({"registered", "offered"})
"""Of them, those who are expected to come."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody on a session's list. ``state`` is that of the booking, ``cancelled`` if they gave up their seat.

    By a ticket whose person was replaced it is that former person, who comes no more.
    """

    session_id: str
    attendee_id: str
    name: str
    attended_at: datetime | None
    attended_with: str | None
    attended_by: str | None
    walk_in: bool
    state: str

    @property
    def shown_state(self) -> str:
        """Attended, once they came in."""
        return "attended" if self.attended_at is not None else self.state


def outcome_of(person: Listed, *, new: bool, added: bool) -> Outcome:
    """What whoever is at the door is told. ``new``: nobody let them in before; ``added``: they were on no list."""
    if person.state not in EXPECTED:
        return "not-expected"
    if added:
        return "added"
    return "in" if new else "already-in"
