"""Facts and decisions → members and their consolidated views: what a change touches, grouped and written anew.

What takes long for many records is computed in a thread, for the process answers others meanwhile.
"""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from services.membership.announcements import Cause, Links, publish_changes, publish_conflicts, publish_members
from services.membership.identity.members import Group, changes, member_id_of, members_of
from services.membership.matching.features import features
from services.membership.matching.grouping import Decision
from services.membership.policy import Policy
from services.membership.records.record import RecordKey, Related, SourceRecord
from services.membership.records.repository import NewRecord
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.views.consolidation import View, consolidate
from services.membership.views.overrides import Override
from shared.runtime import tracing

PAGE = 1_000


async def consolidate_records(uow: MembershipUnitOfWork, versions: Sequence[NewRecord]) -> None:
    """Save new versions of records, recognise companies anew in all that they touch, and write the views concerned."""
    changed = {version.key: version.record for version in versions if version.matters}
    if not changed:
        # A file that is imported again: the versions move on, and nothing else does.
        await uow.save_records(versions, {version.key: version.record.member_id for version in versions})
        return
    written = [record for record in changed.values() if record.written]
    computed = uow.prepared.features_of if uow.prepared else features
    touched = await uow.recognise(await to_thread(lambda: [computed(record) for record in written]))
    await _regroup(uow, touched | changed.keys(), versions, Cause(records={v.key: v.correlation_id for v in versions}))
    await uow.refresh_cases()


async def consolidate_withdrawn(uow: MembershipUnitOfWork, keys: Collection[RecordKey]) -> None:
    """Forget published features, and write the views of those whose pairs were judged by what they counted for."""
    await _regroup(uow, await uow.withdraw(keys), (), Cause())
    await uow.refresh_cases()


async def consolidate_links(uow: MembershipUnitOfWork, keys: Iterable[RecordKey], decision: int) -> None:
    """Group anew what a decision about these records touches, and write the views concerned."""
    await _regroup(uow, set(keys), (), Cause(decision))
    await uow.refresh_cases()


async def consolidate_members(uow: MembershipUnitOfWork, member_ids: Iterable[str]) -> None:
    """Write the views of members whose dues, registrations, consents, mailings or overrides changed."""
    if not (groups := await uow.groups(member_ids)):
        return
    await _write_views(uow, list(groups.values()), groups)
    await uow.refresh_cases()


async def consolidate_everything(uow: MembershipUnitOfWork, progress: Callable[[int], None]) -> int:
    """Group all records anew, write every view, and tell of every member of several records.

    Returns how many members there are, those included of which every record was removed.
    """
    members, done, last = 0, 0, None
    while page := await uow.records_after(last, PAGE):
        # What an earlier page linked with these is grouped again, to the same end.
        await _regroup(uow, {record.key for record in page}, (), Cause())
        last, done = page[-1].key, done + len(page)
        # A member comes with its first record, once.
        members_of_records = await uow.members_by_record(record.key for record in page)
        groups = await uow.groups(
            key.own_id for key, member_id in members_of_records.items() if key.own_id == member_id
        )
        await _write_views(uow, list(groups.values()), groups)
        await publish_members(uow, [tuple(r.key for r in records) for records in groups.values() if len(records) > 1])
        members += len(groups)
        progress(done)
    await uow.refresh_cases()
    return members


async def _regroup(
    uow: MembershipUnitOfWork, touched: Collection[RecordKey], versions: Sequence[NewRecord], cause: Cause
) -> None:
    """``versions`` are not saved yet."""
    new = {version.key: version.record for version in versions}
    result = await regrouped(uow, touched, new)
    records, former, groups = result.records, result.former, result.groups
    now = {key: member_id for keys in groups for member_id in (member_id_of(keys),) for key in keys}
    if versions:
        await uow.save_records(versions, {v.key: now.get(v.key, v.record.member_id) for v in versions})
    await uow.assign({key: now[key] for key, r in records.items() if r.member_id != now[key] and key not in new})
    gone_ids = set(former.values()) - set(now.values())
    await uow.drop_views(gone_ids)
    concerned = result.concerned(new.keys())
    before_them = {former[key] for keys in concerned for key in keys if key in former}
    await _write_views(uow, [[records[key] for key in keys] for keys in concerned], gone_ids | before_them)
    if moved := await to_thread(changes, former, groups):
        await publish_changes(uow, moved, result.links, cause)


@dataclass(frozen=True, slots=True)
class Regrouped:
    """What links lead to from some records, and the members that all of it makes; ``former`` ones are as stored."""

    records: Mapping[RecordKey, SourceRecord]
    former: Mapping[RecordKey, str]
    groups: Sequence[Group]
    links: Links

    def concerned(self, new: AbstractSet[RecordKey] = frozenset()) -> list[Group]:
        """The groups that hold a new version of a record, or other records than before."""
        return _concerned(self.groups, self.former, new)


async def regrouped(
    uow: MembershipUnitOfWork,
    touched: Collection[RecordKey],
    new: Mapping[RecordKey, SourceRecord],
    also: Sequence[Decision] = (),
) -> Regrouped:
    """Group what these records touch, with versions and decisions that are not saved yet; writes nothing."""
    records = {record.key: record for record in await uow.linked(touched)}
    former = {key: record.member_id for key, record in records.items() if record.member_id}
    records |= {key: record for key, record in new.items() if key in touched}
    links = Links(await uow.links(records), [*await uow.decisions(records), *also])
    removed = {key for key, record in records.items() if record.removed}
    sirens = {key: record.siren for key, record in records.items()}
    members = await to_thread(members_of, sirens, removed, links.judgements, links.decisions)
    return Regrouped(records=records, former=former, groups=[member.records for member in members], links=links)


def _concerned(groups: Iterable[Group], former: Mapping[RecordKey, str], new: AbstractSet[RecordKey]) -> list[Group]:
    stored: defaultdict[str, set[RecordKey]] = defaultdict(set)
    for key, member_id in former.items():
        stored[member_id].add(key)
    return [keys for keys in groups if not new.isdisjoint(keys) or set(keys) != stored[member_id_of(keys)]]


async def _write_views(
    uow: MembershipUnitOfWork, groups: Sequence[Sequence[SourceRecord]], before: Iterable[str]
) -> None:
    """Write the views of these groups; ``before`` are the members that their records were part of."""
    views = await consolidated(uow, groups)
    if views:
        with tracing.step("write views"):
            await uow.put_views(views)
    shown = {view.member_id for view in views}
    await uow.drop_views({member_id_of(record.key for record in records) for records in groups} - shown)
    await publish_conflicts(
        uow, views, {*before, *(member_id_of(record.key for record in records) for records in groups)}
    )


async def consolidated(uow: MembershipUnitOfWork, groups: Sequence[Sequence[SourceRecord]]) -> list[View]:
    """The views of these groups, but for those of which all records are removed; writes nothing."""
    keys = [record.key for group in groups for record in group]
    related, overrides = await uow.related(keys), await uow.overrides(keys)
    ready = uow.prepared.view_of if uow.prepared else _none_is_ready
    return await to_thread(_views, groups, related, overrides, uow.policy, ready)


def _views(
    groups: Sequence[Sequence[SourceRecord]],
    related: Mapping[RecordKey, Sequence[Related]],
    overrides: Mapping[RecordKey, Sequence[Override]],
    policy: Policy,
    ready: Callable[[SourceRecord], View | None],
) -> list[View]:
    views: list[View] = []
    for records in groups:
        items = [item for record in records for item in related.get(record.key, ())]
        own = [override for record in records for override in overrides.get(record.key, ())]
        if all(record.removed for record in records):
            continue
        view = ready(records[0]) if len(records) == 1 and not items and not own else None
        views.append(view or consolidate(records, items, own, policy.rules, since=policy.paid_twice_since))
    return views


def _none_is_ready(_: SourceRecord) -> None:
    return None
