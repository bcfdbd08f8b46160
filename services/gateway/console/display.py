"""Values as people read them: days, money, numbers, and whose something is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

from services.membership.translations import Language
from shared.runtime.clusters import Cluster

PARIS: Final = ZoneInfo("Europe/Paris")
SHAPES: Final = 4
"""How many marks the style sheet tells apart by shape; a fifth cluster is like the first, but for its letters."""

State = Literal["good", "attention", "refused", "quiet"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A cluster's sign: two letters on a shape and a colour of its own."""

    code: str
    name: str
    letters: str
    shape: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A state in words; its shape and colour only repeat it. ``brief`` is for small screens, if that is another."""

    state: State
    text: str
    brief: str = ""


def marks_of(clusters: Mapping[str, Cluster]) -> dict[str, Mark]:
    """The marks of all clusters by code, in the order of their file."""
    return {
        code: Mark(code, cluster.name, cluster.mark or derived_letters(cluster.name), number % SHAPES + 1)
        for number, (code, cluster) in enumerate(clusters.items())
    }


def derived_letters(name: str) -> str:
    """Two letters for a name: of its first two words, else its first two."""
    parts = re.findall(r"\w+", name)
    letters = "".join(part[0] for part in parts[:2]) if len(parts) > 1 else name[:2]
    return letters.upper()


def mark_of(code: str, marks: Mapping[str, Mark]) -> Mark:
    """A cluster's mark; one for a cluster that is configured no longer too."""
    return marks.get(code) or Mark(code, code, derived_letters(code), 1)


def marks_for(codes: Iterable[str], marks: Mapping[str, Mark]) -> tuple[Mark, ...]:
    """The marks of clusters, each once, in the order of all marks."""
    order = {code: number for number, code in enumerate(marks)}
    return tuple(mark_of(code, marks) for code in sorted(set(codes), key=lambda code: (order.get(code, 99), code)))


def cluster_of(record: str) -> str:
    """The cluster of a source record that is named ``cluster/id``."""
    return record.partition("/")[0]


@lru_cache(4_096)
def day(on: date | str, language: Language) -> str:
    """``12 mars 2026``. Raises ValueError for what is no date."""
    return format_date(date.fromisoformat(on[:10]) if isinstance(on, str) else on, "d MMMM y", locale=language)


@lru_cache(4_096)
def short_day(on: date | str, language: Language) -> str:
    """``12 mars 2026``, with the month cut where it is long: ``31 déc. 2026``."""
    return format_date(date.fromisoformat(on[:10]) if isinstance(on, str) else on, "d MMM y", locale=language)


def instant(at: datetime | str) -> datetime:
    """An instant, in the time of Paris. Raises ValueError."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment.astimezone(PARIS)


def day_of(at: datetime | str, language: Language) -> str:
    """The day of an instant, as in :func:`short_day`."""
    return short_day(instant(at).date(), language)


def clock_time(at: datetime | str, language: Language) -> str:
    """``14:05``."""
    return format_time(instant(at), "HH:mm", locale=language)


def moment(at: datetime | str, language: Language) -> str:
    """``12 mars 2026, 14:05``."""
    return f"{day_of(at, language)}, {clock_time(at, language)}"


def money(amount: str | Decimal, language: Language) -> str:
    """``1 080,00 €``."""
    return format_currency(Decimal(amount), "EUR", locale=language)


def number(count: int, language: Language) -> str:
    """``27 524``."""
    return format_decimal(count, locale=language)


def siren(text: str) -> str:
    """``732 829 320``; a SIRET in the same way. What is no such number stays as it is."""
    if re.fullmatch(r"[0-9]{9}", text):
        return f"{text[:3]}\u00a0{text[3:6]}\u00a0{text[6:]}"
    if re.fullmatch(r"[0-9]{14}", text):
        return f"{text[:3]}\u00a0{text[3:6]}\u00a0{text[6:9]}\u00a0{text[9:]}"
    return text
