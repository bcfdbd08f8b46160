"""Export files as tables: CSV, spreadsheets and JSON lines, with the line that every row began on.

Nothing is interpreted here: a cell is the text that was written. A row whose shape is broken comes out with its fault,
so that it can be counted and set aside while the rest goes on.
"""

import csv
import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import python_calamine

from shared.importing.decoding import decode
from shared.importing.opendocument import workbook_of
from shared.importing.outcomes import UnreadableError

SEPARATORS = (";", ",", "\t")
MOST_LINES_IN_A_ROW = 500
"""A quoted cell may hold line breaks; one that never ends is a missing quote, and costs its first line only."""

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "\ufeff": ""})
_NUMBERED = re.compile(r" \([^()]*\)$")
"""What tells the second writing of a column from its first."""
_RUNS = re.compile(r"\s+")
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
"""str.splitlines also splits at U+2028, U+0085, form feeds…, which are characters of a cell here."""


class Row(NamedTuple):
    """A row as written: the line it begins on (the first is 1), its cells, and what is wrong with its shape."""

    line: int
    cells: tuple[str, ...]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file that could be opened. ``headers`` are as written, in order, duplicates kept; ``rows`` can be read once.

    ``lines`` is how many rows there are at most, for a progress bar.
    """

    path: Path
    headers: tuple[str, ...]
    rows: Iterator[Row]
    kind: str
    lines: int
    encoding: str | None = None
    separator: str | None = None
    warnings: tuple[str, ...] = ()
    covered: set[str] = field(default_factory=set[str], compare=False)
    """Fields of a fact that the columns can say, as far as whoever reads the rows came across them."""
    assumed: bool = False
    """Whether ``encoding`` is a guess that nothing in the file can prove."""

    def covers(self, name: str) -> bool:
        """Whether the file has a column for a field, or, after ``extra:``, a column of this header."""
        if name.startswith("extra:"):
            header = _NUMBERED.sub("", name.removeprefix("extra:"))
            return any(normal(item) == normal(header) for item in self.headers)
        return name in self.covered

    @property
    def names(self) -> tuple[str, ...]:
        """The headers in the form that they are compared in."""
        return tuple(normal(header) for header in self.headers)


def normal(header: str) -> str:
    """A header as it is compared: ``"Région\\u202f"`` → ``"région"``, ``"Date d’échéance"`` → ``"date d'échéance"``."""
    return _RUNS.sub(" ", header.translate(_SPACES)).strip().casefold()


def read(path: Path, encoding: str | None = None) -> Table:
    """Open an export file; what kind it is shows in its first bytes, and JSON lines in its name.

    Raises:
        UnreadableError: missing, empty, without a header, or in an encoding that cannot be told.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or error}") from None
    if not content.strip():
        raise UnreadableError(f"{path} is empty")
    try:
        if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            return _spreadsheet(path)
        if path.suffix.lower() in {".jsonl", ".ndjson"}:
            return _json_lines(path, content, encoding)
        return _csv(path, content, encoding)
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from None


# --- CSV -----------------------------------------------------------------------------------------------------------


def _csv(path: Path, content: bytes, encoding: str | None) -> Table:
    decoded = decode(content, encoding)
    lines = _LINES.findall(decoded.text)
    if not lines:
        raise UnreadableError("the file holds nothing but its byte order mark")
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    match = re.fullmatch(r"sep=(.)\s*", lines[start])  # Excel's own hint
    if match:
        start += 1
    separator = match[1] if match else _separator("".join(lines[start : start + MOST_LINES_IN_A_ROW]))
    rows = _csv_rows(lines, start, separator)
    header = next(rows, None)
    if header is None or header.fault is not None:
        raise UnreadableError(f"there is no header: {header.fault if header else 'the file has no row'}")
    headers = _without_empty_end(header.cells)
    return Table(
        path,
        headers,
        _fitted(rows, len(headers)),
        "csv",
        len(lines),
        decoded.encoding,
        separator,
        decoded.warnings,
        assumed=decoded.assumed,
    )


def _separator(head: str) -> str:
    def columns(separator: str) -> int:
        try:
            return len(next(csv.reader(head.splitlines(keepends=True), delimiter=separator)))
        except csv.Error:
            return 0

    return max(SEPARATORS, key=columns)


class _Feed:
    """Hands lines to csv.reader, and knows where the row that is being read began."""

    def __init__(self, lines: Sequence[str], start: int) -> None:
        self._lines = lines
        self.next = self.began = start

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.next >= len(self._lines) or self.next - self.began >= MOST_LINES_IN_A_ROW:
            raise StopIteration
        self.next += 1
        return self._lines[self.next - 1]


def _csv_rows(lines: Sequence[str], start: int, separator: str) -> Iterator[Row]:
    """Rows from ``lines[start]`` on. After a broken row, reading begins again at the line that follows its first."""
    csv.field_size_limit(10_000_000)
    position = start
    while position < len(lines):
        feed = _Feed(lines, position)
        reader = csv.reader(feed, delimiter=separator, strict=True)
        try:
            for cells in reader:
                if any(cell and not cell.isspace() for cell in cells):
                    yield Row(feed.began + 1, tuple(cells), _damage(cells))
                feed.began = feed.next
            position = feed.next
        except csv.Error:
            written = lines[feed.began].rstrip("\r\n")
            yield Row(feed.began + 1, (written,), 'the quotes (") do not match')
            position = feed.began + 1


def _damage(cells: Iterable[str]) -> str | None:
    joined = "".join(cells)
    if "\x00" in joined:
        return "holds a NUL character"
    if not joined.isascii() and any("\ud800" <= c <= "\udfff" for c in joined):
        return "holds bytes that are no character in the file's encoding"
    return None


def _without_empty_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    # Dolibarr writes a separator at the end of every line, the header's too.
    width = len(cells)
    while width and not cells[width - 1].strip():
        width -= 1
    return cells[:width]


def _fitted(rows: Iterable[Row], width: int) -> Iterator[Row]:
    """Rows cut to the header's width. Empty cells beyond it are separators; full ones, or missing ones, are a fault."""
    for row in rows:
        count = len(row.cells)
        if row.fault is not None or count == width:
            yield row
        elif count > width and not any(row.cells[width:]):
            yield row._replace(cells=row.cells[:width])
        else:
            few = "fewer" if count < width else "more"
            yield row._replace(fault=f"{count} cells, {few} than the {width} of the header")


# --- spreadsheets --------------------------------------------------------------------------------------------------


def _spreadsheet(path: Path) -> Table:
    try:
        workbook = workbook_of(path)
        names = workbook.sheet_names
        if not names:
            raise UnreadableError("the workbook has no sheet")
        values = workbook.get_sheet_by_name(names[0]).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise UnreadableError(f"not a spreadsheet that can be read: {error}") from None
    warnings = (f'only the first sheet, "{names[0]}", is read; there are {len(names)}',) if len(names) > 1 else ()
    filled = (
        Row(line, cells, _damage(cells))
        for line, cells in enumerate((tuple(_cell(value) for value in row) for row in values), start=1)
        if any(cell and not cell.isspace() for cell in cells)
    )
    header = next(filled, None)
    if header is None:
        raise UnreadableError("the first sheet is empty")
    headers = _without_empty_end(header.cells)
    return Table(path, headers, _fitted(filled, len(headers)), "spreadsheet", len(values), warnings=warnings)


def _cell(value: Any) -> str:
    """A spreadsheet's value as text: every number arrives as a float, and ``12.0`` was written ``12``."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        case dt.datetime():
            return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


# --- JSON lines ----------------------------------------------------------------------------------------------------


def _json_lines(path: Path, content: bytes, encoding: str | None) -> Table:
    decoded = decode(content, encoding)
    objects: list[tuple[int, dict[str, str] | str, str | None]] = []
    headers: dict[str, None] = {}
    for line, written in enumerate(decoded.text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            # Numbers stay as written: 1200.10 must not pass through a binary float.
            parsed = json.loads(written, parse_float=str, parse_int=str, parse_constant=_no_constant)
        except ValueError as error:
            objects.append((line, written, f"not JSON: {error}"))
            continue
        if not isinstance(parsed, dict):
            objects.append((line, written, "not a JSON object"))
            continue
        cells = {str(name): _json_text(value) for name, value in parsed.items()}
        headers.update(dict.fromkeys(cells))
        objects.append((line, cells, _damage(cells.values())))
    if not headers:
        raise UnreadableError("no line of the file is a JSON object")
    names = tuple(headers)
    return Table(
        path, names, _json_rows(objects, names), "jsonl", len(objects), decoded.encoding, warnings=decoded.warnings
    )


def _json_rows(objects: Iterable[tuple[int, dict[str, str] | str, str | None]], names: Sequence[str]) -> Iterator[Row]:
    for line, content, fault in objects:
        if isinstance(content, str):
            yield Row(line, (content,), fault)
        else:
            yield Row(line, tuple(content.get(name, "") for name in names), fault)


def _json_text(value: Any) -> str:
    """Text as it is, null as nothing, lists and objects as JSON again."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
