"""What membership tells the other services: who merged, who separated, and which conflicts that brought."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from schemas.envelope import to_json
from schemas.fields import RecordRef
from schemas.membership import (
    ConflictItem,
    MemberPart,
    MembersMerged,
    MembersSeparated,
    MergeConflictChanged,
    Overlap,
)
from services.house import tell
from services.membership.domain import conflicts
from services.membership.domain.consolidation import View
from services.membership.domain.identity import Change, Merged, Separated, member_id_of
from services.membership.domain.matching.grouping import Decision
from services.membership.domain.matching.score import Judgement
from services.membership.domain.records import RecordKey
from services.membership.repository import HeldConflict, MembershipUnitOfWork, Remembered


@dataclass(frozen=True, slots=True)
class Cause:
    """What made groups change: a decision, or records that came, changed or went, each with its correlation id."""

    decision: int | None = None
    records: Mapping[RecordKey, str] = field(default_factory=dict[RecordKey, str])

    def as_json(self, concerned: Iterable[RecordKey]) -> dict[str, Any]:
        """As the history keeps it: the decision's number, or those of the records that caused it."""
        if self.decision is not None:
            return {"decision": self.decision}
        return {"records": sorted(str(key) for key in concerned if key in self.records)}

    def correlation_id(self, concerned: Iterable[RecordKey]) -> str | None:
        """That of the first record that caused it."""
        return next((self.records[key] for key in sorted(concerned) if key in self.records), None)


@dataclass(frozen=True, slots=True)
class Links:
    """What holds records together now."""

    judgements: Sequence[Judgement]
    decisions: Sequence[Decision]

    def inside(self, records: Collection[RecordKey]) -> list[dict[str, Any]]:
        """The links among these records, as the history keeps them."""
        automatic = [
            {"a": str(one.a), "b": str(one.b), "score": one.score, "levels": one.levels._asdict()}
            for one in self.judgements
            if one.a in records and one.b in records
        ]
        decided = [
            {"a": str(one.a), "b": str(one.b), "decision": one.order}
            for one in self.decisions
            if one.kind == "confirmed" and one.a in records and one.b in records
        ]
        return [*decided, *automatic]


async def tell_changes(uow: MembershipUnitOfWork, changed: Sequence[Change], links: Links, cause: Cause) -> None:
    """Announce merges and separations, and remember them with what held or parted the records."""
    version = await uow.next_version()
    merged = [one for one in changed if isinstance(one, Merged)]
    separated = [one for one in changed if isinstance(one, Separated)]
    tell(uow, MembersMerged, [(_merged(one, version), cause.correlation_id(one.records)) for one in merged])
    tell(uow, MembersSeparated, [(_separated(one, version), cause.correlation_id(one.records)) for one in separated])
    await uow.remember(
        version,
        [
            *(
                Remembered(
                    "merged",
                    [key.own_id for key in one.records],
                    {**_part(one.records), "links": links.inside(one.records), "cause": cause.as_json(one.records)},
                )
                for one in merged
            ),
            *(
                Remembered(
                    "separated",
                    [key.own_id for key in one.records],
                    {
                        "member_id": one.member_id,
                        "parts": [_part(part) for part in one.parts],
                        "cause": cause.as_json(one.records),
                    },
                )
                for one in separated
            ),
        ],
    )


async def tell_conflicts(uow: MembershipUnitOfWork, views: Sequence[View], once: Iterable[str]) -> None:
    """Announce conflicts that are new, different or gone, against what was told of these members before."""
    found = {one.conflict_id: (view.member_id, one) for view in views for one in view.conflicts}
    held = {one.conflict_id: one for one in await uow.held_conflicts({*once, *(view.member_id for view in views)})}
    told = {name: _conflict(member_id, one) for name, (member_id, one) in found.items()}
    digests = {name: blake2b(to_json(fact), digest_size=16).digest() for name, fact in told.items()}
    news = [name for name in sorted(found) if name not in held or held[name].digest != digests[name]]
    gone = [held[name] for name in sorted(held.keys() - found.keys())]
    if not news and not gone:
        return
    version = await uow.next_version()
    if news:
        await uow.put_conflicts([(*found[name], digests[name]) for name in news])
    if gone:
        await uow.end_conflicts(one.conflict_id for one in gone)
    facts = [*(told[name] for name in news), *(_ended(one) for one in gone)]
    tell(uow, MergeConflictChanged, [(fact.model_copy(update={"version": version}), None) for fact in facts])


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
                starts_on=one.starts_on,
                ends_on=one.ends_on,
                event=one.event,
                items=tuple(
                    ConflictItem(
                        cluster=item.key.cluster, record_id=item.key.record_id, kind=item.kind, item_id=item.item_id
                    )
                    for item in one.items
                ),
            )
            for one in conflict.overlaps
        ),
    )


def _ended(held: HeldConflict) -> MergeConflictChanged:
    return MergeConflictChanged(
        version=0,
        conflict_id=held.conflict_id,
        kind=held.kind,
        responsible=conflicts.RESPONSIBLE[held.kind],
        member_id=held.member_id,
        between=(_ref(held.between[0]), _ref(held.between[1])),
        overlaps=(),
    )


def _part(records: Sequence[RecordKey]) -> dict[str, Any]:
    return {"member_id": member_id_of(records), "records": [str(key) for key in records]}


def _refs(records: Iterable[RecordKey]) -> tuple[RecordRef, ...]:
    return tuple(_ref(key) for key in records)


def _ref(key: RecordKey) -> RecordRef:
    return RecordRef(cluster=key.cluster, record_id=key.record_id)
