"""Forty random interleavings for every day; `make faults` has ten thousand, and proof that they can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from schemas.envelope import Envelope
from schemas.reading import read
from services.cutover import late_messages, noop, quarantine, stages
from services.cutover.fence import Fenced
from services.cutover.stages import StageState
from services.membership.usecases import edit_record
from shared.messaging import inbox
from shared.messaging.consumer import QueueConsumer
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.interleaving.running import Finding, interleave, prepare

FEW, MANY, UNTIL_FOUND = 40, 240, range(1_000, 1_500)
LOOKED_FOR = (
    "applied", "superseded", "quarantined", "settled", "carried out", "parked", "refused", "hostile", "deaths", "cuts",
)  # fmt: skip


@pytest.fixture(scope="module")
def membership(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


@pytest.fixture(scope="module")
def url(membership: OwnService) -> str:
    url = membership.env["TRABOULE_MEMBERSHIP_DATABASE_URL"]
    asyncio.run(prepare(url))
    return url


@pytest.mark.timeout(300)
async def test_one_writer_nothing_lost_and_parity_after_the_way_back(url: str) -> None:
    result, seeds = Finding(), iter(range(MANY))
    # What is looked for must happen too, or the model would be held against nothing: rare ones may need more stories.
    while (missing := [name for name in LOOKED_FOR if not result.outcomes[name]]) and (few := list(islice(seeds, FEW))):
        result.add(await interleave(url, few, enough=FEW))
        assert not result.wrong, "\n".join(result.wrong[:5])
        assert result.stories % FEW == 0
    assert not missing, f"{missing} of {result.stories}: {result.outcomes}"


def _without_the_lock(patch: pytest.MonkeyPatch) -> None:
    """The stage is read, and may change before the commit."""
    patch.setattr(stages, "_SHARE", "select from unnest($1::text[]) as c")


def _read_as_it_was_before_the_wait(patch: pytest.MonkeyPatch) -> None:
    """The lock is taken by the statement that reads: what it reads is what was there before it waited."""
    _without_the_lock(patch)
    lock = "pg_advisory_xact_lock_shared(hashtext('stage'), hashtext(c))"
    patch.setattr(
        stages,
        "_READ",
        f"""select s.cluster, s.stage, s.epoch, s.since, s.by
            from unnest($1::text[]) as c cross join lateral (select {lock} offset 0) l
            join stages s on s.cluster = c""",
    )


def _without_the_fence(patch: pytest.MonkeyPatch) -> None:
    """What comes too late is applied."""

    async def hear(self: Fenced, uow: Any, messages: Sequence[Any]) -> None:
        await self.handler(uow, messages)

    patch.setattr(Fenced, "__call__", hear)


def _without_quarantine(patch: pytest.MonkeyPatch) -> None:
    """What comes too late is dropped."""

    async def keep(*_: Any) -> None:
        return

    patch.setattr(quarantine, "keep", keep)


def _settled_in_any_order(patch: pytest.MonkeyPatch) -> None:
    """Nobody is asked about what comes too late."""
    patch.setattr(noop, "_states", lambda *_: True)


def _asked_about_what_is_stored(patch: pytest.MonkeyPatch) -> None:
    """A person is asked about everything that comes too late."""
    patch.setattr(noop, "_states", lambda *_: False)


def _late_counts_up(patch: pytest.MonkeyPatch) -> None:
    """What is applied gets a version that its former system did not give."""

    def read_as_the_next(*given: Any) -> list[Any]:
        [event] = read(*given)
        assert isinstance(event, Envelope)
        return [event.model_copy(update={"data": event.data.model_copy(update={"version": event.data.version + 1})})]

    patch.setattr(late_messages, "read", read_as_the_next)


def _commands_without_asking(patch: pytest.MonkeyPatch) -> None:
    """A command does not look who is the authority."""

    async def require_ours(*_: Any) -> StageState:
        return StageState("live", 2)

    patch.setattr(edit_record, "require_ours", require_ours)


def _acknowledged_first(patch: pytest.MonkeyPatch) -> None:
    """Messages are acknowledged before what they cause is committed."""
    process = QueueConsumer._process  # pyright: ignore[reportPrivateUsage]

    async def acknowledge_and_process(self: QueueConsumer, items: Any) -> None:
        await self._acknowledge(self._in_flight)  # pyright: ignore[reportPrivateUsage]
        await process(self, items)

    patch.setattr(QueueConsumer, "_process", acknowledge_and_process)


def _taken_in_apart(patch: pytest.MonkeyPatch) -> None:
    """The inbox is committed before what the message causes."""
    admit = inbox.admit

    async def admit_and_commit(connection: Any, messages: Mapping[str, bytes]) -> Any:
        result = await admit(connection, messages)
        await connection.exec_driver_sql("commit")
        await connection.exec_driver_sql("begin")
        return result

    patch.setattr(inbox, "admit", admit_and_commit)


def _without_the_way_back(patch: pytest.MonkeyPatch) -> None:
    """The former system is not told what is written here."""

    async def publish_write_back(*_: Any) -> None:
        return

    patch.setattr(edit_record, "publish_write_back", publish_write_back)


MUTANTS: Mapping[Callable[[pytest.MonkeyPatch], None], str] = {
    _without_the_lock: "two writers",
    _read_as_it_was_before_the_wait: "two writers",
    _without_the_fence: "two writers",
    _without_quarantine: "was kept",
    _settled_in_any_order: "is applied, and held is",
    _asked_about_what_is_stored: "is waiting, and held is",
    _late_counts_up: "was applied as",
    _commands_without_asking: "two writers",
    _taken_in_apart: "it should be",
    _acknowledged_first: "was heard 0 times",
    _without_the_way_back: "was not told of",
}
"""Each with what is said of it."""


@pytest.mark.faults
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda item: item.__name__.strip("_"))
async def test_a_fault_in_the_code_is_found(
    url: str, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    mutant(monkeypatch)
    result = await interleave(url, UNTIL_FOUND, wave=25)
    assert any(MUTANTS[mutant] in wrong for wrong in result.wrong), f"{result.stories} stories: {result.wrong[:5]}"
