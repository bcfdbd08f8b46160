"""Billing: dues worked out, a grid simulated, documents issued against bare asyncpg in the same run, and pages made.

Nothing but the database runs. Documents come with their line, their days, their entry in the ledger, what a former
system is told and the mark of the account, in chunks of 500, one transaction each. Bare asyncpg copies the same rows
(compared) into the same tables, with their indexes and constraints, and without triggers.
"""

import asyncio
import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import psutil
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.billing_grids import Vat
from services.billing.documents.draft import Draft, DraftLine
from services.billing.documents.facturx import with_xml, xml_of
from services.billing.documents.page import pdf_of
from services.billing.documents.repository import Issuing
from services.billing.dues.case import Key
from services.billing.dues.days import between
from services.billing.dues.owed import owed
from services.billing.dues.reasons import sentences
from services.billing.mirror.repository import BillingUnitOfWork
from services.billing.usecases.issuing import issue
from shared.persistence.database import asyncpg_url, create_engine
from tests.benchmarks.stage import BenchmarkError, Stage
from tests.support.billing import Billing, a_description, shipped_issuers
from tests.support.documents import a_document
from tests.support.dues import YEAR, A, B, a_case, a_cover, a_grid, a_record

CHUNK, MEMBERS, RUN = 500, 640, 100_000
ELSEWHERE = 1_000_000
"""Records whose days were not billed before."""
LAST = date(2027, 12, 31)
_TABLES = ("documents", "document_lines", "billed_days", "entries", "entry_lines", "section_changes", "outbox")
"""What a document writes, each table before those that refer to it."""
_REFERENCES = (
    "alter table bare.documents add foreign key (corrects) references bare.documents,"
    " add foreign key (run_id) references bare.runs",
    "alter table bare.document_lines add foreign key (document_id) references bare.documents",
    "alter table bare.billed_days add foreign key (released_by) references bare.documents,"
    " add foreign key (document_id, place) references bare.document_lines",
    "alter table bare.entry_lines add foreign key (entry_id) references bare.entries",
)
_SAME = """
    select (select count(*) from public.{table}), (select count(*) from bare.{table}),
           (select count(*) from (select t::text from public.{table} t except all select t::text from bare.{table} t) d)
"""


@dataclass(frozen=True)
class Measured:
    """Dues of a second; seconds of a simulation; documents of a second, here and by bare asyncpg; pages of a second.

    ``at_once`` are documents of a second in one transaction, ``grown`` the megabytes that it took meanwhile.
    """

    dues: float
    simulation: float
    documents: float
    bare: float
    at_once: float
    grown: float
    pages: float


def measure(stage: Stage, *, quick: bool) -> Measured:
    """All of it; the billing service does not run."""
    return uvloop.run(_measured(stage.database_url("billing"), quick=quick))


async def _measured(url: str, *, quick: bool) -> Measured:
    simulation = await _simulation(url)
    count = 2_000 if quick else 20_000
    await _take_over(url)
    documents, bare = await _issued(url, count)
    at_once, grown = await _at_once(url, RUN // 10 if quick else RUN)
    return Measured(
        dues=_dues(2_000 if quick else 20_000),
        simulation=simulation,
        documents=documents,
        bare=bare,
        at_once=at_once,
        grown=grown,
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
    by = Issuing(issuer="merged", settings=shipped_issuers()["merged"].settings[0], author="x")
    ours = theirs = 0.0
    try:
        await _make_bare(bare)
        for first in range(0, count, CHUNK):
            drafts = [_draft(n) for n in range(first, first + CHUNK)]
            began = time.perf_counter()
            await _issue(engine, by, drafts)
            ours += time.perf_counter() - began
            rows = await _rows_of_chunk(bare)
            began = time.perf_counter()
            await _written(bare, rows)
            theirs += time.perf_counter() - began
        await _require_same(bare, count)
    finally:
        await bare.execute("drop schema if exists bare cascade")
        await bare.close()
        await engine.dispose()
    return count / ours, count / theirs


async def _take_over(url: str) -> None:
    """Let a former system stand by, so that it is told of each document."""
    connection = await asyncpg.connect(asyncpg_url(url))
    await connection.execute("insert into stages values ('numelink', 'live', 1, now(), 'measured')")
    await connection.close()


async def _issue(engine: AsyncEngine, by: Issuing, drafts: Sequence[Draft]) -> None:
    async with engine.begin() as connection:
        uow = BillingUnitOfWork(connection, "tresorerie")
        await issue(uow, by, drafts)


async def _make_bare(bare: Any) -> None:
    """The same tables with the same indexes, constraints and references; without triggers."""
    await bare.execute("create schema bare; create table bare.runs (like public.runs including all)")
    for table in _TABLES:
        await bare.execute(f"create table bare.{table} (like public.{table} including all excluding identity)")
    for statement in _REFERENCES:
        await bare.execute(statement)


async def _rows_of_chunk(bare: Any) -> dict[str, list[Any]]:
    """What the last chunk wrote, just as it stands: bare asyncpg writes these rows."""
    last = "(select xmin from public.documents order by place desc limit 1)"
    return {
        table: [tuple(row) for row in await bare.fetch(f"select * from public.{table} where xmin = {last}")]
        for table in _TABLES
    }


async def _written(bare: Any, rows: Mapping[str, list[Any]]) -> None:
    async with bare.transaction():
        for table in _TABLES:
            await bare.copy_records_to_table(table, schema_name="bare", records=rows[table])
        await bare.execute("notify nobody")


async def _require_same(bare: Any, count: int) -> None:
    """Raises BenchmarkError unless both wrote the same rows, and as many as were asked for."""
    for table in _TABLES:
        ours, theirs, differ = await bare.fetchrow(_SAME.format(table=table))
        if ours != theirs or differ or (table == "documents" and ours != count):
            raise BenchmarkError(f"{table}: {ours:,} rows here, {theirs:,} by bare asyncpg, {differ:,} not the same")


async def _at_once(url: str, count: int) -> tuple[float, float]:
    """Documents a second of one run, which is one transaction; and the megabytes by which memory grew meanwhile."""
    engine = create_engine(url, application="bench", pool_size=1)
    by = Issuing(issuer="merged", settings=shipped_issuers()["merged"].settings[0], author="x")
    drafts = [_draft(n) for n in range(ELSEWHERE, ELSEWHERE + count)]
    gc.collect()
    sampled = asyncio.create_task(_most_memory())
    before, began = psutil.Process().memory_info().rss, time.perf_counter()
    await _issue(engine, by, drafts)
    took = time.perf_counter() - began
    sampled.cancel()
    await engine.dispose()
    return count / took, (await sampled - before) / 2**20


async def _most_memory() -> int:
    """The most memory of this process, in bytes, until this task is cancelled."""
    most = 0
    while True:
        most = max(most, psutil.Process().memory_info().rss)
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            return most


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
