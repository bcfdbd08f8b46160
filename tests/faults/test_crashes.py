"""A service is killed with -9 at every step of a message's way, in the middle of traffic."""

import pytest

from tests.faults.crashing import STEPS
from tests.faults.nemesis import Stage

MOMENTS = (2, 9)
"""One early, one when more is under way."""


@pytest.mark.parametrize("step", [step for step in STEPS if "publish" not in step and "confirm" not in step])
def test_membership_killed(stage: Stage, step: str) -> None:
    crash_twice(stage, "membership", step)


@pytest.mark.parametrize("step", STEPS)
def test_billing_killed(stage: Stage, step: str) -> None:
    crash_twice(stage, "billing", step)


def crash_twice(stage: Stage, service: str, step: str) -> None:
    stage.start_special(service, step, MOMENTS[0])
    publishing = stage.publish()
    stage.wait_until_dead(service)
    stage.start_special(service, step, MOMENTS[1], wait=False)
    stage.wait_until_dead(service)
    stage.house.start(service, wait=False)
    publishing.finish()
    stage.prove()
