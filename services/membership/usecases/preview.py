"""What members would look like after a decision: grouped and consolidated in memory, with nothing written."""

from dataclasses import dataclass

from services.membership.identity.decisions import Decision
from services.membership.identity.members import Group, member_id_of
from services.membership.matching import grouping
from services.membership.projections import consolidated, regrouped
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.decide import check_known
from services.membership.views.consolidation import View

_NEWEST = 2**63 - 1
"""A decision that is not taken yet comes after all that were."""


@dataclass(frozen=True, slots=True)
class MemberToBe:
    """A member after the decision; ``view`` is None where its former systems removed all its records.

    ``changed``: it is made of other records than before.
    """

    records: Group
    changed: bool
    view: View | None

    @property
    def member_id(self) -> str:
        """The id that it would have."""
        return member_id_of(self.records)


@dataclass(frozen=True, slots=True)
class Preview:
    """All members that a decision speaks of or changes, by id. ``gone_ids`` would lead to one of them."""

    members: list[MemberToBe]
    gone_ids: list[str]

    @property
    def changes(self) -> bool:
        """Whether anything would be another than before."""
        return any(member.changed for member in self.members)


async def preview(uow: MembershipUnitOfWork, decision: Decision) -> Preview:
    """The members that a decision would lead to. Raises RecordUnknownError.

    ``uow`` should be one snapshot: what is grouped and what is consolidated must be of one moment.
    """
    await check_known(uow, decision.records)
    verdicts = decision.verdicts.items()
    result = await regrouped(
        uow, decision.records, {}, [grouping.Decision(a, b, verdict, _NEWEST) for (a, b), verdict in verdicts]
    )
    changed = set(result.concerned())
    shown = sorted(group for group in result.groups if group in changed or _speaks_of(decision, group))
    views = await consolidated(uow, [[result.records[key] for key in group] for group in shown])
    by_id = {view.member_id: view for view in views}
    ids = {member_id_of(group) for group in result.groups}
    return Preview(
        [MemberToBe(group, group in changed, by_id.get(member_id_of(group))) for group in shown],
        sorted(set(result.former.values()) - ids),
    )


def _speaks_of(decision: Decision, group: tuple[RecordKey, ...]) -> bool:
    return not decision.records.isdisjoint(group)
