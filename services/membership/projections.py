"""Facts → consolidated views: which members a change touches, and their documents written anew."""

from collections.abc import Iterable, Mapping, Sequence

from services.membership.domain import linking
from services.membership.domain.consolidation import consolidate
from services.membership.domain.records import RecordKey, SourceRecord
from services.membership.repository import Held, MembershipUnitOfWork, NewRecord


async def consolidate_records(
    uow: MembershipUnitOfWork, versions: Sequence[NewRecord], held: Mapping[RecordKey, Held]
) -> None:
    """Link records anew with all that they touch or touched, save them, and write the views concerned."""
    changed = {version.key: version.record for version in versions if version.what is not None}
    records = await _touched(uow, changed, [held[key] for key in changed if key in held])
    groups = linking.groups(records)
    members = {record.key: linking.member_id(group) for group in groups for record in group}
    heirs = _heirs(records, members)
    now = {r.key: heirs.get(r.member_id or "") if r.removed else members[r.key] for r in records}
    await uow.save_records(versions, {v.key: now.get(v.key, v.record.member_id) for v in versions})
    await uow.assign({r.key: now[r.key] for r in records if r.member_id != now[r.key] and r.key not in changed})
    await uow.drop_views({r.member_id for r in records if r.member_id} - set(members.values()))
    await _write_views(uow, groups)


async def consolidate_members(uow: MembershipUnitOfWork, member_ids: Iterable[str]) -> None:
    """Write the views of members whose dues, registrations, consents or mailings changed."""
    groups = await uow.groups(member_ids)
    await _write_views(uow, list(groups.values()))


def _heirs(records: Iterable[SourceRecord], members: Mapping[RecordKey, str]) -> dict[str, str]:
    """For each member as it was, the member that its first surviving record is part of now.

    A removed record stays with it, so that its id, and the ids once merged into it, go on answering.
    """
    heirs: dict[str, str] = {}
    for record in sorted(records, key=lambda one: one.key):
        if record.member_id and not record.removed:
            heirs.setdefault(record.member_id, members[record.key])
    return heirs


async def _write_views(uow: MembershipUnitOfWork, groups: Sequence[Sequence[SourceRecord]]) -> None:
    if not groups:
        return
    related = await uow.related([record.key for group in groups for record in group])
    await uow.put_views(
        [consolidate(group, [item for record in group for item in related.get(record.key, ())]) for group in groups]
    )


async def _touched(
    uow: MembershipUnitOfWork, changed: Mapping[RecordKey, SourceRecord], before: Sequence[Held]
) -> list[SourceRecord]:
    """All records that could change groups: neighbours, and neighbours of those, until no new one is found.

    ``changed`` is not in the table yet: what was there before counts too, since it may have held others together.
    """
    found = dict(changed)
    new: Sequence[SourceRecord] = list(changed.values())
    sirens = {one.siren for one in before if one.siren}
    member_ids, keys = set[str](), set[RecordKey]()
    asked = (set[str](), set[str](), set[RecordKey]())
    while new:
        sirens |= {record.siren for record in new if record.siren}
        member_ids |= {record.member_id for record in new if record.member_id}
        # What a record says it is the same as, and who says to be the same as it.
        keys |= {RecordKey(r.key.cluster, r.same_as) for r in new if r.same_as} | {record.key for record in new}
        near = await uow.neighbours(sirens - asked[0], member_ids - asked[1], keys - asked[2])
        asked = (set(sirens), set(member_ids), set(keys))
        new = [record for record in near if record.key not in found]
        found |= {record.key: record for record in new}
    return list(found.values())
