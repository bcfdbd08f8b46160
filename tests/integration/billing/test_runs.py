"""Runs and documents on a real database: issued once, numbered without a gap, never altered."""

import asyncio
import time
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any

import orjson
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import RecordRef
from schemas.billing_grids import Vat
from schemas.membership import Addressee
from services.billing.definition import create_app
from services.billing.documents import announcement, files
from services.billing.documents.facturx import UnfitDocumentError
from services.billing.documents.files import render_the_rest, try_failed_again
from services.billing.documents.rules import RulesUnavailableError, Verdict
from services.billing.documents.trial import Rules
from services.billing.settings import BillingSettings
from services.common.environment import load_settings
from services.common.member_records import apply_separations
from shared.runtime.clock import Clock
from tests.support.billing import Billing, a_description
from tests.support.dues import DUES, FEE, YEAR
from tests.support.merging import Database, merged, separated

BOTH = RecordRef(cluster="clustr-numerique", record_id="1"), RecordRef(cluster="numelink", record_id="2")
CLUSTERS = ("clustr-numerique", "numelink")


@pytest.fixture
async def ready(office: Billing) -> Billing:
    """Two members, a grid in force, and nobody else who bills."""
    await office.describe(a_description("clustr-numerique", "1", "12"), a_description("numelink", "2", "3"))
    await office.adopted()
    await office.takes_over(*CLUSTERS)
    return office


async def listed(office: Billing) -> list[tuple[str, str, str]]:
    """Kind, amount and record of every document, in the order of issue."""
    rows = await office.rows("select kind, gross::text, cluster from documents order by issued_at, number")
    return [tuple(row) for row in rows]  # type: ignore[misc]


def franchised(office: Billing) -> Billing:
    """The merged body does not show VAT, and may bill what is exempt."""
    merged_body = office.issuers["merged"]
    settings = merged_body.settings[0].model_copy(update={"regime": "franchise"})
    issuer = merged_body.model_copy(update={"settings": (settings,)})
    return replace(office, issuers={**office.issuers, "merged": issuer})


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


async def test_the_service_makes_the_files_of_what_was_issued_once(
    ready: Billing, billing_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRABOULE_BILLING_DATABASE_URL", billing_database.url)
    monkeypatch.setenv("TRABOULE_BILLING_BROKER_URL", "amqp://traboule.billing:x@127.0.0.1:1/traboule")
    service = create_app(load_settings("billing", BillingSettings))
    [task] = [task for task in service.periodic_tasks if task.name == "document files"]
    (number, _) = (await ready.issued(YEAR))["numbers"]
    assert (await ready.refusal("document-files", number=number))[0] == "document-unready"
    await task.work(ready.engine)
    files = await ready.ask("document-files", number=number)
    await task.work(ready.engine)
    assert await ready.ask("document-files", number=number) == files, "never made again"
    assert number.encode() in b64decode(files["xml"])
    await service.engine.dispose()


async def announced(office: Billing) -> list[dict[str, Any]]:
    """What waits in the outbox of documents that were issued, by number."""
    rows = await office.rows("select body from outbox where routing_key = 'traboule.billing.document-issued'")
    return sorted((orjson.loads(body)["data"] for (body,) in rows), key=itemgetter("number"))


async def test_a_document_is_announced_once_with_the_very_pdf_that_is_kept(
    ready: Billing, billing_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = (await ready.issued(YEAR))["numbers"]
    assert await announced(ready) == []
    # Two replicas at the same time: both make the files, the first to commit keeps and announces them.
    async with billing_database.engine() as second:
        async with ready.engine.begin() as ours:
            await files.render(ours, numbers[0])
            others = asyncio.create_task(render_the_rest(second))
            await asyncio.sleep(1)
            assert not others.done(), "it waits for whoever keeps the same files"
        await others
    await render_the_rest(ready.engine)
    facts = await announced(ready)
    assert [fact["number"] for fact in facts] == numbers
    for fact in facts:
        assert fact["pdf"] == (await ready.ask("document-files", number=fact["number"]))["pdf"]
        document = await ready.ask("document", number=fact["number"])
        assert (fact["amount"], fact["due_on"], fact["reference"]) == tuple(
            document[name] for name in ("gross", "due_on", "reference")
        )
        record = fact["recipient"]["records"][0]
        assert f"{record['cluster']}/{record['record_id']}" == document["record"]
        assert (fact["recipient"]["name"], fact["cluster"]) == (document["buyer"], record["cluster"])
    # One that is too large to travel is announced all the same: communications says that it cannot be sent.
    monkeypatch.setattr(announcement, "PDF_BYTES", 10)
    await ready.merge(merged(1, "M", *BOTH))
    await ready.issued(YEAR)
    await render_the_rest(ready.engine)
    [credit] = [fact for fact in await announced(ready) if fact["kind"] == "credit-note"]
    assert "pdf" not in credit
    assert credit["corrects"] in numbers


async def test_a_document_whose_file_cannot_be_made_keeps_no_later_one_from_it(
    ready: Billing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (await ready.issued(YEAR))["numbers"]
    render = files.render

    async def unfit(connection: AsyncConnection, number: str) -> None:
        if number == first:
            raise UnfitDocumentError(number)
        await render(connection, number)

    async def tried(attempts: int, seconds: int) -> bool:
        """Whether it was tried so often, and will be again in so many seconds, less those that passed meanwhile."""
        later = "extract(epoch from next_at - now())"
        [(often, left)] = await ready.rows(f"select attempts, {later}::float from document_failures")
        return often == attempts and seconds - 5 < left <= seconds

    monkeypatch.setattr(files, "_MISSING", files._MISSING.replace(f"limit {files._PAGE}", "limit 1"))
    monkeypatch.setattr(files, "_PAGE", 1)
    monkeypatch.setattr(files, "render", unfit)
    await render_the_rest(ready.engine)
    kind, detail = await ready.refusal("document-files", number=first)
    assert (kind, f"could not be made 1 times (UnfitDocumentError: {first})" in detail) == ("document-unready", True)
    assert (await ready.ask("document-files", number=second))["pdf"]
    states = {item["number"]: item["files"] for item in (await ready.ask("documents"))["items"]}
    assert states == {first: "failed", second: "ready"}
    assert [item["number"] for item in (await ready.ask("check-billing"))["failing"]] == [first]
    # It waits, twice as long each time, and an hour at most.
    await render_the_rest(ready.engine)
    assert await tried(1, 5)
    for attempts, seconds in ((2, 10), (3, 20)):
        await ready.rows("update document_failures set next_at = now() returning 1")
        await render_the_rest(ready.engine)
        assert await tried(attempts, seconds)
    monkeypatch.setattr(files, "render", render)
    await try_failed_again(ready.engine)
    assert await ready.rows("select attempts from document_failures") == []
    assert (await ready.ask("document", number=first))["files"] == "ready"


async def test_what_changed_since_it_was_approved_is_not_issued(ready: Billing) -> None:
    run_id = (await ready.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    await ready.ask("approve-run", by="tresoriere", run_id=run_id)
    await ready.describe(a_description("numelink", "2", "30", version=2))
    assert (await ready.refusal("issue-run", by="tresoriere", run_id=run_id))[0] == "run-changed"
    assert not (await ready.ask("run", run_id=run_id))["unchanged"]
    assert await listed(ready) == []


async def test_a_run_is_not_approved_when_a_schematron_refuses_one_of_its_documents(office: Billing) -> None:
    wrong = franchised(office)
    await wrong.describe(a_description("clustr-numerique", "1", "12"), a_description("numelink", "2", "3"))
    await wrong.adopted(lines=(DUES.model_copy(update={"vat": Vat(regime="exempt", code="VATEX-FR-NONE")}),))
    await wrong.takes_over(*CLUSTERS)
    run_id = (await wrong.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    kind, detail = await wrong.refusal("approve-run", by="tresoriere", run_id=run_id)
    assert kind == "document-invalid"
    for named in (
        "invoice of 600.00 € for clustr-numerique/1",
        "invoice of 320.00 € for numelink/2",
        "ExemptionReasonCode",
    ):
        assert named in detail
    assert (await wrong.ask("run", run_id=run_id))["state"] == "prepared"


async def test_a_run_is_not_approved_when_no_rule_looks_at_it_or_nobody_can_be_asked(ready: Billing) -> None:
    async def refused(rules: Rules) -> tuple[str, str]:
        return await replace(ready, rules=rules).refusal("approve-run", by="tresoriere", run_id=run_id)

    def none_fire(documents: Sequence[bytes]) -> list[Verdict]:
        return [Verdict({"EN 16931": 87, "BR-FR": 0}, ()) for _ in documents]

    def away(_: Sequence[bytes]) -> list[Verdict]:
        raise RulesUnavailableError("the process ended")

    run_id = (await ready.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    kind, detail = await refused(none_fire)
    assert (kind, "no rule of BR-FR looked at it" in detail) == ("document-invalid", True)
    assert (await refused(away))[0] == "document-unchecked"
    assert (await ready.ask("run", run_id=run_id))["state"] == "prepared"


async def test_rules_that_take_long_do_not_cost_the_transaction(ready: Billing) -> None:
    def slow(documents: Sequence[bytes]) -> list[Verdict]:
        time.sleep(0.6)
        return [Verdict({"EN 16931": 87, "BR-FR": 61}, ()) for _ in documents]

    run_id = (await ready.ask("prepare-run", issuer="merged", first=YEAR))["run_id"]
    await ready.rows("select set_config('idle_in_transaction_session_timeout', '300ms', false)")
    await replace(ready, rules=slow).ask("approve-run", by="tresoriere", run_id=run_id)
    assert (await ready.ask("run", run_id=run_id))["state"] == "approved"


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


@pytest.mark.parametrize("table", ["documents", "document_lines", "billed_days", "document_files"])
@pytest.mark.parametrize("statement", ["update {} set document_id = gen_random_uuid()", "delete from {}"])
async def test_the_database_lets_nobody_alter_a_document(ready: Billing, table: str, statement: str) -> None:
    await ready.issued(YEAR)
    await render_the_rest(ready.engine)
    with pytest.raises(DBAPIError, match=r"never altered|only ever released"):
        await ready.rows(statement.format(table))
