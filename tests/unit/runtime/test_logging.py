"""Log lines: one an event, and never a reason to stop."""

import errno
import io
import logging
import sys
from collections.abc import Iterator

import orjson
import pytest
import structlog
from prometheus_client import REGISTRY

from shared.runtime.logging import configure_logging


class FullDisk(io.StringIO):
    """Takes nothing."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def as_in_a_service() -> Iterator[None]:
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging("billing")
    yield
    structlog.contextvars.clear_contextvars()
    structlog.configure(**before)
    root.handlers, root.level = handlers, level


def lost() -> float:
    return REGISTRY.get_sample_value("traboule_log_lines_lost_total") or 0.0


@pytest.mark.parametrize("level", ["info", "warning", "error", "critical", "exception"])
def test_an_event_is_one_line_of_json(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    getattr(structlog.get_logger(), level)("events.settled", queue="q", applied=3)
    published = orjson.loads(capsys.readouterr().out)
    assert (published["event"], published["service"], published["queue"], published["applied"]) == (
        "events.settled",
        "billing",
        "q",
        3,
    )


def test_a_line_that_cannot_be_written_is_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    before = lost()
    monkeypatch.setattr(sys, "stdout", FullDisk())
    structlog.get_logger().warning("events.settled")
    assert lost() == before + 1
