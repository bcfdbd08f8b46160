"""Billing: dues worked out, a grid simulated, documents issued against bare asyncpg in the same run, and pages made.

Nothing but the database runs. Documents come with their line and their days, in chunks of 500, one transaction each.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import uvloop

from schemas.billing_grids import Vat
from services.billing.documents.draft import Draft, DraftLine
from services.billing.documents.facturx import with_xml, xml_of
from services.billing.documents.page import pdf_of
from services.billing.documents.repository import Issuing, issue
from services.billing.dues.case import Key
from services.billing.dues.days import between
from services.billing.dues.owed import owed
from services.billing.dues.reasons import sentences
from shared.persistence.database import asyncpg_url, create_engine
from tests.benchmarks.stage import BenchmarkError, Stage
from tests.support.billing import Billing, a_description, shipped_issuers
from tests.support.documents import a_document
from tests.support.dues import YEAR, A, B, a_case, a_cover, a_grid, a_record

CHUNK, MEMBERS = 500, 640
LAST = date(2027, 12, 31)
_BARE = (
    "create table bare_documents (like documents including all)",
    "create table bare_lines (like document_lines including all)",
    "create table bare_days (payer uuid, days daterange, document_id uuid, place int,"
    " exclude using gist (payer with =, days with &&))",
)
_DOCUMENTS = """
    insert into bare_documents (document_id, issuer, kind, year, place, number, issued_on, due_on, cluster, record_id,
                                first, seller, buyer, net, vat, gross, reference, why, issued_by)
    select id, 'merged', 'invoice', 2027, place, 'F-2027-' || place, '2027-01-04', '2027-02-03', 'numelink',
           place::text, '2027-01-01', $3::json, '{}', 100, 0, 100, 'RF' || place, '', 'x'
    from unnest($1::uuid[], $2::int[]) as n (id, place)
"""
_LINES = """
    insert into bare_lines (document_id, place, code, label, amount, units, vat_regime, vat_rate, account)
    select id, 0, 'dues', 'Cotisation', 100, '{0}', 'outside', 0, '7561' from unnest($1::uuid[]) as n (id)
"""
_DAYS = """
    insert into bare_days select id, daterange('2027-01-01', '2028-01-01'), id, 0 from unnest($1::uuid[]) as n (id)
"""


@dataclass(frozen=True)
class Measured:
    """Dues of a second; seconds of a simulation; documents of a second, here and by bare asyncpg; pages of a second."""

    dues: float
    simulation: float
    documents: float
    bare: float
    pages: float


def measure(stage: Stage, *, quick: bool) -> Measured:
    """All of it; the billing service does not run."""
    return uvloop.run(_measured(stage.database_url("billing"), quick=quick))


async def _measured(url: str, *, quick: bool) -> Measured:
    simulation = await _simulation(url)
    count = 2_000 if quick else 20_000
    documents, bare = await _issued(url, count)
    return Measured(
        dues=_dues(2_000 if quick else 20_000),
        simulation=simulation,
        documents=documents,
        bare=bare,
        pages=_pages(20 if quick else 200),
    )


def _dues(count: int) -> float:
    """Members of two records, half the year paid formerly, with the reasons in words; seconds of the processor."""
    covered = (a_cover(A, date(2026, 7, 1), date(2027, 6, 30)),)
    case = a_case(a_record(A, "12"), a_record(B, "30"), covers=covered, grid=a_grid(prorata="month"))
    began = time.process_time()
    for _ in range(count):
        for item in owed(case):
            sentences(item.reasons)
    return count * 2 / (time.process_time() - began)


async def _simulation(url: str) -> float:
    engine = create_engine(url, application="bench", pool_size=1)
    office = Billing(engine, shipped_issuers())
    await office.describe(*(a_description("numelink", f"{n}", str(n % 70)) for n in range(MEMBERS)))
    grid_id = (await office.ask("propose-grid", grid=a_grid().model_dump(mode="json")))["grid_id"]
    began = time.perf_counter()
    answer = await office.ask("simulation", grid_id=grid_id, first=YEAR)
    took = time.perf_counter() - began
    await engine.dispose()
    if len(answer["members"]) < MEMBERS * 0.9:
        raise BenchmarkError(f"only {len(answer['members'])} of {MEMBERS} members were simulated")
    return took


async def _issued(url: str, count: int) -> tuple[float, float]:
    """Documents a second, here and by bare asyncpg: a chunk of each in turn, so that others disturb both alike."""
    engine = create_engine(url, application="bench", pool_size=1)
    bare: asyncpg.Connection[Any] = await asyncpg.connect(asyncpg_url(url))
    settings = shipped_issuers()["merged"].settings[0]
    by = Issuing(issuer="merged", settings=settings, author="x")
    ours = theirs = 0.0
    try:
        for statement in _BARE:
            await bare.execute(statement)
        for first in range(0, count, CHUNK):
            began = time.perf_counter()
            async with engine.begin() as connection:
                await issue(connection, by, [_draft(n) for n in range(first, first + CHUNK)])
            between_both = time.perf_counter()
            await _written(bare, first, settings.model_dump_json())
            ours += between_both - began
            theirs += time.perf_counter() - between_both
        rows = await bare.fetchrow("select count(*), max(place) from documents")
    finally:
        await bare.execute("drop table if exists bare_documents, bare_lines, bare_days")
        await bare.close()
        await engine.dispose()
    if rows is None or tuple(rows) != (count, count):
        raise BenchmarkError(f"{rows} documents and last place, where {count} were issued")
    return count / ours, count / theirs


async def _written(bare: Any, first: int, seller: str) -> None:
    ids = [uuid4() for _ in range(CHUNK)]
    async with bare.transaction():
        await bare.execute(_DOCUMENTS, ids, [*range(first, first + CHUNK)], seller)
        await bare.execute(_LINES, ids)
        await bare.execute(_DAYS, ids)


def _draft(number: int) -> Draft:
    line = DraftLine(
        code="dues", label="Cotisation du 01/01/2027 au 31/12/2027", amount=Decimal("100.00"), units=(0,),
        days=(between(YEAR, LAST),), vat=Vat(), account="7561",
    )  # fmt: skip
    buyer: Mapping[str, str] = {"name": f"Ateliers {number}", "postcode": "42000", "city": "Saint-Étienne"}
    key = Key("numelink", str(number))
    return Draft(kind="invoice", key=key, first=YEAR, buyer=buyer, lines=(line,), why="600,00 € pour la période")


def _pages(count: int) -> float:
    """PDF/A-3 with its Factur-X, by one core: seconds of the processor, for others may use the machine."""
    document = a_document()
    with_xml(pdf_of(document), xml_of(document))  # the libraries are loaded
    began = time.process_time()
    for _ in range(count):
        with_xml(pdf_of(document), xml_of(document))
    return count / (time.process_time() - began)
