"""The way back of billing: each document is written to the former system of its record, and counts once."""

import asyncio
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from operator import itemgetter
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from services.billing.consumers import SUBSCRIPTIONS
from services.billing.cutover import gate, write_back
from services.billing.cutover.write_back import DOCUMENTS_AGAIN
from services.common import republish
from services.cutover import stages
from tests.integration.billing.cutover.stories import BOTH, CLUSTERS, LAST, held, way_back
from tests.support.billing import Billing, a_description, a_former_invoice
from tests.support.dues import YEAR
from tests.support.merging import envelope, handled, merged


def unconfirmed(office: Billing, cluster: str) -> Any:
    async def every() -> list[Any]:
        async with office.engine.begin() as connection:
            uow = office.begin(connection)
            numbers = list(await write_back.digests(uow, cluster))
            return [record async for record in write_back.unconfirmed(uow, cluster, numbers)]

    return every()


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


async def issued_and_corrected(office: Billing, products: dict[str, str]) -> Billing:
    """Both are billed, and then turn out to be one member."""
    office = replace(office, products=products)
    await office.takes_over(*CLUSTERS)
    await office.issued(YEAR)
    await office.merge(merged(1, "M", *BOTH))
    await office.issued(YEAR)
    return office


async def test_a_live_former_system_is_told_of_each_document_as_rows_for_dolibarr(ready: Billing) -> None:
    office = await issued_and_corrected(ready, {"numelink": "dolibarr"})
    invoice, credit = await way_back(office, "numelink")
    assert (invoice["file"], invoice["product"], invoice["record_id"]) == (
        "Dolibarr invoices with lines",
        "dolibarr",
        "2",
    )
    row = dict(zip(invoice["columns"], invoice["rows"][0], strict=True))
    assert (row["Réf. facture"], row["Type"], row["Total TTC"]) == (invoice["number"], "0", "320.00")
    assert (row["Date début"], row["Date fin"]) == ("2027-01-01", "2027-12-31")
    back = dict(zip(credit["columns"], credit["rows"][0], strict=True))
    assert (back["Type"], back["Total TTC"], credit["left_out"]) == ("2", "-320.00", ["corrects"])
    assert len(await way_back(office, "clustr-numerique")) == 1, "each is told of its own alone"
    rows = read(write_back.files(await unconfirmed(office, "numelink"))["Dolibarr invoices with lines"])
    assert [row["Total HT"] for row in rows] == ["-320.00", "320.00"]


async def test_for_software_that_reads_no_invoices_there_is_a_table_for_a_person(ready: Billing) -> None:
    office = await issued_and_corrected(ready, {"numelink": "galette"})
    records = await unconfirmed(office, "numelink")
    assert [record.as_json()["left_out"] for record in records] == [(), ()]
    credit, invoice = read(write_back.files(records)["documents"])
    assert (invoice["nature"], invoice["fiche"], invoice["total TTC du document"]) == ("facture", "2", "320.00")
    assert (credit["nature"], credit["corrige"]) == ("avoir", invoice["numéro"])
    assert "déjà compris dans la cotisation de votre autre fiche, clustr-numerique/1" in credit["motif"]


async def test_what_the_former_system_says_again_is_confirmed(ready: Billing) -> None:
    await ready.takes_over(*CLUSTERS)
    await ready.issued(YEAR)
    [record] = await unconfirmed(ready, "numelink")
    await ready.bill_formerly("numelink", a_former_invoice("2", YEAR, LAST, "320.00", number=record.record_id))
    assert await unconfirmed(ready, "numelink") == []


@pytest.mark.parametrize(
    ("different", "waits"), [({}, 0), ({"gross": "300.00"}, 1), ({"status": "cancelled"}, 1), ({"number": "FA-9"}, 1)]
)
async def test_a_live_system_that_repeats_our_document_confirms_it_and_else_waits_for_a_person(
    ready: Billing, different: dict[str, Any], waits: int
) -> None:
    await ready.takes_over(*CLUSTERS)
    await ready.issued(YEAR)
    [(number,)] = await ready.rows("select number from documents where cluster = 'numelink'")
    said = {"number": number, "gross": "320.00"} | different
    [subscription] = [each for each in SUBSCRIPTIONS if each.queue_name == "billing.invoice-recorded"]
    batch = [envelope(a_former_invoice("2", YEAR, LAST, **said), "/numelink/billing")]
    await handled(ready.engine, ready.begin, subscription.handler, batch)
    assert await ready.rows("select count(*) from quarantine where state = 'waiting'") == [(waits,)]
    assert (await held(ready, gate.for_rollback, "numelink"))["documents"].holds == (waits == 0)
    assert (await ready.issued(YEAR))["documents"] == 0


async def test_a_retired_system_is_told_nothing(ready: Billing) -> None:
    await ready.takes_over(*CLUSTERS)
    await ready.rows("update stages set stage = 'retired' where cluster = 'numelink' returning 1")
    await ready.issued(YEAR)
    assert [len(await way_back(ready, cluster)) for cluster in CLUSTERS] == [1, 0]


async def test_after_a_restore_live_systems_are_told_again_under_the_same_version(ready: Billing) -> None:
    await ready.takes_over(*CLUSTERS)
    await ready.issued(YEAR)
    number = (await way_back(ready, "numelink"))[0]["number"]
    lines = [{"place": 0, "amount": "12.50"}]
    await ready.ask("correct-document", by="tresoriere", number=number, cause="gesture", lines=lines)
    before = [await way_back(ready, cluster) for cluster in CLUSTERS]
    await ready.rows("delete from outbox returning 1")
    place: Any = None
    pages: list[int] = []
    while place is not None or not pages:
        async with ready.engine.begin() as connection:
            uow = ready.begin(connection)
            page = await DOCUMENTS_AGAIN.page(uow, place)
            await uow.outbox.flush(connection)
        pages.append(page.published)
        place = page.next
    assert pages == [1, 2]
    again = [await way_back(ready, cluster) for cluster in CLUSTERS]
    assert [sorted(told, key=itemgetter("number")) for told in again] == [
        sorted(told, key=itemgetter("number")) for told in before
    ]


async def test_a_system_that_goes_back_meanwhile_is_told_nothing_again(ready: Billing) -> None:
    await ready.takes_over("numelink")
    await ready.issued(YEAR)
    await ready.rows("delete from outbox returning 1")
    # Another process moves it: the pool of these tests holds one connection.
    another = create_async_engine(ready.engine.url)
    async with another.connect() as moving, ready.engine.begin() as connection:
        await stages.alone(moving, "numelink")
        uow = ready.begin(connection)
        telling = asyncio.ensure_future(DOCUMENTS_AGAIN.page(uow, None))
        await asyncio.sleep(0.3)
        assert not telling.done(), "whoever moves is waited for"
        await moving.exec_driver_sql("update stages set stage = 'mirror' where cluster = 'numelink'")
        await moving.commit()
        assert await telling == republish.Page(0, None)
        await uow.outbox.flush(connection)
    await another.dispose()
    assert await way_back(ready, "numelink") == []


@pytest.mark.parametrize(("late", "told"), [("FA-2", [("FA-2", True)]), ("ours", [("ours", False)]), ("mirrored", [])])
async def test_a_late_invoice_that_was_decided_is_answered_with_what_is_held(
    ready: Billing, late: str, told: Sequence[tuple[str, bool]]
) -> None:
    await ready.takes_over(*CLUSTERS)
    await ready.issued(YEAR)
    [(number,)] = await ready.rows("select number from documents where cluster = 'numelink'")
    if late == "mirrored":
        await ready.bill_formerly("numelink", a_former_invoice("2", date(2026, 1, 1), date(2026, 12, 31)))
    await ready.rows("delete from outbox returning 1")
    document = {"invoice_id": "F-2-2026", "record_id": "2", "number": number if late == "ours" else late}
    async with ready.engine.begin() as connection:
        uow = ready.begin(connection)
        await write_back.publish_current(uow, "numelink", document, "m1")
        await write_back.publish_current(uow, "numelink", {"payment_id": "P1", "record_id": "2"}, "m2")
        await uow.outbox.flush(connection)
    heard = await way_back(ready, "numelink")
    answers = [({number: "ours"}.get(item["number"], item["number"]), item.get("removed", False)) for item in heard]
    assert answers == told


async def test_moved_over_back_and_over_again_nothing_is_billed_twice(ready: Billing) -> None:
    await ready.takes_over(*CLUSTERS)
    await ready.issued(YEAR)
    [(number,)] = await ready.rows("select number from documents where cluster = 'numelink'")
    await ready.rows("update stages set stage = 'mirror' where cluster = 'numelink' returning 1")
    # There it is entered under its number; and the office bills a newcomer itself.
    await ready.describe(a_description("numelink", "5", "3"))
    entered = a_former_invoice("2", YEAR, LAST, "320.00", number=number)
    await ready.bill_formerly("numelink", entered, a_former_invoice("5", YEAR, LAST, "320.00"))
    await ready.rows("update stages set stage = 'live' where cluster = 'numelink' returning 1")
    assert (await ready.issued(YEAR))["documents"] == 0
    assert await ready.rows("select sum(gross)::text from documents") == [("920.00",)]
