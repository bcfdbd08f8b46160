"""Commands on source records, by the broker: carried out once, or parked with the reason."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from aiormq.exceptions import ChannelAccessRefused
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.local.nodes import Nodes
from schemas.commands import ChangeContacts, ChangeMember, CreateMember, EndMembership, RecordCommand
from schemas.envelope import encode
from schemas.membership import MembersMerged
from services.cutover.stages import Move, move
from services.membership.records.ids import new_id
from shared.messaging import dead_letters
from shared.persistence.database import create_engine
from tests.support.builders import a_member
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.waiting import eventually

STAFF, FORMER, NUMELINK = "staff.membership", "numelink.membership", "numelink"


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


@pytest.fixture
async def membership(own: OwnService) -> AsyncIterator[OwnService]:
    """Membership alone, running, with one record of a cluster that was moved over."""
    await own.empty()
    async with own.running():
        await own.publish_as(FORMER, a_member(record_id="B-1", name="Forges du Gier", city="Givors", version=7))
        await eventually(lambda: own.query("select from source_records"))
        await moved(own, "mirror", "switch")
        yield own


async def moved(own: OwnService, *moves: Move) -> None:
    async with in_its_database(own) as connection:
        for item in moves:
            await move(connection, NUMELINK, item, by="Ops", reason="a test")


@asynccontextmanager
async def in_its_database(own: OwnService) -> AsyncGenerator[AsyncConnection]:
    engine = create_engine(own.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="test", pool_size=1)
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def ask(own: OwnService, *commands: RecordCommand) -> None:
    await own.publish_as(STAFF, list(commands))  # type: ignore[arg-type]


def change(fields: dict[str, Any], expected: int = 7, **different: Any) -> ChangeMember:
    asked: dict[str, Any] = {"cluster": NUMELINK, "record_id": "B-1", "author": "m.durand"} | different
    return ChangeMember(**asked, expected_version=expected, fields=fields)


def create(**fields: Any) -> CreateMember:
    record_id = new_id(datetime.now(UTC))
    return CreateMember(cluster=NUMELINK, record_id=record_id, author="m.durand", reason="joined", fields=fields)


async def written(own: OwnService, record_id: str = "B-1") -> dict[str, Any]:
    (row,) = await own.query("select written, version from source_records where record_id = $1", record_id)
    return {**orjson.loads(row["written"]), "version": row["version"]}


async def audited(own: OwnService, count: int = 1) -> list[dict[str, Any]]:
    """Wait until there are so many changes, and nothing is parked."""

    async def all_present() -> list[dict[str, Any]]:
        query = await own.query("select * from record_changes order by id")
        assert len(query) == count, [row["detail"] for row in await own.parked()]
        return query

    return await eventually(all_present)


async def parked(own: OwnService, count: int = 1) -> list[dict[str, Any]]:
    async def all_present() -> list[dict[str, Any]]:
        result = await own.parked()
        assert len(result) == count
        return result

    return await eventually(all_present)


async def test_each_command_is_carried_out(membership: OwnService) -> None:
    new = create(name="Néon Atelier", city="Roanne")
    await ask(membership, new)
    await audited(membership)
    assert (await written(membership, new.record_id))["name"] == "Néon Atelier"

    await ask(membership, change({"city": "Feurs", "country": None}, reason="moved"))
    (_, changed) = await audited(membership, 2)
    assert (changed["command"], changed["author"], changed["key_id"], changed["reason"], changed["fields"]) == (
        "change",
        "m.durand",
        None,
        "moved",
        ["city", "country"],
    )
    now = await written(membership)
    assert (now["city"], "country" in now, now["version"]) == ("Feurs", False, changed["version"])

    seen: dict[str, Any] = {"cluster": NUMELINK, "record_id": "B-1", "author": "m.durand"}
    await ask(membership, ChangeContacts(**seen, expected_version=now["version"], last_name="Gier"))
    (*_, contacts) = await audited(membership, 3)
    await ask(membership, EndMembership(**seen, expected_version=contacts["version"], on=date(2026, 1, 5)))
    (*_, ended) = await audited(membership, 4)

    now = await written(membership)
    assert (now["contact_last_name"], "email" in now) == ("Gier", False)
    assert (now["status"], now["ended_on"], now["version"]) == ("ended", "2026-01-05", ended["version"])
    assert await membership.column("select count(*) from views where not active") == [1]
    assert await membership.parked() == []


async def test_what_a_command_causes_carries_its_id(membership: OwnService) -> None:
    twins = [create(name="Néon Atelier", siren="732829320", city="Roanne") for _ in range(2)]
    await ask(membership, twins[0])
    await audited(membership)
    (body,) = [encode("/staff/membership", [twins[1]])]
    await ask(membership, twins[1])

    merged = await membership.first_heard(MembersMerged.type_name())
    assert merged["correlationid"] == body.message_id


async def test_the_same_command_twice_is_carried_out_once(membership: OwnService) -> None:
    for _ in range(3):
        await ask(membership, change({"city": "Feurs"}))
    await ask(membership, new := create(name="Néon"))

    assert [row["record_id"] for row in await audited(membership, 2)].count(new.record_id) == 1
    assert await membership.parked() == []


@pytest.mark.parametrize(
    ("command", "reason", "text"),
    [
        (change({"city": "Feurs"}, 6), "record-changed-meanwhile", "version 7"),
        (change({"city": 42}), "invalid-field", "city"),
        (change({"zip": "42000"}), "invalid-field", "did you mean postcode?"),
        (change({"siren": "123 456 789"}), "value-not-understood", "siren"),
        (change({"city": "Feurs"}, record_id="B-2"), "record-unknown", "no such source record"),
        (change({"city": "Feurs"}, cluster="nobody"), "cluster-unknown", "no such cluster"),
        (change({"city": "Feurs"}, cluster="clustr-numerique"), "not-the-authority", "stage legacy"),
        (create(), "invalid-field", "name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_carried_out_is_parked_and_its_neighbours_are_not(
    membership: OwnService, command: RecordCommand, reason: str, text: str
) -> None:
    good: list[RecordCommand] = (
        [change({"city": "Roanne"})] if isinstance(command, ChangeMember) else [create(name="Néon")]
    )
    await ask(membership, command, *good)

    await audited(membership)
    (letter,) = await parked(membership)
    assert letter["reason"] == reason
    assert text in letter["detail"]
    assert "123 456 789" not in letter["detail"]


async def test_an_id_is_given_once(membership: OwnService) -> None:
    new = create(name="Néon")
    await ask(membership, new)
    await audited(membership)
    await ask(membership, new.model_copy(update={"fields": {"name": "Argon"}}))

    (letter,) = await parked(membership)
    assert letter["reason"] == "record-exists"


async def test_a_removed_record_is_not_changed(membership: OwnService) -> None:
    await membership.query("update source_records set removed = true")
    await ask(membership, change({"city": "Feurs"}))

    (letter,) = await parked(membership)
    assert letter["reason"] == "record-removed"


async def test_a_refused_command_can_be_replayed_once_we_are_the_authority(membership: OwnService) -> None:
    await moved(membership, "rollback")
    await ask(membership, change({"city": "Feurs"}))
    (letter,) = await parked(membership)
    assert letter["reason"] == "not-the-authority"
    assert "traboule cutover switch numelink/membership" in letter["detail"]
    assert (await written(membership))["city"] == "Givors"

    await moved(membership, "switch")
    async with in_its_database(membership) as connection:
        await dead_letters.replay(connection, [letter["id"]], by="Ops")
    await audited(membership)
    assert (await written(membership))["city"] == "Feurs"


async def test_staff_tools_speak_for_nobody_else(membership: OwnService) -> None:
    with pytest.raises(ChannelAccessRefused):
        await membership.publish_as(STAFF, a_member(), key="numelink.membership.member-recorded")
    with pytest.raises(ChannelAccessRefused):
        await membership.publish_as(FORMER, [create(name="Néon")], key="staff.membership.create-member")  # type: ignore[list-item]
    await membership.publish_as(STAFF, [create(name="Néon")], key="staff.membership.create-mamber")  # type: ignore[list-item]

    (letter,) = await parked(membership)
    assert letter["reason"] == "unrouted"


async def test_while_the_authority_changes_every_command_is_carried_out_or_parked(membership: OwnService) -> None:
    commands = [create(name=f"Atelier {number}") for number in range(40)]
    seen: list[tuple[int, int]] = []

    async def count() -> int:
        return (await membership.column("select count(*) from record_changes"))[0]

    async def switching() -> None:
        for _ in range(5):
            await asyncio.sleep(0.1)
            await moved(membership, "rollback")
            before = await count()
            await asyncio.sleep(0.1)
            seen.append((before, await count()))
            await moved(membership, "switch")

    async def asking() -> None:
        for command in commands:
            await ask(membership, command)

    await asyncio.gather(switching(), asking())

    async def all_announced() -> bool:
        return await count() + len(await membership.parked()) == len(commands)

    await eventually(all_announced)
    assert all(before == after for before, after in seen), "written while the former system was the authority"
    carried_out = set(await membership.column("select record_id from record_changes"))
    parked_ids = {orjson.loads(row["body"])["data"]["record_id"] for row in await membership.parked()}
    assert {row["reason"] for row in await membership.parked()} <= {"not-the-authority"}
    assert carried_out | parked_ids == {command.record_id for command in commands}
    assert carried_out.isdisjoint(parked_ids)
