"""What an import shows: on the screen, and as JSON for programs."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from services.cli.importing import sentences
from services.cli.importing.closing import changes_as_json
from services.cli.importing.comparison import Changes
from services.cli.importing.file_report import FileReport
from services.cli.importing.questions import print_questions
from services.cli.importing.reading import EVENTS, FormerSystem
from services.membership.normalisation.data_quality import MEANINGS, REPAIRS
from shared.cli.terminal import terminal
from shared.importing.outcomes import Rejection

_SHOWN = 5
"""Notices, and lines of one kind of fault, on the screen; all faults are in the rejects file."""
_LINES = re.compile(r"\bline \d+")


def print_report(
    reports: Sequence[FileReport], published: int, dry_run: bool, rejects: Path | None, former: FormerSystem
) -> None:
    """Each file with its counts, what is doubtful in it, and what was set aside, once for each kind of fault."""
    out = terminal()
    grid = Grid("File", "Recognised as", "Encoding", title="Dry run: nothing was published" if dry_run else None)
    for column in ("Rows", "Accepted", "Rejected", "Warnings", "Facts"):
        grid.add_column(column, justify="right")
    for report in reports:
        warnings = len(report.warnings) + len(report.notices) + sum(d.count for d in report.doubts.values())
        counts = (report.rows, report.accepted, report.rejected, warnings, sum(report.facts.values()))
        encoding = (report.encoding or "-") + (", assumed" if report.encoding_assumed else "")
        cells = (report.path.name, report.product, encoding, *map(str, counts))
        grid.add_row(*(escape(cell) for cell in cells))
    out.print(grid)
    for report in reports:
        for name, amount in report.sums.items():
            out.print(
                f"{escape(report.path.name)}: {name} {amount:,.2f} € in all: compare it with the total shown there"
            )
        if report.lacks:
            sentence = sentences.registrations if former.service == EVENTS else sentences.objections
            out.print(escape(sentence(report)), style="yellow", highlight=False)
        _print_warnings(out, report)
        print_questions(out, report, former)
        _print_rejections(out, report)
    if rejects is not None:
        out.print(f"Rejected rows are in {escape(str(rejects))}: correct them and import again.")
    if not dry_run:
        out.print(f"{published} facts published and confirmed.")


def _print_warnings(out: Console, report: FileReport) -> None:
    for warning in report.warnings:
        out.print(f"[yellow]{escape(report.path.name)}: {escape(warning)}")
    if report.doubts:
        grid = Grid(
            "Field", "What is doubtful", title=f"{escape(report.path.name)}: kept as written, but", title_justify="left"
        )
        grid.add_column("Values", justify="right")
        grid.add_column("For example")
        for (field, code), doubts in sorted(report.doubts.items(), key=lambda item: -item[1].count):
            examples = ", ".join(f"{_short(written)} (line {line})" for line, written in doubts.examples)
            mark = "repaired: " if code in REPAIRS else ""
            grid.add_row(field, escape(mark + MEANINGS[code]), str(doubts.count), escape(examples))
        out.print(grid)
    for notice in report.notices[:_SHOWN]:
        out.print(
            f"  line {notice.line}, {escape(notice.field)} {escape(_short(notice.value))}: {escape(notice.reason)}"
        )
    if len(report.notices) > _SHOWN:
        out.print(f"  and {len(report.notices) - _SHOWN} more of these")


def _print_rejections(out: Console, report: FileReport) -> None:
    kinds: dict[tuple[str, str], list[Rejection]] = {}
    for fault in report.rejections:
        kinds.setdefault((fault.field, _LINES.sub("line …", fault.reason)), []).append(fault)
    for (field, reason), faults in sorted(kinds.items(), key=lambda item: -len(item[1])):
        first = faults[0]
        if len(faults) == 1:
            where = f"{report.path.name}, line {first.line}: {field} {_short(first.value)}: {first.reason}"
        else:
            lines = ", ".join(str(fault.line) for fault in faults[:_SHOWN]) + (" …" if len(faults) > _SHOWN else "")
            where = (
                f"{report.path.name}, {len(faults)} rows: {field}: {reason}; "
                f"such as {_short(first.value)} (lines {lines})"
            )
        out.print(f"[red]rejected[/red] {escape(where)}")


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:39] + "…")


def print_json(
    reports: Sequence[FileReport],
    published: int,
    dry_run: bool,
    rejects: Path | None,
    changes: Sequence[Changes] | None,
) -> None:
    """The same for programs."""
    document = {
        "dry_run": dry_run,
        "published": published,
        "rejects_file": None if rejects is None else str(rejects),
        "files": [_as_json(report) for report in reports],
        "changes": None if changes is None else [changes_as_json(change) for change in changes],
    }
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace").decode())


def _as_json(report: FileReport) -> dict[str, Any]:
    return {
        "file": str(report.path),
        "product": report.product,
        "encoding": report.encoding,
        "encoding_assumed": report.encoding_assumed,
        "separator": report.separator,
        "rows": report.rows,
        "accepted": report.accepted,
        "repeated": report.repeated,
        "rejected": report.rejected,
        "facts": dict(report.facts),
        "objections": report.objections,
        "lacks": report.lacks or None,
        "seats": dict(report.seats),
        "without_fact": dict(report.reasons),
        "sums": {name: str(amount) for name, amount in report.sums.items()},
        "warnings": report.warnings,
        "notices": [notice._asdict() for notice in report.notices],
        "doubts": [
            {
                "field": field,
                "code": code,
                "meaning": MEANINGS[code],
                "count": doubts.count,
                "examples": [{"line": line, "written": written} for line, written in doubts.examples],
            }
            for (field, code), doubts in report.doubts.items()
        ],
        "questions": [
            {"column": column, "word": word, "count": asked.count, "lines": [line for line, _ in asked.examples]}
            for (column, word), asked in report.questions.items()
        ],
        "rejections": [fault._asdict() for fault in report.rejections],
    }
