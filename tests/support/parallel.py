"""Tests in several processes (pytest-xdist), each with servers of its own, started when a test first asks.

Nothing is shared between workers, so users, passwords and virtual hosts need no further names, and a test may kill its
servers. The tests of a file stay in one worker (``--dist loadfile``), since they share what their fixtures made. Groups
across files (``--dist loadgroup``) would let the whole house start once for all workers and not once for each; but
pytest-xdist 3.8 writes the group into a name that pytest 9.2 no longer reads, and so splits files as well.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.local import runs
from deploy.provisioning.external import BROKER, DATABASE

WORKER = "PYTEST_XDIST_WORKER"
"""Names the variable with this process's name, gw0, gw1 and so on."""
MOST_WORKERS = 8
NO_SERVER = ("unit", "contract")
"""Folders whose tests, with a few exceptions, need none."""


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
    """Mark what needs servers, and put it first: at the end there are short files, so that no worker waits long."""
    for item in items:
        if "nodes" in _fixtures(item):
            item.add_marker(pytest.mark.servers)
    items.sort(key=lambda item: item.path.relative_to(tests).parts[0] in NO_SERVER)


def _fixtures(item: pytest.Item) -> set[str]:
    """Without what a parametrised test calls by the name of a fixture."""
    given = getattr(item, "callspec", None)
    return {*getattr(item, "fixturenames", ())} - {*(given.params if given else ())}
