"""The books: whatever staff do with documents and money, debits are credits, and sums are those of the rows."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib import import_module

import pytest
from sqlalchemy.exc import DBAPIError

from schemas.billing_grids import Vat
from services.billing.documents.draft import Draft, DraftLine
from services.billing.usecases.issuing import issue
from shared.runtime.clock import Clock
from tests.integration.billing.test_numbering import a_draft, issuing
from tests.support.billing import Billing
from tests.support.payments import allocated, billed, euros, paid

TODAY = Clock().today()
_BALANCES = """
    select l.account, coalesce(l.auxiliary, ''), sum(l.debit - l.credit)
    from entries e join entry_lines l using (entry_id) where e.issuer = 'merged' group by 1, 2
"""


async def balances(office: Billing) -> dict[str, str]:
    """What stands on each account, all members together."""
    sums: dict[str, Decimal] = {}
    for account, _, amount in await office.rows(_BALANCES):
        sums[account] = sums.get(account, Decimal()) + amount
    return {account: str(amount) for account, amount in sums.items() if amount}


async def issued(office: Billing, *drafts: Draft) -> list[str]:
    async with office.engine.begin() as connection:
        return await issue(office.begin(connection), issuing(office), drafts)


async def test_an_invoice_with_vat_and_its_credit_note_stand_on_the_accounts_of_their_lines(office: Billing) -> None:
    lines = tuple(
        DraftLine(code=code, label=code, amount=euros(amount), units=(), days=(), vat=vat, account=account)
        for code, amount, vat, account in (
            ("dues", "100.00", Vat(regime="exempt", code="VATEX-FR-CGI261-7"), "7561"),
            ("stand", "33.33", Vat(regime="taxed", rate=Decimal(20)), "706"),
        )
    )
    await issued(office, a_draft("1", lines=lines))
    assert await balances(office) == {"411": "140.00", "7561": "-100.00", "706": "-33.33", "44571": "-6.67"}
    [(document,)] = await office.rows("select document_id::text from documents")
    credit = tuple(replace(line, label="Avoir", corrects_place=place) for place, line in enumerate(lines))
    usual = issuing(office)
    today = replace(usual, settings=usual.settings.model_copy(update={"account": "4119"}))
    async with office.engine.begin() as connection:
        draft = a_draft("1", kind="credit-note", corrects=document, lines=credit)
        await issue(office.begin(connection), today, [draft])
    assert await balances(office) == {}
    assert await office.rows("select journal, label from entries order by place") == [
        ("VE", f"Facture F-{TODAY.year}-000001"),
        ("VE", f"Avoir A-{TODAY.year}-000001"),
    ]


async def test_cases_5_and_6_in_the_books(office: Billing) -> None:
    [first, second] = await billed(office, "900.00", "900.00")
    await allocated(office, await paid(office, "500.00", means="cheque"), first)
    over = await allocated(office, await paid(office, "450.00"), first)
    assert await balances(office) == {
        "411": "900.00", "7561": "-1800.00", "5112": "500.00", "512": "450.00", "4191": "-50.00",
    }  # fmt: skip
    refund = (await office.ask("refund-payment", payment_id=over["payment_id"]))["refunds"][0]["refund_id"]
    await office.ask("approve-refund", by="tresoriere", refund_id=refund, paid_on=TODAY)
    debit = await allocated(office, await paid(office, "900.00", "numelink/2", means="direct-debit"), second)
    assert await balances(office) == {"7561": "-1800.00", "5112": "500.00", "512": "1300.00"}
    await office.ask("return-payment", payment_id=debit["payment_id"], returned_on=TODAY, code="MD06", fee="12.30")
    assert await balances(office) == {
        "411": "900.00", "7561": "-1800.00", "5112": "500.00", "512": "387.70", "627": "12.30",
    }  # fmt: skip
    labels = [label for (label,) in await office.rows("select label from entries order by place")]
    assert labels[-3:] == [f"Affectation annulée, {second}", "Rejet MD06", "Frais de rejet MD06"]


async def test_no_entry_is_altered_unbalanced_or_added_to(office: Billing) -> None:
    await billed(office, "600.00")
    for table in ("entries", "entry_lines"):
        with pytest.raises(DBAPIError, match="is never altered"):
            await office.rows(f"delete from {table} returning 1")
    add = "insert into entry_lines select entry_id, place + 10, account, auxiliary, debit{} , credit from entry_lines"
    for more in ("", " + case when debit > 0 then 1 else 0 end"):
        with pytest.raises(DBAPIError, match="an entry balances"):
            await office.rows(f"{add.format(more)} returning 1")
    with pytest.raises(DBAPIError, match="an entry balances"):
        await office.rows(
            "with e as (insert into entries values (gen_random_uuid(), default, 'merged', 'OD', now(), 'x', now(), 'x')"
            " returning entry_id) insert into entry_lines select entry_id, 0, '411', null, 1, 0 from e returning 1"
        )


async def test_documents_of_before_the_ledger_are_entered_by_its_migration(office: Billing) -> None:
    numbers = await billed(office, "900.00", "320.00")
    lines = [{"place": 0}]
    credit = await office.ask("correct-document", by="tresoriere", number=numbers[0], cause="gesture", lines=lines)
    columns = "issuer, journal, booked_on, piece, piece_on, label, l.place, account, auxiliary, debit, credit"
    every = f"select {columns} from entries join entry_lines l using (entry_id) order by piece, l.place"
    before = await office.rows(every)
    async with office.engine.begin() as connection:
        for table in ("entry_lines", "entries"):
            await connection.exec_driver_sql(f"alter table {table} disable trigger user")
            await connection.exec_driver_sql(f"delete from {table}")
            await connection.exec_driver_sql(f"alter table {table} enable trigger user")
        migration = import_module("services.billing.migrations.versions.0019_ledger")
        await connection.exec_driver_sql(migration.OF_DOCUMENTS.format(lines="document_lines"))
    assert await office.rows(every) == before
    in_order = [piece for (piece,) in await office.rows("select piece from entries order by place")]
    assert in_order == [*numbers, credit["number"]]


async def test_a_year_is_read_page_by_page_in_the_columns_of_the_fec(office: Billing) -> None:
    [number] = await billed(office, "900.00")
    await allocated(office, await paid(office, "900.00", key="REL|1"), number)
    first = await office.ask("ledger", issuer="merged", year=TODAY.year, limit=2)
    assert (first["file"], first["entries"]) == (f"323456780FEC{TODAY.year}1231.txt", 3)
    rest = await office.ask("ledger", issuer="merged", year=TODAY.year, after=first["next"])
    assert (len(first["columns"]), first["columns"][0], first["columns"][-1]) == (18, "JournalCode", "Idevise")
    rows = [*first["rows"], *rest["rows"]]
    assert [row[2] for row in rows] == ["1", "1", "2", "2", "3", "3"]
    day = f"{TODAY:%Y%m%d}"
    assert rows[0] == [
        "VE", "Appels, factures et avoirs", "1", day, "411", "Adhérents", "numelink/1", "Ateliers 1", number, day,
        f"Facture {number}", "900,00", "0,00", "", "", day, "", "",
    ]  # fmt: skip
    assert rows[2][8] == "REL 1", "no column ends within a reference"
    assert (await office.ask("ledger", issuer="merged", year=TODAY.year + 1))["rows"] == []
    july = await office.ask("ledger", issuer="numelink", year=2025)
    assert (july["first"], july["last"], july["entries"]) == ("2025-07-01", "2026-06-30", 0)
    assert (await office.refusal("ledger", issuer="nobody", year=2027))[0] == "issuer-unknown"


async def test_nothing_is_booked_in_a_year_that_is_closed(office: Billing) -> None:
    await billed(office, "900.00")
    last_year, end = TODAY.year - 1, date(TODAY.year - 1, 12, 31)
    merged = office.issuers["merged"]
    earlier = tuple(each.model_copy(update={"since": date(last_year, 1, 1)}) for each in merged.settings)
    office = replace(office, issuers={**office.issuers, "merged": merged.model_copy(update={"settings": earlier})})
    late = await paid(office, "100.00", received_on=end, means="cheque")
    refund = (await office.ask("refund-payment", payment_id=late["payment_id"]))["refunds"][0]["refund_id"]
    closing = {"issuer": "merged", "year": last_year}
    assert (await office.refusal("close-year", **closing))[0] == "second-person", "not by whoever may not approve"
    assert (await office.refusal("close-year", by="tresoriere", issuer="merged", year=TODAY.year))[0] == "year-not-over"
    for _ in range(2):
        closed = await office.ask("close-year", by="tresoriere", **closing)
        assert closed == {"issuer": "merged", "closed_until": str(end)}
    assert (await office.ask("close-year", by="tresoriere", issuer="merged", year=last_year - 1)) == closed
    payment = {"issuer": "merged", "record": "numelink/1", "amount": "1.00", "received_on": end, "key": "LATE"}
    kind, detail = await office.refusal("record-payment", **payment)
    assert (kind, f"closed until {end}" in detail) == ("period-closed", True)
    back = {"payment_id": late["payment_id"], "returned_on": end, "code": "UNPAID"}
    assert (await office.refusal("return-payment", **back))[0] == "period-closed"
    by_tresoriere = {"by": "tresoriere", "refund_id": refund}
    assert (await office.refusal("approve-refund", paid_on=end, **by_tresoriere))[0] == "period-closed"
    with pytest.raises(DBAPIError, match="the books are closed on this day"):
        await office.rows(
            "insert into entries values (gen_random_uuid(), default, 'merged', 'OD', $1, 'x', $1, 'x') returning 1", end
        )
    entries = len(await office.rows("select 1 from entries"))
    assert (await office.ask("approve-refund", paid_on=TODAY, **by_tresoriere))["free"] == "0.00"
    assert len(await office.rows("select 1 from entries")) == entries + 1
    assert (await office.ask("ledger", issuer="merged", year=last_year))["closed_until"] == str(end)
