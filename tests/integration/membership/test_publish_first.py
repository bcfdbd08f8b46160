"""Several processes publish, look and link at once: whatever comes between, the same pairs are found as in memory."""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.matching import repository as matching_repository
from services.membership.matching.candidates import Candidates
from services.membership.matching.features import Features
from services.membership.matching.sql import looking
from services.membership.matching.sql.looking import Look
from services.membership.matching.term_frequency import REPORTED, Commonness
from services.membership.matching.weights import shipped
from shared.persistence.batches import ahead
from shared.persistence.database import rows_of
from tests.support.recognising import from_scratch, in_batches
from tests.unit.membership.matching.builders import a_company

WEIGHTS = shipped()


class Process:
    """One batch on its way: each step is a transaction of its own, and anything may come between two of them."""

    def __init__(self, database: AsyncConnection, batch: Sequence[Features]) -> None:
        self._database, self._batch = database, batch
        self._published: dict[int, Features] = {}
        self._look: Look | None = None
        self._steps = [self.publish, self.look, self.link]

    @property
    def is_done(self) -> bool:
        return not self._steps

    async def go_on(self) -> None:
        await self._steps.pop(0)()

    def crash(self) -> None:
        """Forget what was seen: another process gets the batch again."""
        self._look = None
        self._steps = [self.link]

    async def publish(self) -> None:
        parts = in_parts(sorted(self._batch, key=attrgetter("key")))
        self._published = await looking.publish(self._database, ahead(parts, looking.publishable), WEIGHTS)

    async def look(self) -> None:
        if self._published:
            self._look = await looking.look(self._database, self._published, WEIGHTS)

    async def link(self) -> None:
        await matching_repository.recognise(self._database, self._batch, [], WEIGHTS, self._look)


def in_parts(records: Sequence[Features]) -> Iterator[Sequence[Features]]:
    """As records are understood: one part while another is written."""
    return (records[at : at + 5] for at in range(0, len(records), 5))


async def at_once(database: AsyncConnection, records: Sequence[Features], rng: Random, processes: int) -> None:
    """Hand batches to so many processes, and let them go on in turns; some crash, and some batches are linked whole."""
    batches = in_batches(records, rng)
    working: list[Process] = []
    while True:
        while len(working) < processes and (batch := next(batches, None)) is not None:
            if rng.random() < 0.15:
                # A small batch, or one that changes records, does all with the turn.
                await matching_repository.recognise(database, batch, [], WEIGHTS)
            else:
                working.append(Process(database, batch))
        if not working:
            return
        process = rng.choice(working)
        if rng.random() < 0.05:
            process.crash()
        await process.go_on()
        if process.is_done:
            working.remove(process)


async def is_as_in_memory(database: AsyncConnection, records: Sequence[Features]) -> None:
    assert await matching_repository.kept_pairs(database) == from_scratch(records)
    index = Candidates(records)
    classes = dict(rows_of(await database.exec_driver_sql("select key, class from match_classes")))
    assert {key: Commonness(value) for key, value in classes.items() if value} == index.classes
    crowded = {key for key, value in index.classes.items() if value == Commonness.CROWDED and key[0] in REPORTED}
    assert {row[0] for row in await database.exec_driver_sql("select key from match_crowds")} == crowded
    assert (await database.exec_driver_sql("select count(*) from match_pending")).scalar_one() == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("which", ["crowd", "alike"])
async def test_nothing_between_two_steps_shows(
    database: AsyncConnection, which: str, seed: int, request: pytest.FixtureRequest
) -> None:
    records: list[Features] = request.getfixturevalue(which)
    await at_once(database, records, Random(seed), 4)
    await is_as_in_memory(database, records)


@pytest.mark.usefixtures("small_crowds")
@pytest.mark.parametrize("seed", range(16))
async def test_nor_does_it_where_all_are_crowds(database: AsyncConnection, twins: list[Features], seed: int) -> None:
    rng = Random(seed)
    # Some come as something else first, and some are there for a while only.
    others = [
        a_company(features.key.record_id, features.key.cluster, name="Lumerinance", siren="732829320", postcode="42000")
        for features in rng.sample(twins, 20)
    ]
    passing = [a_company(f"!{at}", "a", name="Lumerinance", siren="732829320", same_as="007") for at in range(9)]
    await at_once(database, [*others, *passing], rng, 4)
    stray = a_company("!!", "a", name="Lumerinance", siren="732829320")
    await Process(database, [stray]).publish()
    await at_once(database, twins[:30], rng, 2)
    gone = [features.key for features in passing]
    await matching_repository.recognise(database, [], [*gone, stray.key], WEIGHTS)
    await at_once(database, twins[30:], rng, 4)
    await at_once(database, twins, rng, 4)
    await is_as_in_memory(database, twins)


async def test_a_link_leaves_pairs_alone_that_another_found(database: AsyncConnection) -> None:
    first, second = (a_company(f"{at}", cluster, siren="732829320") for at, cluster in enumerate(("north", "south")))
    item, other = Process(database, [first]), Process(database, [second])
    for process in (item, item, other, other, other, item):  # what the first saw holds nothing of the second
        await process.go_on()
    assert await matching_repository.kept_pairs(database) == from_scratch([first, second])


async def test_a_count_is_not_believed_that_another_record_lowered(database: AsyncConnection) -> None:
    """Three companies share a domain when two of them are looked at; what comes then says that these two are one."""
    domain = {"website": "agence.fr"}
    first = a_company("1", name="Lumerinance", **domain)
    second = [a_company("2", name="Vioreau", **domain), a_company("3", name="Brassac", siren="552100554", **domain)]
    third = a_company("4", "south", name="Vioreau", siren="552100554", **domain)
    await matching_repository.recognise(database, [first], [], WEIGHTS)
    early, late = Process(database, second), Process(database, [third])
    for process in (early, early, late, late, late, early):
        await process.go_on()
    await is_as_in_memory(database, [first, *second, third])


async def test_a_look_is_not_believed_about_what_changed_since(database: AsyncConnection) -> None:
    old = a_company("1", siren="732829320", name="Lumerinance", postcode="42000")
    new = a_company("1", siren="552100554", name="Vioreau", postcode="69003")
    other = a_company("2", "south", siren="552100554", name="Vioreau", postcode="69003")
    await matching_repository.recognise(database, [old], [], WEIGHTS)
    process = Process(database, [other])
    await process.publish()
    await process.look()
    await matching_repository.recognise(database, [new], [], WEIGHTS)
    # As if the change had looked for candidates before the other was published.
    await database.exec_driver_sql("delete from match_pairs")
    await process.link()
    assert await matching_repository.kept_pairs(database) == from_scratch([new, other])


async def test_a_key_that_was_common_for_a_while_shows_as_little(database: AsyncConnection) -> None:
    place = {"website": "lumerine.example", "postcode": "42000", "city": "St-Étienne"}
    first, second = a_company("1", **place), a_company("2", "south", **place)
    strangers = [
        a_company(name, "south", name=name, website="lumerine.example", postcode="69003")
        for name in ("Vioreau", "Ornesse")
    ]
    item, other = Process(database, [first]), Process(database, [second])
    for process in (item, item):
        await process.go_on()
    await matching_repository.recognise(database, strangers, [], WEIGHTS)
    for process in (other, other, other):
        await process.go_on()
    assert [pair.verdict for pair in await matching_repository.kept_pairs(database)] == ["review"]
    await matching_repository.recognise(database, [], [stranger.key for stranger in strangers], WEIGHTS)
    await item.go_on()
    await is_as_in_memory(database, [first, second])
    assert [pair.verdict for pair in await matching_repository.kept_pairs(database)] == ["auto"]


async def test_what_was_withdrawn_is_linked_with_nobody(database: AsyncConnection) -> None:
    first, second = (a_company(f"{at}", cluster, siren="732829320") for at, cluster in enumerate(("north", "south")))
    gone, stays = Process(database, [first]), Process(database, [second])
    for process in (gone, stays, stays):
        await process.go_on()
    await matching_repository.recognise(database, [], [first.key], WEIGHTS)
    await stays.go_on()
    await is_as_in_memory(database, [second])


async def test_a_steady_look_is_not_repeated(database: AsyncConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(database, [a_company("1", siren="732829320"), a_company("2", "south", siren="732829320")])
    await process.publish()
    await process.look()
    looked = list[int]()

    async def candidates_of(_: object, records: dict[int, Features], *__: object) -> set[tuple[int, int]]:
        looked.append(len(records))
        return set()

    monkeypatch.setattr(matching_repository, "candidates_of", candidates_of)
    await process.link()
    assert looked == [0]
    assert [pair.verdict for pair in await matching_repository.kept_pairs(database)] == ["auto"]
