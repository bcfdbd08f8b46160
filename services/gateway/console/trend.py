"""A number over time as a line: what a picture without any script needs, and the same in words and in a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

WIDTH: Final = 1_000
HEIGHT: Final = 120
_EDGE: Final = 6
"""Room above and below, so that the line is whole where it is highest and lowest."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A number, and when it was read."""

    at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Line:
    """A path for an SVG of ``WIDTH`` times ``HEIGHT``: it stays where it is until the next reading, as a step.

    ``dots`` is a path of its own: a point for each reading. ``most`` is the number at the top; 0 lies at the bottom.
    """

    path: str
    dots: str
    most: int
    first: Reading
    last: Reading


def line_of(readings: Sequence[Reading], since: datetime, until: datetime) -> Line | None:
    """The line of what was read from ``since`` to ``until``, oldest or newest first; None where nothing was."""
    shown = sorted((each for each in readings if since <= each.at <= until), key=lambda each: each.at)
    if not shown:
        return None
    most = max(each.number for each in shown)
    points = [(_across(each.at, since, until), _up(each.number, most)) for each in shown]
    steps = [f"M{points[0][0]} {points[0][1]}", *(f"H{x}V{y}" for x, y in points[1:]), f"H{WIDTH}"]
    return Line("".join(steps), "".join(f"M{x} {y}h0" for x, y in points), most, shown[0], shown[-1])


def _across(at: datetime, since: datetime, until: datetime) -> int:
    return round((at - since) / (until - since) * WIDTH)


def _up(number: int, most: int) -> int:
    """From the top; without anything at all the line lies at the bottom."""
    return round(HEIGHT - _EDGE - (HEIGHT - 2 * _EDGE) * number / max(most, 1))
