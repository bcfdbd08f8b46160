"""`python -m deploy.local up` keeps both servers until Ctrl-C; `check` says whether their packages are here."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from pathlib import Path

from deploy.errors import NodeError
from deploy.local import packages
from deploy.local.nodes import Nodes, local_nodes
from deploy.local.runs import LOCAL


def main() -> int:
    """Run the verb that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start both servers, print how to reach them, keep them until Ctrl-C")
    up.add_argument("--definitions", type=Path, help="a RabbitMQ definitions file to load")
    up.add_argument("--folder", type=Path, default=LOCAL, help="where runs and the file `env` go (.local)")
    verbs.add_parser("check", help="say whether the servers' packages are installed")
    arguments = parser.parse_args()
    try:
        return _check() if arguments.verb == "check" else _up(arguments.definitions, arguments.folder)
    except NodeError as error:
        print(error, file=sys.stderr)
        return 1


def _check() -> int:
    if names := packages.missing():
        print(f"missing: {', '.join(names)}. Install with: {packages.INSTALL_HINT}")
        return 1
    print(f"database: {packages.database_binaries()}\nbroker: {packages.broker_script()}")
    return 0


def _up(definitions: Path | None, folder: Path) -> int:
    asked_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_end.set() if asked_to_end.is_set() is False else sys.exit(130))
    with local_nodes(definitions, local=folder) as nodes:
        lines = _environment_lines(nodes)
        print(lines, end="", flush=True)
        environment = folder / "env"
        folder.mkdir(exist_ok=True)
        environment.touch(mode=0o600)
        environment.write_text(lines)
        print(
            f"# up in {nodes.boot_seconds:.1f} s, written to {environment}; Ctrl-C ends",
            file=sys.stderr,
            flush=True,
        )
        asked_to_end.wait()
        if environment.exists() and environment.read_text() == lines:
            environment.unlink()
    return 0


def _environment_lines(nodes: Nodes) -> str:
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in nodes.environment().items())


if __name__ == "__main__":
    sys.exit(main())
