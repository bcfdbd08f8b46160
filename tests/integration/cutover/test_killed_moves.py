"""The command is killed with -9 at every step of a move, and repeated: the move is made once, and announced once."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from deploy.provisioning import definitions
from tests.support.command import Answer, traboule
from tests.support.in_process import OwnService
from tests.support.killed import COMMIT, COMMITTED, REVOKE, REVOKED, STATEMENT
from tests.support.waiting import eventually

pytestmark = pytest.mark.faults
SYSTEM = "numelink/billing"
_NAMES = ("parity", "rehearsal", "writers", "backup", "grid", "members")
OVERRULED = [word for name in _NAMES for word in ("--overrule", name)]
AROUND_THE_COMMIT = [(COMMIT, 1), (COMMITTED, 1)]
EVERYWHERE = [(STATEMENT, number) for number in range(1, 15)]
"""A switch has some more statements; a move that ends before the one it should die at is not killed at all."""


@pytest.fixture(autouse=True)
def configured(billing: OwnService) -> Iterator[None]:
    with billing.environment():
        yield


async def killed(step: str, number: int, *words: str) -> bool:
    """Whether it died; else it must have ended well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.killed", step, str(number), *words,
        env=dict(os.environ), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode in (0, -signal.SIGKILL), err.decode()
    return process.returncode != 0


async def repeated(*words: str) -> Answer:
    answer = await traboule(*words)
    assert answer.exit_code == 0, answer.err
    return answer


async def announced_once(billing: OwnService, stages: list[str]) -> None:
    """Each move once in the history and, without the duplicates that a relay may make, once on the broker."""
    history = await billing.query("select epoch, stage from stage_history order by epoch")
    assert [(row["epoch"], row["stage"]) for row in history] == list(enumerate(stages, 1))

    async def sent() -> bool:
        return await billing.column("select id from outbox") == []

    await eventually(sent)
    documents = [
        document for document in await billing.heard(len(stages)) if document["type"].endswith("stage-changed.v1")
    ]
    former = {document["id"]: (document["data"]["version"], document["data"]["stage"]) for document in documents}
    assert sorted(former.values()) == list(enumerate(stages, 1))


@pytest.mark.parametrize("steps", [AROUND_THE_COMMIT, pytest.param(EVERYWHERE, marks=pytest.mark.faults)])
async def test_a_switch_and_a_rollback_killed_anywhere(billing: OwnService, steps: list[tuple[str, int]]) -> None:
    await repeated("cutover", "mirror", SYSTEM, "--reason", "begun")
    stages, died = ["mirror"], {"switch": 0, "rollback": 0}
    for step, number in steps:
        for move, stage in (("switch", "live"), ("rollback", "mirror")):
            words = ("cutover", move, SYSTEM, "--reason", "a test", *(OVERRULED if move == "switch" else ()))
            died[move] += await killed(step, number, *words)
            published = (await repeated(*words, "--json")).json
            stages.append(stage)
            assert (published["stage"], published["epoch"]) == (stage, len(stages))
            if step == COMMITTED:
                assert published["already"]
    assert died["switch"] >= len(steps) - 1
    assert died["rollback"] >= len(steps) // 2
    await announced_once(billing, stages)


@pytest.mark.parametrize(
    "step", [COMMITTED, REVOKE, *(pytest.param(step, marks=pytest.mark.faults) for step in (COMMIT, REVOKED))]
)
async def test_retiring_killed_between_its_two_steps(
    billing: OwnService, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", billing.management_url)
    await repeated("cutover", "mirror", SYSTEM, "--reason", "begun")
    await repeated("cutover", "switch", SYSTEM, "--reason", "now", *OVERRULED)
    words = ("cutover", "retire", SYSTEM, "--reason", "its contract ends", "--yes")
    try:
        assert await killed(step, 1, *words)
        assert "may not write any more" in (await repeated(*words)).out
        rights = f"/api/permissions/{billing.vhost}/numelink.billing"
        assert definitions.call(billing.management_url, "GET", rights)["write"] == "^$"
        await announced_once(billing, ["mirror", "live", "retired"])
    finally:
        await repeated("former-systems", "add", SYSTEM, "--again")
