"""Writing a record in its former system's own columns: what the writers of all products share."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from schemas.membership import MemberRecorded
from services.membership.legacy.columns import Column, column
from services.membership.legacy.draft import SECRETS
from services.membership.legacy.identifiers import ADDED
from shared.importing.table import normal

Line: TypeAlias = list[tuple[Column, str]]
"""One row on its way out: each column with its cell. A column may stand twice, as Dolibarr has it."""

_MADE_HERE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of one record, all with the same columns, and what goes under headers that are no column of theirs."""

    lines: Sequence[Line]
    extra: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a product writes its files. ``line_break`` is what stands for one inside a cell, ``ending`` ends a row.

    A text that ``encoding`` cannot hold is written as UTF-8 with a byte order mark.
    """

    separator: str
    quoted: bool = False
    encoding: str = "utf-8"
    ending: str = "\r\n"
    line_break: str | None = None


def made_here(record_id: str) -> bool:
    """Whether we gave a record this id: a UUIDv7, which no product known to us numbers by."""
    return _MADE_HERE.fullmatch(record_id) is not None


def texts(fact: MemberRecorded, columns: Mapping[str, Column]) -> Line:
    """The fields that a product has a column of their own for."""
    return [(column, getattr(fact, field) or "") for field, column in columns.items()]


def added_to(fact: MemberRecorded, added: Iterable[str], own: Collection[str]) -> Line:
    """The columns that the cluster added to its product; ``own`` fields have one of the product already."""
    line: Line = []
    left = {field: names for field, names in ADDED.items() if field not in own}
    for header in added:
        field = next((name for name, names in left.items() if normal(header) in names), None)
        value = None if field is None else getattr(fact, field)
        if field is not None:
            del left[field]
        # One that is no field of ours is there for what is kept under it as written.
        line.append((column(header), value or ""))
    return line


def with_extra(sheet: Sheet) -> list[Line]:
    """The lines, and what a record keeps of its former system's other columns under their own headers."""
    lines = [list(line) for line in sheet.lines]
    own = [normal(column.header) for column, _ in lines[0]]
    for header, written in sheet.extra.items():
        name = normal(header)
        # A column without a name would be cut off at the end of a file, and its rows set aside.
        if name in SECRETS or not name:
            continue
        place = own.index(name) if name in own else None
        for line in lines:
            if place is None:
                line.append((column(header), written))
            elif not line[place][1]:
                line[place] = (line[place][0], written)
    return lines


def french(day: date | None) -> str:
    """31/12/2024."""
    return "" if day is None else f"{day:%d/%m/%Y}"


def iso(day: date | None) -> str:
    """2024-12-31."""
    return "" if day is None else day.isoformat()


def oui(value: bool | None) -> str:
    """Oui, Non, or nothing where nobody said."""
    return "" if value is None else "Oui" if value else "Non"
