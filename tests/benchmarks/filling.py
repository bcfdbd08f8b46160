"""The tables of the README, written between their markers by whoever measured.

A table begins with when and where it was measured: figures of different days and machines stand side by side there.
"""

import os
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

README = Path(__file__).parent / "README.md"
BUSY = 0.5
"""Load for each core, before anything is measured, from which on others use the machine too."""


class Row(NamedTuple):
    """One figure; ``met`` says whether its promise was kept, None where nothing is promised."""

    what: str
    result: str
    promise: str
    met: bool | None


def fill(readme: Path, parts: Mapping[str, Sequence[Row]], caption: str) -> list[str]:
    """Write the tables of these parts; returns the parts that have no place there."""
    text = readme.read_text("utf-8")
    absent = [part for part in parts if _place(part).search(text) is None]
    for part in parts.keys() - absent:
        lines = f"{caption}\n\n{table(parts[part])}"
        text = _place(part).sub(lambda place, lines=lines: f"{place[1]}\n{lines}\n{place[2]}", text)
    readme.write_text(text, "utf-8")
    return sorted(absent)


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = ["| what | result | promise | |", "|---|---|---|---|"]
    for row in rows:
        kept = {None: "", True: "kept", False: "**not kept**"}[row.met]
        lines.append("| " + " | ".join(map(_cell, (row.what, row.result, row.promise, kept))) + " |")
    return "\n".join(lines)


def caption(on: date, servers: Mapping[str, str], load: float) -> str:
    """When and where: the processor, the servers, and whether others used the machine."""
    cores = os.cpu_count() or 1
    busy = f"; **the machine was busy** (load {load:.1f}), so only ratios say anything" if load > BUSY * cores else ""
    named = ", ".join(f"{name} {version}" for name, version in servers.items())
    return f"Measured on {on.isoformat()} by `make bench`: {cores} cores ({processor()}), {named}{busy}."


def processor() -> str:
    """Its name as Linux has it."""
    try:
        match = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        match = None
    return "unknown processor" if match is None else match[1]


def _place(part: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- bench:{re.escape(part)} -->)\n.*?(<!-- /bench:{re.escape(part)} -->)", re.DOTALL)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
