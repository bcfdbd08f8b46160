"""What a service does when it hears of a conflict, and when its staff decide one: load, decide, save, answer."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from schemas.conflicts import ConflictAnswered
from services.conflicts.domain import Conflict, Heard
from services.conflicts.repository import ConflictsUnitOfWork
from shared.messaging.publishing import publish
from shared.persistence.batches import newest_by


async def keep_conflicts(uow: ConflictsUnitOfWork, messages: Sequence[Heard]) -> None:
    """Keep what membership tells of the conflicts that this service must resolve, and answer."""
    ours = (message for message in messages if message.data.responsible == uow.answered.service)
    newest = newest_by(ours, lambda message: message.data.conflict_id, _age)
    if not newest:
        return
    await uow.serialise_writers()
    conflicts = await uow.conflicts(newest)
    at = datetime.now(UTC)
    after = [
        conflicts[name].heard(message, at) if name in conflicts else Conflict.raised(message, uow.conflict_owner, at)
        for name, message in newest.items()
    ]
    await _keep(uow, conflicts, after, {name: m.correlationid or m.id for name, m in newest.items()})


async def decide(
    uow: ConflictsUnitOfWork, conflict_ids: Collection[str], decision: Callable[[Conflict], Conflict]
) -> list[Conflict]:
    """Let staff decide these conflicts, each as it is now, and answer; all of them or none.

    Returns those that it changed. Raises what ``decision`` raises.
    """
    await uow.serialise_writers()
    conflicts = await uow.conflicts(conflict_ids)
    return await _keep(uow, conflicts, [decision(conflict) for conflict in conflicts.values()], {})


async def _keep(
    uow: ConflictsUnitOfWork, before: Mapping[str, Conflict], after: Sequence[Conflict], causes: Mapping[str, str]
) -> list[Conflict]:
    """Save what changed and answer what has news; ``causes`` are correlation ids."""
    changed = [conflict for conflict in after if conflict != before.get(conflict.conflict_id)]
    await uow.save_conflicts(changed)
    news = [
        item
        for item in changed
        if (conflict := before.get(item.conflict_id)) is None or conflict.answers != item.answers
    ]
    publish(
        uow, uow.answered, [(answer_of(uow.answered, conflict), causes.get(conflict.conflict_id)) for conflict in news]
    )
    return changed


def answer_of(answered: type[ConflictAnswered], conflict: Conflict) -> ConflictAnswered:
    """What is announced of a conflict as it stands."""
    return answered(
        version=conflict.answers,
        conflict_id=conflict.conflict_id,
        owner=conflict.owner,
        state=conflict.state,
        changed_at=conflict.changed_at,
    )


def _age(message: Heard) -> tuple[int, bytes]:
    return message.data.version, message.digest
