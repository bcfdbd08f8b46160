"""From a row of an export to the registration of the person who comes, who need not be the one that paid."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from hashlib import sha256
from typing import Any, Final, NamedTuple

from schemas.base import Fact
from schemas.events import EventRecorded, Registrant, RegistrationRecorded
from services.events.legacy.statuses import NO_WORDS, Words, folded
from shared.importing import values
from shared.importing.named_cells import CellError, Cells, made, rows_of
from shared.importing.outcomes import Accepted, NoFact, Notice, Outcome, Rejection, Repeated
from shared.importing.plain import identity_of
from shared.importing.table import Table
from shared.runtime.clock import PARIS

NOBODY_NAMED: Final = "nobody is named as the one who comes, and the payer need not be"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_EVENT_FIELDS: Final = frozenset({"event_id", "title", "starts_at", "ends_at"})


class Source(NamedTuple):
    """What is known of a file besides its cells.

    ``event_id`` names the gathering of a file that does not name its own. ``members`` is the product whose record ids
    the cluster's members have; None where nobody says. ``gatherings``: whether the file's own columns about its
    gatherings are taken; they are not where a table of gatherings is imported in the same command.
    """

    version: int
    event_id: str | None = None
    words: Words = NO_WORDS
    members: str | None = None
    gatherings: bool = True

    def is_member_id(self, product: str) -> bool:
        """Whether ids of people in this product are record ids of members."""
        return self.members is None or self.members == product


Facts = Sequence[EventRecorded | RegistrationRecorded | Notice] | NoFact
"""What a row says, with what a person should know of it."""


def line_of(written: str) -> str:
    """Text on one line: a newline in a name would be a header of its own in a mail."""
    return " ".join(_CONTROL.sub(" ", written).split())


def guest(name: str, email: str = "") -> Registrant:
    """Who comes, as far as a file says it. An e-mail cell without an address is no address. Raises CellError."""
    address = line_of(email)
    return made(Registrant, kind="guest", name=line_of(name), email=address if "@" in address else None)


def moment(cells: Cells, *columns: str, zone: tzinfo = PARIS) -> datetime | None:
    """The first of these columns that says when; None where none does. Raises CellError."""
    for column in columns:
        if written := cells.text(column):
            try:
                return values.moment(written, zone)
            except ValueError as error:
                raise CellError(column, written, str(error)) from None
    return None


def yes(cells: Cells, column: str) -> bool | None:
    """Whether a column says yes; None where it is missing or empty. Raises CellError."""
    try:
        return values.yes(cells.text(column))
    except ValueError as error:
        raise CellError(column, cells.text(column), str(error)) from None


def place_in(order: str, places: Counter[str] | None, column: str) -> str:
    """The id of a row that has none: its order, and which of that order's rows without an id it is.

    ``places`` counts them; None where the file is but the rows of another that were set aside.

    Raises CellError.
    """
    if not order:
        raise CellError(column, "", "neither an id nor an order: the row cannot be recognised in the next export")
    if places is None:
        raise CellError(column, "", "its id is its place in the whole export: correct it there and import that")
    places[order] += 1
    return f"{order}/{places[order]}"


def derived_id(*parts: str) -> str:
    """An id for what has none there: the same for the same parts, however they are written."""
    return sha256("\n".join(map(folded, parts)).encode()).hexdigest()[:32]


def gathering(version: int, event_id: str, title: str, **fields: Any) -> EventRecorded:
    """A gathering as a row of an export tells of it. Raises CellError."""
    return made(EventRecorded, version=version, event_id=event_id, title=line_of(title), **fields)


def translated(
    table: Table, facts_of: Callable[[Cells], Facts], *ids: str, gatherings: bool = False
) -> Iterator[Outcome[Any]]:
    """The registrations of each row, and the gatherings that it tells of, each of those once.

    ``ids`` are the columns of which the first that is there identifies a row that is set aside.
    A row of which ``facts_of`` raises CellError is set aside, and so is one that says otherwise than an earlier row
    with its id.
    """
    table.covered.update(RegistrationRecorded.model_fields)
    if gatherings:
        table.covered.update(_EVENT_FIELDS)
    seen: dict[tuple[type, str], tuple[int, Any]] = {}
    for cells in rows_of(table):
        if isinstance(cells, Rejection):
            yield cells
            continue
        try:
            facts = facts_of(cells)
        except CellError as error:
            yield error.rejection(cells.line, cells.text(*ids) or None)
            continue
        yield from [facts] if isinstance(facts, NoFact) else _outcomes(cells.line, facts, seen)


def _outcomes(line: int, facts: Sequence[Any], seen: dict[tuple[type, str], tuple[int, Any]]) -> Iterator[Outcome[Any]]:
    """The last fact is what the row is about; gatherings before it are told once, and belong to no line."""
    notices = tuple(fact for fact in facts if isinstance(fact, Notice))
    *gatherings, own = (fact for fact in facts if not isinstance(fact, Notice))
    for event in gatherings:
        if _first(seen, line, event)[0] == line:
            yield Accepted((), event)
    first, before = _first(seen, line, own)
    if first == line:
        yield Accepted((line,), own, notices)
    elif before == own:
        yield Repeated(line, first)
    else:
        name = identity_of(type(own))
        key = getattr(own, name)
        yield Rejection(line, key, name, key, f"line {first} has this {name}, and says otherwise")


def _first(seen: dict[tuple[type, str], tuple[int, Any]], line: int, fact: Fact) -> tuple[int, Any]:
    """The line that had this record first, and what it said of it."""
    return seen.setdefault((type(fact), getattr(fact, identity_of(type(fact)))), (line, fact))
