"""CSV files: which separator, where a row begins, and how to go on after a quote that never ends."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.importing.decoding import decode
from shared.importing.outcomes import UnreadableError
from shared.importing.table import Row, Table, damage, fitted, without_empty_end

SEPARATORS = (";", ",", "\t")
MOST_LINES_IN_A_ROW = 500
"""A quoted cell may hold line breaks; one that never ends is a missing quote, and costs its first line only."""

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")
"""str.splitlines also splits at U+2028, U+0085, form feeds…, which are characters of a cell here."""


def read_delimited(path: Path, content: bytes, encoding: str | None) -> Table:
    """The rows of a CSV file, in ``encoding`` or the first that fits. Raises UnreadableError."""
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
    headers = without_empty_end(header.cells)
    return Table(
        path,
        headers,
        fitted(rows, len(headers)),
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
                    yield Row(feed.began + 1, tuple(cells), damage(cells))
                feed.began = feed.next
            position = feed.next
        except csv.Error:
            written = lines[feed.began].rstrip("\r\n")
            yield Row(feed.began + 1, (written,), 'the quotes (") do not match')
            position = feed.began + 1
