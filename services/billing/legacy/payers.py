"""Who is meant where an export names a payer, and no id: found by name in the list of members beside it."""

import re
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


def first_known(called: Iterable[str], column: str, names: Names) -> str:
    """The id of the one member that the first of these names means which any member bears. Raises CellError."""
    written = [name for name in called if _folded(name)]
    for name in written:
        if ids := names.get(_folded(name)):
            if len(set(ids)) > 1:
                raise CellError(column, name, f"{len(set(ids))} members answer to it: say in a plain table whose it is")
            return ids[0]
    raise CellError(column, written[0] if written else "", "no member of the list has this company, address or name")


def is_plain_members(table: Table) -> bool:
    """Whether it is a plain table of members."""
    return {"record_id", "name"} <= set(table.names)


def names_of_plain(members: Table) -> tuple[Names, int]:
    """Members by name, person, address, SIRET and SIREN; and how many rows there were."""
    return by_name(members, "record_id", _plain_names)


def _plain_names(cells: Cells) -> list[str]:
    person = f"{cells.text('contact_last_name')} {cells.text('contact_first_name')}"
    return [person, *(cells.text(field) for field in ("name", "brand", "email", "siret", "siren"))]


_DIGITS: Final = re.compile(r"\d{9}(?:\d{5})?")


def _folded(name: str) -> str:
    """Without capitals and needless spaces; a SIREN or SIRET without any."""
    digits = "".join(name.split())
    return digits if _DIGITS.fullmatch(digits) else " ".join(name.casefold().split())
