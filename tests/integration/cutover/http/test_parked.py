"""Parked messages and health over HTTP: looked at, corrected, sent again as far as was counted, or discarded."""

from typing import Any

import orjson
import pytest

from schemas.envelope import encode, source_of
from tests.integration.cutover.staff import Staff, problem
from tests.support.builders import an_invoice
from tests.support.waiting import eventually

KEY = "numelink.billing.invoice-recorded"
QUEUE, REPLAY, DISCARD = "billing.invoice-recorded", "/billing/parked/replay", "/billing/parked/discard"


def body(**different: Any) -> dict[str, Any]:
    """An invoice's event, as JSON."""
    return orjson.loads(encode(source_of("numelink", "billing"), [an_invoice(**different)]).body)


async def parked(staff: Staff, *bodies: dict[str, Any]) -> list[int]:
    """Let billing set these aside; their numbers."""
    before = len(await staff.billing.parked())
    for each in bodies:
        await staff.stack.publish_as("numelink.billing", orjson.dumps(each), key=KEY)

    async def numbers() -> list[int]:
        rows = await staff.billing.parked()
        return [row["id"] for row in rows] if len(rows) == before + len(bodies) else []

    return (await eventually(numbers))[before:]


async def wrong(staff: Staff, count: int = 1) -> list[int]:
    """So many invoices without an amount."""
    return await parked(staff, *(without(body(), "gross") for _ in range(count)))


def without(event: dict[str, Any], field: str) -> dict[str, Any]:
    data = {name: value for name, value in event["data"].items() if name != field}
    return {**event, "data": data}


async def post(staff: Staff, path: str, **asked: Any) -> Any:
    return await staff.ask("POST", path, {"reason": "a test", **asked})


async def statuses(staff: Staff) -> list[str]:
    return [row["status"] for row in await staff.billing.parked()]


async def test_health_says_what_waits(staff: Staff) -> None:
    await wrong(staff)
    answer = await staff.get("/billing/health", role="operator")

    health = answer.json()
    assert (answer.status_code, health["service"], health["ready"], health["parked"]) == (200, "billing", True, 1)
    assert {queue["queue"] for queue in health["queues"]} >= {QUEUE, "billing.cutover-requested"}
    assert health["waits"] == sum(queue["waiting"] for queue in health["queues"])
    assert (health["unsent"], health["refused"]) == (0, 0)
    assert health["parked_since"]


async def test_a_queue_that_is_not_there_is_not_ready(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    async def one_alone(*_: Any) -> dict[str, int]:
        return {QUEUE: 7}

    monkeypatch.setattr("services.common.app.count_waiting", one_alone)
    async with staff.billing.running():

        async def not_ready() -> Any:
            health = (await staff.get("/billing/health")).json()
            return None if health["ready"] else health

        health = await eventually(not_ready)

    assert (health["waits"], health["queues"][0]["waiting"]) == (7, None)


async def test_groups_lead_to_messages_and_each_to_its_content(staff: Staff) -> None:
    first, second, third = [*await wrong(staff, 2), *await parked(staff, {})]

    groups = (await staff.get("/billing/parked-groups", role="operator")).json()["items"]
    page = (
        await staff.get(f"/billing/parked?queue={QUEUE}&cause={groups[0]['reason']}&limit=1", role="operator")
    ).json()
    rest = (
        await staff.get(f"/billing/parked?cause={groups[0]['reason']}&after={page['next']}", role="operator")
    ).json()
    whole = (await staff.get(f"/billing/parked/{first}")).json()

    counted = [(group["count"], group["newest"], group["parked_again"]) for group in groups]
    assert counted == [(2, second, 0), (1, third, 0)]
    assert (groups[0]["queue"], groups[0]["producer"], groups[0]["example"]) == (QUEUE, "numelink.billing", first)
    assert [item["number"] for item in page["items"] + rest["items"]] == [first, second]
    assert (page["next"], rest["next"]) == (first, None)
    assert orjson.loads(whole["body"])["type"] == "fr.traboule.billing.invoice-recorded.v1"
    assert (whole["body_is"], whole["cut"], whole["status"], len(whole["history"])) == ("json", False, "parked", 1)
    assert "gross" in whole["detail"]


async def test_a_few_groups_are_named_and_all_are_counted(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [*await wrong(staff, 2), *await parked(staff, {})]
    monkeypatch.setattr("services.operations.parked.MOST_GROUPS", 1)

    answer = (await staff.get("/billing/parked-groups")).json()
    (group,) = answer["items"]
    alone = (await staff.get(f"/billing/parked-groups?queue={QUEUE}&cause={group['reason']}")).json()
    none = (await staff.get("/billing/parked-groups?queue=another")).json()

    assert (group["count"], answer["more"], answer["count"], answer["newest"]) == (2, 1, 3, numbers[-1])
    assert (alone["items"], alone["more"], alone["count"], alone["newest"]) == ([group], 0, 2, numbers[1])
    some = (await staff.get(f"/billing/parked-groups?numbers={numbers[0]}&numbers={numbers[2]}")).json()
    assert (some["count"], some["newest"], some["more"]) == (2, numbers[2], 1)
    assert (none["items"], none["more"], none["count"], none["newest"]) == ([], 0, 0, None)


async def test_a_long_body_is_cut(staff: Staff) -> None:
    (number,) = await parked(staff, {**without(body(), "gross"), "subject": "é" * 40_000})

    whole = (await staff.get(f"/billing/parked/{number}")).json()

    assert (whole["cut"], whole["body_is"]) == (True, "json")
    assert whole["body_bytes"] > 80_000
    assert len(whole["body"].encode()) <= 65_536


async def test_only_what_was_counted_is_sent_again(staff: Staff) -> None:
    first, second, third = await wrong(staff, 3)
    (group,) = (await staff.get("/billing/parked-groups")).json()["items"]
    (later,) = await wrong(staff)
    chosen = {"reason": "a test", "queue": group["queue"], "up_to": group["newest"]}

    oldest = await staff.ask("POST", REPLAY, {**chosen, "limit": 1})
    others = await staff.ask("POST", REPLAY, {**chosen, "up_to": third})

    assert (oldest.status_code, oldest.json()["replayed"], oldest.json()["more"]) == (200, [first], 2)
    assert set(others.json()["replayed"]) >= {second, third}
    assert later not in others.json()["replayed"]

    async def again() -> bool:
        rows = await staff.billing.parked()
        return [row["count"] for row in rows][-1:] == [1] and all(row["count"] > 1 for row in rows[:-1])

    await eventually(again)
    (group,) = (await staff.get("/billing/parked-groups")).json()["items"]
    assert (group["count"], group["parked_again"]) == (4, 3)
    history = (await staff.get(f"/billing/parked/{first}")).json()["history"]
    assert [(step["what"], step.get("by"), step.get("note")) for step in history][:2] == [
        ("parked", None, None),
        ("replaying", "a admin", "a test"),
    ]


@pytest.mark.parametrize(("longest", "sent"), [(1, 1), (850, 2)])
@pytest.mark.parametrize("by_number", [True, False])
async def test_no_more_bodies_are_sent_at_once_than_memory_has_room_for(
    staff: Staff, monkeypatch: pytest.MonkeyPatch, longest: int, sent: int, by_number: bool
) -> None:
    numbers = await wrong(staff, 3)
    lengths = await staff.billing.column("select octet_length(body) from dead_letters")
    assert all(300 < length < 425 for length in lengths), lengths
    monkeypatch.setattr("services.operations.parked._MOST_BYTES", longest)

    asked = {"numbers": numbers} if by_number else {"queue": QUEUE, "up_to": numbers[-1]}
    answer = (await post(staff, REPLAY, **asked)).json()

    assert (answer["replayed"], answer["nowhere"], answer["more"]) == (numbers[:sent], [], 3 - sent)


async def test_a_corrected_body_is_checked_before_it_leaves_and_applied(staff: Staff) -> None:
    event = body(invoice_id="F-7")
    (number,) = await parked(staff, without(event, "gross"))

    refused = await post(staff, REPLAY, numbers=[number], body=orjson.dumps(without(event, "net")).decode())
    assert problem(refused) == (422, "body-refused")
    assert "net" in refused.json()["detail"]
    assert await statuses(staff) == ["parked"]
    done = await post(staff, REPLAY, numbers=[number], body=orjson.dumps(event).decode())
    assert (done.status_code, done.json()["replayed"]) == (200, [number])

    async def applied() -> bool:
        return await staff.billing.column("select invoice_id from invoices") == ["F-7"]

    await eventually(applied)
    whole = (await staff.get(f"/billing/parked/{number}")).json()
    assert whole["status"] == "replayed"
    assert orjson.loads(whole["body"]) == event
    assert all("body_before" not in step for step in whole["history"])


async def test_the_longest_corrected_body_is_read(staff: Staff) -> None:
    (number,) = await wrong(staff)
    text = "[" + ",".join(['""'] * 21_000) + "]"
    refused = await post(staff, REPLAY, numbers=[number], body=text)
    assert problem(refused) == (422, "body-refused")


async def test_what_is_discarded_stays_readable(staff: Staff) -> None:
    first, second = await wrong(staff, 2)

    done = await post(staff, DISCARD, numbers=[first])

    assert (done.status_code, done.json()) == (200, {"service": "billing", "discarded": [first], "more": 0})
    listed = (await staff.get("/billing/parked?status=discarded")).json()["items"]
    assert [item["number"] for item in listed] == [first]
    assert problem(await post(staff, DISCARD, numbers=[first, second])) == (409, "dead-letter-not-parked")
    assert await statuses(staff) == ["discarded", "parked"]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        (REPLAY, {}),
        (REPLAY, {"numbers": []}),
        (REPLAY, {"numbers": [1], "up_to": 1}),
        (REPLAY, {"numbers": [1], "queue": QUEUE}),
        (REPLAY, {"numbers": [1, 2], "body": "{}"}),
        (REPLAY, {"up_to": 5, "body": "{}"}),
        (DISCARD, {"queue": QUEUE}),
    ],
)
async def test_what_is_not_chosen_clearly_is_refused(staff: Staff, path: str, asked: dict[str, Any]) -> None:
    assert (await post(staff, path, **asked)).status_code == 422


async def test_who_may(staff: Staff) -> None:
    (number,) = await wrong(staff)
    for path in (f"/billing/parked/{number}", REPLAY, DISCARD):
        method = "GET" if path.endswith(str(number)) else "POST"
        assert (await staff.ask(method, path, {"reason": "so", "numbers": [number]}, role="staff")).status_code == 403
    edited = {"reason": "so", "numbers": [number], "body": "{}"}
    assert problem(await staff.ask("POST", REPLAY, edited, role="operator")) == (403, "right-missing")
    for path in ("/billing/health", "/billing/parked-groups", "/billing/parked"):
        assert (await staff.get(path, role="reader")).status_code == 403
    assert problem(await staff.get("/billing/parked/999999"))[0] == 404
    assert (await staff.get("/membership/health", role="operator")).json()["service"] == "membership"
