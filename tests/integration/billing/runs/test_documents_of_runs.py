"""Documents of a run: their files, their announcement, the rules that look at them, and that nobody alters them."""

import asyncio
import time
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import orjson
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing_grids import Vat
from services.billing.definition import create_app
from services.billing.documents import announcement, files
from services.billing.documents.facturx import UnfitDocumentError
from services.billing.documents.files import render_the_rest, try_failed_again
from services.billing.documents.rules import RulesUnavailableError, Verdict
from services.billing.documents.trial import Rules
from services.billing.settings import BillingSettings
from services.common.environment import load_settings
from tests.integration.billing.runs.stories import BOTH, CLUSTERS, franchised
from tests.support.billing import Billing, a_description
from tests.support.dues import DUES, YEAR
from tests.support.merging import Database, merged


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


@pytest.mark.parametrize("table", ["documents", "document_lines", "billed_days", "document_files"])
@pytest.mark.parametrize("statement", ["update {} set document_id = gen_random_uuid()", "delete from {}"])
async def test_the_database_lets_nobody_alter_a_document(ready: Billing, table: str, statement: str) -> None:
    await ready.issued(YEAR)
    await render_the_rest(ready.engine)
    with pytest.raises(DBAPIError, match=r"never altered|only ever released"):
        await ready.rows(statement.format(table))
