"""Runs: prepared, approved by another, issued; and what a run leaves out or refuses."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from schemas.billing_grids import Vat
from schemas.membership import Addressee
from services.common.member_records import apply_separations
from shared.runtime.clock import Clock
from tests.integration.billing.runs.stories import BOTH, CLUSTERS, franchised
from tests.support.billing import Billing, a_description
from tests.support.dues import DUES, FEE, YEAR
from tests.support.merging import merged, separated


async def listed(office: Billing) -> list[tuple[str, str, str]]:
    """Kind, amount and record of every document, in the order of issue."""
    rows = await office.rows("select kind, gross::text, cluster from documents order by issued_at, number")
    return [tuple(row) for row in rows]  # type: ignore[misc]


async def test_a_run_is_prepared_approved_by_another_and_issued_and_a_second_one_writes_nothing(ready: Billing) -> None:
    run = await ready.ask("prepare-run", issuer="merged", first=YEAR)
    assert (run["state"], run["documents"], run["total"], run["unchanged"]) == ("prepared", 2, "920.00", True)
    assert "12 personnes, tranche 10–25, 600,00 €" in run["proposed"][0]["why"]
    run_id = run["run_id"]
    assert (await ready.refusal("issue-run", by="tresoriere", run_id=run_id))[0] == "run-state"
    for by in ("secretaire", "stagiaire"):
        assert (await ready.refusal("approve-run", by=by, run_id=run_id))[0] == "second-person"
    await ready.ask("approve-run", by="tresoriere", run_id=run_id)
    issued = await ready.ask("issue-run", by="tresoriere", run_id=run_id)
    year = Clock().today().year
    assert issued["numbers"] == [f"F-{year}-000001", f"F-{year}-000002"]
    assert (await ready.refusal("issue-run", by="tresoriere", run_id=run_id))[0] == "run-state"
    again = await ready.issued(YEAR)
    assert (again["documents"], len(await listed(ready))) == (0, 2)
    document = await ready.ask("document", number=issued["numbers"][0])
    assert document["lines"][0]["label"] == "Cotisation du 01/01/2027 au 31/12/2027"
    assert (document["gross"], document["reference"][:2], document["kind"]) == ("600.00", "RF", "invoice")


async def test_who_approves_is_told_by_the_key_and_not_by_the_name_that_was_written(ready: Billing) -> None:
    run_id = (await ready.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    as_treasurer = {"written": "tresoriere", "run_id": run_id}
    kind, detail = await ready.refusal("approve-run", by="stagiaire", **as_treasurer)
    assert (kind, "the key stagiaire is not one of those that approve" in detail) == ("second-person", True)
    kind, detail = await ready.refusal("approve-run", by="secretaire", **as_treasurer)
    assert (kind, "secretaire prepared it" in detail) == ("second-person", True)
    kind, detail = await ready.refusal("approve-run", by="tresoriere", written="secretaire", run_id=run_id)
    assert (kind, "secretaire prepared it" in detail) == ("second-person", True), "one name with two keys"
    kind, detail = await ready.refusal("approve-run", by="", **as_treasurer)
    assert (kind, "nobody was authenticated" in detail) == ("second-person", True)
    await ready.ask("approve-run", by="tresoriere", written="Mme Martin", run_id=run_id)
    keys = await ready.rows("select prepared_key, approved_key, approved_by from runs")
    assert keys == [("key of secretaire", "key of tresoriere", "Mme Martin")]


async def test_more_than_the_limit_is_approved_by_nobody(ready: Billing) -> None:
    merged_body = ready.issuers["merged"]
    settings = merged_body.settings[0].model_copy(update={"approval_limit": Decimal("919.99")})
    limited = replace(ready, issuers={"merged": merged_body.model_copy(update={"settings": (settings,)})})
    run_id = (await limited.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    kind, detail = await limited.refusal("approve-run", by="tresoriere", run_id=run_id)
    assert (kind, "920.00 €, and the limit is 919.99 €" in detail) == ("second-person", True)


async def test_a_merge_is_credited_and_an_un_merge_billed_again_and_both_books_end_as_before(ready: Billing) -> None:
    await ready.issued(YEAR)
    await ready.merge(merged(1, "M", *BOTH))
    shown = await ready.ask("prepare-run", issuer="merged", first=YEAR)
    assert [(item["kind"], item["amount"], item["record"]) for item in shown["proposed"]] == [
        ("credit-note", "320.00", "numelink/2")
    ]
    assert "déjà compris dans la cotisation de votre autre fiche, clustr-numerique/1" in shown["proposed"][0]["why"]
    await ready.issued(YEAR)
    assert (await ready.issued(YEAR))["documents"] == 0
    credit = (await ready.ask("documents", record="numelink/2"))["items"]
    assert {item["corrects"] for item in credit if item["kind"] == "credit-note"} == {
        item["number"] for item in credit if item["kind"] == "invoice"
    }
    parts = (("A", BOTH[:1]), ("B", BOTH[1:]))
    await ready.hear(apply_separations, separated(2, "M", *parts))
    await ready.issued(YEAR)
    kinds = [(kind, gross) for kind, gross, cluster in await listed(ready) if cluster == "numelink"]
    assert kinds == [("invoice", "320.00"), ("credit-note", "320.00"), ("invoice", "320.00")]
    stage_state = await ready.rows("select count(*) from billed_days where released_by is null")
    assert stage_state == [(2,)]


async def test_what_changed_since_it_was_approved_is_not_issued(ready: Billing) -> None:
    run_id = (await ready.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    await ready.ask("approve-run", by="tresoriere", run_id=run_id)
    await ready.describe(a_description("numelink", "2", "30", version=2))
    assert (await ready.refusal("issue-run", by="tresoriere", run_id=run_id))[0] == "run-changed"
    assert not (await ready.ask("run", run_id=run_id))["unchanged"]
    assert await listed(ready) == []


async def test_what_changed_since_it_was_prepared_is_not_approved(ready: Billing) -> None:
    run_id = (await ready.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    await ready.describe(a_description("numelink", "2", "30", version=2))
    assert (await ready.refusal("approve-run", by="tresoriere", run_id=run_id))[0] == "run-changed"


async def test_a_member_without_an_address_is_held_back_and_said_so(ready: Billing) -> None:
    await ready.describe(a_description("numelink", "3", "3", own=Addressee(name="Sans adresse")))
    await ready.describe(
        a_description("numelink", "4", "beaucoup"),
        a_description("numelink", "5", "3", name="株式会社"),
        a_description("numelink", "6", "3", email=None),
        a_description("numelink", "7", "3", siren="732829321"),
    )
    run = await ready.ask("prepare-run", issuer="merged", first=YEAR)
    held = {item["record"]: item["why"] for item in run["held_back"]}
    assert "has no street, postcode, city, SIREN or e-mail address" in held["numelink/3"]
    assert "has no SIREN or e-mail address" in held["numelink/6"]
    assert "has a SIREN that is none" in held["numelink/7"]
    assert "character that the page's font lacks" in held["numelink/5"]
    assert "effectif qui n'est pas un nombre" in held["numelink/4"]
    assert run["documents"] == 2


async def test_lines_outside_vat_never_stand_beside_others(office: Billing) -> None:
    exempt = Vat(regime="exempt", code="VATEX-FR-CGI261-7")
    mixed = franchised(office)
    await mixed.describe(a_description("numelink", "1", "12", member_since=date(2027, 1, 1)))
    await mixed.adopted(lines=(DUES, FEE.model_copy(update={"vat": exempt})))
    await mixed.takes_over(*CLUSTERS)
    assert (await mixed.issued(YEAR))["documents"] == 2
    assert sorted(await listed(mixed)) == [("invoice", "50.00", "numelink"), ("invoice", "600.00", "numelink")]
    assert (await mixed.issued(YEAR))["documents"] == 0
