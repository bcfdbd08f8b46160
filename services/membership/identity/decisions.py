"""What staff decide about who is who: facts with an author, a time and a reason.

A decision beats every score until it is taken back, and names source records, so that it holds whatever is imported,
merged or separated later. Of two that speak of the same two records the later one counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from services.membership.records.record import RecordKey
from shared.runtime.text import is_text, tidied

MOST_RECORDS = 50
"""In one decision; a member has a handful."""
LONGEST_REASON = 1_000
LONGEST_AUTHOR = 200

Pair = tuple[RecordKey, RecordKey]
Verdict = Literal["confirmed", "rejected"]


class DecisionError(ValueError):
    """A decision that cannot be taken. ``kind`` is a stable word, the message says what to do."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class RecordUnknownError(DecisionError):
    """A decision about a source record that nobody ever told of."""

    def __init__(self, unknown: Iterable[RecordKey]) -> None:
        self.records = sorted(unknown)
        super().__init__("record-unknown", f"there is no source record {', '.join(map(str, self.records))}")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who decides, and why. ``key_id`` is the API key that it came with, if it came by HTTP."""

    author: str
    reason: str
    key_id: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", tidied(self.reason))
        _check_text("author", self.author, LONGEST_AUTHOR, lines=False)
        _check_text("reason", self.reason, LONGEST_REASON, lines=True)


@dataclass(frozen=True, slots=True)
class Decision:
    """Pairs of records that are one company, and pairs that are not; each with its first key first."""

    confirmed: tuple[Pair, ...]
    rejected: tuple[Pair, ...]

    @property
    def records(self) -> set[RecordKey]:
        """All that it speaks of."""
        return {key for pair in (*self.confirmed, *self.rejected) for key in pair}

    @property
    def verdicts(self) -> dict[Pair, Verdict]:
        """What it says of each pair."""
        verdicts: dict[Pair, Verdict] = dict.fromkeys(self.confirmed, "confirmed")
        verdicts.update(dict.fromkeys(self.rejected, "rejected"))
        return verdicts


def confirm(records: Sequence[RecordKey]) -> Decision:
    """These records are one company. Raises DecisionError."""
    return sort_out([records])


def reject(records: Sequence[RecordKey]) -> Decision:
    """No two of these records are one company. Raises DecisionError."""
    return sort_out([[key] for key in records])


def separate(records: Sequence[RecordKey], others: Sequence[RecordKey]) -> Decision:
    """None of these records is one company with any of the others of its member; among themselves nothing is said.

    Raises DecisionError.
    """
    _check([records, others], limited=records)
    return Decision((), tuple(_pair(a, b) for a in sorted(records) for b in sorted(others)))


def sort_out(parts: Sequence[Sequence[RecordKey]]) -> Decision:
    """Each part is one company, and no two parts are the same one. Raises DecisionError."""
    _check(parts)
    # Each with each, so that the others hold together when one of them leaves later.
    confirmed = [pair for part in parts for pair in combinations(sorted(part), 2)]
    rejected = [_pair(a, b) for item, other in combinations(parts, 2) for a in item for b in other]
    return Decision(tuple(sorted(confirmed)), tuple(sorted(rejected)))


def _check_text(name: str, text: str, longest: int, *, lines: bool) -> None:
    if not text.strip():
        raise DecisionError(f"{name}-missing", f"a decision needs its {name}")
    if len(text) > longest or not is_text(text, lines=lines):
        raise DecisionError(f"{name}-unusable", f"the {name} must be at most {longest} printable characters")


def _check(parts: Sequence[Sequence[RecordKey]], limited: Sequence[RecordKey] | None = None) -> None:
    """``limited`` are the records that somebody named, where others come by themselves."""
    named = [key for part in parts for key in part]
    if len(named) < 2 or not all(parts):
        raise DecisionError("records-too-few", "a decision is about two source records at least")
    if len(named if limited is None else limited) > MOST_RECORDS:
        raise DecisionError("records-too-many", f"a decision is about {MOST_RECORDS} source records at most")
    if len(set(named)) < len(named):
        raise DecisionError("record-twice", "a decision names each source record once")


def _pair(a: RecordKey, b: RecordKey) -> Pair:
    return (a, b) if a < b else (b, a)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision's number, whether it had been taken already, and the members of the records that it is about."""

    number: int
    repeated: bool
    members: dict[RecordKey, str | None]
