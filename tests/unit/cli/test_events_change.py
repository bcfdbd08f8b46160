"""``traboule events change``: what it asks for."""

from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli.events import commands

CHANGE = ["change", "5f8b1c52-9a7e-4c1d-8e0b-3d2f6a7b9c10", "--reason", "salle B"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def command(operation: str, what: dict[str, Any], *_: str) -> dict[str, Any]:
        seen.append({"operation": operation} | what)
        return {}

    monkeypatch.setattr(commands, "command", command)
    return seen


def test_a_limit_is_removed_by_its_own_option(asked: list[dict[str, Any]]) -> None:
    result = CliRunner().invoke(
        commands.app, [*CHANGE, "--no-capacity", "--no-closes-at", "--starts", "2027-03-25T08:30"]
    )
    assert result.exit_code == 0, result.output
    assert asked[0]["without"] == ["capacity", "closes_at"]
    assert asked[0]["starts"] == "2027-03-25T08:30"


def test_a_limit_that_is_given_and_removed_is_wrong_input(asked: list[dict[str, Any]]) -> None:
    result = CliRunner().invoke(commands.app, [*CHANGE, "--no-capacity", "--capacity", "40"])
    assert (result.exit_code, asked) == (2, [])
