"""A queue that is full pushes back on whoever publishes, and loses nothing."""

import asyncio
from typing import Any

import aio_pika
import pytest
from aio_pika.exceptions import DeliveryError

from deploy.provisioning import definitions
from schemas.billing import InvoiceRecorded
from shared.importing import publish
from tests.support.builders import an_invoice
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

APPLIED = "select invoice_id from invoices"


def policy(own: OwnService, name: str, pattern: str, **limits: Any) -> None:
    body = {"pattern": pattern, "apply-to": "queues", "priority": 10, "definition": limits}
    definitions.call(own.management_url, "PUT", f"/api/policies/{own.vhost}/{name}", body)


def without_policy(own: OwnService, name: str) -> None:
    definitions.call(own.management_url, "DELETE", f"/api/policies/{own.vhost}/{name}")


async def full(own: OwnService) -> bool:
    """Whether the policy has reached the queue, told by the broker itself."""
    facts = [an_invoice() for _ in range(4)]
    return any(isinstance(text, DeliveryError) for text in await said(own, facts))


async def said(own: OwnService, facts: list[InvoiceRecorded]) -> list[str | BaseException]:
    """One after another: the message's id of each that was confirmed, the error of each that was not."""
    return [
        (await asyncio.gather(own.publish_as("numelink.billing", fact), return_exceptions=True))[0] for fact in facts
    ]


async def test_a_former_system_is_refused_by_a_full_queue_and_what_was_confirmed_is_applied(
    empty_billing: OwnService,
) -> None:
    own = empty_billing
    policy(own, "small", r"^billing\.invoice-recorded$", **{"max-length-bytes": 5_000})
    try:
        await eventually(lambda: full(own))
        definitions.call(own.management_url, "DELETE", f"/api/queues/{own.vhost}/billing.invoice-recorded/contents")
        facts = [an_invoice() for _ in range(20)]
        results = await said(own, facts)
        refused = [fact for fact, result in zip(facts, results, strict=True) if isinstance(result, DeliveryError)]
        confirmed = {fact.invoice_id for fact, result in zip(facts, results, strict=True) if isinstance(result, str)}
        assert refused
        assert confirmed
        assert len(refused) + len(confirmed) == len(facts), results
        async with own.running():

            async def taken() -> bool:
                return confirmed <= set(await own.column(APPLIED))

            await eventually(taken)
            # There is room again, so that the former system can say the rest again, as it must.
            for fact in refused:
                await own.publish_as("numelink.billing", fact)

            async def whole() -> bool:
                return {fact.invoice_id for fact in facts} <= set(await own.column(APPLIED))

            await eventually(whole)
        assert await own.parked() == []
    finally:
        without_policy(own, "small")


async def test_what_no_queue_wants_is_refused_when_its_queue_is_full_and_kept_until_then(
    empty_billing: OwnService,
) -> None:
    own, user, key = empty_billing, "numelink.billing", "numelink.billing.nobody-hears-this"
    policy(own, "small", r"^billing\.unrouted$", **{"max-length-bytes": 2_000, "overflow": "reject-publish"})
    sent = list[str]()
    try:

        async def refused() -> bool:
            body = f"{len(sent):0500}".encode()
            try:
                await own.publish_as(user, body, key=key)
            except DeliveryError:
                return True
            sent.append(body.decode())
            return False

        await eventually(refused)
        assert sent
        await own.publish_as("clustr-numerique.billing", an_invoice())
        async with own.running():

            async def parked() -> bool:
                return {row["body"].decode() for row in await own.parked()} >= set(sent)

            await eventually(parked)
    finally:
        without_policy(own, "small")


async def test_what_our_own_relay_cannot_hand_over_waits_in_the_outbox_and_goes_out_later(billing: OwnService) -> None:
    # `heard` stands for another service's queue: the policy makes it one that pushes back.
    policy(billing, "tiny", "^heard$", **{"max-length": 3, "overflow": "reject-publish"})
    try:
        facts: list[InvoiceRecorded] = []

        # A policy reaches its queue some moments after it was set: what went through until then does not count.
        async def held_back() -> bool:
            facts.append(an_invoice())
            await billing.publish_as("numelink.billing", facts[-1])
            return bool(await billing.column("select id from outbox where attempts > 0"))

        await eventually(held_back)
        assert len(await billing.column(APPLIED)) > 0, "a full queue elsewhere must not stop this service"
        reasons = await billing.column("select distinct last_error from outbox where attempts > 0")
        assert reasons == ["DeliveryError"]
    finally:
        without_policy(billing, "tiny")
    announced = {document["data"]["invoice_id"] for document in await heard_all(billing, len(facts))}
    assert announced == {fact.invoice_id for fact in facts}

    async def empty() -> bool:
        return await billing.column("select id from outbox") == []

    await eventually(empty, 30)


async def heard_all(own: OwnService, number: int) -> list[dict[str, Any]]:
    """Events from `heard` until there are so many different ones; what was tried twice may come twice."""
    document: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(60):
        while len(document) < number:
            for item in await own.heard(1):
                document[item["data"]["invoice_id"]] = item
    return list(document.values())


async def test_a_user_beyond_its_limit_of_connections_is_refused_and_the_others_are_not(
    empty_billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = empty_billing
    url = own.env["TRABOULE_BROKER_URL_NUMELINK_BILLING"]
    connections = [await aio_pika.connect(url, timeout=10) for _ in range(50)]
    try:
        with pytest.raises(Exception, match=r"Connection\.Close"):
            await aio_pika.connect(url, timeout=10)
        with monkeypatch.context() as patch:
            patch.setattr(publish, "PATIENCE", -1)
            with pytest.raises(publish.NotPublishedError, match="too many open connections"):
                await publish.Publisher(url, "traboule").run([])
        await own.publish_as("clustr-numerique.billing", an_invoice())
        async with own.running() as service:
            assert (await service.checks())["broker"]
    finally:
        for connection in connections:
            await connection.close()
