"""Moving one former system on or back, and telling it: one transaction, so that a kill leaves it moved or not moved."""

from collections.abc import Collection

from schemas.catalogue import FACTS
from schemas.cutover import StageChanged
from services.cutover import stages
from services.cutover.stages import Move, StageState
from shared.messaging.publishing import publish
from shared.messaging.unit_of_work import UnitOfWork

FACT_OF = {fact.service: fact for fact in FACTS if issubclass(fact, StageChanged)}
"""What each service announces when a former system of its own moves."""


async def move(
    uow: UnitOfWork,
    service: str,
    cluster: str,
    by_move: Move,
    *,
    by: str,
    reason: str,
    overruled: Collection[str] = (),
) -> StageState:
    """Move a cluster's former system for this service, and announce where it stands now. Raises stages.MoveError.

    Writes of either side that are under way are waited for, and those that come after see the new stage.
    """
    state = await stages.move(uow.connection, cluster, by_move, by=by, reason=reason, overruled=overruled)
    assert state.since is not None, "whoever moved did so at some time"
    fact = FACT_OF[service]
    change = fact(version=state.epoch, cluster=cluster, stage=state.stage, since=state.since, by=by)
    publish(uow, fact, [(change, None)])
    return state
