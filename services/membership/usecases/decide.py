"""What staff ask for, by HTTP or from the command line: load → decide → save → consolidate → announce.

Each runs in one transaction of its caller, so that a decision, what it merges or separates, every view that changes by
it and what is announced are there together or not at all. Each raises DecisionError when it cannot be done.
"""

from collections.abc import Collection, Sequence

from services.membership.identity import decisions
from services.membership.identity.decisions import Decided, Decision, DecisionError, RecordUnknownError, Signature
from services.membership.projections import consolidate_links
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork


async def decide(uow: MembershipUnitOfWork, decision: Decision, signature: Signature) -> Decided:
    """Keep a decision, and merge and separate what it says. One that says nothing new is not kept twice."""
    await uow.serialise_writers()
    await check_known(uow, decision.records)
    number = await _repeated(uow, decision)
    repeated = number is not None
    if number is None:
        number = await uow.save_decision(decision, signature)
        await consolidate_links(uow, decision.records, number)
    return Decided(number, repeated, await uow.members_by_record(decision.records))


async def separate(uow: MembershipUnitOfWork, records: Sequence[RecordKey], signature: Signature) -> Decided:
    """Undo a merge: none of these records, all of one member now, is one company with the member's other records."""
    await uow.serialise_writers()
    return await decide(uow, await separation(uow, records), signature)


async def separation(uow: MembershipUnitOfWork, records: Sequence[RecordKey]) -> Decision:
    """The decision that parts these records from the others of their member. Raises DecisionError."""
    await check_known(uow, records)
    members = {member for member in (await uow.members_by_record(records)).values() if member}
    if len(members) != 1:
        raise DecisionError("not-one-member", "these source records are not part of one and the same member")
    stored = [record.key for record in (await uow.groups(members))[next(iter(members))]]
    others = [key for key in stored if key not in records]
    if not others:
        raise DecisionError("nothing-to-separate", "the member has no other source records: name those that go")
    return decisions.separate(records, others)


async def take_back(uow: MembershipUnitOfWork, number: int, signature: Signature) -> Decided:
    """Take a decision back: it counts no more, and what it alone held together or apart is judged by the rest."""
    await uow.serialise_writers()
    result = await uow.records_decided(number)
    if result is None:
        raise DecisionError("decision-unknown", f"there is no decision {number}")
    records, taken_back_at = result
    if taken_back_at is None:
        await uow.take_back_decision(number, signature)
        await consolidate_links(uow, records, number)
    return Decided(number, taken_back_at is not None, await uow.members_by_record(records))


async def check_known(uow: MembershipUnitOfWork, records: Collection[RecordKey]) -> None:
    """Raise RecordUnknownError, where nobody ever told of one of these records."""
    if unknown := set(records) - await uow.known(records):
        raise RecordUnknownError(unknown)


async def _repeated(uow: MembershipUnitOfWork, decision: Decision) -> int | None:
    """The newest decision in force on these pairs, if they all say the same as this one and nothing overrules them."""
    in_force = {
        (item.a, item.b): item for item in sorted(await uow.decisions(decision.records), key=lambda item: item.order)
    }
    verdicts = decision.verdicts
    if not all(pair in in_force and in_force[pair].kind == verdict for pair, verdict in verdicts.items()):
        return None
    members = await uow.members_by_record(decision.records)
    if any((members[a] == members[b]) != (verdict == "confirmed") for (a, b), verdict in verdicts.items()):
        # Other decisions hold it back: said again, it is the newest, and counts before them.
        return None
    return max(in_force[pair].order for pair in verdicts)
