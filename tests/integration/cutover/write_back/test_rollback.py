"""What a rollback would lose is listed before it, and carried back, so that it loses nothing."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.commands import CreateMember, EndMembership
from schemas.envelope import to_json
from schemas.membership import MemberRecorded, MemberRemoved
from services.cutover import stages
from services.cutover.stages import StageState
from services.membership.legacy import kind_for
from services.membership.legacy.export import Written, read_back, write
from services.membership.legacy.import_rules import faults
from services.membership.records.ids import new_id
from shared.runtime.clock import Clock
from tests.integration.cutover.write_back.stories import (
    BY,
    CONNECTIONS_ARE_CLOSED,
    QUEUE,
    SYSTEM,
    TODAY,
    USER,
    ask,
    change,
    cutover,
    told,
    version_of,
)
from tests.support.command import traboule
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

pytestmark = CONNECTIONS_ARE_CLOSED


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
