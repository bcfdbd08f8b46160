"""What all former systems share: going through a table's rows, and what to do when an id comes twice."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from schemas.base import Fact
from services.membership.legacy.draft import Columns, Draft
from shared.importing.outcomes import Accepted, Outcome, Rejection, Repeated
from shared.importing.reading import Row, Table

Build: TypeAlias = Callable[[Draft, int], Fact | None]
"""Fills a draft and makes its fact, or leaves faults in it."""


def one_fact_per_row(
    table: Table, version: int, build: Build, line_break: str | None = None
) -> Iterator[Outcome[Fact]]:
    """Every row becomes one fact. The same id twice: the same row again is a repetition, another row is rejected."""
    columns = Columns(table)
    seen: dict[str, tuple[int, tuple[str, ...]]] = {}
    for row in table.rows:
        if row.fault is not None:
            yield broken(row)
            continue
        draft = Draft(row, columns, line_break)
        fact = build(draft, version)
        if fact is None:
            yield from draft.faults
            continue
        record_id = draft.record_id or ""
        first = seen.setdefault(record_id, (row.line, row.cells))
        if first[0] == row.line:
            yield Accepted((row.line,), fact)
        elif first[1] == row.cells:
            yield Repeated(row.line, first[0])
        else:
            yield Rejection(
                row.line, record_id, "record_id", record_id, f"line {first[0]} has this id, and says otherwise"
            )


def broken(row: Row) -> Rejection:
    """A row whose shape is wrong: its whole text is the value."""
    return Rejection(row.line, None, "row", " | ".join(row.cells), row.fault or "")
