"""For which gatherings a source record is expected: the rules."""

from collections.abc import Iterable
from typing import Final

from schemas.events import ParticipationChanged, ParticipationEntry, RegistrationStatus
from services.common.listing import newest_that_fit

TAKES_A_PLACE: Final[frozenset[RegistrationStatus]] = frozenset({"registered", "waiting"})
"""A registration that takes a place, or waits for one."""


def participation_of(cluster: str, record_id: str, entries: Iterable[ParticipationEntry]) -> ParticipationChanged:
    """What one source record registered for, whole, under version 0; the order of the entries does not matter."""
    ordered = sorted(entries, key=lambda entry: (entry.registered_at, entry.registration_id))
    listed = newest_that_fit(ordered, lambda entry: entry)
    return ParticipationChanged(
        version=0,
        cluster=cluster,
        record_id=record_id,
        expected=tuple(entry.registration_id for entry in listed if _is_expected(entry)),
        registrations=tuple(listed),
        unlisted=len(ordered) - len(listed),
    )


def _is_expected(entry: ParticipationEntry) -> bool:
    """A gathering that is not known yet counts as planned: its registrations may come first."""
    return entry.status in TAKES_A_PLACE and (entry.event is None or entry.event.status == "planned")
