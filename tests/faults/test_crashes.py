"""A service is killed with -9 before and after every step of a message's way, in the middle of traffic."""

import pytest

from tests.faults.nemesis import Stage


@pytest.mark.parametrize("step", ["commit", "ack"])
def test_membership_killed_before_and_after(stage: Stage, step: str) -> None:
    crash_before_and_after(stage, "membership", step)


@pytest.mark.parametrize("step", ["commit", "publish", "confirm", "ack"])
def test_billing_killed_before_and_after(stage: Stage, step: str) -> None:
    crash_before_and_after(stage, "billing", step)


def crash_before_and_after(stage: Stage, service: str, step: str) -> None:
    stage.start_special(service, f"before-{step}", 2)
    publishing = stage.publish()
    stage.wait_until_dead(service)
    stage.start_special(service, f"after-{step}", 5, wait=False)
    stage.wait_until_dead(service)
    stage.stack.start(service, wait=False)
    publishing.finish()
    stage.prove()
