"""Documents of each kind, for tests of their pages, files and rules."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from services.billing.documents.facturx import Document
from tests.support.billing import shipped_issuers

NAMES: Final = {
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
"""Namespaces of the XML."""


def a_line(amount: str = "600.00", regime: str = "outside", rate: str = "0", **more: Any) -> dict[str, Any]:
    label = "Cotisation du 01/01/2027 au 31/12/2027"
    return {"label": label, "amount": Decimal(amount), "vat_regime": regime, "vat_rate": Decimal(rate), **more}


def a_document(**different: Any) -> Document:
    seller = shipped_issuers()["merged"].settings[0].model_dump(mode="json")
    buyer = {"name": "Ateliers d'Œuvre & Cie", "street": "12 rue de la République\nBât. B", "postcode": "42000"}
    usual: dict[str, Any] = {
        "number": "F-2027-000001",
        "kind": "invoice",
        "issued_on": date(2027, 1, 4),
        "due_on": date(2027, 2, 3),
        "first": date(2027, 1, 1),
        "last": date(2027, 12, 31),
        "seller": seller | different.pop("seller", {}),
        "buyer": {**buyer, "city": "Saint-Étienne", "siren": "732829320"},
        "lines": [a_line()],
        "net": Decimal("600.00"),
        "vat": Decimal("0.00"),
        "gross": Decimal("600.00"),
        "reference": "RF18F2027000001",
        "why": "Cotisation : 12 personnes, tranche 10–25, 600.00 € pour la période ; membre depuis le 01/03/2019",
    }
    return Document(**usual | different)


TAXED: dict[str, Any] = {
    "seller": {"regime": "taxed", "vat_number": "FR06323456780"},
    "lines": [a_line("33.33", "taxed", "20"), a_line("66.67", "taxed", "20")],
    "net": Decimal("100.00"),
    "vat": Decimal("20.00"),
    "gross": Decimal("120.00"),
}
FRANCHISE: dict[str, Any] = {"seller": {"regime": "franchise"}, "lines": [a_line(regime="franchise")]}
CREDIT: dict[str, Any] = {"kind": "credit-note", "number": "A-2027-000001", "due_on": None,
                          "corrects": ("F-2027-000001", date(2027, 1, 4))}  # fmt: skip
NOTICE: dict[str, Any] = {"kind": "dues-notice", "number": "C-2027-000001"}
KINDS: Final[Mapping[str, dict[str, Any]]] = {
    "outside": {}, "taxed": TAXED, "franchise": FRANCHISE, "credit": CREDIT, "notice": NOTICE,
}  # fmt: skip
