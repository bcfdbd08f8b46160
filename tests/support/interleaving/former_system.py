"""A former system of a story: what it stated, and what it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal, TypeVar

from schemas.membership import MemberRecorded, MemberRemoved
from tests.support.interleaving.broker import Broker
from tests.support.interleaving.hostile import Hostile

T = TypeVar("T")
Recorded = MemberRecorded | MemberRemoved
Answer = Literal["done", "refused", "unknown"]
MARK = "Marque"
"""The extra field that tells which message or command wrote a record."""
PAUSE = 0.06
"""Seconds that anybody rests at most between two things that he does."""
ATTACKS = 3
"""Messages that are sent besides and cannot be applied."""
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo", "cha", "phi")


@dataclass(frozen=True, slots=True)
class Stated:
    """An event of the former system: its fact, and the mark that its record bears once it is applied."""

    fact: Recorded
    digest: bytes
    mark: str | None


@dataclass(slots=True)
class Asked:
    """A command: what it is to write, the version that it expects, and what whoever asked was told."""

    record_id: str
    mark: str
    expected: int | None
    by_broker: str | None = None
    answers: list[Answer] = field(default_factory=list[Answer])


class FormerSystem:
    """Keeps records of its own, publishes what it writes, and goes on doing so whoever is the authority."""

    def __init__(self, cluster: str, broker: Broker, rng: Random, hostile: Hostile) -> None:
        self.cluster, self._broker, self._rng, self._hostile = cluster, broker, rng, hostile
        self._counts_by_clock = rng.random() < 0.4
        self._ahead = rng.choice([0, 0, 86_400_000_000])
        self._marks = 0
        self.records: dict[str, MemberRecorded] = {}
        self._versions: dict[str, int] = {}
        self.said: dict[str, Stated] = {}

    def write(self) -> None:
        """One message: a record that is new, or one or several as they are now, or one that is removed, or was."""
        ids, texts = sorted(self.records), self._gone()
        if texts and self._rng.random() < 0.3:
            choice = self._rng.choice(texts)
            if self._rng.random() < 0.5:
                self.publish([MemberRemoved(version=self._version(choice), record_id=choice)])
            else:
                self.publish([self._record(choice, {"name": a_name(self.cluster, self._marks)})])
        elif not ids or self._rng.random() < 0.2:
            self.publish([self._record(f"{len(self._versions)}", {"name": a_name(self.cluster, len(self._versions))})])
        elif self._rng.random() < 0.08:
            choice = self._rng.choice(ids)
            del self.records[choice]
            self.publish([MemberRemoved(version=self._version(choice), record_id=choice)])
        else:
            many = [self._rng.choice(ids) for _ in range(2 if self._rng.random() < 0.2 else 1)]
            self.publish([self._record(text, self.records[text].model_dump()) for text in many])

    def echo(self, facts: Mapping[str, MemberRecorded]) -> None:
        """It was told of what was written here, takes one record over, and publishes that as whatever it changes."""
        choice = self._rng.choice(sorted(facts))
        self.records[choice] = facts[choice].model_copy(update={"version": self._version(choice)})
        self.publish([self.records[choice]])

    def take_over(self, facts: Mapping[str, MemberRecorded]) -> None:
        """After a rollback: what it was told is written there too, then everything is published anew."""
        self.records |= facts
        texts = self._gone()
        self.records = {
            name: fact.model_copy(update={"version": self._version(name)}) for name, fact in self.records.items()
        }
        if self.records:
            self.publish(list(self.records.values()))
        if texts:
            self.publish([MemberRemoved(version=self._version(name), record_id=name) for name in texts])

    def publish(self, facts: Sequence[Recorded]) -> None:
        """Say it, and remember that it was said."""
        for event in self._broker.publish(self.cluster, facts, self._hostile):
            self.said[event.id] = Stated(event.data, event.digest, mark_of(event.data))

    def _gone(self) -> list[str]:
        return [name for name in self._versions if name not in self.records]

    def _record(self, record_id: str, fields: dict[str, Any]) -> MemberRecorded:
        self._marks += 1
        mine = {"record_id": record_id, "version": self._version(record_id), "extra": {MARK: f"there-{self._marks}"}}
        self.records[record_id] = MemberRecorded.model_validate({**fields, **mine})
        return self.records[record_id]

    def _version(self, record_id: str) -> int:
        before = self._versions.get(record_id, 0)
        clock = int(datetime.now(UTC).timestamp() * 1_000_000) + self._ahead
        self._versions[record_id] = max(clock, before + 1) if self._counts_by_clock else before + 1
        return self._versions[record_id]


def mark_of(fact: Recorded) -> str | None:
    """Which message or command wrote it; a removal writes nothing."""
    return fact.extra.get(MARK) if isinstance(fact, MemberRecorded) else None


def a_name(cluster: str, number: int) -> str:
    """Like no other's, so that nobody is recognised and every story is one by itself."""
    mixed = Random(f"{cluster} {number}")
    return " ".join("".join(mixed.choices(_SYLLABLES, k=4)).capitalize() for _ in range(2))
