"""What a former system holds against what we hold of it: pure, record by record and field by field.

``there`` is the former system, ``here`` our mirror. A difference is named by all that makes it up, so that accepting it
holds exactly as long as it stays the same.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final, Literal, TypeAlias, cast

import orjson
from pydantic import BaseModel

from schemas.base import Fact

What = Literal["missing-here", "missing-there", "different", "unreadable"]
WHATS: Final[tuple[What, ...]] = ("missing-here", "missing-there", "different", "unreadable")

Key: TypeAlias = tuple[str, str]
"""The kind of record, and the former system's own id of it."""
Money: TypeAlias = Callable[[Any], tuple[int, Decimal]]
"""The year that a fact's money counts for, and how much."""
Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """``there`` and ``here``: the fields that differ (of a list, the elements that only one side has), or all that
    the one side says of a record that the other lacks. ``why``: what is wrong with each field of an unreadable row.
    """

    kind: str
    item_id: str
    what: What
    fields: tuple[str, ...] = ()
    there: Values | None = None
    here: Values | None = None
    why: Mapping[str, str] | None = None

    @cached_property
    def digest(self) -> str:
        """32 hex digits that are equal when the differences are, however the sides were read."""
        content = (self.kind, self.item_id, self.what, self.fields, self.there, self.here)
        return blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def context_fields(difference: Difference) -> Values:
    """What we hold of a record besides the fields that differ: there where a manifest cannot name fields."""
    return {name: value for name, value in (difference.here or {}).items() if name not in difference.fields}


@dataclass(slots=True)
class Sides:
    """How many, or how much, on either side.

    ``newer_here``: how many records changed here since the other side said what it holds, which is no difference.
    """

    there: Any = 0
    here: Any = 0
    newer_here: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """Records per kind, money per kind and year, and the differences by kind, what and id."""

    counts: Mapping[str, Sides]
    sums: Mapping[str, Mapping[int, Sides]]
    differences: list[Difference]


@dataclass
class Comparison:
    """Takes in all of ``there`` at once and ``here`` one by one: a large mirror need never be in memory whole.

    ``kinds`` are counted even if neither side has any.
    """

    there: Mapping[Key, BaseModel]
    money: Mapping[str, Money] = field(default_factory=dict[str, Money])
    kinds: Iterable[str] = ()

    def __post_init__(self) -> None:
        self._left: dict[Key, BaseModel] = {}
        self._counts: dict[str, Sides] = defaultdict(Sides, {kind: Sides() for kind in self.kinds})
        self._sums: dict[str, dict[int, Sides]] = {kind: defaultdict(Sides) for kind in self.money}
        self._differences: list[Difference] = []
        for (kind, item_id), theirs in self.there.items():
            self.add_theirs(kind, item_id, theirs)

    def add_theirs(self, kind: str, item_id: str, theirs: BaseModel) -> None:
        """One record of the former system's, where its side comes one by one too. Each is to be named once."""
        self._left[kind, item_id] = theirs
        self._counts[kind].there += 1
        if kind in self.money:
            year, amount = self.money[kind](theirs)
            self._sums[kind][year].there += amount

    def add_ours(self, kind: str, item_id: str, fact: BaseModel) -> None:
        """One record that we hold. Each is to be named once."""
        self._counts[kind].here += 1
        if kind in self.money:
            year, amount = self.money[kind](fact)
            self._sums[kind][year].here += amount
        theirs = self._left.pop((kind, item_id), None)
        if theirs is None:
            self._differences.append(_missing(kind, item_id, "missing-there", ours=fact))
        elif (different := _different(kind, item_id, theirs, fact)) is not None:
            self._differences.append(different)

    def result(self) -> Result:
        """Once all that we hold was named."""
        missing = [_missing(kind, item_id, "missing-here", theirs=fact) for (kind, item_id), fact in self._left.items()]
        differences = sorted([*self._differences, *missing], key=lambda d: (d.kind, WHATS.index(d.what), d.item_id))
        return Result(dict(self._counts), {kind: dict(years) for kind, years in self._sums.items()}, differences)


def compare(theirs: Mapping[Key, Fact], facts: Mapping[Key, Fact], money: Mapping[str, Money] | None = None) -> Result:
    """Both sides whole. Versions are not compared; an amount is its value, and what is missing is its default."""
    comparison = Comparison(theirs, money or {})
    for (kind, item_id), fact in facts.items():
        comparison.add_ours(kind, item_id, fact)
    return comparison.result()


def unreadable(item_id: str, faults: Iterable[tuple[str, str, str]]) -> Difference:
    """A row of an export that says something which we cannot read: (field, value, reason) for each of its faults."""
    reasons = sorted({(storable(name), storable(value), reason) for name, value, reason in faults})
    theirs: dict[str, str] = {}
    why: dict[str, str] = {}
    for name, value, reason in reasons:
        theirs[name], why[name] = value, "; ".join(filter(None, [why.get(name), reason]))
    return Difference("row", storable(item_id), "unreadable", tuple(theirs), theirs, None, why)


def storable(text: str) -> str:
    """Text that a database and a page can hold: what was no character, or NUL, becomes U+FFFD."""
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


# --- one record ----------------------------------------------------------------------------------------------------


def _missing(
    kind: str, item_id: str, what: What, *, theirs: BaseModel | None = None, ours: BaseModel | None = None
) -> Difference:
    return Difference(kind, item_id, what, (), values_of(theirs), values_of(ours))


def values_of(fact: BaseModel | None) -> Values | None:
    """All that it says but its version, as JSON can hold it; fields at their default are left out."""
    return None if fact is None else {name: value for name, value in _plain_fields(fact).items() if name != "version"}


def _different(kind: str, item_id: str, theirs: BaseModel, ours: BaseModel) -> Difference | None:
    changed: dict[str, tuple[Any, Any]] = {}
    for name, about in type(theirs).model_fields.items():
        item, other = getattr(theirs, name), getattr(ours, name)
        if item == other or name == "version":
            continue
        # An export cannot write an empty text otherwise than a missing one.
        empty = "" if about.default is None else None
        sides = _apart(
            plain(item or None if item == empty else item), plain(other or None if other == empty else other)
        )
        if sides is not None:
            changed[name] = sides
    if not changed:
        return None
    return Difference(
        kind,
        item_id,
        "different",
        tuple(changed),
        {name: sides[0] for name, sides in changed.items()},
        {name: sides[1] for name, sides in changed.items()},
    )


def _apart(theirs: Any, ours: Any) -> tuple[Any, Any] | None:
    """What only one side says. Lists have no order and no doublets: none of ours means anything by either."""
    if theirs == ours:
        return None
    if isinstance(theirs, list) and isinstance(ours, list):
        sides = _only(cast("list[Any]", theirs), cast("list[Any]", ours))
        return sides if sides != ([], []) else None
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return _unlike(cast("dict[str, Any]", theirs), cast("dict[str, Any]", ours))
    return theirs, ours


def _unlike(theirs: dict[str, Any], ours: dict[str, Any]) -> tuple[Any, Any]:
    equal = {name for name in theirs.keys() & ours.keys() if theirs[name] == ours[name]}
    return (
        {name: value for name, value in theirs.items() if name not in equal},
        {name: value for name, value in ours.items() if name not in equal},
    )


def _only(theirs: list[Any], ours: list[Any]) -> tuple[list[Any], list[Any]]:
    named = [{_text(value): value for value in side} for side in (theirs, ours)]
    common = named[0].keys() & named[1].keys()
    item, other = ([side[name] for name in sorted(side.keys() - common)] for side in named)
    return item, other


def plain(value: Any) -> Any:
    """A field's value as JSON can hold it: equal values are equal, whoever wrote them."""
    match value:
        case Decimal():
            return f"{value:.2f}"
        case date():
            return value.isoformat()
        case BaseModel():
            return _plain_fields(value)
        case tuple() | list():
            return sorted((plain(item) for item in cast("list[Any]", value)), key=_text)
        case dict():
            return {str(name): plain(item) for name, item in cast("dict[Any, Any]", value).items()}
        case _:
            return value


def _plain_fields(model: BaseModel) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, about in type(model).model_fields.items():
        value = getattr(model, name)
        if about.is_required() or value != about.get_default(call_default_factory=True):
            document[name] = plain(value)
    return document


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
