"""A late message that says just what is kept asks nobody."""

from typing import Any

import orjson
import pytest

from schemas.membership import MemberRecorded, MemberRemoved
from services.cli.registry import definition_of
from services.cutover import late_messages, operations, preconditions, quarantine, quarantine_operations
from services.membership.records.record import RecordKey
from services.membership.usecases.edit_record import By, Command, execute_command
from shared.runtime.clock import Clock
from tests.integration.cutover.late_messages.mirrors import CLUSTER, KINDS, WHY, MirrorUnderTest
from tests.support import builders
from tests.support.statements import notice_statements


@pytest.mark.parametrize("name", KINDS)
async def test_nobody_is_asked_about_what_says_just_what_is_held(stack_of: Any, name: str) -> None:
    kind = KINDS[name]
    services: MirrorUnderTest = await stack_of(kind.service)
    await services.write(kind.a(1, "held", 5), kind.a(2, "two", 5))
    await services.move("mirror", "switch")
    before = await services.mirrored_records(kind), len(await services.outbox(kind.changed or MemberRecorded))
    answer = await services.write(
        kind.a(1, "held", 9), kind.a(1, "other", 10), kind.a(2, "held", 6), kind.a(1, "held", 4), kind.a(3, "three", 1)
    )
    assert (await services.mirrored_records(kind), len(await services.outbox(kind.changed or MemberRecorded))) == before
    async with services.transaction() as uow:
        kept = await quarantine.listed(uow.connection, state=None)
        shown = await quarantine_operations.quarantined(uow, definition_of(kind.service), CLUSTER, "waiting")
        [line] = await operations.board(uow, definition_of(kind.service), [CLUSTER])
        condition = await preconditions.quarantine(uow.connection, kind.service, CLUSTER)
    settled, asked = ("applied", "traboule", "says what is held"), ("waiting", None, None)
    assert [(item.state, item.decided_by, item.reason) for item in kept] == [settled, asked, asked, settled, asked]
    assert [(item.message_id, bytes(item.body)) for item in kept] == [(item.id, item.encode()) for item in answer]
    assert all((item.decided_at is None) == (item.state == "waiting") for item in kept)
    assert [item["message_id"] for item in shown] == [answer[1].id, answer[2].id, answer[4].id]
    assert line["quarantine"] == 3
    assert not condition.holds

    await services.apply_all()
    assert await services.waiting() == []
    await services.write(kind.a(1, "held", 11), kind.a(1, "other", 12))
    [waits] = await services.waiting()
    assert orjson.loads(waits.body)["data"]["version"] == 11, "it says what was held before the other was applied"
    async with services.transaction() as uow:
        with pytest.raises(late_messages.LateMessageError, match="was applied by traboule already"):
            await late_messages.dismiss(uow, definition_of(kind.service), kept[0].number, **WHY)


async def test_who_is_said_to_have_had_a_mailing_is_what_counts_not_who_is_left_out(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("communications")
    about = {"mailing_id": "L1", "subject": "La lettre"}
    await services.write(builders.a_mailing(**about, version=1, recipients=("A", "B")))
    await services.move("mirror", "switch")
    for version, recipients in enumerate([("A",), ("B", "A"), (), ("A", "C")], 2):
        await services.write(builders.a_mailing(**about, version=version, recipients=recipients))
    [waits] = await services.waiting()
    assert orjson.loads(waits.body)["data"]["recipients"] == ["A", "C"]


async def test_a_removal_of_what_is_not_held_asks_nobody(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("membership")
    await services.write(builders.a_member(record_id="R1", city="Lyon", version=5))
    await services.move("mirror", "switch")
    await services.write(MemberRemoved(record_id="unknown", version=1), MemberRemoved(record_id="R1", version=6))
    [waits] = await services.waiting()
    assert orjson.loads(waits.body)["data"]["record_id"] == "R1"
    await services.apply_all()
    await services.write(MemberRemoved(record_id="R1", version=7, reason="a doublet"))
    assert await services.waiting() == []
    await services.write(builders.a_member(record_id="R1", city="Lyon", version=8))
    assert len(await services.waiting()) == 1, "it was removed, and is said to be there"


async def test_what_was_written_here_comes_back_without_a_question_and_is_not_told_again(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("membership")
    await services.write(KINDS["member"].a(1, "Lyon", 5))
    await services.move("mirror", "switch")
    async with services.transaction() as uow:
        key, fields = RecordKey(CLUSTER, "R1"), {"city": "Roanne"}
        command = Command("change", key, lambda _: fields, By("zoé"), "c-1", Clock().now())
        await execute_command(uow, command)
        [written] = (await uow.connection.exec_driver_sql("select written::text from source_records")).scalars()
        outbox = "select count(*) from outbox where routing_key like '%member-written%'"
        assert (await uow.connection.exec_driver_sql(outbox)).scalar_one() == 0, "it leaves with the transaction"
    echo = MemberRecorded.model_validate_json(written).model_copy(update={"version": 6})
    await services.write(KINDS["member"].a(1, "Lyon", 5), echo)
    [waits] = await services.waiting()
    assert orjson.loads(waits.body)["data"]["city"] == "Lyon", "it says what was held before"
    async with services.transaction() as uow:
        assert (await uow.connection.exec_driver_sql(outbox)).scalar_one() == 1
    # We are the authority still, and after a rollback whatever it says next counts, however it numbers it.
    await services.move("rollback")
    await services.write(KINDS["member"].a(1, "Feurs", 7))
    assert await services.mirrored_records(KINDS["member"]) == {"R1": ("Feurs", 7)}


async def test_a_full_batch_is_compared_by_one_statement(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("billing")
    facts = [KINDS["invoice"].a(item, f"text {item}", 1) for item in range(500)]
    await services.write(*facts)
    await services.move("mirror", "switch")
    statements: list[str] = []

    end = notice_statements(lambda _, statement: statements.append(statement))
    try:
        await services.write(*(fact.model_copy(update={"version": 2}) for fact in facts))
    finally:
        end()
    assert sum("invoices" in statement for statement in statements) == 1
    assert len(statements) < 10, "as many as for one message"
    assert await services.waiting() == []
