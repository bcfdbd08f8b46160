"""Comparisons as tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from services.cutover.parity.compare import beside_fields
from services.cutover.parity.runs import Found, Run
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
    for (kind, what), found in groupby(run.found, key=lambda one: (one.difference.kind, one.difference.what)):
        _print_group(out, kind, what, list(found))
    for hint in hints:
        out.print(f"[yellow]! {plain(hint)}[/]", highlight=False)
    accepted = len(run.found) - run.open
    if run.open:
        out.print(f"[red]✗ {plain(system)}: {run.open:,} open, {accepted:,} accepted[/]", highlight=False)
        of = " --rehearsal" if run.subject == "rehearsal" else ""
        out.print(f"  [dim]traboule differences list --as {plain(system)}{of}[/]", highlight=False)
    else:
        out.print(f"[green]✓ {plain(system)} is clean; accepted differences: {accepted:,}[/]", highlight=False)


def print_list(run: Run, found: Sequence[Found], state: str) -> None:
    """Differences, one a line."""
    out = terminal()
    if not found:
        which = "" if state == "all" else f"{state} "
        what = "rehearsal" if run.subject == "rehearsal" else "comparison"
        out.print(f"no {which}differences in the {what} of {run.at:%Y-%m-%d %H:%M} UTC", highlight=False)
        return
    out.print(_table(found[:_LISTED]))
    if len(found) > _LISTED:
        out.print(f"and {len(found) - _LISTED:,} more: narrow it down, or --json has them all", highlight=False)


def print_whole(one: Found) -> None:
    """One difference with every value."""
    out = terminal()
    difference = one.difference
    out.print(f"{one.name}: {plain(difference.kind)} {plain(difference.item_id)}, {difference.what}", highlight=False)
    if one.owner:
        out.print(f"owner: {plain(one.owner)}", highlight=False)
    if one.accepted:
        told = one.accepted
        out.print(f"accepted {told.at:%Y-%m-%d %H:%M} by {plain(told.by)}: {plain(told.reason)}", highlight=False)
    table = Table("field", "there", "why" if difference.why else "here", box=None, header_style="bold", pad_edge=False)
    there, here = difference.there or {}, difference.why or difference.here or {}
    for name in dict.fromkeys((*there, *here)):
        table.add_row(plain(name), *(plain(_shown(side[name])) if name in side else "" for side in (there, here)))
    out.print(table)


def _counts(run: Run) -> Table:
    table = Table("kind", box=None, pad_edge=False, header_style="bold")
    newer = any(sides.newer_here for sides in run.counts.values())
    for title in ("there", "here", *(["newer here"] if newer else []), "open", "accepted"):
        table.add_column(title, justify="right")
    for kind in dict.fromkeys((*run.counts, *(one.difference.kind for one in run.found))):
        found = [one for one in run.found if one.difference.kind == kind]
        accepted = sum(one.accepted is not None for one in found)
        sides = run.counts.get(kind)
        counts = ["", ""] if sides is None else [f"{sides.there:,}", f"{sides.here:,}"]
        if newer:
            counts.append("" if sides is None else f"{sides.newer_here:,}")
        table.add_row(kind, *counts, f"{len(found) - accepted:,}", f"{accepted:,}")
    return table


def _sums(run: Run) -> Table:
    table = Table("money", "year", box=None, pad_edge=False, header_style="bold")
    for title in ("there €", "here €", "here - there €"):
        table.add_column(title, justify="right")
    for kind, years in run.sums.items():
        for year, sides in years.items():
            there, here = sides.there, sides.here
            apart = f"[red]{here - there:+,.2f}[/]" if here != there else "0.00"
            table.add_row(kind, str(year), f"{there:,.2f}", f"{here:,.2f}", apart)
    return table


def _print_group(out: Console, kind: str, what: str, found: Sequence[Found]) -> None:
    still = [one for one in found if one.accepted is None]
    out.print(f"[bold]{kind} {what}[/]: {len(still):,} open of {len(found):,}", highlight=False)
    if still:
        out.print(_table(still[:_EXAMPLES]))


def _table(found: Iterable[Found]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "kind", "record", "what", "there → here", "owner", "accepted"):
        table.add_column(title, overflow="fold")
    for one in found:
        difference = one.difference
        accepted = f"{one.accepted.by}: {one.accepted.reason}" if one.accepted else ""
        cells = (difference.kind, difference.item_id, difference.what, _change(one), one.owner or "", accepted)
        table.add_row(
            one.name, *map(plain, cells[:3]), "\n".join(map(plain, cells[3].split("\n"))), *map(plain, cells[4:])
        )
    return table


def _change(one: Found) -> str:
    difference = one.difference
    there, here = difference.there or {}, difference.here or {}
    if difference.what == "different":
        lines = [f"{name}: {_told(there, name)} → {_told(here, name)}" for name in difference.fields]
        return "\n".join([*lines, _whole(beside_fields(difference))]).rstrip()
    if difference.why:
        return "\n".join(f"{name}: {_short(there[name])}: {why}" for name, why in difference.why.items())
    return _whole(there or here)


def _whole(said: Mapping[str, Any]) -> str:
    # A record begins with its own id, which stands beside it.
    names = [name for at, name in enumerate(said) if name != "record_id" and not (at == 0 and name.endswith("_id"))]
    return ", ".join(f"{name} {_told(said, name)}" for name in names[:4])


def _told(side: Mapping[str, Any], name: str) -> str:
    # Nobody reads a digest to its end.
    return f"{side[name][:12]}…" if name == "digest" else _short(side[name])


def _short(value: Any) -> str:
    text = _shown(value)
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _shown(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
