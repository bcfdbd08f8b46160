"""The page of a document, as PDF/A-3b by typst: what for, which days, why this amount, by when and how to pay."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from services.billing.documents.facturx import RECOVERY, Document, vat_sentences
from services.billing.documents.transfer import transfer_code
from services.common.typeset import typeset

_PAGE: Final = Path(__file__).with_name("page.typ")
_TITLES: Final = {"invoice": "Facture", "credit-note": "Avoir", "dues-notice": "Appel de cotisation"}


def pdf_of(document: Document) -> bytes:
    """The page. The same document is the same bytes. Raises typst.TypstError for a character that the font lacks."""
    return typeset(_PAGE, _data(document), "a-3b")


def _data(document: Document) -> dict[str, Any]:
    seller, buyer = document.seller, document.buyer
    taxed = bool(document.vat)
    return {
        "title": f"{_TITLES[document.kind]} {document.number}",
        "issued": [document.issued_on.year, document.issued_on.month, document.issued_on.day],
        "seller": {"name": seller["name"], "lines": _seller(seller)},
        "buyer": {"name": buyer["name"], "lines": _buyer(buyer)},
        "facts": _facts(document),
        "summary": _summary(document),
        "taxed": taxed,
        "columns": ["Désignation", "TVA", "Montant HT"] if taxed else ["Désignation", "Montant"],
        "lines": [_line(line, taxed=taxed) for line in document.lines],
        "totals": _totals(document),
        "why": _why(document),
        "payment": _credited(document) if document.due_on is None else _payment(document),
        "code": _code(document),
        "mentions": [*vat_sentences(document), *_mentions(document)],
        "footer": f"{seller['name']} · SIREN {seller['siren']} · {document.number}",
    }


def _facts(document: Document) -> list[str]:
    facts = [
        f"Date d'émission : {day(document.issued_on)}",
        _when(document),
    ]
    if document.corrects is not None:
        number, issued_on = document.corrects
        facts.append(f"Corrige la pièce {number} du {day(issued_on)}")
    # A mention of invoices; dues that an issuer outside VAT calls for are none.
    return facts if document.kind == "dues-notice" else [*facts, "Nature de l'opération : prestation de services"]


def _when(document: Document) -> str:
    if document.first == document.last:
        return f"Pour le {day(document.first)}"
    return f"Pour l'année du {day(document.first)} au {day(document.last)}"


def _summary(document: Document) -> tuple[str, str, str]:
    """What is to be done, at a glance."""
    if document.due_on is None:
        return "En votre faveur", money(document.gross), "Vous n'avez rien à payer"
    return "À payer", money(document.gross), f"au plus tard le {day(document.due_on)}"


def _seller(seller: Mapping[str, Any]) -> list[str]:
    own = seller["address"]
    vat = f"TVA {seller['vat_number']}" if seller.get("vat_number") else ""
    lines = (own["street"], f"{own['postcode']} {own['city']}", f"SIREN {seller['siren']}", vat, seller["contact"])
    return [line for line in lines if line]


def _buyer(buyer: Mapping[str, Any]) -> list[str]:
    siren = f"SIREN {buyer['siren']}" if buyer.get("siren") else ""
    vat = f"TVA {buyer['vat']}" if buyer.get("vat") else ""
    lines = (*buyer["street"].splitlines(), f"{buyer['postcode']} {buyer['city']}", siren, vat)
    return [line for line in lines if line]


def _line(line: Mapping[str, Any], *, taxed: bool) -> list[str]:
    rate = f"{line['vat_rate']:.2f} %".replace(".", ",") if line["vat_rate"] else "–"
    return [line["label"], rate, money(line["amount"])] if taxed else [line["label"], money(line["amount"])]


def _totals(document: Document) -> list[tuple[str, str]]:
    if not document.vat:
        return [("Total", money(document.gross))]
    return [("Total HT", money(document.net)), ("TVA", money(document.vat)), ("Total TTC", money(document.gross))]


def _why(document: Document) -> list[str]:
    """A heading, and the reasons."""
    heading = "Pourquoi cet avoir" if document.due_on is None else "Pourquoi ce montant"
    parts = [part.strip() for part in document.why.split(" ; ")]
    return [heading, *(part[:1].upper() + part[1:] for part in parts if part)]


def _payment(document: Document) -> list[str]:
    """A heading, and how to pay."""
    seller = document.seller
    if not (iban := seller.get("iban")):
        return ["Comment payer", f"Demandez à {seller['contact'] or seller['name']} comment régler cette somme."]
    account = " ".join(iban[n : n + 4] for n in range(0, len(iban), 4))
    return [
        "Comment payer",
        f"Par virement de {money(document.gross)} à {seller['name']}",
        f"IBAN : {account}",
        f"Référence à recopier : {document.reference}",
    ]


def _credited(document: Document) -> list[str]:
    """A heading, and what becomes of a credit note."""
    assert document.corrects is not None, "only a credit note has no day by which it is paid"
    number, _ = document.corrects
    amount = money(document.gross)
    return [
        "Ce que devient cet avoir",
        f"Si vous n'avez pas encore payé {number} : payez-la moins {amount}.",
        f"Si vous l'avez payée : {amount} vous seront remboursés, ou déduits de votre prochaine cotisation.",
    ]


def _code(document: Document) -> str | None:
    iban = document.seller.get("iban")
    if document.due_on is None or not iban:
        return None
    return transfer_code(document.seller["name"], iban, document.gross, document.reference)


def _mentions(document: Document) -> list[str]:
    if document.due_on is None:
        return []
    penalties = f"Pénalités de retard : {document.seller['penalties']}"
    return [penalties, RECOVERY, document.seller["discount"]]


def day(value: date) -> str:
    """A day as it is written in French."""
    return f"{value:%d/%m/%Y}"


def money(amount: Decimal) -> str:
    """Euros as they are written in French: a narrow no-break space between thousands, a comma."""
    return f"{amount:,.2f} €".replace(",", "\u202f").replace(".", ",").replace(" €", "\u00a0€")
