"""The states of a booking, and what they mean to others. Pure; the statements that name them take them from here."""

from collections.abc import Mapping
from typing import Final

from schemas.events import RegistrationStatus
from schemas.events_registrations import BookingState as State

HOLDS: Final[frozenset[State]] = frozenset({"registered", "offered"})
"""A booking that holds its seats."""
ACTIVE: Final[frozenset[State]] = frozenset({*HOLDS, "waiting", "asked"})
"""A booking that holds its seats, or may still get them. ``asked`` waits for staff: is it somebody twice?"""
ACTIVE_SQL: Final = "('" + "', '".join(sorted(ACTIVE)) + "')"
"""The same, for statements."""
STATUS: Final[Mapping[State, RegistrationStatus]] = {
    "registered": "registered",
    "offered": "registered",
    "waiting": "waiting",
    "asked": "waiting",
    "cancelled": "cancelled",
    "declined": "cancelled",
    "lapsed": "cancelled",
}
"""What other systems are told of a booking: a seat that is offered is taken."""
STATUS_SQL: Final = (
    "case b.state " + " ".join(f"when '{ours}' then '{theirs}'" for ours, theirs in STATUS.items()) + " end"
)
"""The same of a booking ``b``, for statements."""

__all__ = ["ACTIVE", "ACTIVE_SQL", "HOLDS", "STATUS", "STATUS_SQL", "State"]
