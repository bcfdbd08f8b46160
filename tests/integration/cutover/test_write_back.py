"""The way back: what is written here reaches the former system in its own columns, so that a rollback loses nothing."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aio_pika
import orjson
import pytest
from aiormq.exceptions import ChannelAccessRefused
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.local.nodes import Nodes
from schemas.commands import ChangeMember, CreateMember, EndMembership, RecordCommand
from schemas.envelope import encode, routing_key, to_json
from schemas.membership import MemberRecorded, MemberRemoved
from schemas.membership_write_back import MemberWritten
from services.common import republish
from services.cutover import stages
from services.cutover.stages import StageState
from services.membership.cutover import write_back
from services.membership.legacy import kind_for
from services.membership.legacy.export import Written, read_back, write
from services.membership.legacy.import_rules import faults
from services.membership.records.ids import new_id
from shared.runtime.clock import PARIS, Clock
from tests.support import servers
from tests.support.builders import a_member
from tests.support.command import Answer, traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.waiting import eventually

SYSTEM, USER, STAFF = "numelink/membership", "numelink.membership", "staff.membership"
QUEUE = f"{USER}.way-back"
CONSUMER = Path(__file__).parents[3] / "schemas" / "clients" / "python" / "way_back.py"
BY: dict[str, Any] = {"cluster": "numelink", "author": "zoé"}
TODAY = Clock().now().astimezone(PARIS).date()
OVERRULED = ("parity", "rehearsal", "writers", "backup")

# A connection that the broker closes leaves a coroutine behind in the AMQP library.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine 'Connection.close' was never awaited")


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


@pytest.fixture
async def stack(own: OwnService) -> AsyncIterator[OwnService]:
    """Membership runs, and holds one record of Numelink's."""
    await own.empty()
    async with own.running():
        await own.publish_as(USER, a_member(record_id="B-1", name="Forges du Gier", city="Givors", version=7))
        await eventually(lambda: written(own, "B-1", city="Givors"))
        yield own


@pytest.fixture
async def live(stack: OwnService) -> OwnService:
    assert (await cutover("mirror", SYSTEM, "--reason", "a test")).exit_code == 0
    await switch()
    # What the service logs while a command runs in this process would stand in the command's answer.
    await eventually(lambda: stack.column("select true from inbox having count(*) = 3"))
    return stack


async def switch() -> None:
    overruled = [word for name in OVERRULED for word in ("--overrule", name)]

    async def made() -> bool:
        # What was announced just now must be sent first.
        return (await cutover("switch", SYSTEM, "--reason", "a test", *overruled)).exit_code == 0

    await eventually(made)


async def cutover(*words: str) -> Answer:
    return await traboule("cutover", *words)


async def written(stack: OwnService, record_id: str, **fields: Any) -> bool:
    column = await stack.column("select written::text from source_records where record_id = $1", record_id)
    return bool(column) and fields.items() <= orjson.loads(column[0]).items()


async def version_of(stack: OwnService, record_id: str) -> int:
    [version] = await stack.column("select version from source_records where record_id = $1", record_id)
    return version


async def ask(stack: OwnService, command: RecordCommand, **expected: Any) -> None:
    """Send a command as a staff tool does, and wait until it is carried out."""
    await send(stack, command)
    await eventually(lambda: written(stack, command.record_id, **expected))


async def send(stack: OwnService, command: RecordCommand) -> None:
    encoded = encode(f"/{STAFF.replace('.', '/')}", [command])
    key = routing_key("staff", type(command))
    await stack.publish_as(STAFF, encoded.body, key=key, message_id=encoded.message_id)


async def change(stack: OwnService, record_id: str = "B-1", **fields: Any) -> None:
    seen = await version_of(stack, record_id)
    command = ChangeMember(**BY, record_id=record_id, expected_version=seen, fields=fields)
    await ask(stack, command, **{name: value for name, value in fields.items() if value is not None})


async def late(stack: OwnService, fact: Any) -> str:
    message_id = await stack.publish_as(USER, fact)

    async def waits() -> list[int]:
        return await stack.column("select id from quarantine where message_id = $1", message_id)

    return f"membership:{(await eventually(waits))[0]}"


async def told(stack: OwnService, at_least: int, user: str = USER) -> list[MemberWritten]:
    """What the former system reads from its own queue, as itself."""
    result: list[MemberWritten] = []
    async with await aio_pika.connect(servers.broker_url(stack.env, user), timeout=10) as connection:
        queue = await (await connection.channel()).get_queue(f"{user}.way-back", ensure=False)

        async def enough() -> bool:
            while (message := await queue.get(fail=False)) is not None:
                tree = orjson.loads(message.body)
                events = tree if isinstance(tree, list) else [tree]
                result.extend(MemberWritten.model_validate_json(orjson.dumps(event["data"])) for event in events)
                await message.ack()
            return len(result) >= at_least

        await eventually(enough)
    return result


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


# --- told ----------------------------------------------------------------------------------------------------------


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
    [again] = [document for document in await live.heard(1) if document["type"].endswith("member-written.v1")]
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


# --- listed, and carried back --------------------------------------------------------------------------------------


async def test_what_a_rollback_would_lose_is_listed_before_it_and_each_condition_is_overruled_by_name(
    live: OwnService, tmp_path: Path
) -> None:
    nothing = (await cutover("check", SYSTEM, "--for", "rollback", "--json")).json
    assert [(item["name"], item["holds"]) for item in nothing] == [
        ("live", True),
        ("quarantine", True),
        ("way-back-read", True),
        ("expressible", True),
        ("new-ids", True),
    ]
    assert "0 records of numelink/membership" in (await cutover("write-back", SYSTEM)).out

    seen = await version_of(live, "B-1")
    await ask(live, EndMembership(**BY, record_id="B-1", expected_version=seen, on=TODAY), status="ended")
    new = new_id(Clock().now())
    await ask(live, CreateMember(**BY, record_id=new, fields={"name": "Néon Atelier"}), name="Néon Atelier")
    await eventually(lambda: live.column("select true where not exists (select from outbox)"))
    refused = await cutover("rollback", SYSTEM, "--reason", "the office is not ready")
    assert refused.exit_code == 2
    answer = " ".join(refused.err.split())
    assert f"way-back-read: 2 messages wait in {QUEUE}." in answer
    assert "expressible: 2 records say what its columns cannot: ended_on (1), member_since (1)." in answer
    assert "new-ids: 1 records were made here, and get another id there." in answer
    assert f"traboule cutover write-back {SYSTEM} --export FILE.csv" in answer

    back = tmp_path / "back.csv"
    shown = await cutover("write-back", SYSTEM, "--export", str(back))
    assert shown.exit_code == 0, shown.err
    made, left = back.with_stem("back-galette-members"), back.with_stem("back-left-for-a-person")
    for word in ("B-1", "end", "ended_on", new, "create", "gets another id", "2 records", str(made), str(left)):
        assert word in shown.out, word
    # Of a member that is there its import takes nothing, so each column is named for a person.
    changed = next(line for line in shown.out.splitlines() if line.startswith("B-1 "))
    assert "nom_adh" in changed
    assert "not imported: its import does not take it, enter it there by hand" in shown.out
    assert {item.stat().st_mode & 0o077 for item in (made, left)} == {0}
    # Galette's import only creates: what was made here is in its file, what was changed in the list.
    assert faults("Galette members", made.read_bytes()) == []
    assert "Néon Atelier" in made.read_text("utf-8")
    assert "B-1" in left.read_text("utf-8-sig")

    state = (await traboule("status", "--json")).json["services"][0]
    assert QUEUE in [item["name"] for item in state["queues"]]
    assert f"2 messages wait until {SYSTEM} reads them: traboule cutover write-back {SYSTEM}" in state["notices"]
    assert not any("way-back" in fault for fault in state["faults"])

    names = ("way-back-read", "expressible", "new-ids")
    overruled = [word for name in names for word in ("--overrule", name)]
    assert (await cutover("rollback", SYSTEM, "--reason", "by hand", *overruled)).exit_code == 0
    assert await live.column("select overruled from stage_history where epoch = 3") == [sorted(names)]


async def test_while_writers_wait_only_what_was_written_meanwhile_is_turned_round(
    live: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = new_id(Clock().now())
    await ask(live, CreateMember(**BY, record_id=new, fields={"name": "Néon Atelier"}), name="Néon Atelier")
    await change(live, city="Lyon")
    turned: list[str] = []

    def counting(fact: MemberRecorded, *how: Any) -> Written:
        turned.append(fact.record_id)
        return write(fact, *how)

    async def alone(connection: AsyncConnection, cluster: str) -> StageState:
        # Everything was looked at, and nobody waits yet: another command comes in between.
        assert sorted(turned) == sorted([new, "B-1"])
        monkeypatch.setattr(stages, "alone", locking)
        seen = await version_of(live, "B-1")
        await ask(live, EndMembership(**BY, record_id="B-1", expected_version=seen, on=TODAY), status="ended")
        turned.clear()
        return await locking(connection, cluster)

    locking = stages.alone
    monkeypatch.setattr(stages, "alone", alone)
    monkeypatch.setattr("services.membership.cutover.write_back.write", counting)
    refused = await cutover("rollback", SYSTEM, "--reason", "the office is not ready")
    assert "2 records say what its columns cannot: ended_on (1), member_since (1)" in " ".join(refused.err.split())
    assert turned == ["B-1"]


async def test_after_a_rollback_the_former_system_says_what_was_written_here_and_nothing_is_missing(
    live: OwnService, tmp_path: Path
) -> None:
    await change(live, city="Rive-de-Gier", email="forges@gier.example", phone=None)
    new = new_id(Clock().now())
    fields = {"name": "Néon Atelier", "siret": "73282932000074", "city": "Roanne", "member_since": "2026-01-05"}
    await ask(live, CreateMember(**BY, record_id=new, fields=fields), name="Néon Atelier")
    listed = (await cutover("write-back", SYSTEM, "--json")).json["records"]
    assert [item["left_out"] for item in listed] == [[], []]
    theirs: dict[str, MemberRecorded] = {}
    for item in await told(live, 2):
        fact = read_back(kind_for(item.product, item.record_id), item.columns, item.rows, 8)
        assert fact is not None
        own_number = {"record_id": "77", "same_as": new} if item.new_id else {}
        theirs[fact.record_id] = fact.model_copy(update=own_number)
    await cutover("rollback", SYSTEM, "--reason", "not ready", "--overrule", "new-ids", "--overrule", "expressible")

    # It has become the authority again, counts its versions its own way, and gives the new record a number of its own.
    await live.publish_as(USER, list(theirs.values()))
    await live.publish_as(USER, MemberRemoved(record_id=new, version=1))

    async def settled() -> bool:
        return await live.column("select record_id from source_records where not removed order by 1") == ["77", "B-1"]

    await eventually(settled)
    assert await live.column("select record_id from source_records where written_here") == []
    members = await live.column(
        "select distinct member_id::text from source_records where record_id = any($1)", [new, "77"]
    )
    assert len(members) == 1, "what is owed under the id that we gave it is still theirs"
    export = tmp_path / "member-recorded.jsonl"
    lines = [{**orjson.loads(to_json(their)), "version": None} for their in theirs.values()]
    export.write_bytes(b"\n".join(orjson.dumps(line) for line in lines))
    compared = await traboule("parity", "--as", SYSTEM, str(export), "--json")
    assert compared.exit_code == 0, compared.out
    assert (await cutover("write-back", SYSTEM, "--json")).json["records"] == []
