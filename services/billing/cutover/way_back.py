"""Documents in the columns of a former system: rows that it reads, or a table that a person enters there. Pure.

Our documents have series of their own, so no number of the former system's counter is ever touched.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from services.billing.dues.days import year_from
from services.billing.money import vat_of
from shared.importing.cells import harmless


class IssuedDocument(NamedTuple):
    """A document with its lines, as it was issued. ``corrects`` is a number. ``version`` is µs since 1970."""

    number: str
    kind: str
    record_id: str
    buyer: str
    corrects: str | None
    issued_on: date
    due_on: date | None
    first: date
    net: Decimal
    vat: Decimal
    gross: Decimal
    why: str
    version: int
    lines: Sequence[Mapping[str, Any]]
    last: date | None = None

    @property
    def sign(self) -> int:
        """-1 for a credit note: Dolibarr writes its amounts as negative."""
        return -1 if self.kind == "credit-note" else 1

    @property
    def days(self) -> tuple[date, date]:
        """First and last day of the period."""
        return (self.first, self.last) if self.last else _days(self.first)


@lru_cache(maxsize=64)
def _days(first: date) -> tuple[date, date]:
    period = year_from(first)
    return period.first_day, period.last_day


Line = Mapping[str, Any]
Cell = Callable[[IssuedDocument, Line], object]


@dataclass(frozen=True, slots=True)
class Form:
    """How a software takes documents: one row for each line. ``left_out`` names what a document says and it cannot."""

    file: str
    cells: Mapping[str, Cell]
    left_out: Callable[[IssuedDocument], tuple[str, ...]]


def _line_vat(line: Line) -> Decimal:
    return vat_of(line["amount"], line["vat_rate"])


# Source: the headings of Dolibarr's own export "Factures clients et lignes de factures" (modFacture.class.php, fr_FR).
_DOLIBARR = Form(
    "Dolibarr invoices with lines",
    {
        "Identifiant société": lambda document, _: document.record_id,
        "Raison sociale": lambda document, _: document.buyer,
        "Réf. facture": lambda document, _: document.number,
        "Type": lambda document, _: 2 if document.kind == "credit-note" else 0,
        "Date facturation": lambda document, _: document.issued_on,
        "Date échéance": lambda document, _: document.due_on or "",
        "Total HT": lambda document, _: document.sign * document.net,
        "Total TTC": lambda document, _: document.sign * document.gross,
        "Total TVA": lambda document, _: document.sign * document.vat,
        "Payé complètement": lambda _, __: 0,
        "Statut facture": lambda _, __: 1,
        "Note (publique)": lambda document, _: document.why,
        "Id ligne": lambda document, line: f"{document.number}/{line['place'] + 1}",
        "Description de ligne": lambda _, line: line["label"],
        "Quantité pour la ligne": lambda _, __: 1,
        "Taux de TVA de la ligne": lambda _, line: line["vat_rate"],
        "Montant HT de la ligne": lambda document, line: document.sign * line["amount"],
        "Montant TVA de la ligne": lambda document, line: document.sign * _line_vat(line),
        "Montant TTC de la ligne": lambda document, line: document.sign * (line["amount"] + _line_vat(line)),
        "Date début": lambda document, _: document.days[0],
        "Date fin": lambda document, _: document.days[1],
    },
    # It names what a credit note corrects by an id of its own, which it gives when it takes the invoice in.
    lambda document: ("corrects",) if document.corrects else (),
)
_KINDS: Final = {"invoice": "facture", "credit-note": "avoir", "dues-notice": "appel de cotisation"}
_TABLE = Form(
    "documents",
    {
        "numéro": lambda document, _: document.number,
        "nature": lambda document, _: _KINDS[document.kind],
        "corrige": lambda document, _: document.corrects or "",
        "émis le": lambda document, _: document.issued_on,
        "échéance": lambda document, _: document.due_on or "",
        "fiche": lambda document, _: document.record_id,
        "nom": lambda document, _: document.buyer,
        "période du": lambda document, _: document.days[0],
        "période au": lambda document, _: document.days[1],
        "ligne": lambda _, line: line["label"],
        "montant HT": lambda document, line: document.sign * line["amount"],
        "TVA": lambda document, line: document.sign * _line_vat(line),
        "total TTC du document": lambda document, _: document.sign * document.gross,
        "motif": lambda document, _: document.why,
    },
    lambda _: (),
)
_FORMS: Final = {"dolibarr": _DOLIBARR}


def form_for(software: str) -> Form:
    """The form of a software; a table for a person where it reads no invoices, as Galette, HelloAsso and Paheko."""
    return _FORMS.get(software, _TABLE)


def rows_of(document: IssuedDocument, form: Form) -> tuple[tuple[str, ...], ...]:
    """A row for each line, in the form's columns."""
    cells = form.cells.values()
    return tuple([tuple([str(cell(document, line)) for cell in cells]) for line in document.lines])


def file_of(documents: Iterable[IssuedDocument], form: Form) -> bytes:
    """The documents as a file that the software imports, or that a person opens: UTF-8, separated by semicolons."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(form.cells)
    for document in documents:
        # An amount below zero is no formula, and Dolibarr must read it.
        writer.writerows([_cell(cell) for cell in row] for row in rows_of(document, form))
    return text.getvalue().encode("utf-8-sig")


def _cell(text: str) -> str:
    return text if text.startswith("-") and text[1:].replace(".", "", 1).isdigit() else harmless(text)
