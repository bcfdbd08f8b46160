"""Set and take back a value by hand on one source record: load, decide, save, consolidate."""

from services.membership.identity.decisions import DecisionError, Signature
from services.membership.projections import consolidate_members
from services.membership.records.record import RecordKey, SourceRecord
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.decide import check_known
from services.membership.views.overrides import understand_override
from services.membership.views.survivorship import survivors


async def set_field(
    uow: MembershipUnitOfWork, record: RecordKey, field: str, value: str, signature: Signature
) -> str | None:
    """Show a member with a value that staff set, whatever its records say; it goes with this record for ever.

    It is understood by what the member is shown with now (see :func:`overrides.understand_override`) and kept in its
    normal form; one that is shown already by a value set on this record is not kept twice. Returns the member's id.
    Raises OverrideError when the value cannot be understood, DecisionError when the record is not there to hold it.
    """
    await uow.serialise_writers()
    await check_known(uow, [record])
    group = await _group_of(uow, record)
    overrides = [
        override for of_field in (await uow.overrides([item.key for item in group])).values() for override in of_field
    ]
    text = understand_override(
        field, value, survivors([item for item in group if not item.removed], overrides, uow.policy.rules)
    ).text
    newest = max(
        (override for override in overrides if override.field == field),
        key=lambda override: override.order,
        default=None,
    )
    if newest is None or (newest.record, newest.value) != (record, text):
        await uow.set_override(record, field, text, signature)
    return await _member_anew(uow, record)


async def unset_field(uow: MembershipUnitOfWork, record: RecordKey, field: str, signature: Signature) -> str | None:
    """Take back a value that staff set on this record, so that the records are believed again.

    Returns the member's id, or None if the record was removed with all that the member had. Raises DecisionError
    ``override-unknown``.
    """
    await uow.serialise_writers()
    await check_known(uow, [record])
    if not await uow.end_override(record, field, signature):
        raise DecisionError("override-unknown", f"no value was set by hand for {field} on {record}")
    return await _member_anew(uow, record)


async def _group_of(uow: MembershipUnitOfWork, record: RecordKey) -> list[SourceRecord]:
    """The records of the member that this one is part of."""
    groups = await uow.groups(await uow.members_of([record]))
    for group in groups.values():
        if any(item.key == record for item in group):
            return group
    raise DecisionError("record-removed", f"the source record {record} was removed by its former system")


async def _member_anew(uow: MembershipUnitOfWork, record: RecordKey) -> str | None:
    members = await uow.members_of([record])
    await consolidate_members(uow, members)
    return next(iter(members), None)
