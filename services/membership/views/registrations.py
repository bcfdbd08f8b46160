"""Registrations of a member: those of its records, in one list."""

from collections.abc import Sequence
from typing import Any

from services.membership.records.record import Related
from services.membership.views.items import in_order, lines


def registrations(participations: Sequence[Related]) -> list[dict[str, Any]]:
    """The section of the view; ``event`` is None while the gathering itself is not known."""
    entries = in_order(lines(participations, "registrations"), "registered_at", "registration_id")
    return [{"from": str(key), **line, "event": line.get("event")} for key, line in entries]
