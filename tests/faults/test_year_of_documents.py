"""A year of documents: two invented lists of 320 records, of which 68 companies are in both. Each is billed once."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

import pypdf
import pytest
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]
from stdnum import luhn

from deploy.local.nodes import Nodes
from schemas.base import RecordRef
from schemas.membership import MemberDescribed
from services.billing.documents.files import render_the_rest
from services.billing.documents.rules import RulesProcess
from tests.support.billing import Billing, a_description, shipped_issuers
from tests.support.documents import NAMES
from tests.support.dues import YEAR
from tests.support.merging import Database, a_database, merged

RECORDS, IN_BOTH = 320, 68
CLUSTERS = ("clustr-numerique", "numelink")
BANDS = ((9, "320.00"), (25, "600.00"), (50, "900.00"), (10**6, "1250.00"))


@dataclass(frozen=True)
class Company:
    """An invented one. ``keys`` are its records, the one first that is charged."""

    keys: tuple[tuple[str, str], ...]
    heads: int
    siren: str | None

    @property
    def price(self) -> Decimal:
        return Decimal(next(price for most, price in BANDS if self.heads <= most))

    def descriptions(self) -> Iterator[MemberDescribed]:
        for cluster, record_id in self.keys:
            yield a_description(cluster, record_id, str(self.heads), name=f"Société n° {record_id}", siren=self.siren)


def companies() -> list[Company]:
    """Two lists, the same each time."""
    chance = random.Random(14)
    made: list[Company] = []
    for number in range(2 * RECORDS - IN_BOTH):
        clusters = CLUSTERS if number < IN_BOTH else (CLUSTERS[number % 2],)
        digits = f"{700_000_00 + number:08}"
        siren = digits + luhn.calc_check_digit(digits) if chance.random() < 0.8 else None
        keys = tuple((cluster, f"{number:04}") for cluster in clusters)
        made.append(Company(keys, chance.choice([1, 4, 9, 10, 17, 25, 26, 50, 51, 400]), siren))
    return made


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "billing") as made:
        yield made


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Billing]:
    async with database.engine() as engine:
        with RulesProcess() as rules:
            yield Billing(engine, shipped_issuers(), rules.verdicts)


@pytest.mark.timeout(1500)
async def test_each_member_is_billed_once_and_its_pdf_says_what_the_rows_say(office: Billing) -> None:
    made = companies()
    await office.describe(*(fact for company in made for fact in company.descriptions()))
    dual = [company for company in made if len(company.keys) == 2]
    for version, company in enumerate(dual, 1):
        refs = tuple(RecordRef(cluster=cluster, record_id=record_id) for cluster, record_id in company.keys)
        await office.merge(merged(version, f"M{version}", *refs))
    await office.adopted()
    await office.takes_over(*CLUSTERS)
    # Both schematrons look at each of them when the run is approved.
    issued = await office.issued(YEAR)
    assert (issued["documents"], issued["total"]) == (len(made), str(sum(company.price for company in made)))
    expected = {company.keys[0]: company.price for company in made}
    billed = await office.rows("select cluster, record_id, gross from documents")
    assert {(cluster, record): gross for cluster, record, gross in billed} == expected
    assert len(billed) == len(made)
    assert (await office.issued(YEAR))["documents"] == 0

    await render_the_rest(office.engine)
    assert (await office.ask("check-billing"))["ok"]
    await asyncio.to_thread(same, await rows_and_files(office))


async def rows_and_files(office: Billing) -> list[Any]:
    rows = await office.rows(
        """
        select d.number, d.issued_on, d.due_on, d.gross, d.reference, d.buyer->>'name',
               array(select amount from document_lines l where l.document_id = d.document_id order by place),
               (select content from document_files f where f.document_id = d.document_id and kind = 'pdf'),
               (select content from document_files f where f.document_id = d.document_id and kind = 'xml')
        from documents d order by number
        """
    )
    assert len(rows) == len(companies())
    return list(rows)


def same(rows: list[Any]) -> None:
    """Make sure that each PDF carries its XML, and that the XML says what the rows say."""
    for number, issued_on, due_on, gross, reference, buyer, amounts, pdf, xml in rows:
        attached = pypdf.PdfReader(BytesIO(pdf)).attachments
        assert attached["factur-x.xml"] == [xml], number
        tree = etree.fromstring(xml)

        def text(path: str, tree: Any = tree) -> list[str]:
            return [str(node.text) for node in tree.iterfind(f".//{path}", NAMES)]

        assert text("ram:GrandTotalAmount") == text("ram:DuePayableAmount") == [str(gross)]
        lines = "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
        assert text(lines) == [str(amount) for amount in amounts]
        assert text("ram:BuyerTradeParty/ram:Name") == [buyer]
        assert text("ram:PaymentReference") == [reference]
        assert [f"{issued_on:%Y%m%d}", f"{due_on:%Y%m%d}"] == [
            *text("ram:IssueDateTime/udt:DateTimeString"),
            *text("ram:DueDateDateTime/udt:DateTimeString"),
        ]
        [own] = tree.iterfind("rsm:ExchangedDocument/ram:ID", NAMES)
        assert own.text == number
