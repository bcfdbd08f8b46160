"""Rows that were set aside, as a file of the same columns: it can be corrected in a spreadsheet and imported as it is.

In front of the columns stands one with the reasons, by whose header such a file is known again. Cells that a
spreadsheet would run as a formula get an apostrophe in front, which is taken away when the file is read.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from shared.importing.cells import former, harmless
from shared.importing.outcomes import Rejection
from shared.importing.table import Table, normal

MARK: Final = "Traboule: reasons"


def reasons_by_line(rejections: Iterable[Rejection]) -> dict[int, str]:
    """All that is wrong with each row, in one text."""
    result: dict[int, list[str]] = {}
    for rejection in rejections:
        result.setdefault(rejection.line, []).append(f"{rejection.field}: {rejection.reason}")
    return {line: "; ".join(dict.fromkeys(reasons)) for line, reasons in result.items()}


def write(path: Path, table: Table, reasons: Mapping[int, str]) -> None:
    """The rows of a table that was opened anew, at these lines. Its owner alone may read the file."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as out:
        writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
        writer.writerow([MARK, *map(harmless, table.headers)])
        for row in table.rows:
            if row.line in reasons:
                writer.writerow([reasons[row.line], *map(harmless, row.cells)])


def without_reasons(table: Table) -> Table:
    """A table as it was before rows of it were set aside; any other table as it is."""
    if not table.headers or table.names[0] != normal(MARK):
        return table
    rows = (row if row.fault else row._replace(cells=_former(row.cells)) for row in table.rows)
    return replace(table, headers=_former(table.headers), rows=rows, part=True)


def _former(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(former(cell) for cell in cells[1:])
