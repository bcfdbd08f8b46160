"""The answers to conflicts, told again after a restore: each as it was answered last."""

from services.common.republish import CAUSE, PAGE, Page, Place, Republisher, page_of
from services.conflicts.handlers import answer_of
from services.conflicts.repository import ConflictsUnitOfWork
from shared.messaging.publishing import publish

_NEXT = f"select conflict_id from merge_conflicts where conflict_id > $1 order by conflict_id limit {PAGE}"


def answers() -> Republisher:
    """Whose each conflict is, and where it stands."""
    return Republisher("conflict answers", "select count(*) from merge_conflicts", _page)


async def _page(uow: ConflictsUnitOfWork, after: Place | None) -> Page:
    names = list((await uow.connection.exec_driver_sql(_NEXT, after or ("",))).scalars())
    conflicts = await uow.conflicts(names)
    publish(uow, uow.answered, [(answer_of(uow.answered, conflicts[name]), CAUSE) for name in names])
    return page_of(len(names), (names[-1],) if names else None)
