"""Numbers on a real database: without a gap, given once, by days that never fall."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from schemas.billing_grids import Vat
from services.billing.documents.draft import Draft, DraftLine
from services.billing.documents.repository import Issuing, issue
from services.billing.dues.case import Key
from services.billing.dues.days import between
from shared.persistence.database import create_engine
from shared.runtime.clock import Clock
from tests.support.billing import Billing
from tests.support.dues import YEAR
from tests.support.merging import Database

LAST = date(2027, 12, 31)


def a_draft(record_id: str, **different: Any) -> Draft:
    line = DraftLine(
        code="dues", label="Cotisation", amount=Decimal("100.00"), units=(0,), days=(between(YEAR, LAST),),
        vat=Vat(), account="7561", corrects_place=different.pop("corrects_place", None),
    )  # fmt: skip
    usual: dict[str, Any] = {"kind": "invoice", "key": Key("numelink", record_id), "first": YEAR, "buyer": {}}
    return Draft(**usual | {"lines": (line,), "why": ""} | different)


class SetClock(Clock):
    """Stands where it is put."""

    def __init__(self, *moments: datetime) -> None:
        self.moments = list(moments)

    def now(self) -> datetime:
        return self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]


def issuing(office: Billing, clock: Clock | None = None) -> Issuing:
    settings = office.issuers["merged"].settings[0]
    return Issuing(issuer="merged", settings=settings, author="x", clock=clock or Clock())


async def test_fifty_who_issue_at_once_and_roll_back_at_times_leave_no_gap_and_no_double(
    office: Billing, billing_database: Database
) -> None:
    engine = create_engine(billing_database.url, application="tests", pool_size=20)

    async def item(number: int) -> None:
        async with engine.connect() as connection:
            transaction = await connection.begin()
            await issue(connection, issuing(office), [a_draft(f"{number}-{n}") for n in range(number % 3 + 1)])
            await (transaction.rollback() if number % 5 == 0 else transaction.commit())

    await asyncio.gather(*(item(number) for number in range(50)))
    await engine.dispose()
    rows = await office.rows("select place, number, issued_on from documents order by place")
    assert [place for place, _, _ in rows] == [*range(1, len(rows) + 1)]
    assert len(rows) == sum(number % 3 + 1 for number in range(50) if number % 5)
    days = [day for _, _, day in rows]
    assert days == sorted(days)
    [series] = (await office.ask("series"))["items"]
    assert (series["count"], series["missing"], series["counted"]) == (len(rows), 0, True)


async def test_days_that_two_would_bill_at_once_are_billed_by_one(office: Billing, billing_database: Database) -> None:
    engine = create_engine(billing_database.url, application="tests", pool_size=5)

    async def item() -> bool:
        try:
            async with engine.begin() as connection:
                await issue(connection, issuing(office), [a_draft("same")])
        except DBAPIError:
            return False
        return True

    assert sorted(await asyncio.gather(*(item() for _ in range(5)))) == [False] * 4 + [True]
    await engine.dispose()
    assert await office.rows("select place from documents") == [(1,)]


async def test_over_midnight_of_the_last_day_no_day_falls_and_the_year_begins_anew(office: Billing) -> None:
    before, after = datetime(2027, 12, 31, 22, 59, 59, tzinfo=UTC), datetime(2027, 12, 31, 23, 0, 1, tzinfo=UTC)
    # The clock is looked at again under the lock; and the last one goes back.
    for n, clock in enumerate((SetClock(before), SetClock(before, after), SetClock(after), SetClock(before))):
        async with office.engine.begin() as connection:
            await issue(connection, issuing(office, clock), [a_draft(str(n))])
    rows = await office.rows("select number, issued_on from documents order by issued_at")
    assert rows == [
        ("F-2027-000001", date(2027, 12, 31)),
        ("F-2028-000001", date(2028, 1, 1)),
        ("F-2028-000002", date(2028, 1, 1)),
        ("F-2028-000003", date(2028, 1, 1)),
    ]


async def test_a_credit_is_never_above_what_is_left_of_the_line_that_it_corrects(office: Billing) -> None:
    async with office.engine.begin() as connection:
        [invoice] = await issue(connection, issuing(office), [a_draft("1")])
    credit = a_draft("1", kind="credit-note", corrects=invoice.document_id, corrects_place=0)
    async with office.engine.begin() as connection:
        await issue(connection, issuing(office), [credit])
    with pytest.raises(DBAPIError, match="never above what is left"):
        async with office.engine.begin() as connection:
            await issue(connection, issuing(office), [credit])
    assert await office.rows("select kind, count(*) from documents group by kind order by kind") == [
        ("credit-note", 1), ("invoice", 1),
    ]  # fmt: skip


async def test_only_a_line_of_a_credit_note_names_what_it_corrects_and_each_does(office: Billing) -> None:
    async with office.engine.begin() as connection:
        [invoice] = await issue(connection, issuing(office), [a_draft("1")])
    for wrong in (a_draft("1", kind="credit-note", corrects=invoice.document_id), a_draft("2", corrects_place=0)):
        with pytest.raises(DBAPIError, match="names the line that it corrects, and no other line does"):
            async with office.engine.begin() as connection:
                await issue(connection, issuing(office), [wrong])
    assert await office.rows("select kind from documents") == [("invoice",)]
