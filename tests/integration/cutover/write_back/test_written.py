"""The way back: what is written here reaches the former system in its own columns."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aiormq.exceptions import ChannelAccessRefused

from schemas.commands import ChangeMember, CreateMember, EndMembership
from schemas.membership import MemberRemoved
from schemas.membership_write_back import MemberWritten
from services.common import republish
from services.membership.cutover import write_back
from services.membership.legacy import kind_for
from services.membership.legacy.export import read_back
from services.membership.records.ids import new_id
from shared.runtime.clock import Clock
from tests.integration.cutover.write_back.stories import (
    BY,
    CONNECTIONS_ARE_CLOSED,
    QUEUE,
    STAFF,
    SYSTEM,
    TODAY,
    USER,
    ask,
    change,
    cutover,
    send,
    switch,
    told,
    version_of,
)
from tests.support import servers
from tests.support.builders import a_member
from tests.support.command import traboule
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

CONSUMER = Path(__file__).parents[4] / "schemas" / "clients" / "python" / "way_back.py"
pytestmark = CONNECTIONS_ARE_CLOSED


async def late(stack: OwnService, fact: Any) -> str:
    message_id = await stack.publish_as(USER, fact)

    async def waits() -> list[int]:
        return await stack.column("select id from quarantine where message_id = $1", message_id)

    return f"membership:{(await eventually(waits))[0]}"


async def consumed(stack: OwnService, folder: Path) -> tuple[int, str]:
    """How many messages our own consumer reads, and the town of B-1 as it keeps it then."""
    await eventually(lambda: stack.column("select true where not exists (select from outbox)"))
    url, kept = servers.broker_url(stack.env, USER), folder / "members.sqlite"
    env = {"PATH": os.environ["PATH"], "TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP": url}
    command = [sys.executable, str(CONSUMER), str(kept)]
    done = await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with contextlib.closing(sqlite3.connect(kept)) as database:
        [(record_id, fact)] = database.execute("select record_id, told from written").fetchall()
    assert record_id == "B-1"
    return int(done.stdout), cells(MemberWritten.model_validate_json(fact))["Ville"]


def cells(fact: MemberWritten, row: int = 0) -> dict[str, str]:
    return dict(zip(fact.columns, fact.rows[row], strict=True))


async def test_every_command_is_told_in_the_former_systems_own_columns(live: OwnService) -> None:
    await change(live, city="Rive-de-Gier", email="forges@gier.example")
    new = new_id(Clock().now())
    await ask(live, CreateMember(**BY, record_id=new, fields={"name": "Néon Atelier"}), name="Néon Atelier")
    first, second = await told(live, 2)
    assert (first.cluster, first.record_id, first.product, first.file) == (
        "numelink",
        "B-1",
        "galette",
        "Galette members",
    )
    assert first.version < second.version
    shown = cells(first)
    assert (shown["ID de l'adhérent"], shown["Ville"], shown["Courriel"]) == (
        "B-1",
        "Rive-de-Gier",
        "forges@gier.example",
    )
    assert (first.left_out, first.new_id, first.removed) == ((), False, False)
    assert (second.record_id, second.new_id, cells(second)["Personne morale"]) == (new, True, "Néon Atelier")

    seen = await version_of(live, "B-1")
    await ask(live, EndMembership(**BY, record_id="B-1", expected_version=seen, on=TODAY), status="ended")
    [ended] = await told(live, 1)
    assert (cells(ended)["Compte"], ended.left_out) == ("Non", ("ended_on",))


async def test_a_former_system_reads_its_own_queue_and_no_other(live: OwnService) -> None:
    await change(live, city="Lyon")

    async def refused(user: str, queue: str) -> bool:
        async with await aio_pika.connect(servers.broker_url(live.env, user), timeout=10) as connection:
            channel = await connection.channel()
            try:
                await (await channel.get_queue(queue, ensure=False)).get(fail=False, timeout=5)
            except ChannelAccessRefused:
                return True
            return False

    for user, queue in (
        ("clustr-numerique.membership", QUEUE),
        (USER, "clustr-numerique.membership.way-back"),
        (USER, "membership.member-recorded"),
        (USER, "membership.dead"),
        (STAFF, QUEUE),
        ("traboule.membership", QUEUE),
    ):
        assert await refused(user, queue), (user, queue)
    assert not await refused("clustr-numerique.membership", "clustr-numerique.membership.way-back")
    assert len(await told(live, 1)) == 1


async def test_nothing_is_told_while_the_former_system_is_the_authority_nor_once_it_is_retired(
    live: OwnService,
) -> None:
    assert (await cutover("rollback", SYSTEM, "--reason", "a test")).exit_code == 0
    seen = await version_of(live, "B-1")
    await send(live, ChangeMember(**BY, record_id="B-1", expected_version=seen, fields={"city": "Lyon"}))
    await eventually(lambda: _parked(live, "not-the-authority"))
    await switch()
    await live.query("update stages set stage = 'retired'")  # with no broker user's right taken away for other tests
    await change(live, city="Vienne")
    await live.heard(1)
    assert await told(live, 0) == []


async def test_all_that_was_written_here_can_be_told_again_page_by_page(
    live: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = new_id(Clock().now())
    await ask(live, CreateMember(**BY, record_id=new, fields={"name": "Néon Atelier"}), name="Néon Atelier")
    await change(live, city="Lyon")
    before = {item.record_id: item.version for item in await told(live, 2)}
    monkeypatch.setattr(write_back, "PAGE", 1)
    monkeypatch.setattr(republish, "PAGE", 1)
    done = await traboule("republish")
    assert done.exit_code == 0, done.err
    again = await told(live, 2)
    assert sorted(item.record_id for item in again) == sorted([new, "B-1"])
    assert all(item.version > before[item.record_id] for item in again)
    assert {item.record_id: cells(item)["Ville"] for item in again} == {new: "", "B-1": "Lyon"}


async def test_who_said_something_that_was_dismissed_is_told_what_is_held(live: OwnService) -> None:
    about = [
        await late(live, a_member(record_id="B-1", name="Forges", city="Lyon", version=8)),
        await late(live, a_member(record_id="B-2", name="Nobody knows", version=1)),
        await late(live, MemberRemoved(record_id="B-1", version=9)),
    ]
    for number in about:
        assert (await traboule("quarantine", "dismiss", number, "--reason", "typed by habit")).exit_code == 0
    stored, unknown, again = await told(live, 3)
    assert (stored.record_id, cells(stored)["Ville"]) == ("B-1", "Givors")
    assert (unknown.record_id, unknown.removed, unknown.rows) == ("B-2", True, ())
    assert again.rows == stored.rows

    listed = (await cutover("write-back", SYSTEM, "--json")).json["records"]
    assert [(item["record_id"], item["dismissed"], item["commands"], item["removed"]) for item in listed] == [
        ("B-1", True, [], False),
        ("B-2", True, [], True),
    ]
    applied = await late(live, a_member(record_id="B-1", name="Forges", city="Vienne", version=10))
    assert (await traboule("quarantine", "apply", applied, "--reason", "right")).exit_code == 0
    listed = (await cutover("write-back", SYSTEM, "--json")).json["records"]
    assert [item["record_id"] for item in listed] == ["B-2"], "of the other, both sides hold the same"
    [now] = await told(live, 1)
    assert (now.record_id, cells(now)["Ville"]) == ("B-1", "Vienne")
    assert stored.version < unknown.version < again.version < now.version


async def test_what_it_was_told_comes_back_and_nobody_is_asked(live: OwnService) -> None:
    await change(live, city="Rive-de-Gier", email="forges@gier.example")
    [item] = await told(live, 1)
    fact = read_back(kind_for(item.product, item.record_id), item.columns, item.rows, 8)
    assert fact is not None
    await late(live, fact)
    await late(live, fact.model_copy(update={"city": "Givors", "version": 9}))
    assert await live.column("select decided_by from quarantine order by id") == ["traboule", None]
    assert (await cutover("status", "--json")).json[1]["quarantine"] == 1
    assert await told(live, 0) == []


async def test_whatever_it_read_before_the_former_system_takes_what_is_decided_on_its_late_messages(
    live: OwnService, tmp_path: Path
) -> None:
    await change(live, city="Lyon")
    # It counts 8 where our own command counted microseconds, and has not read that command yet.
    applied = await late(live, a_member(record_id="B-1", name="Forges", city="Vienne", version=8))
    assert (await traboule("quarantine", "apply", applied, "--reason", "right")).exit_code == 0
    assert await consumed(live, tmp_path) == (2, "Vienne")

    # It read this once already; said again after a dismissal it is news, under an id of its own.
    await change(live, city="Feurs")
    assert await consumed(live, tmp_path) == (1, "Feurs")
    dismissed = await late(live, a_member(record_id="B-1", name="Forges", city="Roanne", version=9))
    before = {document["id"] for document in await live.heard(3)}
    assert (await traboule("quarantine", "dismiss", dismissed, "--reason", "by habit")).exit_code == 0
    assert await consumed(live, tmp_path) == (1, "Feurs")
    again = await live.first_heard(MemberWritten.type_name())
    assert again["id"] not in before


async def _parked(stack: OwnService, reason: str) -> bool:
    return reason in await stack.column("select reason from dead_letters where status = 'parked'")


async def test_what_the_former_system_gives_back_is_parked_and_can_be_sent_again(live: OwnService) -> None:
    await change(live, city="Lyon")
    async with await aio_pika.connect(servers.broker_url(live.env, USER), timeout=10) as connection:
        queue = await (await connection.channel()).get_queue(QUEUE, ensure=False)
        message = await eventually(lambda: queue.get(fail=False))
        assert message is not None
        await message.reject(requeue=False)
        await eventually(lambda: _parked(live, "returned-too-often"))
    [letter] = await live.parked()
    assert letter["routing_key"] == "traboule.membership.member-written.numelink"
    result = (await cutover("check", SYSTEM, "--for", "rollback", "--json")).json
    [read] = [item for item in result if item["name"] == "way-back-read"]
    assert (read["holds"], read["detail"]) == (False, "1 messages were given back and are parked")
    done = await traboule("dead-letters", "replay", f"membership:{letter['id']}", "--note", "it can read again")
    assert done.exit_code == 0, done.err
    assert (await live.parked())[0]["status"] == "replayed"
    [fact] = await told(live, 1)
    assert cells(fact)["Ville"] == "Lyon"


async def test_the_consumer_that_we_hand_out_reads_all_and_keeps_the_newest(live: OwnService, tmp_path: Path) -> None:
    for city in ("Lyon", "Vienne"):
        await change(live, city=city)
    assert await consumed(live, tmp_path) == (2, "Vienne")
    assert await told(live, 0) == []
