"""Series of numbers that former systems gave: first, last, how many, which are missing, which are there twice. Pure.

The last digits of a number count; what stands before them is its series, such as a year. Where the count goes on over
years or months (FA2601-0012, FA2602-0013) it is one series; where it begins again, each has its own.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

_COUNTED: Final = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)
_DIGIT: Final = re.compile(r"\d")
_LONGEST: Final = 15
"""Digits of a count. What is longer is no count, and how many are missing would be no number of JSON (RFC 8259, 6)."""
_MOST: Final = 1000
"""So many missing numbers are named; ``missing_count`` counts all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerSeries:
    """One series. ``missing`` are the numbers between first and last that nobody has, as they would be written."""

    series: str
    first: str
    last: str
    count: int
    missing: tuple[str, ...]
    missing_count: int
    duplicates: tuple[str, ...]


def former_series(numbers: Iterable[str]) -> list[FormerSeries]:
    """The series of these numbers, by name. A number without digits is a series of its own."""
    shapes: defaultdict[str, defaultdict[tuple[str, str], list[tuple[int, str]]]]
    shapes = defaultdict(lambda: defaultdict(list))
    for number in numbers:
        match = _COUNTED.fullmatch(number)
        if match is None or len(match[2]) > _LONGEST:
            before, digits, after = number, "", ""
        else:
            before, digits, after = match.groups()
        place = int(digits) if digits else 0
        shapes[f"{_DIGIT.sub('0', before)}…{after}"][before, after].append((place, number))
    return [series for shape in sorted(shapes) for series in _of_one_shape(shape, shapes[shape])]


def _of_one_shape(shape: str, parts: Mapping[tuple[str, str], list[tuple[int, str]]]) -> list[FormerSeries]:
    ordered = [sorted(parts[key]) for key in sorted(parts)]
    if all(one[-1][0] < following[0][0] for one, following in pairwise(ordered)):
        return [_series(shape if len(ordered) > 1 else _name(next(iter(parts))), [*chain(*ordered)])]
    return [_series(_name(key), sorted(parts[key])) for key in sorted(parts)]


def _name(part: tuple[str, str]) -> str:
    return f"{part[0]}…{part[1]}"


def _series(name: str, places: Sequence[tuple[int, str]]) -> FormerSeries:
    """``places`` in order; a missing number is written as the one before it."""
    missing: list[str] = []
    count = 0
    for (place, number), (following, _) in pairwise(places):
        count += max(0, following - place - 1)
        missing += [_written(number, each) for each in range(place + 1, following)[: _MOST - len(missing)]]
    times = Counter(number for _, number in places)
    return FormerSeries(
        series=name,
        first=places[0][1],
        last=places[-1][1],
        count=len(places),
        missing=tuple(missing),
        missing_count=count,
        duplicates=tuple(sorted(number for number, often in times.items() if often > 1)),
    )


def _written(like: str, place: int) -> str:
    match = _COUNTED.fullmatch(like)
    assert match is not None, "only what has digits has neighbours"
    before, digits, after = match.groups()
    return f"{before}{place:0{len(digits)}}{after}"
