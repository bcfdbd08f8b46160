"""What membership tells again after a restore: who is one member, what that brought together, what was written here.

These facts are numbered as they are told, so they come under new ids; what they say is what whoever has it holds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.base import RecordRef
from schemas.membership import ConflictItem, MergeConflictChanged, Overlap
from services.common.republish import CAUSE, PAGE, Page, Place, Republisher, page_of, stages_of, to_live_systems
from services.common.sections import statements
from services.common.waiting import waiting_of
from services.membership.announcements import publish_members
from services.membership.cutover import write_back
from services.membership.descriptions.queries import CONTACTS, DESCRIPTIONS
from services.membership.unit_of_work import MembershipUnitOfWork
from shared.messaging.publishing import publish
from shared.persistence.database import json_of

# A record that stands alone is told too if it ever was part of another member: the news of its going may be what was
# lost. The others never were in any such fact.
_MEMBERS = f"""
    select s.member_id::text from source_records s
    where s.own_id = s.member_id and s.own_id > $1::text::uuid
      and (exists (select from source_records o where o.member_id = s.member_id and o.own_id <> s.own_id)
           or exists (select from identity_history h where h.member_ids @> array[s.own_id]))
    order by s.own_id limit {PAGE}
"""
_CONFLICTS = f"""
    select conflict_id, kind, responsible, a_cluster, a_record_id, b_cluster, b_record_id, member_id::text as member_id,
           case when gone_at is null then "overlaps"::text else '[]' end as told
    from merge_conflicts where conflict_id > $1 order by conflict_id limit {PAGE}
"""
_FIRST = "00000000-0000-0000-0000-000000000000"


async def _members(uow: MembershipUnitOfWork, after: Place | None) -> Page:
    # Numbers must grow in the order of commits.
    await uow.serialise_writers()
    member_ids = list((await uow.connection.exec_driver_sql(_MEMBERS, after or (_FIRST,))).scalars())
    groups = await uow.groups(member_ids)
    await publish_members(uow, [tuple(record.key for record in records) for records in groups.values()])
    return page_of(len(member_ids), (member_ids[-1],) if member_ids else None)


async def _conflicts(uow: MembershipUnitOfWork, after: Place | None) -> Page:
    await uow.serialise_writers()
    rows = (await uow.connection.exec_driver_sql(_CONFLICTS, after or ("",))).mappings().all()
    version = await uow.next_version()
    publish(uow, MergeConflictChanged, [(conflict({**row}, version), CAUSE) for row in rows])
    return page_of(len(rows), (rows[-1]["conflict_id"],) if rows else None)


def conflict(row: Mapping[str, Any], version: int) -> MergeConflictChanged:
    """A row as it was told last; one that is gone has nothing twice."""
    between = [RecordRef(cluster=row[f"{text}_cluster"], record_id=row[f"{text}_record_id"]) for text in "ab"]
    return MergeConflictChanged(
        version=version,
        conflict_id=row["conflict_id"],
        kind=row["kind"],
        responsible=row["responsible"],
        member_id=row["member_id"],
        between=(between[0], between[1]),
        overlaps=tuple(Overlap(**item | {"items": _items(item["items"])}) for item in json_of(row["told"])),
    )


def _items(items: Sequence[Mapping[str, Any]]) -> tuple[ConflictItem, ...]:
    result: list[ConflictItem] = []
    for item in items:
        cluster, _, record_id = item["from"].partition("/")
        result.append(
            ConflictItem(cluster=cluster, record_id=record_id, kind=item["kind"], item_id=item.get("item_id"))
        )
    return tuple(result)


REPUBLISHED = (
    Republisher("members", "select count(*) from identity_history", _members),
    statements(DESCRIPTIONS),
    statements(CONTACTS),
    Republisher("conflicts", "select count(*) from merge_conflicts", _conflicts),
    to_live_systems(
        "written here",
        "select count(distinct (cluster, record_id)) from record_changes",
        write_back.republish_unconfirmed,
    ),
    stages_of("membership"),
    waiting_of("membership"),
)
