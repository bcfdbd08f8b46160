"""What a person does with dead letters, by the command that he types."""

from pathlib import Path

import aio_pika
import orjson
import pytest

from services.billing.mirror.repository import BillingUnitOfWork
from shared.messaging.topology import DELIVERY_LIMIT
from tests.support.builders import an_invoice
from tests.support.command import traboule
from tests.support.in_process import OwnService
from tests.support.messages import KEY, NUMELINK, applied, event_of, parked
from tests.support.waiting import eventually


async def park_one(billing: OwnService, **fields: object) -> tuple[str, dict[str, object]]:
    """Publish an invoice with a bad amount; its dead letter's id, and its event."""
    event = event_of(an_invoice(), gross="a lot", **fields)
    await billing.publish_as(NUMELINK, orjson.dumps(event), key=KEY)
    (row,) = await parked(billing)
    return f"billing:{row['id']}", event


async def test_a_replay_applies_what_a_repaired_service_accepts_and_keeps_the_history(
    billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise LookupError

    with monkeypatch.context() as patch:
        patch.setattr(BillingUnitOfWork, "save_invoices", broken)
        await billing.publish_as(NUMELINK, invoice := an_invoice())
        (row,) = await parked(billing)
    answer = await traboule("dead-letters", "replay", f"billing:{row['id']}", "--note", "fixed in 1.4", "--by", "Zoé")

    assert (answer.exit_code, answer.out) == (0, "billing: 1 replayed\n")
    await applied(billing, [invoice])
    (row,) = await parked(billing, status="replayed")
    steps = orjson.loads(row["history"])
    assert [step["what"] for step in steps] == ["parked", "replaying", "replayed"]
    assert (steps[1]["by"], steps[1]["note"]) == ("Zoé", "fixed in 1.4")


async def test_a_replay_that_fails_again_is_parked_again_and_counted(billing: OwnService) -> None:
    number, _ = await park_one(billing)
    for _ in range(2):
        await parked(billing)
        await traboule("dead-letters", "replay", number)

    async def counted() -> bool:
        return await billing.column("select count from dead_letters where status = 'parked'") == [3]

    await eventually(counted)
    (row,) = await billing.parked()
    assert [step["what"] for step in orjson.loads(row["history"])] == ["parked", "replaying"] * 2 + ["parked"]


async def test_an_edited_body_is_applied_and_the_former_one_is_kept(billing: OwnService, tmp_path: Path) -> None:
    number, event = await park_one(billing)
    assert isinstance(event["data"], dict)
    corrected = tmp_path / "corrected.json"
    corrected.write_bytes(orjson.dumps(event | {"data": event["data"] | {"gross": "120.00"}}))
    await traboule("dead-letters", "replay", number, "--edit", str(corrected))

    await parked(billing, status="replayed")
    assert await billing.column("select gross::text from invoices") == ["120.00"]
    shown = (await traboule("dead-letters", "show", number, "--json")).json
    assert shown["body"]["data"]["gross"] == "120.00"
    assert any("body_before" in step for step in shown["history"])


async def test_a_discard_needs_a_note_and_stays_readable(billing: OwnService) -> None:
    number, _ = await park_one(billing)
    assert (await traboule("dead-letters", "discard", number)).exit_code == 2
    assert (await traboule("dead-letters", "discard", number, "--note", " ")).exit_code == 2
    assert (await traboule("dead-letters", "discard", number, "--note", "sent by mistake")).exit_code == 0

    assert (await traboule("dead-letters", "list", "--json")).json == []
    (group,) = (await traboule("dead-letters", "list", "--status", "discarded", "--json")).json
    assert group["example"] == number
    assert (await traboule("dead-letters", "replay", number)).exit_code == 1, (
        "what was decided is not undone by accident"
    )


async def test_the_list_groups_by_reason_and_names_an_example(billing: OwnService) -> None:
    for _ in range(3):
        await billing.publish_as(NUMELINK, orjson.dumps(event_of(an_invoice(), gross="a lot")), key=KEY)
    await billing.publish_as(NUMELINK, b"{", key=KEY)
    await parked(billing, 4)

    groups = (await traboule("dead-letters", "list", "--json")).json
    assert [(group["reason"], group["count"]) for group in groups] == [("invalid-field", 3), ("not-json", 1)]
    printed = (await traboule("dead-letters", "list")).out
    assert "invalid-field" in printed
    assert groups[0]["example"] in printed


async def test_all_of_one_reason_are_replayed_and_the_others_are_left(billing: OwnService) -> None:
    await billing.publish_as(NUMELINK, b"{", key=KEY)
    await billing.publish_as(NUMELINK, orjson.dumps(event_of(an_invoice(), gross="a lot")), key=KEY)
    await parked(billing, 2)
    answer = await traboule("dead-letters", "replay", "--reason", "not-json", "--json")

    assert answer.json == {"replayed": {"billing": 1}}

    async def one_counted_again() -> bool:
        rows = await billing.query("select reason, count from dead_letters where status = 'parked' order by reason")
        return [(row["reason"], row["count"]) for row in rows] == [("invalid-field", 1), ("not-json", 2)]

    await eventually(one_counted_again)


async def test_a_misspelt_routing_key_is_mended_by_naming_the_queue(billing: OwnService) -> None:
    await billing.publish_as(NUMELINK, invoice := an_invoice(), key="numelink.billing.invoice-recoreded")
    (row,) = await parked(billing)
    lost = await traboule("dead-letters", "replay", f"billing:{row['id']}")
    assert lost.exit_code == 2
    assert "--to" in lost.err
    await traboule("dead-letters", "replay", f"billing:{row['id']}", "--to", "billing.invoice-recorded")

    await applied(billing, [invoice])
    await parked(billing, status="replayed")


async def test_one_that_has_nowhere_to_go_keeps_none_of_the_others(billing: OwnService) -> None:
    await billing.publish_as(NUMELINK, an_invoice(), key="numelink.billing.invoice-recoreded")
    (lost,) = await parked(billing)
    await billing.publish_as(NUMELINK, b"{", key=KEY)
    await parked(billing, 2)
    answer = await traboule("dead-letters", "replay", "--all")

    assert (answer.exit_code, answer.out) == (2, "billing: 1 replayed\n")
    assert f"no queue takes billing:{lost['id']}" in answer.err
    everywhere = await traboule("dead-letters", "replay", "--all", "--to", "billing.invoice-recorded")
    assert everywhere.exit_code == 2
    assert "name the ids" in everywhere.err


async def test_showing_one_warns_that_it_holds_personal_data(billing: OwnService) -> None:
    number, _ = await park_one(billing)
    answer = await traboule("dead-letters", "show", number)

    assert "personal data" in answer.err
    assert "data.gross" in answer.out
    assert '"gross": "a lot"' in answer.out


async def test_a_json_body_gives_the_terminal_no_orders_and_loses_nothing(billing: OwnService) -> None:
    number, _ = await park_one(billing, label="\u009b31m \u202e \x7f \u2028 \U000e0041 é")
    answer = await traboule("dead-letters", "show", number)

    assert not set("\u009b\u202e\x7f\u2028\U000e0041") & set(answer.out)
    assert "\\u009b31m \\u202e \\u007f \\u2028 \\udb40\\udc41 é" in answer.out


@pytest.mark.parametrize(
    ("arguments", "exit_code", "text"),
    [
        (["replay"], 2, "--reason, --queue or --all"),
        (["replay", "billing:1", "--all"], 2, "--reason, --queue or --all"),
        (["replay", "12"], 2, "billing:12"),
        (["replay", "billing:999"], 1, "not parked"),
        (["replay", "--all"], 1, "nothing that is parked matches"),
        (["show", "billing:999"], 1, "no dead letter billing:999"),
        (["show", "dues:1"], 2, "billing:12"),
        (["list", "--service", "dues"], 2, "no service 'dues'"),
        (["list", "--status", "lost"], 2, "--status is one of"),
        (["replay", "--all", "--edit", "pyproject.toml"], 2, "one message"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_what_cannot_be_done_is_said_clearly(
    billing: OwnService, arguments: list[str], exit_code: int, text: str
) -> None:
    answer = await traboule("dead-letters", *arguments)

    assert answer.exit_code == exit_code
    assert text in " ".join(answer.err.replace("│", " ").split())


async def test_what_a_crashing_service_returned_too_often_is_parked_and_can_be_replayed(
    empty_billing: OwnService,
) -> None:
    await empty_billing.publish_as(NUMELINK, invoice := an_invoice())
    async with await aio_pika.connect(empty_billing.env["TRABOULE_BILLING_BROKER_URL"]) as connection:
        queue = await (await connection.channel()).get_queue("billing.invoice-recorded", ensure=False)

        async def given_back() -> bool:
            message = await queue.get(fail=False)
            if message is not None:
                await message.reject(requeue=True)
            return message is not None

        for _ in range(DELIVERY_LIMIT + 1):
            await eventually(given_back)

    async with empty_billing.running():
        (row,) = await parked(empty_billing)
        assert (row["queue"], row["reason"]) == ("billing.dead", "returned-too-often")
        assert "billing.invoice-recorded" in row["detail"]
        assert (row["producer"], row["routing_key"]) == (NUMELINK, KEY)
        await traboule("dead-letters", "replay", f"billing:{row['id']}")
        await applied(empty_billing, [invoice])
        await parked(empty_billing, status="replayed")


@pytest.mark.parametrize("producer", ["clustr-numerique.billing", "traboule.events", None])
async def test_a_foreign_message_is_not_replayed_to_a_former_system_that_believes_us(
    billing: OwnService, producer: str | None
) -> None:
    """Who could put a message into a write-back queue could not have it sent again under our own name."""
    queue = f"{NUMELINK}.way-back"
    (number,) = await billing.column(
        "insert into dead_letters (queue, digest, producer, routing_key, headers, body, reason, detail) "
        "values ('billing.dead', 'd', $1, $2, $3::json, 'x', 'expired', '') returning id",
        producer,
        queue,
        orjson.dumps({"x-death": [{"queue": queue}]}).decode(),
    )
    answer = await traboule("dead-letters", "replay", f"billing:{number}")

    assert answer.exit_code == 2
    assert f"billing:{number} is no message of the billing service: {queue} takes no other's" in answer.err
    assert await billing.column("select status from dead_letters") == ["parked"]
