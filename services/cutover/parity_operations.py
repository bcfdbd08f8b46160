"""What carries out the operations about comparisons: what they found, what they found before, and what is decided."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from schemas import cutover_operations, parity_operations
from schemas.cutover_operations import ParityArguments
from schemas.parity_operations import AssignmentArguments, DifferencesArguments, RunsArguments
from services.cutover.operations import CutoverError
from services.cutover.parity import listing, runs
from services.cutover.parity.deciding import Choice, Comparisons, Decided
from services.cutover.parity.listing import Filter
from services.cutover.parity.run import Subject
from services.operations.binding import Bound, Call
from services.operations.running import LONGEST_ANSWER

_MYSELF: Final = "me"


async def _parity(call: Call[ParityArguments]) -> Mapping[str, Any]:
    asked, comparisons = call.arguments, _comparisons(call, call.arguments.subject)
    run = await comparisons.newest()
    choice = Filter(asked.state, asked.kind, asked.what, asked.field, asked.owner, asked.unowned)
    connection = comparisons.connection
    rows = await listing.differences(connection, run, choice, after=asked.after, limit=asked.limit)
    page = _as_many_as_fit([row.as_json() for row in rows])
    total = await listing.count_matching(connection, run, choice)
    following = asked.after + len(page)
    return {
        "system": comparisons.system,
        **run.as_json(),
        "choices": await listing.choices(connection, run),
        "matching": total,
        "differences": page,
        "next": following if page and following < total else None,
    }


async def _runs(call: Call[RunsArguments]) -> Mapping[str, Any]:
    asked, comparisons = call.arguments, _comparisons(call, call.arguments.subject)
    rows = await runs.history(
        comparisons.connection, comparisons.cluster, asked.limit, comparisons.subject, days=asked.days
    )
    items = [{"run" if name == "id" else name: value for name, value in row.items()} for row in rows]
    return {"system": comparisons.system, "subject": asked.subject, "items": items}


async def _accept(call: Call[DifferencesArguments]) -> Mapping[str, Any]:
    asked, comparisons = call.arguments, _comparisons(call, call.arguments.subject)
    decided = await comparisons.accept(Choice(asked.differences), by=call.author, reason=call.reason)
    _check_all("difference-not-open", "accepted already", decided)
    return await _answer(comparisons, decided)


async def _take_back(call: Call[DifferencesArguments]) -> Mapping[str, Any]:
    asked, comparisons = call.arguments, _comparisons(call, call.arguments.subject)
    decided = await comparisons.take_back(Choice(asked.differences), by=call.author, reason=call.reason)
    _check_all("difference-not-accepted", "not accepted", decided)
    return await _answer(comparisons, decided)


async def _assign(call: Call[AssignmentArguments]) -> Mapping[str, Any]:
    asked, comparisons = call.arguments, _comparisons(call, call.arguments.subject)
    owner = call.author if asked.owner == _MYSELF else asked.owner
    return await _answer(comparisons, await comparisons.assign(Choice(asked.differences), owner))


def _comparisons(call: Call[Any], subject: Subject) -> Comparisons:
    return Comparisons(call.uow.connection, call.cluster, call.definition.name, subject)


def _check_all(kind: str, why: str, decided: Decided) -> None:
    """Raises CutoverError where one of them was so already: whoever decided them together looked at another state."""
    if decided.unchanged:
        raise CutoverError(kind, f"{why}, so nothing was done: {', '.join(decided.unchanged)}")


async def _answer(comparisons: Comparisons, decided: Decided) -> Mapping[str, Any]:
    still_open, accepted = await runs.numbers(comparisons.connection, comparisons.cluster, decided.run.number)
    return {
        "system": comparisons.system,
        "subject": comparisons.subject,
        "run": decided.run.number,
        "changed": list(decided.changed),
        "open": still_open,
        "accepted": accepted,
    }


def _as_many_as_fit(items: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The first of them, at least one, that leave room for the rest of an answer."""
    size = 0
    for count, item in enumerate(items):
        size += len(orjson.dumps(item, default=str))
        if count and size > LONGEST_ANSWER // 2:
            return items[:count]
    return items


PARITY: Final = (
    Bound(cutover_operations.PARITY, _parity),
    Bound(parity_operations.PARITY_RUNS, _runs),
    Bound(parity_operations.ACCEPT, _accept),
    Bound(parity_operations.TAKE_BACK, _take_back),
    Bound(parity_operations.ASSIGN, _assign),
)
