"""A gathering as staff plan it: its sessions with their moments, and what an earlier one lends it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from schemas.events_operations import ChangedSession, PlannedSession
from services.events.gatherings.local_time import moment_of
from services.events.gatherings.repository import NewSession
from services.events.seats.offers import OfferTerms
from services.events.seats.room import Terms


class UnfitSessionError(ValueError):
    """Moments of a session that contradict each other; the message says which."""


LENT = ("title", "place", "link", "organiser", "visible_to", "member_price", "guest_price")
"""What is taken from an earlier gathering where it is left out."""


def session_of(planned: PlannedSession) -> NewSession:
    """The session, with its moments in UTC. Raises LocalTimeError, UnfitSessionError."""
    starts_at = moment_of(planned.starts, planned.zone, planned.offset)
    terms = Terms(
        capacity=planned.capacity,
        starts_at=starts_at,
        zone=planned.zone,
        waiting_list=planned.waiting_list,
        opens_at=planned.opens_at,
        closes_at=planned.closes_at,
        cancel_until=planned.cancel_until,
        offers=OfferTerms(
            lasts=timedelta(hours=planned.offer_hours), at_once_within=timedelta(hours=planned.at_once_hours)
        ),
    )
    return NewSession(
        session_id=str(uuid4()),
        title=planned.title,
        local_start=planned.starts,
        ends_at=_end(starts_at, planned.minutes),
        terms=_fit(terms),
    )


def changed_terms(terms: Terms, changed: ChangedSession) -> Terms:
    """The terms after a change. Raises LocalTimeError, UnfitSessionError."""
    names = ("capacity", "overbooked", "waiting_list", "opens_at", "closes_at", "cancel_until")
    given: dict[str, Any] = {name: value for name in names if (value := getattr(changed, name)) is not None}
    given |= dict.fromkeys(changed.without)
    if "capacity" in changed.without:
        given.setdefault("overbooked", 0)
    if changed.starts is not None:
        given["starts_at"] = moment_of(changed.starts, terms.zone, changed.offset)
    return _fit(replace(terms, **given))


def changed_end(session: Mapping[str, Any], terms: Terms, minutes: int | None) -> datetime | None:
    """When a session ends after a change: as long after its beginning as before, or as is said now."""
    if minutes is not None:
        return terms.starts_at + timedelta(minutes=minutes)
    ends_at: datetime | None = session["ends_at"]
    return None if ends_at is None else terms.starts_at + (ends_at - session["starts_at"])


def _end(starts_at: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else starts_at + timedelta(minutes=minutes)


def _fit(terms: Terms) -> Terms:
    """Raises UnfitSessionError."""
    closes_at = terms.offers_end
    if terms.opens_at is not None and terms.opens_at >= closes_at:
        raise UnfitSessionError(
            f"the list would open at {terms.opens_at.isoformat()}, after its end at {closes_at.isoformat()}"
        )
    for name in ("closes_at", "cancel_until"):
        if (moment := getattr(terms, name)) is not None and moment > terms.starts_at:
            raise UnfitSessionError(f"{name} is after the beginning at {terms.starts_at.isoformat()}")
    return terms
