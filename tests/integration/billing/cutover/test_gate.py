"""Who may bill whom while former systems move over, and what a switch and a rollback wait for."""

import asyncio
from datetime import date

import pytest

from services.billing.cutover import gate
from services.billing.usecases import issuing
from services.cutover import stages
from tests.integration.billing.cutover.stories import BOTH, CLUSTERS, LAST, held, way_back
from tests.support.billing import Billing, a_description, a_former_invoice
from tests.support.dues import YEAR
from tests.support.merging import merged
from tests.support.payments import paid


async def test_nothing_is_issued_while_former_systems_bill_every_member(ready: Billing) -> None:
    run = await ready.ask("prepare-run", issuer="merged", first=YEAR)
    assert (run["documents"], {item["record"] for item in run["held_back"]}) == (
        0,
        {"clustr-numerique/1", "numelink/2"},
    )
    await ready.ask("approve-run", by="tresoriere", run_id=run["run_id"])
    kind, detail = await ready.refusal("issue-run", by="tresoriere", run_id=run["run_id"])
    assert (kind, all(f"{cluster}/billing" in detail for cluster in CLUSTERS)) == ("not-the-authority", True)
    for table in ("documents", "dues", "billed_days", "series"):
        assert await ready.rows(f"select * from {table}") == []


async def test_a_member_is_billed_once_no_former_system_bills_any_of_its_records(ready: Billing) -> None:
    await ready.describe(a_description("clustr-numerique", "3", "3"))
    await ready.merge(merged(1, "M", *BOTH))
    await ready.takes_over("clustr-numerique")
    run = await ready.ask("prepare-run", issuer="merged", first=YEAR)
    assert [item["record"] for item in run["proposed"]] == ["clustr-numerique/3"]
    assert {item["record"] for item in run["held_back"]} == {"clustr-numerique/1", "numelink/2"}
    assert "numelink/billing still bills this member" in run["held_back"][0]["why"]
    assert (await ready.issued(YEAR))["total"] == "320.00"
    await ready.takes_over("numelink")
    assert (await ready.issued(YEAR))["total"] == "600.00", "once, for both records"


async def test_a_run_waits_for_who_moves_a_system_and_issues_nothing_that_went_back(ready: Billing) -> None:
    await ready.takes_over(*CLUSTERS)
    run_id = (await ready.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    await ready.ask("approve-run", by="tresoriere", run_id=run_id)
    async with ready.engine.connect() as moving:
        await stages.alone(moving, "numelink")
        issuing = asyncio.create_task(ready.refusal("issue-run", by="tresoriere", run_id=run_id))
        await asyncio.sleep(0.3)
        assert not issuing.done()
        await moving.exec_driver_sql("update stages set stage = 'mirror' where cluster = 'numelink'")
        await moving.commit()
    assert (await issuing)[0] == "run-changed"
    assert await ready.rows("select * from documents") == []


async def test_a_run_that_is_written_a_few_documents_at_a_time_has_one_series_and_all_are_told(
    office: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "AT_A_TIME", 2)
    await office.describe(*(a_description("numelink", str(n)) for n in range(5)))
    await office.adopted()
    await office.takes_over(*CLUSTERS)
    run = await office.issued(YEAR)
    rows = await office.rows("select number, place, record_id from documents order by place")
    assert [place for _, place, _ in rows] == [1, 2, 3, 4, 5]
    assert run["numbers"] == [number for number, _, _ in rows]
    told = [(fact["number"], fact["record_id"]) for fact in await way_back(office, "numelink")]
    assert told == [(number, record_id) for number, _, record_id in rows]


async def test_a_switch_asks_for_an_issuer_a_grid_and_members_that_are_described(office: Billing) -> None:
    await office.bill_formerly("numelink", a_former_invoice("2", date(2026, 1, 1), date(2026, 12, 31)))
    lacking = await held(office, gate.for_switch, "numelink")
    assert {name: condition.holds for name, condition in lacking.items()} == {
        "issuer": True, "grid": False, "members": False,
    }  # fmt: skip
    assert "0 of the 1 records" in lacking["members"].detail
    await office.adopted()
    await office.describe(a_description("numelink", "2"))
    assert all(condition.holds for condition in (await held(office, gate.for_switch, "numelink")).values())
    nobody = Billing(office.engine, {})
    assert not (await held(nobody, gate.for_switch, "numelink"))["issuer"].holds


async def test_a_rollback_waits_until_the_former_system_says_each_document_that_stands(ready: Billing) -> None:
    await ready.takes_over(*CLUSTERS)
    assert (await held(ready, gate.for_rollback, "numelink"))["documents"].holds
    await ready.issued(YEAR)
    refused = (await held(ready, gate.for_rollback, "numelink"))["documents"]
    assert (refused.holds, refused.detail[:11]) == (False, "1 documents")
    [(number,)] = await ready.rows("select number from documents where cluster = 'numelink'")
    await ready.bill_formerly("numelink", a_former_invoice("2", YEAR, LAST, "320.00", number=number))
    assert (await held(ready, gate.for_rollback, "numelink"))["documents"].holds
    assert not (await held(ready, gate.for_rollback, "clustr-numerique"))["documents"].holds, "its own does not"


async def test_a_rollback_waits_until_payments_of_ours_are_the_former_systems(ready: Billing) -> None:
    await ready.takes_over(*CLUSTERS)
    assert (await held(ready, gate.for_rollback, "numelink"))["payments"].holds
    payment = await paid(ready, "320.00", "numelink/2")
    paid_back = await paid(ready, "7.00", "numelink/2")
    [refund] = (await ready.ask("refund-payment", payment_id=paid_back["payment_id"]))["refunds"]
    approval = {"refund_id": refund["refund_id"], "paid_on": paid_back["received_on"]}
    await ready.ask("approve-refund", by="tresoriere", **approval)
    refused = (await held(ready, gate.for_rollback, "numelink"))["payments"]
    assert (refused.holds, "1 payments were recorded here, 320.00 €" in refused.detail) == (False, True)
    assert (await held(ready, gate.for_rollback, "clustr-numerique"))["payments"].holds
    moved = {"payment_id": payment["payment_id"], "returned_on": payment["received_on"], "code": "MOVED"}
    await ready.ask("return-payment", **moved)
    assert (await held(ready, gate.for_rollback, "numelink"))["payments"].holds


async def test_a_member_of_two_clusters_keeps_both_from_going_back(ready: Billing) -> None:
    await ready.merge(merged(1, "M", *BOTH))
    await ready.takes_over(*CLUSTERS)
    await ready.issued(YEAR)
    assert "on records of other clusters" in (await held(ready, gate.for_rollback, "numelink"))["documents"].detail
    assert (await held(ready, gate.for_rollback, "auvergne-tic"))["documents"].holds
