"""What membership tells the other services: who merged, who separated, and which conflicts that brought."""

from asyncio import to_thread
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.base import RecordRef
from schemas.envelope import digest_of, to_json
from schemas.membership import (
    ConflictItem,
    MemberPart,
    MembersMerged,
    MembersSeparated,
    MergeConflictChanged,
    Overlap,
)
from services.membership.identity.members import Change, Merged, Separated, member_id_of
from services.membership.identity.repository import Remembered
from services.membership.matching.disjoint_sets import Union
from services.membership.matching.grouping import Decision
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.views import conflicts
from services.membership.views.consolidation import View
from services.membership.views.staff_repository import StoredConflict
from shared.messaging.publishing import publish

_CAUSES = 5


@dataclass(frozen=True, slots=True)
class Cause:
    """What made groups change: a decision, or records that came, changed or went, each with its correlation id."""

    decision: int | None = None
    records: Mapping[RecordKey, str] = field(default_factory=dict[RecordKey, str])

    def as_json(self, concerned: Iterable[RecordKey]) -> dict[str, Any]:
        """As the history keeps it: the decision's number, or the records that caused it; neither for a rebuild.

        Records that came or went elsewhere cause it too, by making something common or rare that the others share:
        where none of the concerned changed, the first few of those are named.
        """
        if self.decision is not None:
            return {"decision": self.decision}
        own = sorted(str(key) for key in concerned if key in self.records)
        return {"records": own or sorted(map(str, self.records))[:_CAUSES]}

    def correlation_id(self, concerned: Iterable[RecordKey]) -> str | None:
        """That of the first record that caused it."""
        return next((self.records[key] for key in sorted(concerned) if key in self.records), None)


@dataclass(frozen=True, slots=True)
class Links:
    """What holds records together now."""

    judgements: Sequence[Judgement]
    decisions: Sequence[Decision]

    def inside(self, records: Iterable[RecordKey]) -> list[dict[str, Any]]:
        """What holds these records together, as the history keeps it: the firmest links that reach them all."""
        inside, union = set(records), Union[RecordKey]()
        confirmed = sorted(
            (
                decision
                for decision in self.decisions
                if decision.kind == "confirmed" and decision.a in inside and decision.b in inside
            ),
            key=lambda decision: -decision.order,
        )
        judged = sorted(
            (judgement for judgement in self.judgements if judgement.a in inside and judgement.b in inside),
            key=lambda judgement: (-judgement.score, judgement.a, judgement.b),
        )
        return [
            *(
                _link(decision, {"decision": decision.order})
                for decision in confirmed
                if union.join(decision.a, decision.b)
            ),
            *(
                _link(judgement, {"score": judgement.score, "levels": judgement.levels._asdict()})
                for judgement in judged
                if union.join(judgement.a, judgement.b)
            ),
        ]


async def publish_changes(uow: MembershipUnitOfWork, changed: Sequence[Change], links: Links, cause: Cause) -> None:
    """Announce merges and separations, and remember them with what held or parted the records."""
    version = await uow.next_version()
    merged = [change for change in changed if isinstance(change, Merged)]
    separated = [change for change in changed if isinstance(change, Separated)]
    publish(uow, MembersMerged, [(_merged(fact, version), cause.correlation_id(fact.records)) for fact in merged])
    publish(
        uow, MembersSeparated, [(_separated(fact, version), cause.correlation_id(fact.records)) for fact in separated]
    )
    await uow.remember(version, await to_thread(_remembered, merged, separated, links, cause))


def _remembered(
    merged: Iterable[Merged], separated: Iterable[Separated], links: Links, cause: Cause
) -> list[Remembered]:
    return [
        *(
            Remembered(
                "merged",
                [key.own_id for key in fact.records],
                {**_part(fact.records), "links": links.inside(fact.records), "cause": cause.as_json(fact.records)},
            )
            for fact in merged
        ),
        *(
            Remembered(
                "separated",
                [key.own_id for key in fact.records],
                {
                    "member_id": fact.member_id,
                    "parts": [_part(part) for part in fact.parts],
                    "cause": cause.as_json(fact.records),
                },
            )
            for fact in separated
        ),
    ]


def _link(between: Decision | Judgement, grounds: Mapping[str, Any]) -> dict[str, Any]:
    return {"a": str(between.a), "b": str(between.b), **grounds}


async def publish_members(uow: MembershipUnitOfWork, groups: Iterable[Sequence[RecordKey]]) -> None:
    """Announce members as they are, to services that may not know: they tell newer from older."""
    members = [Merged(tuple(records)) for records in groups]
    if members:
        version = await uow.next_version()
        publish(uow, MembersMerged, [(_merged(member, version), None) for member in members])


async def publish_conflicts(uow: MembershipUnitOfWork, views: Sequence[View], gone_ids: Iterable[str]) -> None:
    """Announce conflicts that are new, different or gone, against what was told of these members before."""
    result = {conflict.conflict_id: (view.member_id, conflict) for view in views for conflict in view.conflicts}
    conflicts = {
        conflict.conflict_id: conflict
        for conflict in await uow.stored_conflicts({*gone_ids, *(view.member_id for view in views)})
    }
    facts = {name: _conflict(member_id, conflict) for name, (member_id, conflict) in result.items()}
    digests = {name: digest_of(to_json(fact)) for name, fact in facts.items()}
    news = [name for name in sorted(result) if name not in conflicts or conflicts[name].digest != digests[name]]
    removed = [conflicts[name] for name in sorted(conflicts.keys() - result.keys())]
    if not news and not removed:
        return
    version = await uow.next_version()
    if news:
        await uow.put_conflicts([(*result[name], digests[name]) for name in news])
    if removed:
        await uow.end_conflicts(conflict.conflict_id for conflict in removed)
    facts = [*(facts[name] for name in news), *(_ended(conflict) for conflict in removed)]
    publish(uow, MergeConflictChanged, [(fact.model_copy(update={"version": version}), None) for fact in facts])


def _merged(change: Merged, version: int) -> MembersMerged:
    return MembersMerged(
        version=version,
        member_id=member_id_of(change.records),
        records=_refs(change.records),
        former_ids=change.former_ids,
    )


def _separated(change: Separated, version: int) -> MembersSeparated:
    parts = tuple(MemberPart(member_id=member_id_of(part), records=_refs(part)) for part in change.parts)
    return MembersSeparated(version=version, member_id=change.member_id, parts=parts)


def _conflict(member_id: str, conflict: conflicts.Conflict) -> MergeConflictChanged:
    return MergeConflictChanged(
        version=0,
        conflict_id=conflict.conflict_id,
        kind=conflict.kind,
        responsible=conflicts.RESPONSIBLE[conflict.kind],
        member_id=member_id,
        between=(_ref(conflict.between[0]), _ref(conflict.between[1])),
        overlaps=tuple(
            Overlap(
                starts_on=overlap.starts_on,
                ends_on=overlap.ends_on,
                event=overlap.event,
                items=tuple(
                    ConflictItem(
                        cluster=item.key.cluster, record_id=item.key.record_id, kind=item.kind, item_id=item.item_id
                    )
                    for item in overlap.items
                ),
            )
            for overlap in conflict.overlaps
        ),
    )


def _ended(conflict: StoredConflict) -> MergeConflictChanged:
    return MergeConflictChanged(
        version=0,
        conflict_id=conflict.conflict_id,
        kind=conflict.kind,
        responsible=conflicts.RESPONSIBLE[conflict.kind],
        member_id=conflict.member_id,
        between=(_ref(conflict.between[0]), _ref(conflict.between[1])),
        overlaps=(),
    )


def _part(records: Sequence[RecordKey]) -> dict[str, Any]:
    return {"member_id": member_id_of(records), "records": [str(key) for key in records]}


def _refs(records: Iterable[RecordKey]) -> tuple[RecordRef, ...]:
    return tuple(_ref(key) for key in records)


def _ref(key: RecordKey) -> RecordRef:
    return RecordRef(cluster=key.cluster, record_id=key.record_id)
