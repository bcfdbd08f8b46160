"""Membership's repository in memory: what its SQL promises, so that thousands of stories take seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import orjson

from deploy.local.house import CLUSTERS as CLUSTERS_FILE
from services.membership.domain.consolidation import Related, View
from services.membership.domain.records import RecordKey, SourceRecord
from services.membership.repository import Held, MembershipUnitOfWork, NewRecord, RelatedItem
from shared.runtime.clusters import load_clusters

CLUSTERS = load_clusters(CLUSTERS_FILE)


class InMemoryMembership(MembershipUnitOfWork):
    """The same verbs as the real unit of work; each batch is one transaction that succeeds."""

    def __init__(self) -> None:
        super().__init__(None, CLUSTERS)  # type: ignore[arg-type]
        self.records: dict[RecordKey, SourceRecord] = {}
        self.versions: dict[RecordKey, tuple[int, bytes]] = {}
        self.items: dict[tuple[str, str, str], RelatedItem] = {}
        self.views: dict[str, bytes] = {}

    async def take_turn(self) -> None:
        """There is nobody else."""

    async def held(self, keys: Iterable[RecordKey]) -> dict[RecordKey, Held]:
        return {
            key: Held(*self.versions[key], one.written, one.siren, one.same_as, one.member_id, one.removed)
            for key in keys
            if (one := self.records.get(key))
        }

    async def save_records(self, records: Sequence[NewRecord], members: Mapping[RecordKey, str | None]) -> None:
        for new in records:
            before = self.records.get(new.key)
            if before is not None and self.versions[new.key] >= (new.version, new.digest):
                continue
            self.versions[new.key] = (new.version, new.digest)
            self.records[new.key] = replace(new.record, member_id=members.get(new.key))

    async def neighbours(
        self, sirens: Iterable[str], member_ids: Iterable[str], keys: Iterable[RecordKey]
    ) -> list[SourceRecord]:
        sirens, member_ids, keys = set(sirens), set(member_ids), set(keys)
        return [
            one
            for one in self.records.values()
            if one.siren in sirens
            or one.member_id in member_ids
            or one.key in keys
            or (one.same_as and RecordKey(one.key.cluster, one.same_as) in keys)
        ]

    async def assign(self, members: Mapping[RecordKey, str | None]) -> None:
        for key, member_id in members.items():
            self.records[key] = replace(self.records[key], member_id=member_id)

    async def keep_related(self, items: Sequence[RelatedItem]) -> set[RecordKey]:
        touched: set[RecordKey] = set()
        for item in items:
            name = (item.kind, item.cluster, item.item_id)
            before = self.items.get(name)
            if before is not None and (before.version, before.digest) >= (item.version, item.digest):
                continue
            self.items[name] = item
            concerned = [before, item]
            if item.kind == "event":
                concerned += [
                    one
                    for one in self.items.values()
                    if (one.kind, one.cluster, one.event_id) == ("registration", item.cluster, item.item_id)
                ]
            touched |= {RecordKey(one.cluster, one.record_id) for one in concerned if one and one.record_id}
        return touched

    async def members_of(self, keys: Iterable[RecordKey]) -> set[str]:
        return {one.member_id for key in keys if (one := self.records.get(key)) and one.member_id}

    async def groups(self, member_ids: Iterable[str]) -> dict[str, list[SourceRecord]]:
        wanted = set(member_ids)
        groups: defaultdict[str, list[SourceRecord]] = defaultdict(list)
        for key in sorted(self.records):
            one = self.records[key]
            if one.member_id in wanted and not one.removed:
                groups[str(one.member_id)].append(one)
        return dict(groups)

    async def related(self, keys: Iterable[RecordKey]) -> dict[RecordKey, list[Related]]:
        found: dict[RecordKey, list[Related]] = {}
        for key in keys:
            for item in self.items.values():
                if RecordKey(item.cluster, item.record_id or "") == key:
                    event = self.items.get(("event", item.cluster, item.event_id or ""))
                    document = orjson.loads(item.document)
                    told = orjson.loads(event.document) if event else None
                    found.setdefault(key, []).append(Related(item.kind, key, item.item_id, document, told))
        return found

    async def put_views(self, views: Sequence[View]) -> None:
        self.views |= {view.member_id: view.document for view in views}

    async def drop_views(self, member_ids: Iterable[str]) -> None:
        for member_id in member_ids:
            self.views.pop(member_id, None)
