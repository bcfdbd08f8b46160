"""Grids, simulated and adopted, and decisions about dues: as staff ask for them, on a real database."""

from datetime import date
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from schemas.base import RecordRef
from tests.support.billing import Billing, a_description, a_former_invoice
from tests.support.dues import DUES, YEAR, a_grid
from tests.support.merging import member, merged

LAST = date(2027, 12, 31)


async def test_a_grid_is_proposed_by_one_person_and_adopted_by_another(office: Billing) -> None:
    proposal = await office.ask("propose-grid", grid=a_grid().model_dump(mode="json"))
    assert (proposal["number"], proposal["adopted_at"]) == (1, None)
    assert (await office.refusal("adopt-grid", grid_id=proposal["grid_id"]))[0] == "second-person"
    adopted = await office.ask("adopt-grid", by="tresoriere", grid_id=proposal["grid_id"])
    assert adopted["adopted_by"] == "tresoriere"
    assert (await office.refusal("adopt-grid", by="president", grid_id=proposal["grid_id"]))[0] == "grid-adopted"


@pytest.mark.parametrize(
    ("first", "last", "overlaps"),
    [(date(2028, 1, 1), None, False), (date(2027, 12, 31), None, True), (YEAR, LAST, True)],
)
async def test_overlapping_grids_are_refused(office: Billing, first: date, last: date | None, overlaps: bool) -> None:
    await office.adopted(valid_until=LAST)
    grid = a_grid(valid_from=first, valid_until=last).model_dump(mode="json")
    second = (await office.ask("propose-grid", grid=grid))["grid_id"]
    if overlaps:
        kind, detail = await office.refusal("adopt-grid", by="tresoriere", grid_id=second)
        assert (kind, "grid 1 is in force from 2027-01-01 to 2027-12-31" in detail) == ("grid-overlaps", True)
    else:
        await office.ask("adopt-grid", by="tresoriere", grid_id=second)


async def test_a_grid_that_replaces_another_cuts_it_short(office: Billing) -> None:
    first = await office.adopted()
    later = a_grid(name="mars", valid_from=date(2027, 3, 15)).model_dump(mode="json")
    second = (await office.ask("propose-grid", grid=later))["grid_id"]
    await office.ask("adopt-grid", by="tresoriere", grid_id=second, replaces=first)
    shown = (await office.ask("grids", issuer="merged"))["items"]
    assert [(item["number"], item["until"]) for item in shown] == [(2, None), (1, "2027-03-14")]


@pytest.mark.parametrize("table", ["grids", "grid_adoptions"])
@pytest.mark.parametrize("statement", ["update {} set issuer = 'x'", "delete from {}", "truncate {} cascade"])
async def test_the_database_lets_nobody_alter_a_grid(office: Billing, table: str, statement: str) -> None:
    await office.adopted()
    with pytest.raises(DBAPIError, match="is never altered"):
        await office.rows(statement.format(table))


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"issuer": "nobody"}, "issuer-unknown", "there are clustr-numerique, merged, numelink"),
        ({"valid_from": "2026-06-01"}, "issuer-unknown", "merged bills from 2027-01-01 on"),
        ({"lines": [{"code": "d", "label": "D", "price": {"by": "flat", "amount": "1.00"},
                     "vat": {"regime": "taxed", "rate": "20"}}]}, "grid-invalid", "VAT that is shown is owed"),
        ({"lines": [{"code": "d", "label": "D", "price": {"by": "flat", "amount": "-1.00"}}]},
         "arguments-invalid", "amount"),
        ({"currency": "USD"}, "arguments-invalid", "currency"),
    ],
)  # fmt: skip
async def test_a_grid_that_cannot_be_right_is_refused(
    office: Billing, changed: dict[str, Any], kind: str, message: str
) -> None:
    refused = await office.refusal("propose-grid", grid=a_grid().model_dump(mode="json") | changed)
    assert (refused[0], message in refused[1]) == (kind, True), refused
    assert await office.rows("select * from grids") == []


async def test_a_simulation_says_who_pays_more_and_who_less_before_a_grid_is_adopted(office: Billing) -> None:
    await office.describe(
        a_description("numelink", "1", "12"), a_description("numelink", "2", "3"),
        a_description("numelink", "3", "beaucoup", name="Sans nombre"), a_description("clustr-numerique", "4", "60"),
    )  # fmt: skip
    both = RecordRef(cluster="numelink", record_id="1"), RecordRef(cluster="clustr-numerique", record_id="4")
    await office.merge(merged(1, "M", *both))
    before = date(2026, 1, 1), date(2026, 12, 31)
    await office.bill_formerly("numelink", *(a_former_invoice(name, *before) for name in "12"))
    grid_id = (await office.ask("propose-grid", grid=a_grid().model_dump(mode="json")))["grid_id"]
    answer = await office.ask("simulation", grid_id=grid_id, first=YEAR)
    assert answer["total"] == {"group": "", "members": 3, "more": 1, "less": 1, "before": "1000.00", "after": "1570.00"}
    assert answer["unknown_headcount"] == ["Sans nombre"]
    assert [(row["group"], row["after"]) for row in answer["by_cluster"]] == [
        ("clustr-numerique+numelink", "1250.00"), ("numelink", "320.00"),
    ]  # fmt: skip
    assert [row["group"] for row in answer["by_departement"]] == ["42"]
    [dual] = [row for row in answer["members"] if row["member_id"] == member("M")]
    assert "compris dans ce que doit la fiche clustr-numerique/4" in dual["why"]


async def test_640_members_are_simulated_within_a_second(office: Billing) -> None:
    clusters = ("clustr-numerique", "numelink")
    heads = ("3", "12", "40", "200", "")
    await office.describe(*(a_description(clusters[n % 2], str(n), heads[n % 5]) for n in range(640)))
    grid_id = (await office.ask("propose-grid", grid=a_grid().model_dump(mode="json")))["grid_id"]
    seconds: list[float] = []
    for _ in range(5):
        begun = perf_counter()
        answer = await office.ask("simulation", grid_id=grid_id, first=YEAR)
        seconds.append(perf_counter() - begun)
        assert answer["total"]["members"] == 640
    assert min(seconds) < 1, "the quickest, for others use the machine too"


async def test_a_member_is_shown_what_it_owes_by_any_of_its_names(office: Billing) -> None:
    await office.describe(a_description("numelink", "1", "12"))
    await office.bill_formerly("numelink", a_former_invoice("1", date(2026, 7, 1), date(2027, 6, 30)))
    assert (await office.refusal("dues", member="numelink/1", issuer="merged", first=YEAR))[0] == "no-grid"
    await office.adopted()
    answer = await office.ask("dues", member="numelink/1", issuer="merged", first=YEAR)
    assert (answer["amount"], answer["last"]) == ("300.00", "2027-12-31")
    assert answer["records"][0]["days"] == [["2027-07-01", "2027-12-31"]]
    assert "déjà facturé ou payé (numelink, facture FA-1)" in answer["records"][0]["why"]
    assert await office.ask("dues", member=answer["member_id"], issuer="merged", first=YEAR) == answer
    for member_name, first, kind in (("9", YEAR, "billed-member-unknown"), ("1", date(2027, 2, 1), "no-grid")):
        refused = await office.refusal("dues", member=f"numelink/{member_name}", issuer="merged", first=first)
        assert refused[0] == kind


async def test_a_decision_changes_what_is_owed_until_it_is_taken_back(office: Billing) -> None:
    await office.describe(a_description("numelink", "1", "12"))
    await office.adopted()
    about: dict[str, Any] = {"member": "numelink/1", "issuer": "merged", "first": YEAR}
    decided = await office.ask("decide-due", kind="remit", record="numelink/1", first=YEAR, amount="50.00")
    assert (await office.ask("dues", **about))["amount"] == "550.00"
    back = await office.ask("take-back-due-decision", by="president", decision_id=decided["decision_id"])
    assert (back["author"], back["taken_back_by"], back["taken_back_reason"]) == ("secretaire", "president", "un test")
    assert (await office.ask("dues", **about))["amount"] == "600.00"
    again = await office.refusal("take-back-due-decision", decision_id=decided["decision_id"])
    assert again[0] == "due-decision-unknown"
    with pytest.raises(DBAPIError, match="never altered"):
        await office.rows("update due_decisions set amount = 1")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"kind": "remit", "record": "numelink/1"}, "due-decision-invalid"),
        ({"kind": "release", "record": "numelink/1"}, "due-decision-invalid"),
        ({"kind": "exempt", "record": "numelink/9"}, "billed-member-unknown"),
        ({"kind": "exempt", "record": "nothing"}, "billed-member-unknown"),
        ({"kind": "remit", "record": "numelink/1", "first": "2027-01-01", "amount": "-5.00"}, "arguments-invalid"),
    ],
)
async def test_an_incomplete_decision_is_refused(office: Billing, arguments: dict[str, Any], kind: str) -> None:
    await office.describe(a_description("numelink", "1"))
    assert (await office.refusal("decide-due", **arguments))[0] == kind


def test_a_line_that_is_exempt_names_its_reason_and_bands_come_in_order() -> None:
    bands = [{"up_to": 9, "amount": "1.00"}, {"up_to": 5, "amount": "2.00"}, {"amount": "3.00"}]
    for changed, message in (
        ({"vat": {"regime": "exempt"}}, "name the reason of the exemption"),
        ({"price": {"by": "headcount", "bands": bands}}, "in order"),
        ({"price": {"by": "headcount", "bands": bands[:1]}}, "nobody with more than 9 people has a band"),
    ):
        with pytest.raises(ValueError, match=message):
            a_grid(lines=(DUES.model_dump() | changed,))
