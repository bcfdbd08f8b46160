"""What must not be written to: an address, or source records, for everything or for bulk mail of a purpose."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from services.common.sections import Record
from services.communications.suppressions.address import AddressHash

Covers = Literal["everything", "bulk"]
Reason = Literal["objection", "complaint", "unknown-user", "unreachable"]
EVERY_PURPOSE: Final = "*"
UNDATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When an objection was made of which the former system keeps no day: before all that is sent from here."""
FROM_FORMER_SYSTEMS: Final = "consent "
"""What the cause of a suppression begins with that a former system's objection made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """``cause`` names what it was learned from, once: the same cause twice is one suppression.

    ``address`` is normalised, or its hash where nothing else is left of it; without one it concerns ``records`` alone.
    A person's own act ``spreads``: to all records that the member has at that time, so that each part of it keeps the
    objection if they separate (RGPD art. 21).
    """

    cause: str
    address: str | AddressHash | None = field(default=None, repr=False)
    records: tuple[Record, ...] = ()
    covers: Covers = "bulk"
    purpose: str = EVERY_PURPOSE
    reason: Reason = "objection"
    source: str
    at: datetime
    spreads: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a delivery must not go out: the oldest of what forbids it."""

    suppression_id: int
    reason: Reason
    source: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.reason} of {self.at:%Y-%m-%d} ({self.source})"
