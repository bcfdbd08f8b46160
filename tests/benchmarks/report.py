"""One table for people, the same figures as JSON."""

import json
import os
import platform
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.filling import Row


class Report:
    """Collects the figures of one run."""

    def __init__(self, servers: dict[str, str], *, quick: bool) -> None:
        self.grid = Table("What", "Result", "Promise", "", title="Traboule, measured", title_justify="left")
        self.grid.columns[1].justify = "right"
        self.parts: dict[str, list[Row]] = {}
        """The same lines by part, as the README has a table for each."""
        self._part: list[Row] = []
        self.figures: dict[str, Any] = {
            "quick": quick,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "servers": servers,
        }

    def begin(self, part: str) -> None:
        """The lines that follow are of this part."""
        self._part = self.parts.setdefault(part, [])

    def line(self, what: str, result: str, promise: str = "", met: bool | None = None) -> None:
        """One line of the table; ``met`` says whether the promise was kept."""
        mark = "" if met is None else "[green]kept[/]" if met else "[red]not kept[/]"
        self.grid.add_row(what, result, promise, mark)
        self._part.append(Row(what.strip(), result, promise, met))

    def missing(self, what: str, why: str) -> None:
        """A part that could not be measured, and why; the README keeps its figures."""
        self.line(what, "[red]failed[/]", why)
        self.parts.pop(what, None)
        self.figures.setdefault("failed", {})[what] = why

    def show(self, path: Path, seconds: float) -> None:
        """Print the table and write the JSON."""
        self.figures["seconds"] = round(seconds, 1)
        path.write_text(json.dumps(self.figures, indent=2, ensure_ascii=False) + "\n")
        console = Console(width=None if Console().is_terminal else 150)
        console.print(self.grid)
        servers = ", ".join(f"{name} {version}" for name, version in self.figures["servers"].items())
        console.print(
            f"{os.cpu_count()} cores for servers, services and clients together; {servers}. Durable quorum queues, "
            "persistent messages, synchronous commit, about 1 KB each.\nEvery lane finds its messages in the queue and "
            "writes the same invoices (compared); rates run from the first transaction's begin to the last one's.\n"
            "The relay runs in (a) and (b); nobody publishes the outbox in the others. CPU is that of the lane's own "
            "processes, for each fact.\n"
            f"{seconds:.0f} s. The same as JSON: {path.relative_to(Path.cwd())}"
        )
