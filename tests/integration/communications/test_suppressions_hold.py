"""Whatever happens to members, addresses and keys: nobody who objected is written to until that very act is lifted."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.common.sections import Record
from services.communications.suppressions.address import AddressHash, Keyring
from services.communications.suppressions.repository import blocked, lift
from services.communications.suppressions.suppression import Suppression
from shared.persistence.database import create_engine
from tests.support.examples import examples
from tests.support.mailing import KEYRING, Mailing, a_mail
from tests.support.merging import Database

PEOPLE = range(4)
RECORDS = [Record(("numelink", "clustr-numerique")[n % 2], str(n)) for n in PEOPLE]
START = datetime(2026, 1, 1, tzinfo=UTC)

_person = st.sampled_from(PEOPLE)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("link"), _person),
        st.tuples(st.just("import"), _person),
        st.tuples(st.just("by address"), _person),
        st.tuples(st.just("again"), _person),
        st.tuples(st.just("merge"), _person, _person),
        st.tuples(st.just("separate"), _person),
        st.tuples(st.just("erase"), _person),
        st.tuples(st.just("turn the key"), _person),
        st.tuples(st.just("lift"), _person),
    ),
    min_size=4,
    max_size=14,
)


@dataclass
class Model:
    """Naive: what each act forbids, by its cause."""

    members: dict[int, int] = field(default_factory=lambda: {n: n for n in PEOPLE})
    addresses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    records: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def together(self, person: int) -> set[int]:
        return {n for n in PEOPLE if self.members[n] == self.members[person]}

    def is_blocked(self, person: int) -> bool:
        by_address = any(person in found for found in self.addresses.values())
        return by_address or any(found & self.together(person) for found in self.records.values())


@dataclass
class World:
    mailing: Mailing
    model: Model = field(default_factory=Model)
    steps: int = 0
    lifted: set[str] = field(default_factory=set[str])

    def hashes(self, person: int) -> list[AddressHash]:
        return list(self.mailing.keyring.all(f"p{person}@exemple.fr"))

    async def objection(self, cause: str, person: int, *, address: bool, record: bool, spreads: bool) -> None:
        self.steps += 1
        # Its address may be erased everywhere else: a link knows the hash alone.
        await self.mailing.suppress(
            Suppression(
                cause=cause,
                address=self.hashes(person)[-1] if address else None,
                records=(RECORDS[person],) if record else (),
                source="test",
                at=datetime.now(UTC),
                spreads=spreads,
            )
        )
        if address:
            self.model.addresses[cause].add(person)
        if record:
            self.model.records[cause] |= self.model.together(person) if spreads else {person}

    async def take(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("link", person):
                await self.objection(f"link/{person}", person, address=True, record=True, spreads=True)
            case ("import", person):
                await self.objection(f"import/{person}", person, address=False, record=True, spreads=False)
            case ("by address", person):
                await self.objection(f"list/{person}", person, address=True, record=False, spreads=False)
            case ("again", person):
                # An older file after a newer one.
                await self.mailing.suppress(
                    Suppression(cause=f"import/{person}", records=(RECORDS[person],), source="test", at=START)
                )
                if f"import/{person}" not in self.lifted:
                    self.model.records[f"import/{person}"].add(person)
            case ("merge", person, other):
                former = self.model.members[other]
                for n in PEOPLE:
                    if self.model.members[n] == former:
                        self.model.members[n] = self.model.members[person]
                await self.keep_members()
            case ("separate", person):
                self.model.members[person] = max(self.model.members.values()) + 1
                await self.keep_members()
            case ("erase", person):
                await self.mailing.rows(
                    "update deliveries set address = null where person_key = $1", (str(person),), fetch=False
                )
            case ("turn the key", person):
                key = (f"k{self.steps}-{person}-{len(self.mailing.keyring.keys)}", bytes([person]) * 16)
                self.mailing.keyring = Keyring((key, *self.mailing.keyring.keys))
            case ("lift", person):
                await self._lift(f"import/{person}")
            case _:
                raise AssertionError(step)

    async def _lift(self, cause: str) -> None:
        rows = await self.mailing.rows("select suppression_id from suppressions where cause = $1", (cause,))
        async with self.mailing.engine.begin() as connection:
            await lift(connection, [row[0] for row in rows], "somebody", "a proof")
        if rows:
            self.lifted.add(cause)
        self.model.records.pop(cause, None)

    async def keep_members(self) -> None:
        await self.mailing.rows("delete from member_records", fetch=False)
        for n in PEOPLE:
            member = str(uuid5(NAMESPACE_URL, str(self.model.members[n])))
            sql = "insert into member_records (cluster, record_id, member_id, version) values ($1, $2, $3, 1)"
            await self.mailing.rows(sql, (*RECORDS[n], member), fetch=False)

    async def is_blocked(self, ids: dict[int, str]) -> dict[int, bool]:
        async with self.mailing.engine.begin() as connection:
            found = await blocked(connection, {ids[n]: [item.value for item in self.hashes(n)] for n in PEOPLE})
        return {n: ids[n] in found for n in PEOPLE}


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(steps=[("merge", 0, 1), ("link", 0), ("separate", 1), ("turn the key", 2), ("erase", 0)])
@example(steps=[("import", 0), ("lift", 0), ("again", 0), ("import", 0), ("again", 0)])
@given(steps=_steps)
@pytest.mark.hypothesis
def test_no_merge_no_erasure_no_key_and_no_older_file_lifts_an_objection(
    mail_database: Database, steps: list[tuple[Any, ...]]
) -> None:
    asyncio.run(_lived(mail_database.url, steps))


async def _lived(url: str, steps: list[tuple[Any, ...]]) -> None:
    engine = create_engine(url, application="test", pool_size=2)
    try:
        world = World(Mailing(engine, KEYRING))
        await world.mailing.empty()
        mails = [a_mail(f"p{n}@exemple.fr", person_key=str(n), records=(RECORDS[n],)) for n in PEOPLE]
        await world.mailing.queue(*mails)
        ids = {n: mail.delivery_id for n, mail in enumerate(mails)}
        await world.keep_members()
        for number, step in enumerate(steps):
            await world.take(step)
            expected = {n: world.model.is_blocked(n) for n in PEOPLE}
            assert await world.is_blocked(ids) == expected, f"after {steps[: number + 1]}"
    finally:
        await engine.dispose()
