"""A document as Factur-X, profile EN 16931: the one place that knows the library, whose version is pinned.

The library's schematron is not asked: without a Saxon server it says that all is well. XSD and our own arithmetic are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from services.billing.money import credited_vat

LEVEL: Final = "en16931"
_TYPE: Final = {"invoice": "380", "dues-notice": "380", "credit-note": "381"}
_CATEGORY: Final = {"outside": "O", "franchise": "E", "exempt": "E", "taxed": "S"}
_REASON: Final = {
    "outside": ("VATEX-EU-O", "Cotisation hors du champ d'application de la TVA"),
    "franchise": ("VATEX-FR-FRANCHISE", "TVA non applicable, art. 293 B du CGI"),
    "exempt": ("", "Exonération de TVA, art. 261 du CGI"),
}
RECOVERY: Final = (
    "Entre professionnels, indemnité forfaitaire pour frais de recouvrement en cas de retard de paiement : 40 €"
)
"""Source: art. L441-10 and D441-5 of the Code de commerce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An issued document with all that its page and its XML say. Amounts are euros.

    ``left`` is of a credit note alone: by rate, the net that earlier ones left of the document that it corrects.
    """

    number: str
    kind: str
    issued_on: date
    due_on: date | None
    first: date
    last: date
    seller: Mapping[str, Any]
    buyer: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]
    net: Decimal
    vat: Decimal
    gross: Decimal
    reference: str
    why: str
    corrects: tuple[str, date] | None = None
    left: Mapping[Decimal, Decimal] = field(default_factory=dict[Decimal, Decimal])


class UnfitDocumentError(ValueError):
    """A document whose numbers do not agree, or that the XSD refuses."""


def xml_of(document: Document) -> bytes:
    """The CII, checked against the XSD. Raises UnfitDocumentError."""
    # Loaded when the first document is made: half a second that no command line and no start should wait for.
    import facturx

    check(document)
    try:
        # Its default asks a server, and says that all is well where there is none.
        no_schematron: Any = None
        return facturx.generate_cii_xml(_tree(document), level=LEVEL, check_xsd=True, check_schematron=no_schematron)
    except Exception as error:  # the library raises bare Exception, and lxml's own
        raise UnfitDocumentError(f"{document.number}: {error}") from error


def with_xml(pdf: bytes, xml: bytes) -> bytes:
    """The PDF/A-3 with the XML inside."""
    import facturx

    return facturx.generate_from_binary(pdf, xml, flavor="factur-x", level=LEVEL, check_xsd=False, lang="fr-FR")


def check(document: Document) -> None:
    """The arithmetic, to the cent: schematrons let a difference of a euro pass. Raises UnfitDocumentError."""
    net = sum((line["amount"] for line in document.lines), Decimal())
    vat = sum((_vat(document, rate, base) for (_, rate, _), base in _breakdown(document).items()), Decimal())
    if (net, vat, net + vat) != (document.net, document.vat, document.gross):
        raise UnfitDocumentError(f"{document.number}: lines, VAT and total do not agree")
    if len({line["vat_regime"] == "outside" for line in document.lines}) > 1:
        raise UnfitDocumentError(f"{document.number}: lines outside VAT stand beside others")


def vat_sentences(document: Document) -> list[str]:
    """Why there is no VAT, for the page; nothing where there is."""
    regimes = sorted({line["vat_regime"] for line in document.lines} - {"taxed"})
    return [_REASON[regime][1] for regime in regimes]


def _breakdown(document: Document) -> dict[tuple[str, Decimal, str], Decimal]:
    """The net sum of each VAT regime, rate and exemption."""
    sums: dict[tuple[str, Decimal, str], Decimal] = {}
    for line in document.lines:
        key = line["vat_regime"], line["vat_rate"], line.get("vat_code") or ""
        sums[key] = sums.get(key, Decimal()) + line["amount"]
    return sums


def _tree(document: Document) -> dict[str, Any]:
    outside = all(line["vat_regime"] == "outside" for line in document.lines)
    tree: dict[str, Any] = {
        "BT-1": document.number,
        "BT-2": document.issued_on,
        "BT-3": _TYPE[document.kind],
        "BT-5": "EUR",
        "BT-23": "S1",
        "BT-72": document.last,
        "BT-73": document.first,
        "BT-74": document.last,
        "BG-1": _notes(document, outside=outside),
        "BG-4": _seller(document.seller, outside=outside),
        "BG-7": _buyer(document.buyer),
        "BG-23": [_tax(document, key, base) for key, base in _breakdown(document).items()],
        "BG-25": [_line(place, line) for place, line in enumerate(document.lines, 1)],
        "BT-106": str(document.net),
        "BT-109": str(document.net),
        "BT-110": str(document.vat),
        "BT-112": str(document.gross),
        "BT-115": str(document.gross),
    }
    if document.due_on is not None:
        tree |= {"BT-9": document.due_on, "BT-83": document.reference}
        if iban := document.seller.get("iban"):
            tree |= {"BT-81": "30", "BT-84": iban}
    if document.corrects is not None:
        tree["BG-3"] = [{"BT-25": document.corrects[0], "BT-26": document.corrects[1]}]
        tree["BT-20"] = "Avoir à déduire ou à rembourser"
    return tree


def _notes(document: Document, *, outside: bool) -> list[dict[str, str]]:
    seller = document.seller
    audience = "OUTOFSCOPE" if outside else "B2B" if document.buyer.get("siren") else "B2C"
    notes = (("PMT", RECOVERY), ("PMD", seller["penalties"]), ("AAB", seller["discount"]), ("BAR", audience))
    return [{"BT-21": code, "BT-22": text} for code, text in notes]


def _seller(seller: Mapping[str, Any], *, outside: bool) -> dict[str, Any]:
    address = seller["address"]
    party = _party(seller["name"], seller["siren"], address["street"], address["postcode"], address["city"])
    party |= {
        "einvoicing_addr": seller.get("electronic_address") or seller["siren"],
        "einvoicing_addr_schemeid": "0225",
    }
    if not outside and seller.get("vat_number"):
        party["vat_identifier"] = seller["vat_number"]
    if seller["regime"] != "taxed":
        party["tax_identifier"] = seller["siren"]
    return party


def _buyer(buyer: Mapping[str, Any]) -> dict[str, Any]:
    party = _party(buyer["name"], buyer.get("siren"), buyer["street"], buyer["postcode"], buyer["city"])
    if siren := buyer.get("siren"):
        party |= {"einvoicing_addr": siren, "einvoicing_addr_schemeid": "0225"}
    elif email := buyer.get("email"):
        party |= {"einvoicing_addr": email, "einvoicing_addr_schemeid": "EM"}
    return party


def _party(name: str, siren: str | None, street: str, postcode: str, city: str) -> dict[str, Any]:
    party: dict[str, Any] = {
        "name": name,
        "addr_l1": street.splitlines()[0],
        "postcode": postcode,
        "city": city,
        "country_code": "FR",
    }
    return party | ({"legal_identifier": siren, "legal_identifier_schemeid": "0002"} if siren else {})


def _vat(document: Document, rate: Decimal, base: Decimal) -> Decimal:
    """The schematron lets less than a euro pass for a rate (BR-CO-17): parts of a whole need a cent of it."""
    return credited_vat(base, rate, document.left.get(rate, base))


def _tax(document: Document, key: tuple[str, Decimal, str], base: Decimal) -> dict[str, Any]:
    regime, rate, own = key
    vat = _vat(document, rate, base)
    tax: dict[str, Any] = {"BT-116": str(base), "BT-117": str(vat), "BT-118": _CATEGORY[regime]}
    if regime != "outside":
        tax["BT-119"] = str(rate)
    if regime in _REASON:
        code, text = _REASON[regime]
        tax |= {"BT-120": text, "BT-121": own or code}
    return tax


def _line(place: int, line: Mapping[str, Any]) -> dict[str, Any]:
    amount = str(line["amount"])
    tree: dict[str, Any] = {
        "BT-126": str(place),
        "BT-153": line["label"],
        "BT-129": "1",
        "BT-130": "C62",
        "BT-146": amount,
        "BT-131": amount,
        "BT-151": _CATEGORY[line["vat_regime"]],
    }
    return tree if line["vat_regime"] == "outside" else tree | {"BT-152": str(line["vat_rate"])}
