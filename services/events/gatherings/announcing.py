"""Announces a gathering as it is now, in the shape in which former systems' gatherings are announced too."""

from collections.abc import Mapping
from typing import Any

from schemas.events import EventChanged, EventSession
from services.events.mirror.repository import EventsUnitOfWork
from shared.messaging.publishing import publish


def announce_gathering(
    uow: EventsUnitOfWork, gathering: Mapping[str, Any], version: int, cause: str | None = None
) -> None:
    """Tell of it when the transaction commits. Its first session says when it begins, and its last when it ends."""
    sessions = sorted(gathering["sessions"], key=lambda session: session["starts_at"])
    first = sessions[0]
    fact = EventChanged(
        version=version,
        cluster=gathering["cluster"],
        event_id=gathering["event_id"] or gathering["gathering_id"],
        title=gathering["title"],
        starts_at=first["starts_at"],
        ends_at=max((session["ends_at"] or session["starts_at"] for session in sessions), default=None),
        place=gathering["place"],
        status="cancelled" if gathering["state"] == "cancelled" else "planned",
        capacity=first["capacity"] if len(sessions) == 1 else None,
        closes_at=first["closes_at"] if len(sessions) == 1 else None,
        sessions=tuple([_session(session) for session in sessions]) if len(sessions) > 1 else (),
    )
    publish(uow, EventChanged, [(fact, cause)])


def _session(session: Mapping[str, Any]) -> EventSession:
    return EventSession(
        session_id=session["session_id"],
        title=session["title"],
        starts_at=session["starts_at"],
        ends_at=session["ends_at"],
        capacity=session["capacity"],
    )
