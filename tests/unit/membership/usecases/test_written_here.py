"""After a way back, a former system that counts its versions 1, 2, 3 is heard again, whatever number we gave ours."""

import asyncio
from typing import Any

from schemas.envelope import Envelope
from schemas.membership import MemberRemoved
from services.membership.records.record import RecordKey
from services.membership.usecases.keep_records import record_members
from tests.support.any_order import an_envelope
from tests.support.builders import a_member
from tests.support.in_memory import InMemoryMembership

KEY = RecordKey("numelink", "7")


def said(version: int, city: str) -> Envelope[Any]:
    return an_envelope("numelink", a_member(record_id="7", version=version, city=city))


def test_what_we_wrote_gives_way_to_whatever_the_former_system_says_next() -> None:
    async def story() -> list[Any]:
        uow, cities = InMemoryMembership(), list[Any]()
        for message, ours in (
            (said(5, "Lyon"), False),
            (said(1_795_000_000_000_000, "Roanne"), True),
            (said(6, "Givors"), False),
            (said(5, "Lyon"), False),
            (said(1_795_000_000_000_001, "Feurs"), True),
            (said(1_795_000_000_000_000, "Roanne"), True),
        ):
            await record_members(uow, [message], written_here=ours)
            cities.append(uow.records[KEY].written["city"])
        return cities

    assert asyncio.run(story()) == ["Lyon", "Roanne", "Givors", "Givors", "Feurs", "Feurs"]


def test_what_is_said_after_a_removal_of_what_we_wrote_is_not_held_against_our_number() -> None:
    async def story() -> tuple[Any, bool]:
        uow = InMemoryMembership()
        removed = an_envelope("numelink", MemberRemoved(record_id="7", version=6))
        await record_members(uow, [said(5, "Lyon")])
        await record_members(uow, [said(1_795_000_000_000_000, "Roanne")], written_here=True)
        for message in (removed, said(7, "Givors"), removed, said(5, "Lyon")):
            await record_members(uow, [message])
        return uow.records[KEY].written["city"], uow.records[KEY].removed

    assert asyncio.run(story()) == ("Givors", False)


def test_what_we_wrote_stays_with_a_record_that_is_removed_after_it() -> None:
    async def story() -> tuple[Any, bool]:
        uow = InMemoryMembership()
        await record_members(uow, [said(1_795_000_000_000_000, "Roanne")], written_here=True)
        await record_members(uow, [an_envelope("numelink", MemberRemoved(record_id="7", version=6))])
        return uow.records[KEY].written["city"], uow.records[KEY].removed

    assert asyncio.run(story()) == ("Roanne", True)
