"""One row on its way to a fact: columns are taken by name, and what nobody took goes along as written.

So a translator is a list of what it takes, a column that we have never seen is kept, and every fault knows the column
as the file names it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import ValidationError

from schemas.membership import MemberRecorded
from services.membership.legacy.meanings import DEFAULT, NOT_KNOWN, NOT_THERE, Meaning, Reading
from shared.importing import values
from shared.importing.outcomes import Notice, Rejection
from shared.importing.table import Row, Table

T = TypeVar("T")
_DECIMALS = re.compile(r"-?\d+\.\d+")

SECRETS = frozenset({"mdp_adh", "mot de passe", "password", "pass", "pass_crypted", "pass_temp"})
"""Columns that are never carried on, hashed or not: a password is no member data."""


class Columns:
    """Where each column of a table is. A header that occurs twice is told apart by ``nth``, counted from 0."""

    def __init__(self, table: Table) -> None:
        self.headers = table.headers
        self.covered = table.covered
        self._positions: dict[str, list[int]] = {}
        for position, name in enumerate(table.names):
            self._positions.setdefault(name, []).append(position)
        self.secret = frozenset(p for name in SECRETS for p in self._positions.get(name, []))
        self._found: dict[tuple[int, tuple[str, ...]], tuple[int, ...]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._positions

    def count(self, *names: str) -> int:
        """How many columns have these names."""
        return sum(len(self._positions.get(name, ())) for name in names)

    def find(self, names: tuple[str, ...], nth: int) -> tuple[int, ...]:
        """Positions of the columns with these normalised names, in the order of the names."""
        key = (nth, names)
        result = self._found.get(key)
        if result is None:
            hits = (self._positions.get(name, []) for name in names)
            result = self._found[key] = tuple(places[nth] for places in hits if nth < len(places))
        return result


class Draft:
    """A row of a member, being read. ``fields`` fills up; ``faults`` are what will reject the row."""

    def __init__(self, row: Row, columns: Columns, line_break: str | None = None, reading: Reading = DEFAULT) -> None:
        self.line = row.line
        self.fields: dict[str, Any] = {}
        self.faults: list[Rejection] = []
        self.notices: list[Notice] = []
        self.reading = reading
        self.record_id: str | None = None
        self._columns = columns
        self._cells = [cell.strip() for cell in row.cells]
        if line_break is not None and any(line_break in cell for cell in row.cells):
            self._cells = [cell.replace(line_break, "\n").strip() for cell in self._cells]
        self._taken: set[int] = set()
        self._origin: dict[str, str] = {}

    def take(self, *names: str, nth: int = 0, field: str = "") -> str:
        """What is written in the first of these columns that has something; all of one meaning count as taken.

        Only the column whose value is used, and those that are empty or say the same, are taken: two different
        values under two names both survive.
        """
        places = self._columns.find(names, nth)
        if not places:
            return ""
        if field:
            self._columns.covered.add(field)
        value = ""
        for position in places:
            written = self._cells[position]
            if written and not value:
                value = written
                self._taken.add(position)
                if field:
                    self._origin[field] = self._columns.headers[position].strip()
            elif not written or written == value:
                self._taken.add(position)
        return value

    def covers(self, field: str, *names: str) -> None:
        """Note that the file can say this field, if it has one of these columns."""
        if self.has(*names):
            self._columns.covered.add(field)

    def has(self, *names: str) -> bool:
        """Whether the file has one of these columns, whatever is in it."""
        return any(name in self._columns for name in names)

    def count(self, *names: str) -> int:
        """How many columns of the file have these names."""
        return self._columns.count(*names)

    def status(
        self, defaults: Mapping[str, Meaning], header: str, *names: str, by_words: bool = False, take: bool = True
    ) -> Meaning | None:
        """What the column says of membership. A word of no known meaning, and no column at all, become notices.

        None where nothing is known: the record then has no say in who is a member.
        """
        self.covers("status", *names)
        written = self.peek(*names)
        meaning = self.reading.meaning(written, defaults, by_words=by_words) if written else None
        if meaning is not None and take:
            self.take(*names)
        if written and meaning is None:
            self.notices.append(Notice(self.line, self.record_id, header, written, NOT_KNOWN))
        elif not self.has(*names):
            self.notices.append(Notice(self.line, self.record_id, header, "", NOT_THERE))
        return meaning

    def stands(self, meaning: Meaning | None) -> None:
        """Put under ``status`` and ``is_member`` what was understood of the membership; an empty cell says nothing."""
        if meaning == "none" or (
            meaning is None and any(notice.reason in (NOT_KNOWN, NOT_THERE) for notice in self.notices)
        ):
            self.fields["is_member"] = False
        elif meaning is not None:
            self.fields["status"] = meaning

    def tidy_number(self, *names: str) -> None:
        """Write a number that goes along as it is in one form: ``0.00000000`` and ``0`` are one."""
        for place in self._columns.find(names, 0):
            written = self._cells[place]
            if _DECIMALS.fullmatch(written):
                self._cells[place] = written.rstrip("0").rstrip(".")

    def peek(self, *names: str) -> str:
        """What is written in the first of these columns that has something; none of them counts as taken."""
        return next((text for place in self._columns.find(names, 0) if (text := self._cells[place])), "")

    def choice(self, meanings: Mapping[str, T], *names: str) -> T | None:
        """What a code means; one that is not in ``meanings`` is not taken, and so is kept as written."""
        result = meanings.get(self.peek(*names).casefold())
        if result is not None:
            self.take(*names)
        return result

    def identity(self, *names: str) -> str:
        """The record's own id in the former system; a row without one is rejected."""
        self.record_id = self.take(*names, field="record_id") or None
        if self.record_id is None:
            self.fault("record_id", "", "the id is missing", names[0])
            return ""
        self.fields["record_id"] = self.record_id
        return self.record_id

    def text(self, field: str, *names: str, nth: int = 0) -> str:
        """Put what is written under ``field``, as written; an empty cell leaves the field out."""
        value = self.take(*names, nth=nth, field=field)
        if value:
            self.fields[field] = value
        return value

    def name(self, value: str, column: str) -> None:
        """The member's name; without one the row is rejected."""
        self._origin["name"] = column
        self._columns.covered.add("name")
        if value:
            self.fields["name"] = value
        else:
            self.fault("name", "", "the name is missing", column)

    def day(self, field: str, *names: str, nth: int = 0) -> date | None:
        """A day under ``field``; what is no day rejects the row."""
        result = self._parse(values.day, field, names, nth)
        if result is not None:
            self.fields[field] = result
        return result

    def amount(self, field: str, *names: str) -> Decimal | None:
        """An amount in euros, not put anywhere; what is no amount rejects the row."""
        return self._parse(values.amount, field, names, 0)

    def flag(self, *names: str, take: bool = True) -> bool | None:
        """Yes or no, not put anywhere; another word stays among the columns that are kept as written."""
        for position in self._columns.find(names, 0):
            written = self._cells[position]
            try:
                result = values.yes(written)
            except ValueError:
                continue
            if take:
                self._taken.add(position)
            if result is not None:
                return result
        return None

    def fault(self, field: str, value: str, reason: str, column: str | None = None) -> None:
        """Reject the row for this."""
        name = column or self._origin.get(field, field)
        self.faults.append(Rejection(self.line, self.record_id, name, value, reason))

    def rest(self) -> dict[str, str]:
        """Every column with something in it that was not taken, under its header as written."""
        extra: dict[str, str] = {}
        for position, header in enumerate(self._columns.headers):
            if position in self._taken or position in self._columns.secret:
                continue
            written = self._cells[position]
            if written:
                label, count = header.strip() or f"column {position + 1}", 2
                while label in extra:
                    label, count = f"{header.strip()} ({count})", count + 1
                extra[label] = written
        return extra

    def fact(self, version: int, extra: Mapping[str, str] | None = None) -> MemberRecorded | None:
        """The fact, with the rest as ``extra``; None, and ``faults``, when the row must be set aside."""
        if self.faults:
            return None
        extra = self.rest() if extra is None else extra
        if extra:
            self.fields["extra"] = extra
        try:
            return MemberRecorded(version=version, **self.fields)
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_context=False):
                field = str(problem["loc"][0]) if problem["loc"] else "row"
                # Inside `extra` the second step is the column itself.
                column = str(problem["loc"][1]) if field == "extra" and len(problem["loc"]) > 1 else None
                self.fault(field, str(problem["input"]), explain(problem["type"], problem["msg"]), column)
            return None

    def _parse(self, parse: Callable[[str], T | None], field: str, names: Sequence[str], nth: int) -> T | None:
        written = self.take(*names, nth=nth, field=field)
        try:
            return parse(written)
        except ValueError as error:
            self.fault(field, written, str(error))
            return None


def explain(kind: str, message: str) -> str:
    """A validation error in words for someone who looks at a spreadsheet."""
    match kind:
        case "string_too_long":
            return message.replace("String should have at most", "too long: at most")
        case "string_pattern_mismatch" | "string_unicode":
            return "holds a control character"
        case "string_too_short":
            return "is empty"
        case _:
            return message.removeprefix("Value error, ")


def person(first: str, last: str) -> str:
    """``Prénom Nom``, with whatever of the two there is."""
    return f"{first} {last}".strip()
