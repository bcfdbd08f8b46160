"""The files of a document: a page that holds what the XML holds, and an XML whose amounts are the rows'."""

import subprocess
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from shutil import which
from typing import Any

import facturx
import pypdf
import pytest
import typst
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]
from stdnum import iso11649

from services.billing.documents.facturx import Document, UnfitDocumentError, with_xml, xml_of
from services.billing.documents.numbering import reference_of
from services.billing.documents.page import money, pdf_of
from tests.support.documents import CREDIT, KINDS, NAMES, NOTICE, TAXED, a_document, a_line
from tests.support.qr_codes import codes_on


@pytest.mark.parametrize("different", KINDS.values(), ids=KINDS)
def test_the_xml_holds_to_the_xsd_and_says_what_the_rows_say(different: dict[str, Any]) -> None:
    document = a_document(**different)
    tree = etree.fromstring(xml_of(document))

    def amounts(path: str) -> list[Decimal]:
        return [Decimal(str(node.text)) for node in tree.iterfind(path, NAMES)]

    assert amounts(".//ram:GrandTotalAmount") == [document.gross]
    assert amounts(".//ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount") == [
        line["amount"] for line in document.lines
    ]
    assert amounts(".//ram:TaxTotalAmount") in ([document.vat], [])
    assert (b'schemeID="VA"' in xml_of(document)) == (document.seller["regime"] == "taxed")


def test_the_pdf_carries_the_xml_and_is_a_3b(tmp_path: Any) -> None:
    document = a_document()
    xml = xml_of(document)
    pdf = with_xml(pdf_of(document), xml)
    name, attached = facturx.get_xml_from_pdf(BytesIO(pdf), check_xsd=False)
    assert (name, etree.tostring(etree.fromstring(attached), method="c14n")) == (
        "factur-x.xml", etree.tostring(etree.fromstring(xml), method="c14n"),
    )  # fmt: skip
    reader = pypdf.PdfReader(BytesIO(pdf))
    text = reader.pages[0].extract_text()
    for said in (
        "Facture F-2027-000001",
        "Œuvre",
        "tranche 10–25",
        "RF18F2027000001",
        "03/02/2027",
        "40 €",
        "FR76 3000",
    ):
        assert said in text, said
    assert b"pdfaid" in pdf or reader.xmp_metadata is not None


def text_of(document: Document) -> str:
    return pypdf.PdfReader(BytesIO(pdf_of(document))).pages[0].extract_text()


def test_a_bank_reads_the_transfer_from_the_page() -> None:
    reference = reference_of("NUF-2027-000123")
    assert iso11649.is_valid(reference)
    document = a_document(gross=Decimal("1234.50"), reference=reference, seller={"name": "Numérique d'Œuvre"})
    assert [code.splitlines() for code in codes_on(pdf_of(document))] == [
        ["BCD", "002", "1", "SCT", "", "Numérique d'Œuvre", "FR7630006000011234567890189", "EUR1234.5", "",
         reference],
    ]  # fmt: skip


@pytest.mark.parametrize("different", [CREDIT, {"seller": {"iban": None}}], ids=["credit", "no IBAN"])
def test_there_is_no_code_where_nothing_can_be_transferred(different: dict[str, Any]) -> None:
    assert codes_on(pdf_of(a_document(**different))) == []


@pytest.mark.parametrize(
    ("different", "words"),
    [
        ({}, ["Facture F-2027-000001", "À payer", "au plus tard le 03/02/2027", "prestation de services"]),
        (TAXED, ["TVA FR06323456780", "20,00 %", "Total TTC", "Montant HT"]),
        (CREDIT, ["Avoir", "Corrige la pièce F-2027-000001", "rien à payer", "Ce que devient cet avoir"]),
        (NOTICE, ["Appel de cotisation C-2027-000001", "Comment payer", "Du 01/01/2027 au 30/06/2027"]),
        ({"seller": {"iban": None}}, ["Demandez à tresorerie@traboule.example"]),
    ],
)
def test_a_member_reads_what_for_why_by_when_and_how(different: dict[str, Any], words: list[str]) -> None:
    shown = text_of(a_document(**{"why": "du 01/01/2027 au 30/06/2027 : déjà facturé"} | different))
    assert [word for word in words if word not in shown] == []


def test_a_page_without_vat_names_none_and_a_notice_is_no_invoice() -> None:
    shown = text_of(a_document(**NOTICE))
    assert [word for word in ("Montant HT", "TTC", "Facture", "prestation") if word in shown] == []


@pytest.mark.parametrize("different", KINDS.values(), ids=KINDS)
@pytest.mark.skipif(which("qpdf") is None, reason="qpdf is not installed (apt-get install qpdf)")
def test_qpdf_finds_nothing_wrong(different: dict[str, Any], tmp_path: Path) -> None:
    document = a_document(**different)
    path = tmp_path / "document.pdf"
    path.write_bytes(with_xml(pdf_of(document), xml_of(document)))
    checked = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, check=False, timeout=30)
    assert (checked.returncode, checked.stderr) == (0, b""), checked.stdout


def test_a_name_is_text_and_never_code() -> None:
    document = a_document(buyer={**a_document().buyer, "name": '#read("page.typ") *x*'})
    assert "#read" in pypdf.PdfReader(BytesIO(pdf_of(document))).pages[0].extract_text()


def test_the_same_document_is_the_same_page() -> None:
    assert pdf_of(a_document()) == pdf_of(a_document())


def test_a_character_that_the_font_lacks_is_refused_before_it_is_sent() -> None:
    with pytest.raises(typst.TypstError):
        pdf_of(a_document(buyer={**a_document().buyer, "name": "株式会社"}))


@pytest.mark.parametrize(
    "different",
    [
        {"gross": Decimal("600.01")},
        {"lines": [a_line("599.99")]},
        TAXED | {"vat": Decimal("20.01"), "gross": Decimal("120.01")},
        {"lines": [a_line("300.00"), a_line("300.00", "exempt", vat_code="VATEX-FR-CGI261-7")]},
    ],
)
def test_what_does_not_add_up_to_the_cent_is_refused(different: dict[str, Any]) -> None:
    with pytest.raises(UnfitDocumentError):
        xml_of(replace(a_document(), **{k: v for k, v in different.items() if k != "seller"}))


def test_amounts_are_written_in_french() -> None:
    assert money(Decimal("12345.60")) == "12\u202f345,60\u00a0€"
