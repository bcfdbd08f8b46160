"""Records as files that the product's own import takes, and a list of what is left for a person.

A rollback carries back what was written here. Where the former system cannot read its queue, these files are imported
there; what an import has no column for, or would refuse, is in the list and never in the file.

Decisions: a record made here gets what Dolibarr requires of a new third party (open, a customer, no supplier, a code of
its own), since a company that was made here is there to be invoiced. Galette, which requires a person's name, gets the
company's where no person is known. Nothing else is ever filled in.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from services.membership.legacy.import_rules import RULES, ImportRules
from services.membership.legacy.lines import made_here
from services.membership.normalisation.places import read_country
from shared.importing.cells import harmless
from shared.importing.table import normal

LIST: Final = "left for a person"
"""What the list is called beside the kinds of file."""
_LIST_COLUMNS: Final = ("record_id", "name", "column", "value", "why")
_NO_COLUMN = "the import has no such column"
_NOT_TAKEN = "the import does not take this value"
_NOT_CHANGED = "the import only creates members: change this one there"
_MISSING = "the import requires it, and it is not known"

Cells: TypeAlias = dict[str, str]
"""One row by its headers; of a header that stands twice the first."""

_GALETTE_NAMES = {
    "Nom": "nom_adh", "Prénom": "prenom_adh", "Adresse": "adresse_adh", "Code Postal": "cp_adh", "Ville": "ville_adh",
    "Pays": "pays_adh", "Téléphone": "tel_adh", "GSM": "gsm_adh", "Courriel": "email_adh", "Profession": "prof_adh",
    "Pseudo": "pseudo_adh", "Personne morale": "societe_adh", "Identifiant": "login_adh",
    "Date de création": "date_crea_adh", "Autres informations": "info_public_adh",
    "Autres informations (admin)": "info_adh",
}  # fmt: skip
_KEYS = {
    "Dolibarr third parties": "Code client",
    "Dolibarr members": "Réf adhérent",
    "Dolibarr contacts": "Identifiant contact",
    "Galette members": None,
    "Paheko members": "Numéro de membre",
    "CiviCRM contacts": "Contact ID",
    "CiviCRM memberships": "Membership ID",
}
"""By which column an import finds the record that is there."""
_ID_COLUMNS = frozenset(
    {"Id", "ID adhérent", "ID de l'adhérent", "Identifiant contact", "Numéro de membre", "Contact ID"}
)


@dataclass(frozen=True, slots=True)
class Row:
    """A record on its way back: the kind of its file, and its rows as the product's export would have them."""

    kind: str
    record_id: str
    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(slots=True)
class Return:
    """``files`` by kind, and the lines of the list."""

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    left: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])


def import_files(records: Iterable[Row]) -> dict[str, bytes]:
    """The files by kind, and the list under :data:`LIST` if anything is left for a person."""
    result = Return()
    by_kind: dict[str, list[Cells]] = {}
    for record in records:
        by_kind.setdefault(record.kind, []).extend(_taken(record, result))
    for kind, rows in by_kind.items():
        if rows:
            result.files[kind] = _written(RULES[kind], rows)
    if result.left:
        result.files[LIST] = _list(result.left)
    return result.files


def left_out(record: Row) -> tuple[str, ...]:
    """The columns of one record that its import cannot take, in their order."""
    result = Return()
    _taken(record, result)
    return tuple(dict.fromkeys(line[2] for line in result.left))


def _taken(record: Row, result: Return) -> list[Cells]:
    """The rows of a record that its import takes: one, or of CiviCRM's memberships one for each."""
    rules = RULES[record.kind]
    several = record.kind == "CiviCRM memberships"
    taken: list[Cells] = []
    for number, written in enumerate(record.rows):
        cells: Cells = {}
        for header, value in zip(record.columns, written, strict=True):
            if header.strip() in cells:
                if value:
                    _leave(result, record, header, value, _NO_COLUMN)
            else:
                cells[header.strip()] = value
        if several or number == 0:
            row = _fitting(record, _shaped(record, cells), rules, result)
            if row is not None:
                taken.append(row)
        else:
            for header in ("Id adhésion", "Date adhésion", "Montant"):
                if cells.get(header):
                    _leave(result, record, header, cells[header], _NO_COLUMN)
    return taken


def _shaped(record: Row, cells: Cells) -> Cells:
    """The row in the import's own words: names and codes of columns that it has under another name."""
    shape = _SHAPES.get(record.kind)
    return cells if shape is None else shape(record, cells)


def _of_dolibarr(record: Row, cells: Cells) -> Cells:
    country = read_country(cells.get("Pays", "") or cells.get("Code pays", ""))
    shaped = {name: value for name, value in cells.items() if name not in ("Pays", "Code pays")}
    if country:
        shaped["Code pays"] = country
    if record.kind == "Dolibarr third parties" and made_here(record.record_id):
        new = {"État": "1", "Client": "1", "Fournisseur": "0", "Code client": "auto"}
        shaped = {**new, **{name: value for name, value in shaped.items() if value or name not in new}}
    return shaped


def _of_galette(_: Row, cells: Cells) -> Cells:
    shaped = {_GALETTE_NAMES.get(name, name): value for name, value in cells.items()}
    shaped["nom_adh"] = shaped.get("nom_adh") or shaped.get("societe_adh", "")
    return shaped


def _of_paheko(record: Row, cells: Cells) -> Cells:
    if made_here(record.record_id):
        # A new member gets a number there: one of ours would be read as a number that it is not.
        return {name: value for name, value in cells.items() if name != "Numéro de membre"}
    return cells


def _of_civicrm(record: Row, cells: Cells) -> Cells:
    hidden = {"Display Name"}  # CiviCRM makes it of the name
    if made_here(record.record_id):
        hidden.add("Contact ID")
    if record.kind == "CiviCRM memberships":
        keep = RULES[record.kind].taken
        return {name: value for name, value in cells.items() if normal(name) in keep or "Amount" in name}
    return {name: value for name, value in cells.items() if name not in hidden}


_SHAPES: Mapping[str, Callable[[Row, Cells], Cells]] = {
    "Dolibarr third parties": _of_dolibarr,
    "Dolibarr members": _of_dolibarr,
    "Dolibarr contacts": _of_dolibarr,
    "Galette members": _of_galette,
    "Paheko members": _of_paheko,
    "CiviCRM contacts": _of_civicrm,
    "CiviCRM memberships": _of_civicrm,
}


def _fitting(record: Row, cells: Cells, rules: ImportRules, result: Return) -> Cells | None:
    """What the import takes of a row. None, and all of it on the list, where it cannot take the record at all."""
    is_new, key = made_here(record.record_id), _KEYS[record.kind]
    why = _NOT_CHANGED if rules.only_creates and not is_new else None
    missing = [name for name in rules.required if not rules.accepts(name, cells.get(name, ""))]
    if key is not None and not is_new and not cells.get(key):
        missing.append(key)
    if why or missing:
        for name in dict.fromkeys(missing if not why else ()):
            _leave(result, record, name, cells.get(name, ""), _MISSING)
        for name, value in cells.items():
            if value and name not in _ID_COLUMNS:
                _leave(result, record, name, value, why or "the record cannot be imported: see the column above")
        return None
    row: Cells = {}
    for name, value in cells.items():
        if normal(name) in rules.taken and (not value or rules.accepts(name, value)):
            row[name] = value
        elif value and name not in _ID_COLUMNS:
            _leave(result, record, name, value, _NOT_TAKEN if normal(name) in rules.taken else _NO_COLUMN)
    return row


def _leave(result: Return, record: Row, column: str, value: str, why: str) -> None:
    line = (record.record_id, record.name, column, value, why)
    if line not in result.left[-200:]:
        result.left.append(line)


def _written(rules: ImportRules, rows: Sequence[Cells]) -> bytes:
    header = [*rules.columns] if rules.ordered else list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=rules.separator, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return out.getvalue().encode()


def _list(lines: Sequence[tuple[str, ...]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(_LIST_COLUMNS)
    writer.writerows([harmless(cell) for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")
