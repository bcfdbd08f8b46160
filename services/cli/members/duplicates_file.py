"""Many decisions from a table that staff filled in: verdict, a, b, reason."""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.membership.identity import decisions
from services.membership.identity.decisions import Decision, DecisionError
from services.membership.records.record import RecordKey

COLUMNS = ("verdict", "a", "b", "reason")
LARGEST = 64 * 1024 * 1024


class NotThisFileError(ValueError):
    """A file that holds no decisions; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line, as it is written; the header is line 1."""

    number: int
    verdict: str
    a: str
    b: str
    reason: str

    def decision(self) -> Decision:
        """What it says. Raises DecisionError."""
        records = [_key(self.a), _key(self.b)]
        match self.verdict.strip().lower():
            case "same":
                return decisions.confirm(records)
            case "different":
                return decisions.reject(records)
            case _:
                raise DecisionError("verdict-unknown", "the verdict is neither same nor different")


def read_lines(path: Path) -> list[Line]:
    """All lines that hold anything, separated by commas, semicolons or tabs. Raises NotThisFileError."""
    if path.stat().st_size > LARGEST:
        raise NotThisFileError(f"{path.name} is too large for a table of decisions")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotThisFileError(f"{path.name} is not UTF-8: save it as CSV UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=separator)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in COLUMNS if name not in header]:
            raise NotThisFileError(f"{path.name} has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
        return [_line(reader.line_num, dict(zip(header, row, strict=False))) for row in reader if any(row)]
    except csv.Error as error:
        raise NotThisFileError(f"{path.name}, line {reader.line_num}: {error}") from None


def with_progress(lines: Sequence[Line], *, silent: bool) -> Iterator[Line]:
    """The lines, with a bar on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    quiet = silent or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        yield from progress.track(lines, description="deciding")


def _line(number: int, row: dict[str, str]) -> Line:
    verdict, a, b, reason = (row.get(name, "") for name in COLUMNS)
    return Line(number, verdict, a, b, reason)


def _key(name: str) -> RecordKey:
    cluster, _, record_id = name.strip().partition("/")
    if not cluster or not record_id or "\x00" in name:
        raise DecisionError("record-unnamed", "a source record is named cluster/record id, such as numelink/B-1")
    return RecordKey(cluster, record_id)
