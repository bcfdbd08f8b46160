"""What may happen, as a model: every transaction of a cluster, in the order of the commits, is held against it.

There is one writer at any moment: between a switch and the rollback after it our commands write and nobody else, and
around that the former system alone. Nothing that it says is lost: it is applied, or something newer of the same record
was, or it is kept in quarantine; and nothing has its effect twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.cutover import Stage
from services.cutover.stages import MOVES, OURS
from tests.support.interleaving.commits import Transaction
from tests.support.interleaving.former_system import MARK, Stated
from tests.support.interleaving.record import Record, edition, following, is_stored, newest, record_left, text
from tests.support.interleaving.story import Story

REFUSED = frozenset({"not-the-authority", "record-changed-meanwhile", "record-removed", "record-unknown"})
"""Reasons for which a command of staff may be parked; nothing that a former system says may be."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the database holds at the end of a cluster: its records, dead letters (id, reason) and told stages.

    ``hostile`` are the marks of what was parked of messages that cannot be applied.
    """

    records: Mapping[str, Record]
    dead_letters: Sequence[tuple[str, str]]
    announced_stages: Sequence[tuple[int, str]]
    hostile: Collection[str]


@dataclass(slots=True)
class Checker:
    """One story's end. ``wrong`` is empty, or tells what must never be."""

    story: Story
    left: Left
    wrong: list[str] = field(default_factory=list[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])
    _stage: Stage = "legacy"
    _epoch: int = 0
    _records: dict[str, Record] = field(default_factory=dict[str, Record])
    _moves: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    _heard: Counter[str] = field(default_factory=Counter[str])
    _kept: Counter[str] = field(default_factory=Counter[str])
    _decided: Counter[str] = field(default_factory=Counter[str])
    _changes: Counter[str] = field(default_factory=Counter[str])

    def check(self, transactions: Sequence[Transaction]) -> Checker:
        """Go through all of it once."""
        for transaction in transactions:
            self._transaction(transaction)
        self._nothing_lost()
        self._commands_once()
        self._is_as_left()
        if self._stage != "mirror":
            self._print(f"it ends in stage {self._stage}")
        if self.story.untold:
            self._print(f"its former system was not told of {self.story.untold} as they were written here")
        for difference in self.story.differences:
            self._print(f"parity after the rollback: {difference.what} {difference.item_id} {difference.fields}")
        return self

    # --- one transaction -------------------------------------------------------------------------------------------

    def _transaction(self, transaction: Transaction) -> None:
        if transaction.moves:
            self._move(transaction)
        elif transaction.decided:
            self._late(transaction)
        elif transaction.changes or any(self._asked_by(name) for name in transaction.inbox):
            self._commands(transaction)
        elif transaction.inbox:
            self._messages(transaction)
        else:
            self._print(f"nobody is known to have written {transaction}")

    def _move(self, transaction: Transaction) -> None:
        for row in transaction.moves:
            possible = [target for origin, target in MOVES.values() if origin == self._stage]
            if row["stage"] not in possible or row["epoch"] != self._epoch + 1:
                self._print(f"from {self._stage} {self._epoch} it moved to {row['stage']} {row['epoch']}")
            self._stage, self._epoch = row["stage"], row["epoch"]
            self._moves.append((row["epoch"], row["stage"]))
        if len(transaction.moves) > 1 or transaction.writes or transaction.kept:
            self._print("a move did more than to move")

    def _messages(self, transaction: Transaction) -> None:
        self._heard.update(transaction.inbox)
        if unknown := [name for name in transaction.inbox if name not in self.story.former.said]:
            self._print(f"heard what nobody said: {unknown}")
            return
        kept = Counter(row["message_id"] for row in transaction.kept)
        self._kept.update(kept)
        ours = self._stage in OURS
        if ours and transaction.writes:
            self._print(
                f"two writers: the former system wrote {_written(transaction.writes)} in {self._stage} {self._epoch}"
            )
        if kept != (Counter(transaction.inbox) if ours else Counter()):
            self._print(
                f"in stage {self._stage} {self._epoch} it said {transaction.inbox}, and {sorted(kept)} was kept"
            )
        if any(row["epoch"] != self._epoch for row in transaction.kept):
            self._print(f"kept as of another epoch than {self._epoch}")
        self._settled(transaction.kept)
        if not ours:
            self._applied([self.story.former.said[name] for name in transaction.inbox], transaction.writes)
        self.outcomes["quarantined"] += len(transaction.inbox) if ours else 0

    def _settled(self, kept: Sequence[Mapping[str, Any]]) -> None:
        """A person is asked about whatever does not say just what is held, and about nothing else."""
        for row in kept:
            answer = self.story.former.said[row["message_id"]]
            record = self._stored(answer.fact.record_id)
            if row["state"] != ("applied" if is_stored(record, answer) else "waiting"):
                self._print(f"late {answer.mark or 'removal'} is {row['state']}, and held is {record}")
            if row["state"] != "waiting":
                self._decided[row["message_id"]] += 1
                self.outcomes["settled"] += 1

    def _applied(self, answer: Sequence[Stated], writes: Sequence[Mapping[str, Any]]) -> None:
        expected: dict[str, Record] = {}
        for record_id in {item.fact.record_id for item in answer}:
            after = following(self._stored(record_id), [item for item in answer if item.fact.record_id == record_id])
            if after is not None:
                expected[record_id] = after
        records = {row["record_id"]: record_left(row) for row in writes}
        if records != expected or len(records) != len(writes):
            self._print(f"by {[item.mark or 'a removal' for item in answer]} it should be {expected}, and is {records}")
        applied = sum(1 for item in answer if edition(item) == newest(expected.get(item.fact.record_id)))
        self.outcomes["applied"] += applied
        self.outcomes["superseded"] += len(answer) - applied
        self._records |= records

    def _commands(self, transaction: Transaction) -> None:
        if self._stage not in OURS:
            self._print(f"two writers: we wrote {_written(transaction.writes)} in stage {self._stage} {self._epoch}")
        if len(transaction.writes) != len(transaction.changes):
            self._print(f"{len(transaction.changes)} commands wrote {len(transaction.writes)} versions")
        by_broker = [self._asked_by(name) for name in transaction.inbox]
        if by_broker and Counter(by_broker) != Counter(row["reason"] for row in transaction.changes):
            self._print(f"commands were heard and not carried out: {by_broker}")
        for write, change in zip(transaction.writes, transaction.changes, strict=False):
            self._changes[change["reason"]] += 1
            asked, stored = self.story.asked[change["reason"]], self._stored(write["record_id"])
            record = record_left(write)
            if not record.here or record.newest.version != change["version"] or record.mark != asked.mark:
                self._print(f"{asked.mark} did something else: {record}")
            if asked.expected not in (None, stored.newest.version) or stored.removed:
                self._print(f"{asked.mark} expected version {asked.expected} and changed {stored}")
            self._records[write["record_id"]] = record

    def _late(self, transaction: Transaction) -> None:
        """What a person decided: what is applied replaces what is held, under the version that it came with."""
        # What is held makes way first, and is then replaced.
        writes = list({row["record_id"]: record_left(row) for row in transaction.writes}.items())
        for row in transaction.decided:
            self._decided[row["message_id"]] += 1
            if row["state"] != "applied":
                continue
            answer = self.story.former.said[row["message_id"]]
            if not writes or writes[0][0] != answer.fact.record_id or not text(writes[0][1], answer):
                stored = self._stored(answer.fact.record_id)
                self._print(f"late {answer.mark or 'removal'} was said to be applied, and is not: {stored}")
                continue
            record = self._records[answer.fact.record_id] = writes.pop(0)[1]
            if record.newest != edition(answer):
                self._print(
                    f"late {answer.mark or 'removal'} was applied as {record.newest}, and not {edition(answer)}"
                )
        if writes:
            self._print(f"a decision about a late message wrote {writes}")

    # --- at the end ------------------------------------------------------------------------------------------------

    def _nothing_lost(self) -> None:
        for name, answer in self.story.former.said.items():
            if self._heard[name] != 1:
                self._print(f"message {answer.mark or 'removal'} was heard {self._heard[name]} times")
        if self._kept.keys() != self._decided.keys() or {*self._kept.values(), *self._decided.values()} - {1}:
            self._print(f"quarantine: kept {self._kept}, decided {self._decided}")
        lost = [letter for letter in self.left.dead_letters if letter[0] in self.story.former.said]
        if lost:
            self._print(f"messages were parked: {lost}")
        if unkept := set(self.story.hostile.sent) - set(self.left.hostile):
            self._print(f"hostile messages were not parked: {sorted(unkept)}")
        self.outcomes["hostile"] += len(self.left.hostile)

    def _commands_once(self) -> None:
        parked = dict(self.left.dead_letters)
        for name, asked in self.story.asked.items():
            done = self._changes[name]
            if asked.by_broker is not None:
                reason = parked.get(asked.by_broker)
                # A second copy may come after the first was parked, when it can be carried out: once, all the same.
                if done > 1 or not (done or reason):
                    self._print(f"command {name} was carried out {done} times, and parked: {reason}")
                if reason is not None and reason not in REFUSED:
                    self._print(f"command {name} was parked: {reason}")
                self.outcomes["carried out" if done else "parked"] += 1
                continue
            at_least = int("done" in asked.answers)
            at_most = int(at_least or "unknown" in asked.answers)
            if not at_least <= done <= at_most:
                self._print(f"command {name} was answered {asked.answers}, and is there {done} times")
            self.outcomes["carried out" if done else "refused"] += 1

    def _is_as_left(self) -> None:
        if self._records != self.left.records:
            self._print(f"records are {self.left.records}, and should be {self._records}")
        if sorted(self.left.announced_stages) != self._moves:
            self._print(f"told of {self.left.announced_stages}, and made {self._moves}")

    # --- small things ----------------------------------------------------------------------------------------------

    def _stored(self, record_id: str) -> Record:
        return self._records.get(record_id, Record())

    def _asked_by(self, event_id: str) -> str | None:
        return next((name for name, item in self.story.asked.items() if item.by_broker == event_id), None)

    def _print(self, what: str) -> None:
        self.wrong.append(f"seed {self.story.seed}: {what}")


def _written(writes: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{row['record_id']} {row['written'].get('extra', {}).get(MARK)}" for row in writes]
