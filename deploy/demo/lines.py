"""What all lines of the demo's exports share: JSON, versions and moments."""

from datetime import date
from random import Random
from typing import Any

import orjson

from deploy.demo.companies import below

Line = dict[str, Any]
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_MICROSECONDS = 86_400_000_000


def encode(line: Line) -> str:
    """One JSON object."""
    # As text, because orjson's bytes each keep a kilobyte: over half a million of them, that is most of the time.
    return orjson.dumps(line).decode()


def version_of(day: date, rng: Random) -> int:
    """A moment of that day, in microseconds since 1970."""
    return (day.toordinal() - _EPOCH) * _DAY_MICROSECONDS + int(rng.random() * _DAY_MICROSECONDS)


def moment(day: date, rng: Random) -> str:
    """A moment of that day in ISO 8601, between 7 and 17 o'clock UTC."""
    minute = below(rng, 600)
    return f"{day.isoformat()}T{7 + minute // 60:02d}:{minute % 60:02d}:00+00:00"
