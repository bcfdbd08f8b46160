"""What the sections of a view have in common: where a line is from, and in which order lines stand."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from services.membership.records.record import RecordKey, Related

Line = tuple[RecordKey, Mapping[str, Any]]
"""One entry of a section, and the source record that it is about."""


def lines(stated: Iterable[Related], field: str) -> list[Line]:
    """The entries under this field of every record's section."""
    return [(section.key, line) for section in stated for line in section.document.get(field, ())]


def in_order(entries: Iterable[Line], day: str, item_id: str) -> list[Line]:
    """By the day or instant in this field, then by record, then by id."""
    return sorted(entries, key=lambda entry: (when(entry[1].get(day)), entry[0], entry[1][item_id]))


def when(written: str | None) -> date:
    """A day or an instant, to sort by: as texts, 09:00:00.5Z would come before 09:00:00Z."""
    if written is None:
        return date.min
    return datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written)


def latest(days: Iterable[str | None]) -> str | None:
    """The last of these days, None without any."""
    return max((day for day in days if day), default=None)


def without(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The same without these fields."""
    return {name: value for name, value in document.items() if name not in names}
