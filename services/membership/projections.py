"""Facts → consolidated views: which members a change touches, and their documents written anew."""

from collections.abc import Iterable, Mapping, Sequence

from services.membership.domain import linking
from services.membership.domain.consolidation import consolidate
from services.membership.domain.records import RecordKey, SourceRecord
from services.membership.repository import Held, MembershipUnitOfWork, NewRecord


async def consolidate_records(
    uow: MembershipUnitOfWork, changed: Sequence[NewRecord], held: Mapping[RecordKey, Held]
) -> None:
    """Link changed records anew, with all that they touch or touched, and write the views of the members concerned."""
    before = [held[record.key] for record in changed if record.key in held]
    records = await _touched(
        uow,
        {siren for one in (*changed, *before) if (siren := one.siren)},
        {member_id for one in before if (member_id := one.member_id)},
        {record.key for record in changed}
        | {RecordKey(record.key.cluster, record.same_as) for record in changed if record.same_as},
    )
    if not records:
        return
    groups = linking.groups(records)
    members = {record.key: linking.member_id(group) for group in groups for record in group}
    heirs = _heirs(records, members)
    belongs = {r.key: heirs.get(r.member_id or "") if r.removed else members[r.key] for r in records}
    moved = {record.key: belongs[record.key] for record in records if record.member_id != belongs[record.key]}
    if moved:
        await uow.assign(moved)
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
    uow: MembershipUnitOfWork, sirens: set[str], member_ids: set[str], keys: set[RecordKey]
) -> list[SourceRecord]:
    """All records that could change groups: neighbours, and neighbours of those, until no new one is found."""
    found: dict[RecordKey, SourceRecord] = {}
    asked_sirens, asked_members, asked_keys = set[str](), set[str](), set[RecordKey]()
    while sirens or member_ids or keys:
        asked_sirens |= sirens
        asked_members |= member_ids
        asked_keys |= keys
        new = [r for r in await uow.neighbours(sirens, member_ids, keys) if r.key not in found]
        found |= {record.key: record for record in new}
        sirens = {record.siren for record in new if record.siren} - asked_sirens
        member_ids = {record.member_id for record in new if record.member_id} - asked_members
        # What a record says it is the same as, and who says to be the same as it.
        keys = {RecordKey(r.key.cluster, r.same_as) for r in new if r.same_as} | {record.key for record in new}
        keys -= asked_keys
    return list(found.values())
