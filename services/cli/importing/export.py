"""What a former system's export files say, read as ``traboule import`` reads them, whole and by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from schemas.base import Fact
from schemas.envelope import digest_of, to_json
from services.cutover.parity.compare import Difference, Key, unreadable
from shared.importing.outcomes import Accepted, Rejection

if TYPE_CHECKING:
    from services.cli.importing.reading import OpenFile
    from services.cutover.parity.mirror_reader import Kind


@dataclass(slots=True)
class Export:
    """Each record's newest word, the rows that cannot be read, and of which kinds there was any file."""

    facts: dict[Key, Fact] = field(default_factory=dict[Key, Fact])
    unreadable: list[Difference] = field(default_factory=list[Difference])
    kinds: set[str] = field(default_factory=set[str])


def read_export(kinds: Sequence[Kind], files: Iterable[OpenFile]) -> Export:
    """Go through all files once. Of two words on one record the mirror's own rule decides which is newer."""
    export = Export()
    recorded = {kind.fact: kind for kind in kinds}
    removals = {kind.removal: kind for kind in kinds if kind.removal is not None}
    facts: dict[Key, Fact] = {}
    for file in files:
        rejections: list[Rejection] = []
        for outcome in file.outcomes:
            match outcome:
                case Accepted(fact=fact) if type(fact) in recorded:
                    _take(export, recorded[type(fact)], fact)
                case Accepted(fact=fact):
                    kind = removals[type(fact)]
                    key = (kind.name, getattr(fact, kind.key))
                    facts[key] = _newer(facts.get(key), fact)
                case Rejection():
                    rejections.append(outcome)
                case _:
                    pass
        export.unreadable += _unreadable(file.report.path.name, rejections)
    _remove(export.facts, facts)
    return export


def _take(export: Export, kind: Kind, fact: Fact) -> None:
    export.kinds.add(kind.name)
    key = (kind.name, getattr(fact, kind.key))
    other = export.facts.get(key)
    if other is not None:
        newer = _newer(other, fact)
        both = {name: dict.fromkeys((*getattr(other, name), *getattr(fact, name))) for name in kind.adds_up}
        fact = newer.model_copy(update={name: tuple(names) for name, names in both.items()})
    fact = fact.model_copy(update=dict.fromkeys(kind.left_out)) if kind.left_out else fact
    export.facts[key] = fact


def _newer(fact: Fact | None, other: Fact) -> Fact:
    return other if fact is None or _newness(fact) < _newness(other) else fact


def _newness(fact: Fact) -> tuple[int, bytes]:
    return fact.version, digest_of(to_json(fact))


def _remove(facts: dict[Key, Fact], removed: Mapping[Key, Fact]) -> None:
    for key, removal in removed.items():
        if key in facts and _newness(facts[key]) < _newness(removal):
            del facts[key]


def _unreadable(file: str, rejections: Iterable[Rejection]) -> list[Difference]:
    by_line = groupby(sorted(rejections, key=lambda rejection: rejection.line), key=lambda rejection: rejection.line)
    return [_row(file, line, list(faults)) for line, faults in by_line]


def _row(file: str, line: int, faults: Sequence[Rejection]) -> Difference:
    # By the record's own id where it is known: tomorrow's file has another name, and the row another line in it.
    record = next((fault.record_id for fault in faults if fault.record_id), None)
    name = f"{file}: line {line}" if record is None else record
    return unreadable(name, ((fault.field, fault.value, fault.reason) for fault in faults))
