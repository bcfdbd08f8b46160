"""Definitions are loaded again where the broker was too busy, and not where it refused them."""

import pytest

from deploy.errors import NodeError
from deploy.provisioning import definitions
from shared.messaging.management import ManagementError


class Answers:
    """A management API that fails so often, and then answers."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.asked = 0

    def __call__(self, _: str) -> "Answers":
        return self

    def call(self, method: str, path: str, body: object) -> None:
        self.asked += 1
        if self.statuses:
            raise ManagementError("no", self.statuses.pop(0))


@pytest.mark.parametrize(
    ("statuses", "asked", "fails"), [((), 1, False), ((500, 500), 3, False), ((400,), 1, True), ((500,) * 15, 15, True)]
)
def test_a_busy_broker_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, statuses: tuple[int, ...], asked: int, fails: bool
) -> None:
    answers = Answers(*statuses)
    monkeypatch.setattr(definitions, "Management", answers)
    monkeypatch.setattr(definitions, "PAUSE_SECONDS", 0)
    if fails:
        with pytest.raises(NodeError):
            definitions.load_definitions("http://broker", {})
    else:
        definitions.load_definitions("http://broker", {})
    assert answers.asked == asked
