"""Seats that cost something: invoiced once, credited once, or left to staff where they cannot be billed here."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import orjson
import pytest

from schemas.base import RecordRef
from schemas.charges import RegistrationBilled, RegistrationPriced
from services.billing.accounts.queries import accounts
from services.billing.charges.repository import keep_prices
from services.billing.charges.republish import BILLS_AGAIN
from services.billing.cutover import gate
from services.billing.documents.files import files_of, render_the_rest
from services.common.sections import Record
from shared.runtime.clock import Clock
from tests.integration.billing.cutover.stories import held
from tests.support.billing import Billing, a_description, a_former_invoice

DINNER = date(2027, 3, 12)


@pytest.fixture
async def dinners(office: Billing) -> Billing:
    """The merged body bills for both clusters, since always; it knows numelink/1."""
    merged = office.issuers["merged"]
    [settings] = merged.settings
    since = merged.model_copy(update={"settings": (settings.model_copy(update={"since": date(2020, 1, 1)}),)})
    office = replace(office, issuers={"merged": since})
    await office.describe(a_description("numelink", "1"))
    await office.takes_over("clustr-numerique", "numelink")
    return office


def a_price(amount: str, version: int = 1, **different: Any) -> RegistrationPriced:
    """Two seats at a dinner of Clust'R, for a member of Numelink."""
    usual: dict[str, Any] = {
        "registration_id": str(uuid4()),
        "cluster": "clustr-numerique",
        "title": "Dîner annuel",
        "day": DINNER,
        "record": RecordRef(cluster="numelink", record_id="1"),
        "name": "Zoé Müller",
        "email": "zoe@ateliers.example",
        "seats": 2,
    }
    return RegistrationPriced(version=version, amount=Decimal(amount), **usual | different)


async def billed(office: Billing, by: str = "tresoriere", **which: Any) -> dict[str, Any]:
    return await office.ask("bill-charges", by=by, issuer="merged", **which)


async def listed(office: Billing, state: str | None = None) -> list[dict[str, Any]]:
    return (await office.ask("charges", state=state))["items"]


async def answers(office: Billing) -> list[tuple[str, list[str]]]:
    """What events was told, in order."""
    rows = await office.rows("select body from outbox where routing_key like '%registration-billed%' order by id")
    trees = [orjson.loads(body) for (body,) in rows]
    events = [event for tree in trees for event in (tree if isinstance(tree, list) else [tree])]
    facts = [RegistrationBilled.model_validate(event["data"]) for event in events]
    return [(str(fact.amount), list(fact.references)) for fact in facts]


async def test_a_seat_is_invoiced_once_and_credited_once_when_it_is_given_up(dinners: Billing) -> None:
    price = a_price("80.00")
    await dinners.hear(keep_prices, price)
    [charge] = await listed(dinners, "to-invoice")
    assert (charge["amount"], charge["todo"]) == ("80.00", "invoice 80.00 €")
    [number] = (await billed(dinners))["numbers"]
    assert (await billed(dinners))["documents"] == 0
    shown = await dinners.ask("document", number=number)
    assert (shown["gross"], shown["record"]) == ("80.00", "numelink/1")
    assert shown["lines"][0]["label"] == "Dîner annuel, 12/03/2027, 2 places"
    await dinners.hear(keep_prices, price.model_copy(update={"version": 2, "amount": Decimal("40.00"), "seats": 1}))
    await dinners.hear(keep_prices, price)
    assert (await listed(dinners, "to-credit"))[0]["todo"] == "credit 40.00 €"
    await billed(dinners)
    await dinners.hear(keep_prices, price.model_copy(update={"version": 3, "amount": Decimal("0.00")}))
    await billed(dinners)
    assert (await billed(dinners))["documents"] == 0
    documents = await dinners.rows("select kind, gross from documents order by issued_at, number")
    assert documents == [("invoice", 80), ("credit-note", 40), ("credit-note", 40)]
    [charge] = await listed(dinners, "done")
    assert (charge["billed"], len(charge["references"])) == ("0.00", 3)


async def test_seats_are_no_dues(dinners: Billing) -> None:
    """No run credits them, no period is paid by them, no task asks for them: they are owed all the same."""
    await dinners.adopted()
    await dinners.hear(keep_prices, a_price("80.00", day=date(2027, 1, 1)))
    [number] = (await billed(dinners))["numbers"]
    run = await dinners.issued(date(2027, 1, 1))
    assert run["documents"] == 1
    # Nor is the day of a dinner the first of a period that was billed.
    await dinners.hear(keep_prices, a_price("40.00"))
    await billed(dinners)
    assert (await dinners.ask("billing-tasks"))["items"] == []
    async with dinners.engine.connect() as connection:
        account: Any
        [account] = (await accounts(connection, [Record("numelink", "1")])).values()
    assert account.outstanding == Decimal("120.00") + Decimal(run["total"])
    assert {(each.number, each.about) for each in account.documents} >= {(number, "seats")}
    assert [str(period.billed) for period in account.periods] == [run["total"]]


async def test_its_page_and_its_xml_are_of_one_day(dinners: Billing) -> None:
    await dinners.hear(keep_prices, a_price("80.00"))
    [number] = (await billed(dinners))["numbers"]
    await render_the_rest(dinners.engine)
    async with dinners.engine.connect() as connection:
        xml, _ = (await files_of(connection, number))["xml"]
    assert xml.count(b"20270312") == 3


async def test_what_was_credited_by_hand_is_not_billed_again(dinners: Billing) -> None:
    price = a_price("80.00")
    await dinners.hear(keep_prices, price)
    [number] = (await billed(dinners))["numbers"]
    await dinners.ask("correct-document", by="tresoriere", number=number, cause="gesture",
                      lines=[{"place": 0, "amount": "30.00"}])  # fmt: skip
    assert await listed(dinners) == []
    [charge] = await listed(dinners, "done")
    assert (charge["billed"], charge["todo"]) == ("50.00", "nothing")
    # Dues are not remitted by it.
    assert (await dinners.ask("due-decisions"))["items"] == []
    await dinners.hear(keep_prices, price.model_copy(update={"version": 2, "amount": Decimal("0.00")}))
    await billed(dinners)
    assert await dinners.rows("select sum(gross) from documents where kind = 'credit-note'") == [(80,)]


async def test_who_cannot_be_billed_here_is_a_task_for_staff(dinners: Billing) -> None:
    guest = a_price("50.00", record=None)
    await dinners.rows("update stages set stage = 'mirror' where cluster = 'clustr-numerique' returning 1")
    member = a_price("80.00")
    await dinners.hear(keep_prices, guest, member)
    todo = {each["registration_id"]: each["todo"] for each in await listed(dinners, "by-hand")}
    assert "bill 50.00 € by hand, then settle it here: whoever registered is a guest" in todo[guest.registration_id]
    assert "clustr-numerique/billing still bills" in todo[member.registration_id]
    made = await billed(dinners)
    assert (made["documents"], len(made["held_back"])) == (0, 2)
    settled = await dinners.ask("settle-charge", registration_id=guest.registration_id, reference="FA-31 (Dolibarr)")
    assert (settled["state"], settled["billed"], settled["references"]) == ("done", "50.00", ["FA-31 (Dolibarr)"])
    kind, _ = await dinners.refusal("settle-charge", registration_id=guest.registration_id, reference="again")
    assert kind == "charge-settled"
    await dinners.hear(keep_prices, guest.model_copy(update={"version": 2, "amount": Decimal("0.00")}))
    [again] = [each for each in await listed(dinners, "by-hand") if each["record"] is None]
    assert again["todo"].startswith("give back 50.00 € by hand")


async def test_a_gathering_that_its_former_system_has_again_is_not_billed_here(dinners: Billing) -> None:
    price = a_price("80.00")
    await dinners.hear(keep_prices, price)
    await dinners.hear(keep_prices, price.model_copy(update={"version": 2, "by_traboule": False}))
    [charge] = await listed(dinners, "by-hand")
    assert "clustr-numerique/events has the gathering again" in charge["todo"]
    assert (await billed(dinners))["documents"] == 0


async def test_events_is_told_the_whole_each_time(dinners: Billing) -> None:
    price = a_price("80.00")
    await dinners.hear(keep_prices, price)
    [number] = (await billed(dinners))["numbers"]
    await dinners.hear(keep_prices, price.model_copy(update={"version": 2, "amount": Decimal("40.00"), "seats": 1}))
    [credit] = (await billed(dinners))["numbers"]
    assert await answers(dinners) == [("80.00", [number]), ("40.00", [number, credit])]


async def test_who_may_not_approve_bills_nothing_and_what_was_billed_is_not_settled(dinners: Billing) -> None:
    price = a_price("80.00")
    await dinners.hear(keep_prices, price)
    kind, _ = await dinners.refusal("bill-charges", issuer="merged")
    assert kind == "second-person"
    await billed(dinners)
    kind, _ = await dinners.refusal("settle-charge", registration_id=price.registration_id, reference="elsewhere")
    assert kind == "charge-invoiced"
    kind, _ = await dinners.refusal("settle-charge", registration_id=str(uuid4()), reference="elsewhere")
    assert kind == "charge-unknown"


async def test_an_issuer_that_is_taxed_names_the_rate_and_prices_hold_to_the_cent(dinners: Billing) -> None:
    [settings] = dinners.issuers["merged"].settings
    taxed = settings.model_copy(update={"regime": "taxed", "vat_number": "FR06323456780"})
    await dinners.hear(keep_prices, a_price("25.00"), a_price("0.03"))
    unnamed = await billed(_as(dinners, taxed))
    assert [each["why"] for each in unnamed["held_back"]] == [
        "Traboule Numérique is taxed: write `seats` with the VAT of seats into its settings"
    ] * 2
    rate = settings.model_validate(taxed.model_dump() | {"seats": {"vat": {"regime": "taxed", "rate": "20"}}})
    made = await billed(_as(dinners, rate))
    assert ["0.03 €" in each["why"] for each in made["held_back"]] == [True]
    assert await dinners.rows("select net, vat, gross from documents") == [
        (Decimal("20.83"), Decimal("4.17"), Decimal("25.00"))
    ]


async def test_an_invoice_of_seats_keeps_its_cluster_from_going_back_until_it_is_said_there(dinners: Billing) -> None:
    """And what the former system says again are no dues there either, although its period is the dinner's day."""
    price = a_price("80.00")
    await dinners.hear(keep_prices, price)
    [number] = (await billed(dinners))["numbers"]
    refused = (await held(dinners, gate.for_rollback, "numelink"))["documents"]
    assert (refused.holds, refused.detail[:11]) == (False, "1 documents")
    again = a_former_invoice("1", DINNER, DINNER, "80.00", number=number, status="paid")
    await dinners.bill_formerly("numelink", again)
    assert (await held(dinners, gate.for_rollback, "numelink"))["documents"].holds
    async with dinners.engine.connect() as connection:
        account: Any
        [account] = (await accounts(connection, [Record("numelink", "1")])).values()
    assert (account.invoiced, account.paid_until, account.periods) == (Decimal("80.00"), None, ())


async def test_seats_that_were_credited_whole_keep_nobody_from_going_back(dinners: Billing) -> None:
    price = a_price("80.00")
    await dinners.hear(keep_prices, price)
    await billed(dinners)
    await dinners.hear(keep_prices, price.model_copy(update={"version": 2, "amount": Decimal("0.00")}))
    await billed(dinners)
    assert (await held(dinners, gate.for_rollback, "numelink"))["documents"].holds


async def test_what_an_issuer_billed_that_ended_since_is_credited_by_hand(dinners: Billing) -> None:
    """Also where the dinner is after its end: then it has no settings on that day."""
    price = a_price("80.00")
    await dinners.hear(keep_prices, price)
    [number] = (await billed(dinners))["numbers"]
    await dinners.hear(keep_prices, price.model_copy(update={"version": 2, "amount": Decimal("40.00"), "seats": 1}))
    merged = dinners.issuers["merged"].model_copy(update={"until": Clock().today() - timedelta(days=1)})
    office = replace(dinners, issuers={"merged": merged})
    [charge] = await listed(office, "by-hand")
    assert charge["todo"].startswith("credit 40.00 € by hand (traboule billing correct): no issuer bills")
    credit = {"cause": "departure", "lines": [{"place": 0, "amount": "40.00"}]}
    await office.ask("correct-document", by="tresoriere", number=number, **credit)
    assert await listed(office) == []


async def test_after_a_restore_events_is_told_again_what_was_billed(dinners: Billing) -> None:
    first, second = a_price("80.00"), a_price("25.00")
    await dinners.hear(keep_prices, first, second)
    [number] = (await billed(dinners, registrations=[first.registration_id]))["numbers"]
    await dinners.rows("delete from outbox returning 1")
    async with dinners.engine.begin() as connection:
        uow = dinners.begin(connection)
        page = await BILLS_AGAIN.page(uow, None)
        await uow.outbox.flush(connection)
    assert (page.published, page.next) == (2, None)
    assert sorted(await answers(dinners)) == [("0.00", []), ("80.00", [number])]


def _as(office: Billing, settings: Any) -> Billing:
    merged = office.issuers["merged"].model_copy(update={"settings": (settings,)})
    return replace(office, issuers={"merged": merged})
