"""Tests in several processes (pytest-xdist), each with servers of its own, started when a test first asks.

Nothing is shared between workers, so users, passwords and virtual hosts need no further names, and a test may kill its
servers. A file whose tests need servers stays in one worker, and all files that use the whole house in the same one:
it is started once.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.local import runs
from deploy.local.named import BROKER, DATABASE

WORKER = "PYTEST_XDIST_WORKER"
"""Names the variable with this process's name, gw0, gw1 and so on."""
MOST_WORKERS = 8
ONE_AT_A_TIME = ("integration", "journeys", "faults")
"""Folders whose files stay in one worker, whether or not their fixtures show that they need servers."""


def refuse_shared_servers(config: pytest.Config) -> None:
    """Workers would provision the same virtual host on servers that the environment names."""
    named = [name for name in (DATABASE, BROKER) if os.environ.get(name)]
    if named and getattr(config.option, "numprocesses", None):
        raise pytest.UsageError(f"{named[0]} names one server for all workers: unset it, or run with -n 0")


def take_own_ports() -> None:
    """A port that was found free is bound seconds later: no other worker looks for one among the same."""
    if worker := os.environ.get(WORKER):
        size = len(runs.PORTS) // MOST_WORKERS
        first = runs.PORTS.start + int(worker.removeprefix("gw")) % MOST_WORKERS * size
        runs.PORTS = range(first, first + size)


def arrange(items: list[pytest.Item], tests: Path) -> None:
    """Mark what needs servers and what stays together; long files come first, so that no worker waits at the end."""
    whole_house = {item.path for item in items if "house" in _fixtures(item)}
    for item in items:
        needs_servers = "nodes" in _fixtures(item)
        if needs_servers:
            item.add_marker(pytest.mark.servers)
        if needs_servers or item.path.relative_to(tests).parts[0] in ONE_AT_A_TIME:
            name = "house" if item.path in whole_house else str(item.path.relative_to(tests))
            item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    return 2 if group is None else 0 if group.args == ("house",) else 1


def _fixtures(item: pytest.Item) -> set[str]:
    """Without what a parametrised test calls by the name of a fixture."""
    given = getattr(item, "callspec", None)
    return {*getattr(item, "fixturenames", ())} - {*(given.params if given else ())}
