"""Whoever owes an overdue document is reminded once for each level, by a letter that communications can write."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from schemas.base import RecordRef
from schemas.billing import PaymentRecorded
from schemas.letters import PaymentReminded
from services.billing.mirror.handlers import record_payments
from services.billing.usecases import reminders
from services.communications.letters.notice import of_reminder
from shared.runtime.clock import Clock
from tests.integration.billing.test_series import restore
from tests.support.billing import Billing, a_description, a_former_invoice
from tests.support.dues import YEAR
from tests.support.merging import envelope, handled, merged
from tests.support.payments import allocated, paid

FIRST, SECOND = ("clustr-numerique", "1"), ("numelink", "2")


@pytest.fixture
async def billed(office: Billing) -> Billing:
    """Two members, billed for 2027: 600 and 320 euros."""
    await office.describe(a_description(*FIRST, "12"), a_description(*SECOND, "3", email="b@exemple.fr"))
    await office.adopted()
    await office.takes_over("clustr-numerique", "numelink")
    await office.issued(YEAR)
    return office


@pytest.fixture
def today(billed: Billing, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the day."""

    def set_day(day: date) -> None:
        monkeypatch.setattr(Clock, "today", lambda _: day)

    return set_day


async def due_on(office: Billing) -> date:
    [(day,)] = await office.rows("select distinct due_on from documents")
    return day


async def announced(office: Billing) -> list[PaymentReminded]:
    rows = await office.rows("select body from outbox where routing_key like '%payment-reminded%' order by id")
    trees = [orjson.loads(body) for (body,) in rows]
    events = [event for tree in trees for event in (tree if isinstance(tree, list) else [tree])]
    return [PaymentReminded.model_validate(event["data"]) for event in events]


async def overdue(office: Billing) -> dict[str, str]:
    """What is owed on each overdue document, by its record."""
    answer = await office.ask("overdue-documents", issuer="merged")
    return {item["record"]: item["owed"] for item in answer["items"]}


async def pay(office: Billing, amount: str, number: str | None) -> None:
    paid = PaymentRecorded(
        version=1, payment_id=f"P{amount}", record_id="2", invoice_id=number, paid_on=YEAR, amount=Decimal(amount)
    )
    await handled(office.engine, office.begin, record_payments, [envelope(paid, "/numelink/billing")])


async def number_of(office: Billing, cluster: str) -> str:
    [(number,)] = await office.rows("select number from documents where cluster = $1", cluster)
    return number


async def test_a_document_is_overdue_on_the_day_after_it_was_due(billed: Billing, today: Any) -> None:
    day = await due_on(billed)
    today(day)
    assert await overdue(billed) == {}
    today(day + timedelta(days=1))
    assert await overdue(billed) == {"clustr-numerique/1": "600.00", "numelink/2": "320.00"}
    assert await announced(billed) == [], "who only looks reminds nobody"


async def test_each_level_is_announced_once_and_after_the_third_a_person_decides(billed: Billing, today: Any) -> None:
    day = await due_on(billed)
    levels: list[list[int]] = []
    for days in (1, 1, 10, 16, 17, 31, 46, 300):
        today(day + timedelta(days=days))
        answer = await billed.ask("remind-overdue", issuer="merged")
        levels.append(sorted(item["reminder"] for item in answer["items"]))
    assert levels == [[1, 1], [], [], [2, 2], [], [3, 3], [], []]
    facts = await announced(billed)
    assert len({(fact.number, fact.reminder) for fact in facts}) == len(facts) == 6


async def test_what_is_announced_is_a_letter_with_all_that_it_needs(billed: Billing, today: Any) -> None:
    # The address was corrected since the document was issued.
    await billed.describe(a_description(*SECOND, "3", version=2, email="nouvelle@exemple.fr"))
    await pay(billed, "100.00", await number_of(billed, "numelink"))
    today(await due_on(billed) + timedelta(days=1))
    await billed.ask("remind-overdue", issuer="merged")
    fact = next(fact for fact in await announced(billed) if fact.cluster == "numelink")
    assert (fact.amount, fact.reminder, fact.recipient.email) == (Decimal("220.00"), 1, "nouvelle@exemple.fr")
    assert (fact.due_on, fact.reference is None, fact.recipient.records[0].record_id) == (
        await due_on(billed), False, "2"
    )  # fmt: skip
    notice = of_reminder(fact)
    assert (notice.cause, notice.kind) == (f"reminder/{fact.number}/1", "reminder")
    assert "220,00" in notice.values("fr")["amount"]


async def test_who_paid_or_was_credited_is_not_reminded(billed: Billing, today: Any) -> None:
    today(await due_on(billed) + timedelta(days=1))
    await pay(billed, "320.00", None)
    assert await overdue(billed) == {"clustr-numerique/1": "600.00"}, "without saying for what"
    await billed.ask(
        "correct-document", by="tresoriere", number=await number_of(billed, "clustr-numerique"), cause="gesture",
        lines=[{"place": 0, "amount": "600.00"}],
    )  # fmt: skip
    assert await overdue(billed) == {}


async def test_payments_that_are_recorded_here_count_until_the_bank_takes_them_back(
    billed: Billing, today: Any
) -> None:
    today(await due_on(billed) + timedelta(days=1))
    number = await number_of(billed, "numelink")
    part = await paid(billed, "100.00", "numelink/2")
    await allocated(billed, part, number)
    assert (await overdue(billed))["numelink/2"] == "220.00"
    await paid(billed, "50.00", "numelink/2")
    assert (await overdue(billed))["numelink/2"] == "170.00", "free money pays the oldest"
    other = await paid(billed, "170.00", "clustr-numerique/1")
    await allocated(billed, other, number)
    assert await overdue(billed) == {"clustr-numerique/1": "600.00"}, "who paid for another owes its own all the same"
    await billed.ask(
        "return-payment", payment_id=part["payment_id"], returned_on=Clock().today(), code="AC04", fee="0.00"
    )
    assert (await overdue(billed))["numelink/2"] == "100.00"


async def test_money_that_is_free_pays_for_all_records_of_a_member(billed: Billing, today: Any) -> None:
    today(await due_on(billed) + timedelta(days=1))
    records = [RecordRef(cluster=cluster, record_id=record_id) for cluster, record_id in (FIRST, SECOND)]
    await billed.merge(merged(1, "M", *records))
    await paid(billed, "700.00", "clustr-numerique/1")
    assert sum(map(Decimal, (await overdue(billed)).values())) == Decimal("220.00")


async def test_an_unpaid_invoice_of_a_former_system_uses_up_its_own_money_alone(billed: Billing, today: Any) -> None:
    today(await due_on(billed) + timedelta(days=1))
    await billed.bill_formerly("numelink", a_former_invoice("2", date(2026, 1, 1), date(2026, 12, 31)))
    await pay(billed, "501.00", None)
    assert (await overdue(billed))["numelink/2"] == "319.00", "the former system's invoice came first"
    await paid(billed, "100.00", "numelink/2")
    assert (await overdue(billed))["numelink/2"] == "219.00"
    await paid(billed, "219.00", "numelink/2")
    assert await overdue(billed) == {"clustr-numerique/1": "600.00"}


async def test_after_a_restore_nobody_is_reminded_until_the_series_were_compared(billed: Billing, today: Any) -> None:
    today(await due_on(billed) + timedelta(days=1))
    await restore(billed)
    assert (await billed.refusal("remind-overdue", issuer="merged"))[0] == "series-uncompared"
    assert await announced(billed) == []


async def test_who_has_no_address_is_named_first_however_many_are_listed(
    office: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = [a_description("numelink", name, "3", email=None, siren="552100554") for name in ("2", "3")]
    await office.describe(a_description("numelink", "1"), *without)
    await office.adopted()
    await office.takes_over("clustr-numerique", "numelink")
    await office.issued(YEAR)
    day = await due_on(office) + timedelta(days=1)
    monkeypatch.setattr(Clock, "today", lambda _: day)
    monkeypatch.setattr(reminders, "MOST_LISTED", 1)
    answer = await office.ask("overdue-documents", issuer="merged")
    assert ([item["record"] for item in answer["items"]], answer["count"]) == (["numelink/2", "numelink/3"], 3)


async def test_what_the_former_system_calls_paid_is_not_reminded(billed: Billing, today: Any) -> None:
    today(await due_on(billed) + timedelta(days=1))
    last = date(2027, 12, 31)
    again = a_former_invoice("2", YEAR, last, "320.00", number=await number_of(billed, "numelink"), status="paid")
    await billed.bill_formerly("numelink", again)
    assert await overdue(billed) == {"clustr-numerique/1": "600.00"}


async def test_a_cluster_whose_former_system_bills_is_left_to_it(billed: Billing, today: Any) -> None:
    today(await due_on(billed) + timedelta(days=1))
    await billed.rows("update stages set stage = 'mirror' where cluster = 'numelink' returning 1")
    assert await overdue(billed) == {"clustr-numerique/1": "600.00"}
    assert (await billed.ask("remind-overdue", issuer="merged"))["count"] == 1


async def test_who_has_no_address_is_named_for_the_post(office: Billing, monkeypatch: pytest.MonkeyPatch) -> None:
    await office.describe(a_description(*SECOND, "3", email=None, siren="552100554"))
    await office.adopted()
    await office.takes_over("clustr-numerique", "numelink")
    await office.issued(YEAR)
    day = await due_on(office) + timedelta(days=1)
    monkeypatch.setattr(Clock, "today", lambda _: day)
    answer = await office.ask("remind-overdue", issuer="merged")
    assert (answer["without_email"], [item["by_post"] for item in answer["items"]]) == (1, [True])
    assert [fact.recipient.email for fact in await announced(office)] == [None], "communications sets it aside"


async def test_an_issuer_that_is_unknown_is_refused(billed: Billing) -> None:
    assert (await billed.refusal("remind-overdue", issuer="nobody"))[0] == "issuer-unknown"
