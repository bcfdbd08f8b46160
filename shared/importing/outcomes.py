"""What became of a row: accepted, the repetition of one that was, without a fact, or rejected. It is one of them."""

from typing import Generic, NamedTuple, TypeAlias, TypeVar

from shared.importing.table import Row

F = TypeVar("F")


class UnreadableError(Exception):
    """This file cannot be imported at all; the message says why and what to do."""


class Notice(NamedTuple):
    """Something that a person should know about a row that was accepted all the same."""

    line: int
    record_id: str | None
    field: str
    value: str
    reason: str


class Accepted(NamedTuple, Generic[F]):
    """A fact, and the lines of the file that it was made from."""

    lines: tuple[int, ...]
    fact: F
    notices: tuple[Notice, ...] = ()


class Repeated(NamedTuple):
    """A row that says again, word for word, what line ``first`` said."""

    line: int
    first: int


class NoFact(NamedTuple):
    """A row that is understood and makes no fact of its own, such as an unpaid invoice in a list of payments."""

    line: int
    why: str


class Rejection(NamedTuple):
    """One fault of a row that was set aside; a row with several faults has several of these.

    ``field`` is the column as the file names it, ``value`` what was written there.
    """

    line: int
    record_id: str | None
    field: str
    value: str
    reason: str


Outcome: TypeAlias = Accepted[F] | Repeated | NoFact | Rejection


def broken(row: Row) -> Rejection:
    """A row whose shape is wrong: its whole text is the value."""
    return Rejection(row.line, None, "row", " | ".join(row.cells), row.fault or "")
