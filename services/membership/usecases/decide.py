"""What staff ask for, by HTTP or from the command line: load → decide → save → consolidate → announce.

Each runs in one transaction of its caller, so that a decision, what it merges or separates, every view that changes by
it and what is announced are there together or not at all. Each raises DecisionError when it cannot be done.
"""

from collections.abc import Collection, Sequence

from services.membership.identity import decisions
from services.membership.identity.decisions import Decided, Decision, DecisionError, RecordUnknownError, Signature
from services.membership.projections import consolidate_links, consolidate_members
from services.membership.records.record import RecordKey, SourceRecord
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.views.overrides import understand_override
from services.membership.views.survivorship import survivors


async def decide(uow: MembershipUnitOfWork, decision: Decision, signature: Signature) -> Decided:
    """Keep a decision, and merge and separate what it says. One that says nothing new is not kept twice."""
    await uow.take_turn()
    await _check_known(uow, decision.records)
    number = await _said_already(uow, decision)
    repeated = number is not None
    if number is None:
        number = await uow.save_decision(decision, signature)
        await consolidate_links(uow, decision.records, number)
    return Decided(number, repeated, await uow.members_by_record(decision.records))


async def separate(uow: MembershipUnitOfWork, records: Sequence[RecordKey], signature: Signature) -> Decided:
    """Undo a merge: none of these records, all of one member now, is one company with the member's other records."""
    await uow.take_turn()
    await _check_known(uow, records)
    members = {one for one in (await uow.members_by_record(records)).values() if one}
    if len(members) != 1:
        raise DecisionError("not-one-member", "these source records are not part of one and the same member")
    held = [record.key for record in (await uow.groups(members))[next(iter(members))]]
    others = [key for key in held if key not in records]
    if not others:
        raise DecisionError("nothing-to-separate", "the member has no other source records: name those that go")
    return await decide(uow, decisions.separate(records, others), signature)


async def take_back(uow: MembershipUnitOfWork, number: int, signature: Signature) -> Decided:
    """Take a decision back: it counts no more, and what it alone held together or apart is judged by the rest."""
    await uow.take_turn()
    found = await uow.records_decided(number)
    if found is None:
        raise DecisionError("decision-unknown", f"there is no decision {number}")
    records, taken_back_at = found
    if taken_back_at is None:
        await uow.take_back_decision(number, signature)
        await consolidate_links(uow, records, number)
    return Decided(number, taken_back_at is not None, await uow.members_by_record(records))


async def set_field(
    uow: MembershipUnitOfWork, record: RecordKey, field: str, value: str, signature: Signature
) -> str | None:
    """Show a member with a value that staff set, whatever its records say; it goes with this record for ever.

    It is understood by what the member is shown with now (see :func:`overrides.understand_override`) and kept in its
    normal form; one that is shown already by a value set on this record is not kept twice. Returns the member's id.
    Raises OverrideError when the value cannot be understood, DecisionError when the record is not there to hold it.
    """
    await uow.take_turn()
    await _check_known(uow, [record])
    group = await _group_of(uow, record)
    held = [one for ones in (await uow.overrides([one.key for one in group])).values() for one in ones]
    text = understand_override(
        field, value, survivors([one for one in group if not one.removed], held, uow.policy.rules)
    ).text
    newest = max((one for one in held if one.field == field), key=lambda one: one.order, default=None)
    if newest is None or (newest.record, newest.value) != (record, text):
        await uow.set_override(record, field, text, signature)
    return await _member_anew(uow, record)


async def unset_field(uow: MembershipUnitOfWork, record: RecordKey, field: str, signature: Signature) -> str | None:
    """Take back a value that staff set on this record, so that the records are believed again.

    Returns the member's id, or None if the record was removed with all that the member had. Raises DecisionError
    ``override-unknown``.
    """
    await uow.take_turn()
    await _check_known(uow, [record])
    if not await uow.end_override(record, field, signature):
        raise DecisionError("override-unknown", f"no value was set by hand for {field} on {record}")
    return await _member_anew(uow, record)


async def _group_of(uow: MembershipUnitOfWork, record: RecordKey) -> list[SourceRecord]:
    """The records of the member that this one is part of."""
    groups = await uow.groups(await uow.members_of([record]))
    for group in groups.values():
        if any(one.key == record for one in group):
            return group
    raise DecisionError("record-removed", f"the source record {record} was removed by its former system")


async def _member_anew(uow: MembershipUnitOfWork, record: RecordKey) -> str | None:
    members = await uow.members_of([record])
    await consolidate_members(uow, members)
    return next(iter(members), None)


async def _check_known(uow: MembershipUnitOfWork, records: Collection[RecordKey]) -> None:
    if unknown := set(records) - await uow.known(records):
        raise RecordUnknownError(unknown)


async def _said_already(uow: MembershipUnitOfWork, decision: Decision) -> int | None:
    """The newest decision in force on these pairs, if they all say the same as this one and nothing overrules them."""
    in_force = {(one.a, one.b): one for one in sorted(await uow.decisions(decision.records), key=lambda one: one.order)}
    verdicts = decision.verdicts
    if not all(pair in in_force and in_force[pair].kind == verdict for pair, verdict in verdicts.items()):
        return None
    members = await uow.members_by_record(decision.records)
    if any((members[a] == members[b]) != (verdict == "confirmed") for (a, b), verdict in verdicts.items()):
        # Other decisions hold it back: said again, it is the newest, and counts before them.
        return None
    return max(in_force[pair].order for pair in verdicts)
