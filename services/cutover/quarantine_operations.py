"""What operators ask about late messages in quarantine: read, applied and dismissed."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from services.cutover import late_messages, quarantine
from services.cutover.definition import CutoverDefinition
from services.cutover.operations import CutoverError
from shared.messaging.unit_of_work import UnitOfWork


async def quarantined(
    uow: UnitOfWork,
    definition: CutoverDefinition,
    cluster: str | None,
    state: str | None,
    *,
    after: int = 0,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """What is or was in quarantine, without its content, oldest first."""
    result = await quarantine.listed(uow.connection, cluster, state, after=after, limit=limit)
    return [_without_body(definition, item) for item in result]


async def late_message(
    uow: UnitOfWork, definition: CutoverDefinition, number: int, cluster: str | None = None
) -> dict[str, Any]:
    """One message whole, and the current row of its record. Raises CutoverError ``late-unknown``."""
    result = await _late(uow, definition, number, cluster)
    answer = orjson.loads(result.body)["data"]
    stored = await late_messages.current_row(uow, definition, result.cluster, answer)
    shown = None if stored is None else stored.get("written", stored)
    return {**_without_body(definition, result), "said": answer, "held": shown}


async def decide_late(
    uow: UnitOfWork,
    definition: CutoverDefinition,
    numbers: Sequence[int],
    *,
    apply: bool,
    by: str,
    reason: str,
    cluster: str | None = None,
) -> list[str]:
    """Apply or dismiss late messages. Raises CutoverError ``late-unknown`` and ``late-refused``: then do nothing."""
    decide = late_messages.apply if apply else late_messages.dismiss
    done: list[str] = []
    for number in numbers:
        await _late(uow, definition, number, cluster)
        try:
            done.append(f"{definition.name}:{(await decide(uow, definition, number, by=by, reason=reason)).number}")
        except late_messages.LateMessageError as error:
            raise CutoverError("late-refused", f"{error}. Nothing was done") from None
    return done


async def _late(uow: UnitOfWork, definition: CutoverDefinition, number: int, cluster: str | None) -> quarantine.Late:
    result = await quarantine.read(uow.connection, number)
    if result is None or cluster not in (None, result.cluster):
        raise CutoverError("late-unknown", f"there is no {definition.name}:{number} in quarantine")
    return result


def _without_body(definition: CutoverDefinition, item: quarantine.Late) -> dict[str, Any]:
    shown = {name: value for name, value in asdict(item).items() if name not in ("body", "number")}
    return {"id": f"{definition.name}:{item.number}", "service": definition.name, **shown}
