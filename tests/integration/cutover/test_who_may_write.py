"""The gate of a service that holds no API keys itself: what membership announced of them, in every state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from schemas.cutover import WriteAccessChanged
from services.cutover.writers import ASK_MEMBERSHIP, MAKE_A_KEY
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords
from tests.support.merging import Speaker, speaker_in
from tests.support.waiting import eventually

SYSTEM = "numelink/billing"


@pytest.fixture
def membership(billing: OwnService, passwords: Passwords) -> Speaker:
    return speaker_in(billing, passwords, "membership")


def keys(version: int, *days: int) -> WriteAccessChanged:
    """One key for each number of days, after which it expires."""
    now = datetime.now(UTC)
    return WriteAccessChanged(version=version, expires_at=tuple(now + timedelta(days=day) for day in days))


async def gate(billing: OwnService) -> dict[str, Any]:
    """What the command shows of the condition."""
    with billing.environment():
        out = (await traboule("cutover", "check", SYSTEM, "--json")).out
    # A service that starts in this process may log in between.
    conditions = orjson.loads(out[out.index("[\n") :])
    [writers] = [condition for condition in conditions if condition["name"] == "writers"]
    return writers


async def heard(billing: OwnService, number: int) -> None:
    async def came() -> bool:
        return await billing.column("select count(*) from inbox") == [number]

    await eventually(came)


async def test_the_gate_does_not_hold_until_membership_has_announced_its_keys(billing: OwnService) -> None:
    writers = await gate(billing)
    assert (writers["holds"], writers["remedy"]) == (False, ASK_MEMBERSHIP)
    assert "not known" in writers["detail"]


async def test_the_gate_counts_keys_that_are_valid_now(billing: OwnService, membership: Speaker) -> None:
    await membership.publishes(keys(1))
    await heard(billing, 1)
    writers = await gate(billing)
    assert (writers["holds"], writers["detail"], writers["remedy"]) == (
        False,
        "0 people and keys may write",
        MAKE_A_KEY,
    )
    await membership.publishes(keys(2, 30, 1, -1))
    await heard(billing, 2)
    writers = await gate(billing)
    assert (writers["holds"], writers["detail"]) == (True, "2 people and keys may write")


async def test_an_announcement_that_comes_late_changes_nothing(billing: OwnService, membership: Speaker) -> None:
    await membership.publishes(keys(2, 30), keys(1))
    await heard(billing, 2)
    assert (await gate(billing))["detail"] == "1 people and keys may write"
    await membership.publishes(keys(3, -1))
    await heard(billing, 3)
    assert (await gate(billing))["detail"] == "0 people and keys may write", "the last key expired"
