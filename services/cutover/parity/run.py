"""One comparison with the differences that it found, as it is read back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from services.cutover.parity.compare import Difference, Sides
from shared.persistence.database import json_of

Subject = Literal["mirror", "rehearsal"]
"""What is compared: what both sides hold; or what the former system did, and what we would have done."""

LENGTH_OF_NAME: Final = 12
"""So many characters of a digest name a difference."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """By whom, when and why a difference may stay."""

    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RunDifference:
    """One difference of a run. ``digest`` is as it was kept; ``accepted`` None while it is open."""

    difference: Difference
    digest: str
    owner: str | None
    accepted: Acceptance | None

    @property
    def name(self) -> str:
        """How a person names it: the beginning of its digest."""
        return self.digest[:LENGTH_OF_NAME]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        document = asdict(self.difference)
        accepted = None if self.accepted is None else asdict(self.accepted)
        return {"id": self.name, **document, "owner": self.owner, "accepted": accepted}


@dataclass(frozen=True, slots=True)
class Run:
    """One comparison, and how many of its differences are open and accepted now.

    ``differences`` are all of them as they stand now, by kind, what and id; none where only the numbers were read.
    ``manifest``: the version of the manifest that it was made with, None when it was made with files.
    """

    number: int
    cluster: str
    at: datetime
    by: str
    source: Sequence[str]
    counts: Mapping[str, Sides]
    sums: Mapping[str, Mapping[int, Sides]]
    open: int
    accepted: int
    differences: Sequence[RunDifference] = ()
    manifest: int | None = None
    subject: Subject = "mirror"

    def as_json(self) -> dict[str, Any]:
        """For programs, without the differences."""
        return {
            "run": self.number,
            "subject": self.subject,
            "at": self.at,
            "by": self.by,
            "source": list(self.source),
            "manifest": self.manifest,
            "clean": self.open == 0,
            "open": self.open,
            "accepted": self.accepted,
            "counts": {kind: asdict(sides) for kind, sides in self.counts.items()},
            "sums": sums_as_json(self.sums),
        }


def run_difference(row: Sequence[Any], accepted: Mapping[str, Acceptance]) -> RunDifference:
    """A row of a run's differences; ``accepted`` are those that may stay, by digest."""
    kind, item_id, what, fields, theirs, ours, why, digest, owner = row
    difference = Difference(kind, item_id, what, tuple(fields), json_of(theirs), json_of(ours), json_of(why))
    return RunDifference(difference, digest, owner, accepted.get(digest))


def sums_by_year(by_year: Mapping[str, Mapping[str, str]]) -> dict[int, Sides]:
    """Sums as they were kept: euros by year."""
    return {int(year): Sides(Decimal(sides["there"]), Decimal(sides["here"])) for year, sides in by_year.items()}


def sums_as_json(sums: Mapping[str, Mapping[int, Sides]]) -> dict[str, dict[str, dict[str, str]]]:
    """The same for JSON: euros as text with two decimals."""
    return {
        kind: {str(year): {"there": f"{s.there:.2f}", "here": f"{s.here:.2f}"} for year, s in sorted(years.items())}
        for kind, years in sums.items()
    }
