"""One transaction of membership: all that it may load and save, from the repositories of its capabilities."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.identity import review_rows
from services.membership.identity.repository import Identity
from services.membership.matching import repository as matching_repository
from services.membership.matching.features import Features
from services.membership.matching.sql import pending
from services.membership.policy import Policy, policy_of
from services.membership.records.record import RecordKey
from services.membership.records.repository import Records
from services.membership.settings import MembershipSettings
from services.membership.views.repository import Views
from services.membership.views.staff_repository import StaffValues


class MembershipUnitOfWork(Records, Views, StaffValues, Identity):
    """One transaction of membership, and what the operators configured."""

    def __init__(self, connection: AsyncConnection, policy: Policy) -> None:
        super().__init__(connection)
        self.policy = policy

    async def recognise(self, changed: Sequence[Features]) -> set[RecordKey]:
        """Judge anew what changed and all that this touches; returns the records whose member may be another now."""
        look = self.prepared.look if self.prepared else None
        return await matching_repository.recognise(self.connection, changed, [], self.policy.weights, look)

    async def refresh_cases(self) -> None:
        """Make the cases of the review queue anew that this transaction changed; it must have the turn."""
        await review_rows.refresh_own(self)

    async def unlinked(self, minutes: float) -> list[RecordKey]:
        """Some records that were published so many minutes ago or more, and are not linked."""
        return await pending.unlinked(self.connection, minutes)

    async def withdraw(self, keys: Collection[RecordKey]) -> set[RecordKey]:
        """Forget what was published of records; returns those whose member may be another now."""
        return await matching_repository.recognise(self.connection, [], keys, self.policy.weights)


def unit_of_work(settings: MembershipSettings) -> Callable[[AsyncConnection], MembershipUnitOfWork]:
    """What makes one transaction of the service. Raises ClustersFileError, RulesFileError."""
    return partial(MembershipUnitOfWork, policy=policy_of(settings))
