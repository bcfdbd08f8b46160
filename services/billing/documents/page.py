"""The page of a document, as PDF/A-3b by typst: what for, which days, why this amount, by when and how to pay."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
import typst

from services.billing.documents.facturx import RECOVERY, Document, vat_sentences

_PAGE: Final = Path(__file__).with_name("page.typ")
_TITLES: Final = {"invoice": "Facture", "credit-note": "Avoir", "dues-notice": "Appel de cotisation"}


def pdf_of(document: Document) -> bytes:
    """The page. The same document is the same bytes. Raises typst.TypstError for a character that the font lacks."""
    data = orjson.dumps(_data(document)).decode()
    return typst.compile(
        _PAGE.read_bytes(), format="pdf", pdf_standards=["a-3b"], sys_inputs={"data": data}, ignore_system_fonts=True
    )


def _data(document: Document) -> dict[str, Any]:
    seller, buyer = document.seller, document.buyer
    siren = f"SIREN {seller['siren']}"
    vat = f"TVA {seller['vat_number']}" if seller.get("vat_number") else ""
    own = seller["address"]
    town = f"{own['postcode']} {own['city']}"
    return {
        "title": f"{_TITLES[document.kind]} {document.number}",
        "issued": [document.issued_on.year, document.issued_on.month, document.issued_on.day],
        "seller": {
            "name": seller["name"],
            "lines": [x for x in (own["street"], town, siren, vat, seller["contact"]) if x],
        },
        "buyer": {"name": buyer["name"], "lines": _buyer(buyer)},
        "facts": _facts(document),
        "lines": [
            {"label": line["label"], "amount": money(line["amount"]), "vat": _rate(line)} for line in document.lines
        ],
        "totals": _totals(document),
        "why": [part.strip() for part in document.why.split(" ; ")],
        "payment": _payment(document),
        "mentions": [*vat_sentences(document), *_mentions(document)],
        "footer": f"{seller['name']} · {siren} · {document.number}",
    }


def _facts(document: Document) -> list[str]:
    facts = [
        f"Date d'émission : {day(document.issued_on)}",
        f"Période : du {day(document.first)} au {day(document.last)}",
    ]
    if document.corrects is not None:
        number, issued_on = document.corrects
        facts.append(f"Corrige la facture {number} du {day(issued_on)}")
    if document.due_on is not None:
        facts.append(f"À payer au plus tard le {day(document.due_on)}")
    return [*facts, "Nature de l'opération : prestation de services"]


def _buyer(buyer: Mapping[str, Any]) -> list[str]:
    siren = f"SIREN {buyer['siren']}" if buyer.get("siren") else ""
    vat = f"TVA {buyer['vat']}" if buyer.get("vat") else ""
    lines = (*buyer["street"].splitlines(), f"{buyer['postcode']} {buyer['city']}", siren, vat)
    return [line for line in lines if line]


def _totals(document: Document) -> list[tuple[str, str]]:
    if not document.vat:
        return [("Total", money(document.gross))]
    return [("Total HT", money(document.net)), ("TVA", money(document.vat)), ("Total TTC", money(document.gross))]


def _payment(document: Document) -> list[str]:
    if document.due_on is None:
        return []
    iban = document.seller.get("iban")
    how = f"Par virement sur le compte {' '.join(iban[n : n + 4] for n in range(0, len(iban), 4))}" if iban else ""
    return [x for x in (how, f"Référence à rappeler : {document.reference}") if x]


def _mentions(document: Document) -> list[str]:
    if document.due_on is None:
        return []
    penalties = f"Pénalités de retard : {document.seller['penalties']}"
    return [penalties, RECOVERY, document.seller["discount"]]


def _rate(line: Mapping[str, Any]) -> str:
    return f"{line['vat_rate']:.2f} %".replace(".", ",") if line["vat_rate"] else "–"


def day(value: date) -> str:
    """A day as it is written in French."""
    return f"{value:%d/%m/%Y}"


def money(amount: Decimal) -> str:
    """Euros as they are written in French: a narrow no-break space between thousands, a comma."""
    return f"{amount:,.2f} €".replace(",", "\u202f").replace(".", ",").replace(" €", "\u00a0€")
