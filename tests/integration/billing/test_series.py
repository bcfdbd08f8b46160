"""Numbers after a restore, and the series of former systems."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from tests.support.billing import Billing, a_description, a_former_invoice
from tests.support.dues import YEAR


@pytest.fixture
async def issued(office: Billing) -> list[str]:
    """Two invoices; their numbers."""
    await office.describe(a_description("numelink", "1", "12"), a_description("numelink", "2", "3"))
    await office.adopted()
    await office.takes_over("clustr-numerique", "numelink")
    return (await office.issued(YEAR))["numbers"]


async def restore(office: Billing) -> None:
    """What the database of a backup says: another one compared its series."""
    async with office.engine.begin() as connection:
        await connection.exec_driver_sql("alter table series_comparisons disable trigger user")
        await connection.exec_driver_sql("update series_comparisons set fingerprint = 'another'")
        await connection.exec_driver_sql("alter table series_comparisons enable trigger user")


async def approved(office: Billing) -> str:
    """A run with one more invoice, ready to be issued."""
    await office.describe(a_description("numelink", "3", "3"))
    run_id = (await office.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    await office.ask("approve-run", by="tresoriere", run_id=run_id)
    return run_id


async def test_a_database_that_issued_its_documents_itself_goes_on(office: Billing, issued: list[str]) -> None:
    answer = await office.ask("check-billing")
    assert (answer["ok"], answer["compared"], answer["wrong"], answer["failing"]) == (True, True, [], [])
    assert [(s["first"], s["last"], s["count"], s["missing"], s["lost"]) for s in answer["series"]] == [
        (issued[0], issued[1], 2, 0, 0)
    ]


async def test_after_a_restore_nothing_is_issued_until_the_series_were_compared(
    office: Billing, issued: list[str]
) -> None:
    run_id = await approved(office)
    await restore(office)
    answer = await office.ask("check-billing")
    assert (answer["ok"], answer["compared"]) == (False, False)
    assert "compare-series" in answer["wrong"][0]
    kind, detail = await office.refusal("issue-run", by="tresoriere", run_id=run_id)
    assert (kind, "traboule billing check" in detail) == ("series-uncompared", True)
    line = {"number": issued[0], "cause": "error", "lines": [{"place": 0}]}
    assert (await office.refusal("correct-document", by="tresoriere", **line))[0] == "series-uncompared"
    assert await office.rows("select count(*) from documents") == [(2,)]
    # Nothing was lost: the last one that was sent is here.
    compared = await office.ask("compare-series", by="tresoriere", sent=[issued[1]])
    assert compared["lost"] == []
    assert (await office.ask("check-billing"))["ok"]
    [number] = (await office.ask("issue-run", by="tresoriere", run_id=run_id))["numbers"]
    assert number == f"{issued[1][:-1]}3"


async def test_numbers_that_were_sent_and_are_lost_are_never_given_again_and_are_named(
    office: Billing, issued: list[str]
) -> None:
    run_id = await approved(office)
    await restore(office)
    sent = f"{issued[1][:-1]}7"
    credit = issued[1].replace("F-", "A-").replace("000002", "000004")
    compared = await office.ask("compare-series", by="tresoriere", sent=[sent, credit])
    first = issued[1].replace("000002", "000003")
    expected = [(credit.replace("000004", "000001"), credit, 4), (first, sent, 5)]
    assert [(lost["first"], lost["last"], lost["count"]) for lost in compared["lost"]] == expected
    [number] = (await office.ask("issue-run", by="tresoriere", run_id=run_id))["numbers"]
    assert number == f"{issued[1][:-1]}8"
    answer = await office.ask("check-billing")
    assert (answer["ok"], [(s["count"], s["missing"], s["lost"]) for s in answer["series"]]) == (True, [(3, 0, 5)])


@pytest.mark.parametrize(
    ("sent", "words"),
    [(["F-2027"], "is no number"), (["ZZF-2027-000001"], "is no number"), (["A-2027-000001"], "invoice")],
)
async def test_what_does_not_name_each_series_is_refused(
    office: Billing, issued: list[str], sent: list[str], words: str
) -> None:
    await restore(office)
    kind, detail = await office.refusal("compare-series", by="tresoriere", sent=sent)
    assert (kind, words in detail) == ("number-unknown", True), detail
    assert not (await office.ask("check-billing"))["compared"]


async def test_a_number_that_is_gone_is_seen(office: Billing, issued: list[str]) -> None:
    async with office.engine.begin() as connection:
        for table in ("billed_days", "document_lines", "documents"):
            await connection.exec_driver_sql(f"alter table {table} disable trigger user")
        item = f"(select document_id from documents where number = '{issued[0]}')"
        for table in ("billed_days", "document_lines", "documents"):
            await connection.exec_driver_sql(f"delete from {table} where document_id = {item}")
            await connection.exec_driver_sql(f"alter table {table} enable trigger user")
    answer = await office.ask("check-billing")
    assert (answer["ok"], answer["wrong"]) == (False, [f"{issued[1]} to {issued[1]}: 1 numbers are missing"])


@pytest.mark.parametrize("table", ["series_comparisons", "lost_numbers"])
async def test_what_was_compared_is_never_altered(office: Billing, issued: list[str], table: str) -> None:
    with pytest.raises(DBAPIError, match="never altered"):
        await office.rows(f"delete from {table} returning 1")


async def test_the_series_of_a_former_system_are_proved_from_what_is_mirrored(office: Billing) -> None:
    def bill(number: str, **more: Any) -> Any:
        made = a_former_invoice("1", date(2026, 1, 1), date(2026, 12, 31))
        return made.model_copy(update={"number": number, "invoice_id": number, **more})

    numbers = ["F-2026-001", "F-2026-002", "F-2026-005", "A-2026-001"]
    await office.bill_formerly("numelink", *map(bill, numbers), bill("(PROV3)", status="draft"))
    answer = await office.ask("former-series", cluster="numelink")
    assert [(s["series"], s["first"], s["last"], s["count"], s["missing"]) for s in answer["items"]] == [
        ("A-2026-…", "A-2026-001", "A-2026-001", 1, []),
        ("F-2026-…", "F-2026-001", "F-2026-005", 3, ["F-2026-003", "F-2026-004"]),
    ]
    assert (await office.refusal("former-series", cluster="nowhere"))[0] == "former-system-unknown"
