"""What staff ask of a service by HTTP: late messages, parity, requests that are sent twice or wait."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from schemas.cutover_requests import CutoverRequested
from schemas.envelope import Envelope
from services.billing.definition import DEFINITION
from services.billing.mirror.repository import BillingUnitOfWork
from services.cutover.requests import GOOD_FOR, Answering
from services.gateway.api.cutover_answers import PROBLEM_OF
from services.gateway.app import forget
from services.gateway.translations import PROBLEMS
from services.membership.records.ids import new_id
from shared.persistence.database import create_engine
from tests.integration.cutover.http.rights import BRIEFLY
from tests.integration.cutover.staff import BILLING, MEMBERSHIP, Staff, problem
from tests.support.in_process import OwnService
from tests.support.waiting import eventually


async def test_late_messages_are_listed_shown_applied_and_dismissed(staff: Staff) -> None:
    await staff.moved("mirror", "switch")
    where = f"/cutover/{BILLING}/quarantine"
    entry = await staff.late(invoice_id="F1", number="late")
    other = await staff.late(invoice_id="F2", number="later")
    first = (await staff.get(f"{where}?limit=1")).json()
    assert ([item["id"] for item in first["items"]], first["next"]) == ([f"billing:{entry}"], entry)
    rest = (await staff.get(f"{where}?limit=1&after={first['next']}")).json()
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([f"billing:{other}"], None)
    whole = (await staff.get(f"{where}/{entry}")).json()
    assert (whole["said"]["number"], whole["held"]) == ("late", None)

    applied = (await staff.ask("POST", f"{where}/{entry}/apply", {"reason": "right"}, role="treasurer")).json()
    assert (applied["state"], applied["decided_by"], applied["reason"]) == ("applied", "a treasurer", "right")
    assert applied["held"]["number"] == "late"
    dismissed = (await staff.ask("POST", f"{where}/{other}/dismiss", {"reason": "twice", "author": "Zoé"})).json()
    assert (dismissed["state"], dismissed["decided_by"], dismissed["held"]) == ("dismissed", "Zoé", None)
    assert await staff.billing.column("select number from invoices") == ["late"]

    again = await staff.ask("POST", f"{where}/{entry}/dismiss", {"reason": "no"})
    assert problem(again) == (409, "late-message-decided")
    assert problem(await staff.get(f"{where}/999")) == (404, "late-message-unknown")
    # Another cluster's late messages are not reached by naming this one's.
    assert problem(await staff.get(f"/cutover/clustr-numerique/billing/quarantine/{entry}"))[0] == 404


async def test_parity_is_told_with_its_differences(staff: Staff) -> None:
    assert problem(await staff.get(f"/cutover/{BILLING}/parity")) == (404, "never-compared")
    await staff.billing.query(
        "insert into parity_runs (cluster, by, source, counts, sums, open, accepted) "
        "values ('numelink', 'zoé', '{export.csv}', '{}', '{}', 2, 0)"
    )
    await staff.billing.query(
        "insert into parity_differences (run_id, digest, kind, item_id, what, fields, there) "
        "select 1, 'd' || n, 'invoice', 'F' || n, 'missing-here', '{}', '{\"gross\": \"1\"}' "
        "from generate_series(1, 3) n"
    )
    for role, values in (("staff", {"gross": "1"}), ("operator", None)):
        (difference,) = (await staff.get(f"/cutover/{BILLING}/parity?limit=1", role=role)).json()["differences"]
        assert (difference["item_id"], difference["there"]) == ("F1", values)
    first = (await staff.get(f"/cutover/{BILLING}/parity?limit=2")).json()
    assert (first["open"], first["clean"], first["next"]) == (3, False, 2)
    assert [item["item_id"] for item in first["differences"]] == ["F1", "F2"]
    rest = (await staff.get(f"/cutover/{BILLING}/parity?limit=2&after=2")).json()
    assert ([item["item_id"] for item in rest["differences"]], rest["next"]) == (["F3"], None)
    assert (await staff.get(f"/cutover/{BILLING}")).json()["parity"]["open_differences"] == 3


async def test_staff_may_look_and_decide_and_only_administrators_move(staff: Staff) -> None:
    body = {"move": "mirror", "reason": "x"}
    for path, sent, role in (
        (f"/cutover/{BILLING}/moves", body, "staff"),
        ("/cutover/backups", {"note": "x"}, "staff"),
        (f"/cutover/{BILLING}/quarantine/1/apply", {"reason": "x"}, "reader"),
    ):
        assert problem(await staff.ask("POST", path, sent, role=role)) == (403, "right-missing")
    assert (await staff.get("/cutover", role="reader")).status_code == 403
    assert (await staff.get(f"/cutover/{BILLING}", role="staff")).status_code == 200
    assert (await staff.client.get("/cutover")).status_code == 401
    assert await staff.billing.column("select cluster from stages") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "numbers"),
    [
        ("GET", "/cutover/nowhere/billing", None, (404, "former-system-unknown")),
        ("GET", "/cutover/numelink/nothing", None, (404, "former-system-unknown")),
        ("POST", "/cutover/numelink/nothing/moves", {"move": "mirror", "reason": "x"}, (404, "former-system-unknown")),
        ("GET", "/cutover/requests/1", None, (404, "cutover-request-unknown")),
        ("GET", "/cutover/requests/01a22789-dca5-7b63-9be3-291f14cbbd32", None, (404, "cutover-request-unknown")),
        ("POST", f"/cutover/{BILLING}/moves", {"move": "mirror"}, (422, "invalid-parameters")),
        ("POST", f"/cutover/{BILLING}/moves", {"move": "mirror", "reason": " "}, (422, "invalid-parameters")),
        ("POST", f"/cutover/{BILLING}/moves", {"move": "jump", "reason": "x"}, (422, "invalid-parameters")),
        ("POST", f"/cutover/{BILLING}/moves", {"move": "mirror", "reason": "a\nb"}, (422, "invalid-parameters")),
        (
            "POST",
            f"/cutover/{BILLING}/moves",
            {"move": "mirror", "reason": "x", "overrule": ["parity"]},
            (422, "invalid-parameters"),
        ),
        ("GET", f"/cutover/{BILLING}/conditions?for=retire", None, (422, "invalid-parameters")),
        ("GET", f"/cutover/{BILLING}/quarantine/0", None, (422, "invalid-parameters")),
        ("GET", f"/cutover/{MEMBERSHIP}/write-back?after=%00", None, (422, "invalid-parameters")),
    ],
)
async def test_what_is_asked_wrongly_reaches_no_service(
    alone: Staff, method: str, path: str, body: Any, numbers: tuple[int, str]
) -> None:
    assert problem(await alone.ask(method, path, body)) == numbers
    assert await alone.stack.column("select id from cutover_requests") == []


@pytest.mark.parametrize("patient", [0.2])
async def test_what_a_service_did_not_answer_in_time_is_told_later(alone: Staff) -> None:
    asked = await alone.move("mirror")
    assert asked.status_code == 202
    where = asked.headers["location"]
    assert asked.json() == {"id": where.rpartition("/")[2], "state": "waiting", "location": where}
    waiting = (await alone.get(where, role="admin")).json()
    assert (waiting["state"], waiting["system"], waiting["author"]) == ("waiting", BILLING, "zoé")
    impossible = (await alone.move("retire", confirm=BILLING)).headers["location"]
    async with alone.billing.running():

        async def done() -> Any:
            result = (await alone.get(where)).json()
            return result if result["state"] != "waiting" else None

        answered = await eventually(done)
        assert (answered["state"], answered["answer"]["stage"]) == ("done", "mirror")

        async def refused() -> Any:
            return (await alone.get(impossible)).json()["problem"]

        published = await eventually(refused)
        assert (published["type"], published["status"]) == ("urn:traboule:problem:invalid-transition", 409)


async def test_whoever_would_rather_not_wait_is_told_at_once_where_to_ask(staff: Staff) -> None:
    body = {"move": "mirror", "reason": "a test"}
    asked = await staff.ask("POST", f"/cutover/{BILLING}/moves", body, prefer="wait=9, Respond-Async")
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")

    async def done() -> bool:
        return (await staff.get(asked.headers["location"])).json()["state"] == "done"

    await eventually(done)
    waited = await staff.ask("POST", f"/cutover/{BILLING}/moves", body, prefer="wait=9")
    assert (waited.status_code, waited.json()["already"]) == (200, True)


@pytest.mark.parametrize("patient", [0.2])
async def test_the_same_key_is_the_same_request(alone: Staff) -> None:
    first = await alone.move("mirror", key='"one"')
    again = await alone.move("mirror", key="one")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["location"] == again.headers["location"]
    assert problem(await alone.move("mirror", key="one", by="another")) == (422, "idempotency-key-reused")
    at_once = await asyncio.gather(*(alone.move("switch", key="two") for _ in range(5)))
    assert len({item.headers["location"] for item in at_once}) == 1
    async with alone.billing.running():

        async def answered() -> bool:
            return (await alone.move("mirror", key="one")).status_code == 200

        await eventually(answered)
    assert len(await alone.stack.column("select id from cutover_requests")) == 2
    assert await alone.billing.column("select epoch from stage_history") == [1]


async def test_a_request_that_waited_too_long_is_refused(staff: Staff) -> None:
    asked_at = datetime.now(UTC) - GOOD_FOR - timedelta(seconds=1)
    assert await _answered(staff.billing, "move", {"move": "mirror"}, asked_at) == ("refused", "asked-too-long-ago")
    assert await staff.billing.column("select cluster from stages") == []


async def test_a_refusal_leaves_nothing_behind(staff: Staff) -> None:
    await staff.moved("mirror", "switch")
    await staff.late(invoice_id="F1")
    await staff.billing.query("update quarantine set body = convert_to(replace(convert_from(body, 'utf8'), "
                              "'\"gross\"', '\"gros\"'), 'utf8')")  # fmt: skip
    outcome = await _answered(staff.billing, "apply-late", {"number": 1}, datetime.now(UTC))
    assert outcome == ("refused", "late-refused")
    assert await staff.billing.column("select number from invoices") == []
    assert await staff.billing.column("select state from quarantine") == ["waiting"]
    assert await staff.billing.column("select id from outbox where routing_key !~ 'answered'") == []


@BRIEFLY
async def test_old_answers_are_forgotten(staff: Staff) -> None:
    await staff.move("mirror")
    await staff.stack.query("update cutover_requests set at = at - interval '8 days'")
    [old] = await staff.stack.column("select id from cutover_requests")
    await staff.ask("POST", "/cutover/backups", {"note": "x"}, idempotency_key="old")
    await staff.stack.query("update idempotency_keys set at = at - interval '8 days'")
    engine = create_engine(staff.stack.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="test", pool_size=1)
    await forget(engine)
    await engine.dispose()
    assert await staff.stack.column("select idempotency_key from idempotency_keys") == []
    kept = {row["id"]: row["answer"] for row in await staff.stack.query("select id, answer from cutover_requests")}
    assert kept.pop(old) is None
    assert any(kept.values())
    assert (await staff.get(f"/cutover/requests/{old}")).json()["state"] == "done"


async def test_a_value_that_no_database_can_have_is_refused_and_no_dead_letter(staff: Staff) -> None:
    outcome = await _answered(staff.billing, "note-backup", {"note": "nas\x001"}, datetime.now(UTC))
    assert outcome == ("refused", "value-impossible")
    outcome = await _answered(staff.billing, "quarantine", {"after": 2**70}, datetime.now(UTC))
    assert outcome == ("refused", "arguments-invalid")
    assert PROBLEM_OF["value-impossible"] in PROBLEMS


async def test_what_only_looks_is_kept_nowhere(staff: Staff) -> None:
    assert (await staff.get(f"/cutover/{BILLING}")).status_code == 200

    async def key_is_known() -> list[Any]:
        return await staff.billing.column("select 1 from write_access where cardinality(expires_at) = 1")

    await eventually(key_is_known)
    before = await staff.billing.column("select message from inbox order by 1")
    assert (await staff.get(f"/cutover/{BILLING}")).status_code == 200
    assert await staff.stack.column("select id from cutover_requests") == []
    assert await staff.billing.column("select message from inbox order by 1") == before


async def test_what_a_gateway_of_the_version_before_kept_and_sent_is_answered(staff: Staff) -> None:
    """It sent queries as it sends commands, and left their rows."""
    assert await _answered(staff.billing, "standing", {}, datetime.now(UTC)) == ("done", "")
    request_id = new_id(datetime.now(UTC))
    await staff.stack.query(
        "insert into cutover_requests "
        "(id, cluster, service, operation, arguments, author, key_id, at, outcome, answer) "
        "values ($1, 'numelink', 'billing', 'standing', '{}', 'zoé', 'k', now(), 'done', $2)",
        request_id,
        '{"stage": "live"}',
    )
    assert (await staff.get(f"/cutover/requests/{request_id}")).json()["answer"] == {"stage": "live"}


async def test_a_record_is_created_once_however_often_the_request_is_sent(staff: Staff) -> None:
    await staff.moved("mirror", system=MEMBERSHIP)
    await staff.moved("switch", system=MEMBERSHIP)
    body = {"fields": {"name": "Néon Atelier", "city": "Roanne"}}
    sent = [staff.ask("POST", "/records/numelink", body, role="staff", idempotency_key="k1") for _ in range(3)]
    made = await asyncio.gather(*sent)
    assert {item.status_code for item in made} == {201}
    assert len({item.headers["location"] for item in made}) == 1
    assert {item.json()["fields"]["city"] for item in made} == {"Roanne"}
    other = await staff.ask("POST", "/records/numelink", body, role="staff", idempotency_key="k2")
    assert other.headers["location"] not in {item.headers["location"] for item in made}
    changed = await staff.ask(
        "POST", "/records/numelink", {"fields": {"name": "Autre"}}, role="staff", idempotency_key="k1"
    )
    assert problem(changed) == (422, "idempotency-key-reused")
    # Whoever was refused mends the request, and sends it under the same key.
    wrong = await staff.ask("POST", "/records/numelink", {"fields": {}}, role="staff", idempotency_key="k3")
    assert wrong.status_code == 422
    right = await staff.ask("POST", "/records/numelink", body, role="staff", idempotency_key="k3")
    assert right.status_code == 201


@pytest.mark.parametrize("patient", [15.0])
async def test_who_approves_is_told_by_the_key_and_not_by_the_name_in_the_body(staff: Staff) -> None:
    line = {"code": "dues", "label": "Cotisation", "price": {"by": "flat", "amount": "100.00"}}
    grid = {"issuer": "numelink", "name": "Grille", "valid_from": "2025-07-01", "lines": [line]}
    body = {"grid": grid, "author": "secretaire", "reason": "a test"}
    proposed = (await staff.ask("POST", "/billing/grids", body)).json()
    path = f"/billing/grids/{proposed['grid_id']}/adopt"
    refused = await staff.ask("POST", path, {"author": "tresoriere", "reason": "a test"})
    assert problem(refused) == (403, "second-person")
    staff.keys.clear()
    adopted = await staff.ask("POST", path, {"author": "tresoriere", "reason": "a test"})
    assert (adopted.status_code, adopted.json()["adopted_by"]) == (200, "tresoriere"), adopted.text


async def _answered(stack: OwnService, operation: Any, arguments: Any, asked_at: datetime) -> tuple[str, str]:
    """What billing answers, and the kind of its refusal; all else that it does is committed."""
    fact = CutoverRequested(
        version=1,
        request_id=new_id(asked_at),
        responsible="billing",
        cluster="numelink",
        operation=operation,
        arguments=arguments,
        author="zoé",
        reason="a test",
        asked_at=asked_at,
    )
    message = Envelope[CutoverRequested](
        specversion="1.0", id="1", source="/traboule/membership", type=fact.type_name(), data=fact
    )
    engine = create_engine(stack.env["TRABOULE_BILLING_DATABASE_URL"], application="test", pool_size=1)
    async with engine.begin() as connection:
        uow = BillingUnitOfWork(connection, conflict_owner="somebody")
        await Answering(DEFINITION)(uow, [message])
        # Kept back: membership never asked, and would not know what is answered.
        [answer] = [orjson.loads(item.body)["data"] for item in uow.outbox._outgoing]
    await engine.dispose()
    return answer["outcome"], answer["answer"].get("kind", "")
