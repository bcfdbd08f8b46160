"""Tasks after a merge, an un-merge, a resignation: what differs is said, and nothing changes by itself."""

from datetime import date
from typing import Any

import pytest

from schemas.base import RecordRef
from services.common.member_records import apply_separations
from tests.support.billing import Billing, a_description, a_former_invoice
from tests.support.dues import DUES, YEAR
from tests.support.merging import merged, separated

JUNE_30, LAST = date(2027, 6, 30), date(2027, 12, 31)
BOTH = RecordRef(cluster="clustr-numerique", record_id="1"), RecordRef(cluster="numelink", record_id="2")
CLUSTERS = ("clustr-numerique", "numelink")


async def billed(office: Billing, **grid: Any) -> Billing:
    """Two members, billed 600.00 and 320.00 for 2027."""
    await office.describe(a_description("clustr-numerique", "1", "12"), a_description("numelink", "2", "3"))
    await office.adopted(**grid)
    await office.takes_over(*CLUSTERS)
    await office.issued(YEAR)
    return office


async def tasks(office: Billing, **asked: Any) -> list[tuple[str, str, str, str]]:
    """Cause, kind, amount and record of each."""
    items = (await office.ask("billing-tasks", **asked))["items"]
    return [(item["cause"], item["kind"], item["amount"], item["record"]) for item in items]


async def documents(office: Billing) -> int:
    [(count,)] = await office.rows("select count(*) from documents")
    return count


async def test_where_documents_say_what_is_owed_there_is_no_task(office: Billing) -> None:
    assert await tasks(office) == [], "nothing was billed yet, so nothing can differ"
    assert await tasks(await billed(office)) == []


async def test_case_2_a_merge_becomes_a_task_and_not_a_credit_note(office: Billing) -> None:
    await billed(office)
    await office.merge(merged(1, "M", *BOTH))
    assert await tasks(office) == [("merge", "credit-note", "320.00", "numelink/2")]
    [task] = (await office.ask("billing-tasks"))["items"]
    assert task["sentence"] == (
        "numelink/2 et clustr-numerique/1 sont un seul membre, qui doit une seule cotisation : 320,00 € à créditer"
    )
    [(number,)] = await office.rows("select number from documents where cluster = 'numelink'")
    assert task["corrects"] == number
    assert (await office.ask("billing-tasks", language="en"))["items"][0]["sentence"].endswith("320.00 € to credit")
    assert await documents(office) == 2, "never a silent change"
    await office.issued(YEAR)
    assert (await tasks(office), await documents(office)) == ([], 3)


async def test_case_3_an_un_merge_becomes_a_task_to_bill_the_other_again(office: Billing) -> None:
    await billed(office)
    await office.merge(merged(1, "M", *BOTH))
    await office.issued(YEAR)
    await office.hear(apply_separations, separated(2, "M", ("A", BOTH[:1]), ("B", BOTH[1:])))
    assert await tasks(office) == [("separation", "invoice", "320.00", "numelink/2")]
    await office.issued(YEAR)
    assert await tasks(office) == []


@pytest.mark.parametrize(("policy", "amount"), [("due", None), ("pro-rata", "160.00"), ("quarter", "160.00")])
async def test_case_11_a_resignation_is_a_task_where_the_statutes_credit_something(
    office: Billing, policy: str, amount: str | None
) -> None:
    await billed(office, resignation=policy)
    await office.describe(a_description("numelink", "2", "3", version=2, status="ended", ended_on=JUNE_30))
    expected = [("resignation", "credit-note", amount, "numelink/2")] if amount else []
    assert await tasks(office) == expected


async def test_a_decision_settles_a_task_or_makes_one(office: Billing) -> None:
    await billed(office)
    decided = await office.ask("decide-due", kind="exempt", record="numelink/2")
    assert await tasks(office) == [("decision", "credit-note", "320.00", "numelink/2")]
    await office.ask("take-back-due-decision", decision_id=decided["decision_id"])
    assert await tasks(office) == []


async def test_what_a_former_system_billed_meanwhile_and_who_joins_are_tasks(office: Billing) -> None:
    await billed(office)
    await office.bill_formerly("numelink", a_former_invoice("2", YEAR, LAST, number="FA-99"))
    await office.describe(a_description("numelink", "7", "3", member_since=date(2027, 7, 1)))
    assert await tasks(office) == [
        ("cover", "credit-note", "320.00", "numelink/2"), ("joined", "invoice", "160.00", "numelink/7"),
    ]  # fmt: skip
    assert await tasks(office, issuer="numelink") == []
    assert (await office.ask("billing-tasks", limit=1))["more"] == 1


async def test_whom_a_former_system_bills_and_we_never_did_is_no_task(office: Billing) -> None:
    await office.describe(a_description("clustr-numerique", "1", "12"), a_description("numelink", "2", "3"))
    await office.adopted()
    await office.takes_over("clustr-numerique")
    await office.issued(YEAR)
    assert await tasks(office) == []
    await office.takes_over("numelink")
    assert await tasks(office) == [("joined", "invoice", "320.00", "numelink/2")]


async def test_case_10_in_a_real_run_a_vote_in_march_holds_for_who_joins_later(office: Billing) -> None:
    first = await office.adopted()
    await office.describe(a_description("clustr-numerique", "1", "12"))
    await office.takes_over(*CLUSTERS)
    prepared = await office.ask("prepare-run", issuer="merged", first=YEAR)
    assert (await office.issued(YEAR))["total"] == "600.00"
    dearer = DUES.model_copy(update={"price": DUES.price.model_copy(update={"bands": _dearer()})})
    await office.adopted(valid_from=date(2027, 3, 15), lines=(dearer,), replaces=first)
    assert await tasks(office) == [], "what was billed keeps its price"
    await office.describe(
        a_description("numelink", "5", "12", member_since=date(2027, 3, 1)),
        a_description("numelink", "6", "12", member_since=date(2027, 4, 2)),
    )
    run = await office.ask("prepare-run", issuer="merged", first=YEAR)
    amounts = {item["record"]: item["amount"] for item in run["proposed"]}
    assert amounts == {"numelink/5": "500.00", "numelink/6": "540.00"}, "10/12 of 600.00, and 9/12 of 720.00"
    assert not (await office.ask("run", run_id=prepared["run_id"]))["unchanged"]
    assert (await office.issued(YEAR))["total"] == "1040.00"
    assert (await office.issued(YEAR))["documents"] == 0


def _dearer() -> Any:
    return tuple(band.model_copy(update={"amount": band.amount * 12 / 10}) for band in DUES.price.bands)  # type: ignore[union-attr]
