"""Comparisons as tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from services.cutover.parity.compare import context_fields
from services.cutover.parity.run import Run, RunDifference
from shared.cli.terminal import plain, terminal

_EXAMPLES = 3
_LISTED = 100
_SHORT = 60


def print_run(system: str, run: Run, hints: Sequence[str]) -> None:
    """Counts, sums by year, and the differences by kind with some examples."""
    out = terminal()
    out.print(_counts(run))
    if any(run.sums.values()):
        out.print(_sums(run))
    for (kind, what), result in groupby(run.differences, key=lambda item: (item.difference.kind, item.difference.what)):
        _print_group(out, kind, what, list(result))
    for hint in hints:
        out.print(f"[yellow]! {plain(hint)}[/]", highlight=False)
    if run.open:
        out.print(f"[red]✗ {plain(system)}: {run.open:,} open, {run.accepted:,} accepted[/]", highlight=False)
        of = " --rehearsal" if run.subject == "rehearsal" else ""
        out.print(f"  [dim]traboule differences list --as {plain(system)}{of}[/]", highlight=False)
    else:
        out.print(f"[green]✓ {plain(system)} is clean; accepted differences: {run.accepted:,}[/]", highlight=False)


def print_list(run: Run, result: Sequence[RunDifference], state: str) -> None:
    """Differences, one a line."""
    out = terminal()
    if not result:
        which = "" if state == "all" else f"{state} "
        what = "rehearsal" if run.subject == "rehearsal" else "comparison"
        out.print(f"no {which}differences in the {what} of {run.at:%Y-%m-%d %H:%M} UTC", highlight=False)
        return
    out.print(_table(result[:_LISTED]))
    if len(result) > _LISTED:
        out.print(f"and {len(result) - _LISTED:,} more: narrow it down, or --json has them all", highlight=False)


def print_whole(item: RunDifference) -> None:
    """One difference with every value."""
    out = terminal()
    difference = item.difference
    out.print(f"{item.name}: {plain(difference.kind)} {plain(difference.item_id)}, {difference.what}", highlight=False)
    if item.owner:
        out.print(f"owner: {plain(item.owner)}", highlight=False)
    if item.accepted:
        acceptance = item.accepted
        out.print(
            f"accepted {acceptance.at:%Y-%m-%d %H:%M} by {plain(acceptance.by)}: {plain(acceptance.reason)}",
            highlight=False,
        )
    table = Table("field", "there", "why" if difference.why else "here", box=None, header_style="bold", pad_edge=False)
    theirs, document = difference.there or {}, difference.why or difference.here or {}
    for name in dict.fromkeys((*theirs, *document)):
        table.add_row(plain(name), *(plain(_shown(side[name])) if name in side else "" for side in (theirs, document)))
    out.print(table)


def _counts(run: Run) -> Table:
    table = Table("kind", box=None, pad_edge=False, header_style="bold")
    newer = any(sides.newer_here for sides in run.counts.values())
    for title in ("there", "here", *(["newer here"] if newer else []), "open", "accepted"):
        table.add_column(title, justify="right")
    for kind in dict.fromkeys((*run.counts, *(item.difference.kind for item in run.differences))):
        result = [item for item in run.differences if item.difference.kind == kind]
        accepted = sum(item.accepted is not None for item in result)
        sides = run.counts.get(kind)
        counts = ["", ""] if sides is None else [f"{sides.there:,}", f"{sides.here:,}"]
        if newer:
            counts.append("" if sides is None else f"{sides.newer_here:,}")
        table.add_row(kind, *counts, f"{len(result) - accepted:,}", f"{accepted:,}")
    return table


def _sums(run: Run) -> Table:
    table = Table("money", "year", box=None, pad_edge=False, header_style="bold")
    for title in ("there €", "here €", "here - there €"):
        table.add_column(title, justify="right")
    for kind, years in run.sums.items():
        for year, sides in years.items():
            theirs, ours = sides.there, sides.here
            apart = f"[red]{ours - theirs:+,.2f}[/]" if ours != theirs else "0.00"
            table.add_row(kind, str(year), f"{theirs:,.2f}", f"{ours:,.2f}", apart)
    return table


def _print_group(out: Console, kind: str, what: str, result: Sequence[RunDifference]) -> None:
    still = [item for item in result if item.accepted is None]
    out.print(f"[bold]{kind} {what}[/]: {len(still):,} open of {len(result):,}", highlight=False)
    if still:
        out.print(_table(still[:_EXAMPLES]))


def _table(result: Iterable[RunDifference]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "kind", "record", "what", "there → here", "owner", "accepted"):
        table.add_column(title, overflow="fold")
    for item in result:
        difference = item.difference
        accepted = f"{item.accepted.by}: {item.accepted.reason}" if item.accepted else ""
        cells = (difference.kind, difference.item_id, difference.what, _change(item), item.owner or "", accepted)
        table.add_row(
            item.name, *map(plain, cells[:3]), "\n".join(map(plain, cells[3].split("\n"))), *map(plain, cells[4:])
        )
    return table


def _change(item: RunDifference) -> str:
    difference = item.difference
    theirs, ours = difference.there or {}, difference.here or {}
    if difference.what == "different":
        lines = [f"{name}: {_shown_field(theirs, name)} → {_shown_field(ours, name)}" for name in difference.fields]
        return "\n".join([*lines, _whole(context_fields(difference))]).rstrip()
    if difference.why:
        return "\n".join(f"{name}: {_short(theirs[name])}: {why}" for name, why in difference.why.items())
    return _whole(theirs or ours)


def _whole(document: Mapping[str, Any]) -> str:
    # A record begins with its own id, which stands beside it.
    names = [name for at, name in enumerate(document) if name != "record_id" and not (at == 0 and name.endswith("_id"))]
    return ", ".join(f"{name} {_shown_field(document, name)}" for name in names[:4])


def _shown_field(side: Mapping[str, Any], name: str) -> str:
    # Nobody reads a digest to its end.
    return f"{side[name][:12]}…" if name == "digest" else _short(side[name])


def _short(value: Any) -> str:
    text = _shown(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _shown(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
