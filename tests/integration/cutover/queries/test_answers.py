"""Queries by RPC, over a real broker: answered by one replica, refused in words, or given up in time."""

import asyncio
from typing import Any

import aio_pika
import orjson
import pytest
from aio_pika import Message
from aio_pika.exceptions import DeliveryError

from deploy.provisioning import definitions
from schemas.operations import OPERATIONS
from services.common import queries as answering
from services.gateway.auth.rights import roles_with
from services.operations import running
from shared.messaging.rpc import QUEUE_LENGTH
from tests.integration.cutover.queries.questions import MIRROR, QUEUE, answers, asked_as, channel_of, counted, waiting
from tests.integration.cutover.staff import BILLING, MEMBERSHIP, Staff, problem
from tests.support.builders import an_invoice
from tests.support.waiting import eventually

WAVE = QUEUE_LENGTH // 4


BRIEFLY = pytest.mark.parametrize("patient", [0.5])


async def test_what_a_service_mirrors_is_told_by_cluster(staff: Staff) -> None:
    assert (await staff.get(MIRROR, role="staff")).json() == {"service": "billing", "items": []}
    await staff.stack.publish_as("numelink.billing", an_invoice(invoice_id="F1"))
    await staff.stack.publish_as("numelink.billing", an_invoice(invoice_id="F2"))
    await staff.stack.publish_as("clustr-numerique.billing", an_invoice(invoice_id="F1"))

    async def mirrored() -> Any:
        items = (await staff.get(MIRROR)).json()["items"]
        counts = {each["cluster"]: each["records"] for each in items}
        return items if counts == {"clustr-numerique": {"invoice": 1}, "numelink": {"invoice": 2}} else None

    items = await eventually(mirrored)
    assert all(each["newest_received_at"] > "2026" for each in items)
    only = (await staff.get(f"{MIRROR}?cluster=numelink&lang=fr")).json()["items"]
    assert only == [each for each in items if each["cluster"] == "numelink"]


@pytest.mark.parametrize("name", ["standing", "conditions", "history", "quarantine", "way-back"])
async def test_what_is_answered_is_what_is_declared(staff: Staff, name: str) -> None:
    await staff.moved("mirror", system=MEMBERSHIP)
    (operation,) = (each for each in OPERATIONS if each.name == name)
    cluster, service = MEMBERSHIP.split("/")
    published = (
        await staff.get(operation.path.format(cluster=cluster, service=service), role=roles_with(operation.right)[-1])
    ).json()
    read = operation.answer.model_validate(published).model_dump(by_alias=True)
    assert set(published) == set(read), "no field is missing, and none is undeclared"


async def test_two_replicas_answer_each_question_once(staff: Staff) -> None:
    async with staff.billing.running():

        async def both() -> bool:
            queue = definitions.call(staff.stack.management_url, "GET", f"/api/queues/{staff.stack.vhost}/{QUEUE}")
            return queue.get("consumers") == 2

        await eventually(both, 30)
        before = counted("done")
        asked = await asyncio.gather(*(staff.get(MIRROR) for _ in range(20)))
        assert {each.status_code for each in asked} == {200}
        assert counted("done") == before + 20


async def test_a_query_cannot_write(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    async def writes(uow: Any, *_: Any) -> running.Result:
        await uow.connection.exec_driver_sql("insert into backups (by, note) values ('nobody', 'by a query')")
        return running.Result("done", {})

    monkeypatch.setattr(answering, "carry_out", writes)
    assert (await staff.get(MIRROR)).status_code >= 500
    assert await staff.billing.column("select note from backups") == []


async def test_who_may_not_ask_and_what_is_asked_wrongly_reaches_nobody(staff: Staff) -> None:
    before = counted("done")
    assert problem(await staff.get(MIRROR, role="reader")) == (403, "right-missing")
    assert (await staff.client.get(MIRROR)).status_code == 401
    unknown = await staff.get(f"{MIRROR}?colour=red")
    assert problem(unknown) == (422, "invalid-parameters")
    assert unknown.json()["errors"] == [{"field": "colour", "message": "is no parameter here"}]
    assert (await staff.ask("POST", MIRROR)).status_code == 405
    assert counted("done") == before


async def test_an_answer_that_is_too_large_is_refused(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST_ANSWER", 10)
    refused = await staff.get(MIRROR)
    assert problem(refused) == (409, "answer-too-long")
    assert "request" not in refused.json()


async def test_a_command_is_not_taken_for_a_query(staff: Staff) -> None:
    question = {"operation": "move", "cluster": "numelink", "arguments": {"move": "mirror"}, "author": "zoé"}
    reply = await asked_as(staff, "membership", orjson.dumps(question))
    assert reply is not None
    assert (reply.type, orjson.loads(reply.body)["kind"]) == ("refused", "operation-unknown")
    assert await staff.billing.column("select cluster from stages") == []


@BRIEFLY
async def test_a_service_that_does_not_run_is_named_and_nothing_is_kept(alone: Staff) -> None:
    away = await alone.get(f"/cutover/{BILLING}?lang=fr")
    assert problem(away) == (503, "service-away")
    assert away.json()["service"] == "billing"
    assert away.json()["title"] == "Le service interrogé ne répond pas"
    assert away.json()["detail"] == "billing did not answer within 0.5 s"
    assert away.headers["retry-after"] == "5"
    assert await alone.stack.column("select id from cutover_requests") == []

    async def gone() -> bool:
        return await waiting(alone) == 0

    await eventually(gone)
    # The gateway goes on meanwhile, and what it knows itself it tells.
    assert (await alone.get("/cutover")).status_code == 200


async def test_a_service_without_a_queue_is_away_at_once(alone: Staff) -> None:
    """Nobody provisioned events here: the broker returns the question, and nobody waits ten seconds for it."""
    async with asyncio.timeout(8):
        away = await alone.get("/events/mirror")
    assert (problem(away), away.json()["service"]) == ((503, "service-away"), "events")


async def fill(channel: aio_pika.abc.AbstractChannel) -> None:
    """Publish questions until the broker refuses one.

    In waves: a quorum queue's limit is a soft one, which a channel learns of a moment later; and on a slow machine the
    first questions have expired before the last is published.
    """
    async with asyncio.timeout(30):
        while True:
            wave = [channel.default_exchange.publish(Message(b"{}"), QUEUE, mandatory=True) for _ in range(WAVE)]
            confirmed = await asyncio.gather(*wave, return_exceptions=True)
            if any(isinstance(each, DeliveryError) for each in confirmed):
                return


@BRIEFLY
async def test_a_full_queue_is_told_at_once_and_empties_by_itself(alone: Staff) -> None:
    async with channel_of(alone, "membership") as channel:
        await fill(channel)
    full = await alone.get(MIRROR)
    assert problem(full) == (503, "service-away")

    async def gone() -> bool:
        return await waiting(alone) == 0

    await eventually(gone, 30)


@pytest.mark.parametrize(
    ("error", "numbers"),
    [(ConnectionRefusedError(), (503, "service-away")), (RuntimeError("a secret"), (500, "service-failed"))],
)
async def test_a_service_that_cannot_answer_is_named(
    staff: Staff, monkeypatch: pytest.MonkeyPatch, error: Exception, numbers: tuple[int, str]
) -> None:
    async def fails(*_: Any) -> running.Result:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(answering, "carry_out", fails)
        failed = await staff.get(MIRROR)
    assert (problem(failed), failed.json()["service"]) == (numbers, "billing")
    assert "secret" not in failed.text
    assert (await staff.get(MIRROR)).status_code == 200


async def test_a_question_in_hand_is_answered_before_its_service_stops(
    alone: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_flight = asyncio.Event()

    async def slowly(*_: Any) -> running.Result:
        in_flight.set()
        await asyncio.sleep(1)
        return running.Result("done", {"service": "billing", "items": []})

    async with alone.billing.running():
        await answers(alone)
        monkeypatch.setattr(answering, "carry_out", slowly)
        asked = asyncio.create_task(alone.get(MIRROR))
        await in_flight.wait()
    assert (await asked).status_code == 200
