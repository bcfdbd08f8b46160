"""The files of a document: a page that holds what the XML holds, and an XML whose amounts are the rows'."""

from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from typing import Any

import facturx
import pypdf
import pytest
import typst
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

from services.billing.documents.facturx import UnfitDocumentError, with_xml, xml_of
from services.billing.documents.page import money, pdf_of
from tests.support.documents import KINDS, TAXED, a_document, a_line

NAMES = {
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}


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
