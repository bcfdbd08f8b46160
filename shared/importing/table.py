"""A file as a table: its headers and its rows, each with the line that it began on.

Nothing is interpreted: a cell is the text that was written. A row whose shape is broken comes out with its fault, so
that it can be counted and set aside while the rest goes on.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "\ufeff": ""})
_NUMBERED = re.compile(r" \([^()]*\)$")
"""What tells the second writing of a column from its first."""
_RUNS = re.compile(r"\s+")


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
    part: bool = False
    """Whether it is the rows that were set aside, and not the whole file: a row's place in it says nothing."""

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


def damage(cells: Iterable[str]) -> str | None:
    """What is wrong with the characters of a row; None where nothing is."""
    joined = "".join(cells)
    if "\x00" in joined:
        return "holds a NUL character"
    try:
        joined.encode()
    except UnicodeEncodeError:  # a lone surrogate, for which there is no UTF-8
        return "holds bytes that are no character in the file's encoding"
    return None


def without_empty_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    """A header without the empty cells at its end."""
    # Dolibarr writes a separator at the end of every line, the header's too.
    width = len(cells)
    while width and not cells[width - 1].strip():
        width -= 1
    return cells[:width]


def fitted(rows: Iterable[Row], width: int) -> Iterator[Row]:
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
