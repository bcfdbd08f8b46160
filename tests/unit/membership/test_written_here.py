"""After a way back, a former system that counts its versions 1, 2, 3 is heard again, whatever number we gave ours."""

import asyncio
from typing import Any

from schemas.envelope import Envelope
from services.membership.domain.records import RecordKey
from services.membership.handlers import record_members
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
