"""Galette's dynamic fields (SIRET, N° TVA, APE…), which no list of members has: read beside it from the table export.

``galette_dynamic_fields_full.csv`` has one row for each value: whose (``item_id``), which field (``field_id``), and the
value. No export says what a field is called, so it is told by what is in it; a cluster may name the rest.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from shared.importing.outcomes import UnreadableError
from shared.importing.table import Row, Table

PRODUCT: Final = "Galette dynamic fields"
_NEEDED: Final = frozenset({"item_id", "field_id", "field_val"})
_FORM, _OF_MEMBERS = "field_form", "adh"
_MEMBER_IDS: Final = ("id de l'adhérent", "id_adh")
_BETWEEN: Final = " ; "
_MOST: Final = 0.8
"""The share of a field's values that must look like it."""
_FORMS: Final = (
    ("SIRET", re.compile(r"\d{14}")),
    ("SIREN", re.compile(r"\d{9}")),
    ("N° TVA", re.compile(r"[A-Z]{2}[0-9A-Z]{2}\d{9}|[A-Z]{2}\d{8,12}")),
    ("RNA", re.compile(r"W\d{9}")),
    ("APE", re.compile(r"\d{2}\.?\d{2}[A-Z]")),
    ("Site web", re.compile(r"(?:HTTPS?://)?(?:[\w-]+\.)+[A-Z]{2,}(?:/\S*)?")),
)


def is_dynamic(table: Table) -> bool:
    """Whether the file is such a table."""
    return set(table.names) >= _NEEDED


def takes_dynamic(table: Table) -> bool:
    """Whether the file is a list of Galette's members, beside which it is read."""
    return any(name in table.names for name in _MEMBER_IDS)


def beside(members: Table, dynamic: Iterable[Table]) -> tuple[Table, list[int]]:
    """The members with a column for each dynamic field, and how many values of each dynamic table were read.

    Raises:
        UnreadableError: a dynamic table has a broken row: nobody knows whose value is lost.
    """
    rows = list(members.rows)
    at = next(members.names.index(name) for name in _MEMBER_IDS if name in members.names)
    values: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    counts: list[int] = []
    for table in dynamic:
        result = list(_values(table))
        counts.append(len(result))
        for item, field, value in result:
            values[field][item].append(value)
    names = {field: _name(field, list(of.values())) for field, of in sorted(values.items())}
    added = [header for header in dict.fromkeys(names.values()) if header not in members.headers]
    ids = {row.cells[at].strip() for row in rows if row.fault is None}
    strangers = {item for of in values.values() for item in of} - ids
    warnings = members.warnings
    if strangers:
        warnings += (f"dynamic fields of {len(strangers)} members that are not in this file were left out",)
    wider = (
        row if row.fault is not None else row._replace(cells=(*row.cells, *_cells(row, at, added, names, values)))
        for row in rows
    )
    return replace(members, headers=(*members.headers, *added), rows=iter(list(wider)), warnings=warnings), counts


def _cells(
    row: Row,
    at: int,
    added: Sequence[str],
    names: dict[str, str],
    values: defaultdict[str, defaultdict[str, list[str]]],
) -> list[str]:
    item = row.cells[at].strip()
    return [
        _BETWEEN.join(value for field, name in names.items() if name == header for value in values[field].get(item, ()))
        for header in added
    ]


def _values(table: Table) -> Iterable[tuple[str, str, str]]:
    names = table.names
    item, field, value = (names.index(name) for name in ("item_id", "field_id", "field_val"))
    form = names.index(_FORM) if _FORM in names else None
    for row in table.rows:
        if row.fault is not None:
            raise UnreadableError(f"{table.path}, line {row.line}: {row.fault}: export the table again")
        if form is None or row.cells[form].strip() == _OF_MEMBERS:
            yield row.cells[item].strip(), row.cells[field].strip(), row.cells[value].strip()


def _name(field: str, values: Sequence[Sequence[str]]) -> str:
    written = ["".join(value.split()).upper() for some in values for value in some if value]
    for name, form in _FORMS:
        if written and sum(form.fullmatch(item) is not None for item in written) >= _MOST * len(written):
            return name
    return f"Champ {field}"
