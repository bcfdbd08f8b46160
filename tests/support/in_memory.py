"""Membership's repository in memory: what its SQL promises, so that thousands of stories take seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from deploy.provisioning.provision import CLUSTERS as CLUSTERS_FILE
from services.membership.identity.decisions import Decision, Signature
from services.membership.identity.repository import Remembered
from services.membership.matching import grouping
from services.membership.matching.candidates import Candidates
from services.membership.matching.features import Features
from services.membership.matching.score import Judgement, judge
from services.membership.matching.weights import shipped
from services.membership.policy import Policy
from services.membership.records.record import RecordKey, Related, SourceRecord
from services.membership.records.repository import NewRecord, RecordVersion, StoredRecord
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.views.conflicts import Conflict
from services.membership.views.consolidation import View
from services.membership.views.overrides import Override
from services.membership.views.repository import RelatedItem
from services.membership.views.rules import shipped_rules
from services.membership.views.staff_repository import StoredConflict
from shared.runtime.clusters import load_clusters

POLICY = Policy(load_clusters(CLUSTERS_FILE), shipped(), shipped_rules())


class InMemoryMembership(MembershipUnitOfWork):
    """The same verbs as the real unit of work; each batch is one transaction that succeeds."""

    def __init__(self) -> None:
        super().__init__(None, POLICY)  # type: ignore[arg-type]
        self.features: dict[RecordKey, Features] = {}
        self.judged: list[Judgement] = []
        self.decided: dict[int, Decision] = {}
        self.taken_back: dict[int, datetime] = {}
        self.set_manually: dict[tuple[RecordKey, str], Override] = {}
        self.conflicts: dict[str, StoredConflict] = {}
        self.history: list[Remembered] = []
        self.numbers = 0
        self.records: dict[RecordKey, SourceRecord] = {}
        self.editions: dict[RecordKey, tuple[RecordVersion, RecordVersion, bool]] = {}
        self.items: dict[tuple[str, str, str], RelatedItem] = {}
        self.views: dict[str, bytes] = {}

    async def refresh_cases(self) -> None:
        """Cases are computed here when they are asked for."""

    async def serialise_writers(self) -> None:
        """There is nobody else."""

    async def stored_records(self, keys: Iterable[RecordKey]) -> dict[RecordKey, StoredRecord]:
        return {key: StoredRecord(*self.editions[key], item) for key in keys if (item := self.records.get(key))}

    async def save_records(self, records: Sequence[NewRecord], members: Mapping[RecordKey, str | None]) -> None:
        for new in records:
            self.editions[new.key] = (new.newest, new.content, new.written_here)
            self.records[new.key] = replace(new.record, member_id=members.get(new.key))

    async def recognise(self, changed: Sequence[Features]) -> set[RecordKey]:
        self.features |= {features.key: features for features in changed}
        index = Candidates(self.features.values())
        judged = [judge(a, b, index.classes, self.policy.weights) for a, b in index.pairs()]
        before, self.judged = self.judged, [item for item in judged if item.verdict != "apart"]
        touched = {key for item in {*before} ^ {*self.judged} for key in (item.a, item.b)}
        return touched | {features.key for features in changed}

    async def linked(self, keys: Iterable[RecordKey]) -> list[SourceRecord]:
        result: set[RecordKey] = set()
        new = set(keys)
        pairs = {(item.a, item.b) for item in self.judged if item.verdict == "auto"}
        pairs |= {(item.a, item.b) for item in self._in_force() if item.kind == "confirmed"}
        while new:
            result |= new
            members = {item.member_id for key in new if (item := self.records.get(key)) and item.member_id}
            near = {key for pair in pairs for key in pair if new.intersection(pair)}
            near |= {record.key for record in self.records.values() if record.member_id in members}
            new = near - result
        return [self.records[key] for key in result if key in self.records]

    async def known(self, keys: Iterable[RecordKey]) -> set[RecordKey]:
        return {key for key in keys if key in self.records}

    async def members_by_record(self, keys: Iterable[RecordKey]) -> dict[RecordKey, str | None]:
        return {key: self.records[key].member_id for key in keys if key in self.records}

    async def links(self, keys: Iterable[RecordKey]) -> list[Judgement]:
        among = set(keys)
        return [item for item in self.judged if item.verdict == "auto" and item.a in among]

    def _in_force(self) -> list[grouping.Decision]:
        return [
            grouping.Decision(*pair, verdict, number)
            for number, decision in self.decided.items()
            if number not in self.taken_back
            for pair, verdict in decision.verdicts.items()
        ]

    async def decisions(self, keys: Iterable[RecordKey]) -> list[grouping.Decision]:
        among = set(keys)
        return [item for item in self._in_force() if item.a in among]

    async def save_decision(self, decision: Decision, signature: Signature) -> int:
        self.decided[len(self.decided) + 1] = decision
        return len(self.decided)

    async def take_back_decision(self, number: int, signature: Signature) -> bool:
        fresh = number not in self.taken_back
        self.taken_back[number] = datetime.now(UTC)
        return fresh

    async def records_decided(self, number: int) -> tuple[set[RecordKey], datetime | None] | None:
        decision = self.decided.get(number)
        return None if decision is None else (decision.records, self.taken_back.get(number))

    async def overrides(self, keys: Iterable[RecordKey]) -> dict[RecordKey, list[Override]]:
        result: dict[RecordKey, list[Override]] = {}
        for key in keys:
            if own := [item for (record, _), item in self.set_manually.items() if record == key]:
                result[key] = own
        return result

    async def set_override(self, key: RecordKey, field: str, value: str, signature: Signature) -> int:
        self.numbers += 1
        at = datetime(2026, 11, 23, tzinfo=UTC)
        self.set_manually[key, field] = Override(key, field, value, signature.author, at, self.numbers)
        return self.numbers

    async def end_override(self, key: RecordKey, field: str, signature: Signature) -> bool:
        return self.set_manually.pop((key, field), None) is not None

    async def next_version(self) -> int:
        self.numbers += 1
        return self.numbers

    async def remember(self, version: int, entries: Sequence[Remembered]) -> None:
        self.history += entries

    async def stored_conflicts(self, member_ids: Iterable[str]) -> list[StoredConflict]:
        wanted = set(member_ids)
        return [conflict for conflict in self.conflicts.values() if conflict.member_id in wanted]

    async def put_conflicts(self, result: Sequence[tuple[str, Conflict, bytes]]) -> None:
        for member_id, item, digest in result:
            self.conflicts[item.conflict_id] = StoredConflict(
                item.conflict_id, digest, item.kind, item.between, member_id
            )

    async def end_conflicts(self, conflict_ids: Iterable[str]) -> None:
        for conflict_id in conflict_ids:
            del self.conflicts[conflict_id]

    async def assign(self, members: Mapping[RecordKey, str | None]) -> None:
        for key, member_id in members.items():
            self.records[key] = replace(self.records[key], member_id=member_id)

    async def keep_related(self, items: Sequence[RelatedItem]) -> set[RecordKey]:
        touched: set[RecordKey] = set()
        for item in items:
            name = (item.kind, item.cluster, item.item_id)
            before = self.items.get(name)
            if before is not None and before.newness >= item.newness:
                continue
            self.items[name] = item
            concerned = [before, item]
            if item.kind == "event":
                concerned += [
                    entry
                    for entry in self.items.values()
                    if (entry.kind, entry.cluster, entry.event_id) == ("registration", item.cluster, item.item_id)
                ]
            touched |= {RecordKey(entry.cluster, entry.record_id) for entry in concerned if entry and entry.record_id}
        return touched

    async def with_section(self, kind: str, keys: Iterable[RecordKey]) -> set[RecordKey]:
        return {key for key in keys if (kind, key.cluster, key.record_id) in self.items}

    async def members_of(self, keys: Iterable[RecordKey]) -> set[str]:
        return {item.member_id for key in keys if (item := self.records.get(key)) and item.member_id}

    async def groups(self, member_ids: Iterable[str]) -> dict[str, list[SourceRecord]]:
        wanted = set(member_ids)
        groups: defaultdict[str, list[SourceRecord]] = defaultdict(list)
        for key in sorted(self.records):
            record = self.records[key]
            if record.member_id in wanted:
                groups[str(record.member_id)].append(record)
        return dict(groups)

    async def related(self, keys: Iterable[RecordKey]) -> dict[RecordKey, list[Related]]:
        result: dict[RecordKey, list[Related]] = {}
        for key in keys:
            for item in self.items.values():
                if RecordKey(item.cluster, item.record_id or "") == key:
                    event = self.items.get(("event", item.cluster, item.event_id or ""))
                    document = orjson.loads(item.document)
                    published = orjson.loads(event.document) if event else None
                    result.setdefault(key, []).append(Related(item.kind, key, item.item_id, document, published))
        return result

    async def put_views(self, views: Sequence[View]) -> None:
        self.views |= {view.member_id: view.document for view in views}

    async def drop_views(self, member_ids: Iterable[str]) -> None:
        for member_id in member_ids:
            self.views.pop(member_id, None)
