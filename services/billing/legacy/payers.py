"""Who is meant where an export names a payer, and no id: found by name in the list of members beside it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from shared.importing.named_cells import CellError, Cells, rows_of
from shared.importing.table import Table

MEMBERS: Final = "list of members, for the names of payers"
"""What such a list is called in the report of an import."""
Names = Mapping[str, list[str]]
"""The ids of members by how an export may name them."""


def by_name(members: Table, id_column: str, names_in: Callable[[Cells], Iterable[str]]) -> tuple[Names, int]:
    """Members by each of their names; and how many rows there were."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    count = 0
    for cells in rows_of(members):
        count += 1
        if isinstance(cells, Cells):
            for name in {_folded(each) for each in names_in(cells)} - {""}:
                names[name].append(cells.text(id_column))
    return names, count


def payer(cells: Cells, column: str, names: Names) -> str:
    """The id of the one member whom a cell names. Raises CellError."""
    named = names.get(_folded(cells.text(column)), [])
    if len(named) == 1:
        return named[0]
    what = f"{len(named)} members have this name" if named else "no member of the list has this name"
    raise CellError(column, cells.text(column), f"{what}: say in a plain table whose it is")


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
