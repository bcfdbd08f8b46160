"""What all former systems share: going through a table's rows, and what to do when an id comes twice."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from schemas.base import Fact
from services.membership.legacy.columns import Column
from services.membership.legacy.draft import Columns, Draft
from services.membership.legacy.meanings import DEFAULT, Reading
from shared.importing.outcomes import Accepted, Outcome, Rejection, Repeated, broken
from shared.importing.table import Row, Table

_BETWEEN = " ; "
"""Between the writings of one column in several rows of one record."""

Build: TypeAlias = Callable[[Draft, int], Fact | None]
"""Fills a draft and makes its fact, or leaves faults in it."""


def one_fact_per_row(
    table: Table,
    version: int,
    build: Build,
    line_break: str | None = None,
    reading: Reading = DEFAULT,
    varying: Iterable[Column] = (),
) -> Iterator[Outcome[Fact]]:
    """Every row becomes one fact. The same id twice: the same row again is a repetition, another row is rejected.

    Rows that differ only in ``varying`` columns are one, with each writing kept.
    """
    columns = Columns(table)
    seen: dict[str, tuple[int, tuple[str, ...]]] = {}
    places = {place for column in varying for place in columns.find(column.names, 0)}
    for row, lines in _combined(table.rows, places):
        if row.fault is not None:
            yield broken(row)
            continue
        draft = Draft(row, columns, line_break, reading)
        fact = build(draft, version)
        if fact is None:
            yield from draft.faults
            continue
        record_id = draft.record_id or ""
        first = seen.setdefault(record_id, (row.line, row.cells))
        if first[0] == row.line:
            yield Accepted(lines, fact, tuple(draft.notices))
        elif first[1] == row.cells:
            yield Repeated(row.line, first[0])
        else:
            yield Rejection(
                row.line, record_id, "record_id", record_id, f"line {first[0]} has this id, and says otherwise"
            )


def _combined(rows: Iterable[Row], places: AbstractSet[int]) -> Iterator[tuple[Row, tuple[int, ...]]]:
    """Rows with the lines that each was made of; those are brought together that are equal but for some places."""
    if not places:
        yield from ((row, (row.line,)) for row in rows)
        return
    alike: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        key = tuple("" if at in places else cell for at, cell in enumerate(row.cells))
        alike.setdefault((str(row.line),) if row.fault else key, []).append(row)
    for some in alike.values():
        if len({row.cells for row in some}) == 1:
            yield from ((row, (row.line,)) for row in some)
            continue
        columns = zip(*(row.cells for row in some), strict=True)
        cells = tuple(_BETWEEN.join(dict.fromkeys(cell for cell in column if cell)) for column in columns)
        yield some[0]._replace(cells=cells), tuple(row.line for row in some)
